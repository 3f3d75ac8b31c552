"""The command line: one module per command, and three that they share.

- ``main``: the group of all commands, its help and its errors.
- ``site``: the configuration file, the gateway and the estimate of a site.
- ``targets``: the image that LOCATION names; pure.
- ``terminal``: tables, progress, plain lines and errors; the only door to ``rich``.
"""
