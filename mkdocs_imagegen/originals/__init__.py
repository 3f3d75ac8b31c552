"""Originals: the images that the gateway returned, kept byte for byte.

- ``record``: facts about one original, and their JSON file.
- ``store``: the folder of all originals.
- ``audit``: a check of every file in that folder, without writes.

An image is ``ab/<key>.<first 16 digits of its SHA-256>.<extension>``, its record ``ab/<key>.json``.
The image is written first; the record is the commit point. The hash in the file name keeps two
builds that make the same request at the same time from pairing one's image with the other's record.
"""
