"""Images from prompts, for MkDocs.

The flow, in order::

    pages -> directives -> requests -> originals (have it?) -> gateway (make it)
          -> originals -> images (sizes) -> site files -> pages -> report

Where to look:

- ``plugin`` (with ``build``, one build of MkDocs, and ``host``, its images) and ``cli`` are the
  front doors. Most of the package is imported by the first page that needs it.
- ``building`` does one build's work: look up, make, derive, fill in.
- ``directives`` is what the author wrote, ``request`` what fixes the pixels, and its key.
- ``gateway`` asks for an image; ``emulator`` is a gateway on this machine.
- ``originals`` keeps what was paid for; ``images`` is everything with pixels.
- ``pages`` puts an image into a page; ``report`` tells what was done.
- ``spending`` says who may spend; ``settings``, ``shapes``, ``values``, ``errors`` and ``records``
  are what all of them stand on; ``reference`` shows the options in the manual.

Importing this package imports nothing heavy: no host, no HTTP client, no image library.
"""

__version__ = "0.1.0"
__all__ = ["__version__"]
