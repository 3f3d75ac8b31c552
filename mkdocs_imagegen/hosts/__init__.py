"""The front doors, one package per site generator, and the opening of the gateway for them."""
