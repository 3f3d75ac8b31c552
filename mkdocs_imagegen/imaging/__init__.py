"""Everything with pixels.

- ``picture``: what a page says of a picture: the addresses of its files; pure.
- ``variants``: the sizes and formats in which a page shows an original; pure.
- ``decode``: the only place where foreign bytes become a picture; ``encode`` makes files of it.
- ``derive``: the files of a picture, put into the site.
- ``derived``: where they are kept between builds; ``strict_cache``, ``strict_disk`` and
  ``cache_check`` take the dangers out of its database, ``sealed`` and ``glance`` tell damage.
- ``thumbnail``: a small picture that stands inside a page.
- ``placeholder``: a stand-in for a picture that is not there; pure.
"""
