"""The front door for MkDocs.

- ``plugin``: the hooks, a few lines each.
- ``build``: one build of MkDocs in the terms of the pipeline.
- ``server``: the state of one ``mkdocs serve``.
- ``look``: a whole build into a temporary folder, for commands.
"""
