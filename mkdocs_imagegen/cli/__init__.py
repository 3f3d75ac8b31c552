"""Front door: the command line.

- ``site``: a whole build of a site, to see what its pages show.
- ``terminal``: what people see: tables, progress, plain lines; the only door to ``rich``.
- ``planning``: `plan` and `check`.
- ``generating``: `generate`.
- ``sheets``: `gallery`, and what every contact sheet is made of.
- ``choosing``: `candidates`.
- ``places``: which image an author means by a place; pure.
- ``market``: `models` and `credits`.
- ``stores``: the store, for commands that look into it.
- ``schema``: `schema`.
- ``upkeep``: `verify` and `prune`.
- ``serving``: `emulator`.
- ``main``: the group of all commands.
"""
