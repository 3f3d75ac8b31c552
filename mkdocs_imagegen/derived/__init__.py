"""The variant cache: files that can be derived again, kept between builds in diskcache.

- ``store``: the cache of one build; the only module that other rooms use, with ``stat_index``.
- ``stat_index``: size and time of verified files, so that the next build need not read them.
- ``check``: the check of a database before anything in it is used.
- ``strict_cache``: diskcache without its dangers: fixed settings, no pickles, no foreign files.
- ``quarantine``: the move of a broken cache, once, by one of several builds.
"""

from __future__ import annotations

MAX_VALUE_BYTES = 64_000_000
"""Maximum size of a value; larger values are neither kept nor read."""


class InvalidCacheError(Exception):
    """Contents that this package does not write; the text names them."""


class CacheLockedError(Exception):
    """A cache that another program holds longer than the timeout; the cache itself is intact."""
