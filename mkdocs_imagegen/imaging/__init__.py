"""Everything with pixels.

- ``image``: what a page says of an image: the addresses of its files; pure.
- ``variants``: the sizes and formats in which a page shows an original; pure.
- ``decode``: the only place where foreign bytes become an image; ``encode`` makes files of it.
- ``derive``: the files of an image, put into the site.
- ``derived``: where they are kept between builds; ``strict_cache``, ``strict_disk`` and
  ``cache_check`` take the dangers out of its database, ``sealed`` and ``glance`` tell damage.
- ``thumbnail``: a small image that stands inside a page.
- ``placeholder``: a stand-in for an image that is not there; pure.
"""
