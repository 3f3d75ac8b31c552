"""The work of one build; nothing here knows the host.

- ``pipeline``: looks images up, has the missing ones made, and fills them into pages.
- ``previews``: the images that stand for pages: in heads, at tops and on cards.
- ``making``: images in the making, concurrent, equal requests once; ``background`` is its thread.
- ``following``: images that follow others, in turn; ``attachments``: where those are.
- ``wanted``: what is wanted of it, and what becomes of that.
- ``run``: what several builds of one run share.
- ``outcome``, ``sightings`` and ``telling``: what became of a directive, where it stands, and what
  is said of it.
- ``sweep``: the files of a built site that are no pages.
"""
