"""Everything with pixels.

- ``picture``: what a page shows: a file's public name, its size and where its bytes are; pure.
- ``decode``: the only place where foreign bytes become a picture.
- ``fit``: an original, fitted to the layout and ready for the web.
- ``thumbnail``: a small picture that stands inside a page.
- ``placeholder``: a stand-in for a picture that is not there; pure.
"""
