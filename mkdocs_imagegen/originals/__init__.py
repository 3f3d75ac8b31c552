"""Originals: the images that the gateway returned, kept byte for byte.

- ``record``: facts about one original, and their JSON file.
- ``store``: the folder of all originals.
- ``subjects``: the index by subject, in the cache folder.
- ``judge``: the judgment of one original, for builds and for `verify`.
- ``folders``: the folders in use, and their notes about each other.
- ``lock``: the records that are locked, and their originals.
- ``committed``: the originals that git has.

An image is ``ab/<key>.<first 16 digits of its SHA-256>.<extension>``, its record ``ab/<key>.json``.
The image is written first; the record is the commit point. The hash in the file name keeps two
builds that make the same request at the same time from pairing one's image with the other's record.
"""
