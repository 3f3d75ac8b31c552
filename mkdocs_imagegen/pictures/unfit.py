"""What the cache of derived things refuses."""

from __future__ import annotations

LARGEST_VALUE_BYTES = 64_000_000
"""A larger value is not kept, and not read."""


class UnfitError(Exception):
    """The cache holds something that this package does not write; its text says what."""
