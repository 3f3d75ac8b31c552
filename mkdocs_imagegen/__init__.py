"""Images from prompts, for MkDocs.

The flow of a build, in order::

    pages -> directives -> requests -> originals (cache hit?) -> jobs -> gateway -> originals
          -> variants -> site files -> pages -> report

The folders, from the front doors to the foundations; each imports only folders below it:

- ``cli``: the commands, one module per command.
- ``hosts``: one front door per site generator, the only importers of one, and the opening of the
  gateway. ``hosts/look`` finds the generator of a site for a command. ``hosts/mkdocs`` has the
  plugin, one build of MkDocs, and the state of ``mkdocs serve``; ``hosts/zensical`` has the
  Markdown extension that a site of Zensical lists.
- ``pipeline``: one build: it looks images up, waits for them, and puts them into pages.
- ``jobs``: the scheduler of the images to generate, signals, and the queue of ``mkdocs serve``.
- ``spending``: everything that can cost money: permission, budget, ledger, claims, journal,
  purchase, prices, and recovery after a crash.
- ``pages``: HTML: image markup, social tags, page cards, and the contact sheet.
- ``imaging``: pixels: decoding, encoding, variants, placeholders.
- ``derived``: the variant cache, which can be deleted at any time.
- ``directives``: what the author wrote, and the Markdown extension that reads it.
- ``gateway``: the client of the AI Gateway; ``emulator``: a gateway on this machine.
- ``originals``: the generated images on disk, and their records.
- ``settings``: typed settings from a plain mapping.
- ``request``: everything that determines the pixels, and its key; ``page_layout``: how a page
  shows an image; ``option_parsers``, ``report``, ``causes`` (of missing images), ``event_loop``,
  ``files``, ``git``, ``log``, ``errors``, ``frozen``: modules that the folders share.

Importing this package imports no host, HTTP client or image library. The plugin imports most of it
only for the first page with an image.
"""

__version__ = "0.2.0"
__all__ = ["__version__"]
