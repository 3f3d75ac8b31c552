"""Front door: the command line.

- ``site``: a whole build of a site, to see what its pages show.
- ``terminal``: what people see: tables, progress, plain lines; the only door to ``rich``.
- ``planning``: `plan` and `check`.
- ``generating``: `generate`.
- ``upkeep``: `verify` and `prune`.
- ``serving``: `emulator`.
- ``main``: the group of all commands.
"""
