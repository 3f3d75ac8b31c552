"""The front doors: one package per site generator, and the only importers of one."""
