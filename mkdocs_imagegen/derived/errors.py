"""What the cache of derived things refuses, and what it waits for."""

from __future__ import annotations

MAX_VALUE_BYTES = 64_000_000
"""A larger value is not kept, and not read."""


PATIENCE_S = 3.0
"""How long another program is waited for that holds the cache."""


class UnfitError(Exception):
    """The cache holds something that this package does not write; its text says what."""


class BusyError(Exception):
    """Another program holds the cache, and did so for as long as it was waited for.

    Nothing is wrong with the cache then.
    """
