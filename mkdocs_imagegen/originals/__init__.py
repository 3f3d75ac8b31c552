"""Keep what was paid for, byte-identical, for ever.

- ``record``: what is known of one original, and its JSON; pure.
- ``store``: the files of all originals.
- ``files``: reading and writing files so that nothing is lost or half there.

An image lies at ``ab/<key>.<first 16 digits of its sha256>.<ending>``, its record beside it at
``ab/<key>.json``. The image is written first; the record is the commit point. The name of the
image holds its content's hash, so that two builds which made the same request at the same time
cannot pair one's image with the other's record.
"""
