"""Front doors, one per site generator."""
