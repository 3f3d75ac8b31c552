"""One build of a site, independent of the site generator; it starts no thread and sends no request.

- ``build``: reads pages, waits for the images, fills the pages, and finishes the site.
- ``context``: settings, mode, permission and folders of a build, and the state of its run.
- ``lookup``: which original a request has, and the job that generates a missing one.
- ``references`` and ``reference_files``: images that are generated from other images.
- ``placements``: the locations that show an image; ``outcome``: the result at a location.
- ``messages``: the errors and remarks that are logged.
- ``previews``: images of pages for social cards, and lists of page cards.
- ``other_files``: feeds, search indexes and other text files of the site.
"""
