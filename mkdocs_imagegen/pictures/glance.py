"""What verified files look like from outside, so that the next build need not read them; pure.

Reading and hashing all files of a picture takes ten times as long as looking at their sizes and
times. As git does it: a file that has both as they were when it was read is taken to be the same,
unless it was changed so shortly before that the clock could not tell another change.
"""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from dataclasses import dataclass

_CLOCK_TELLS_AFTER_S = 2.0
"""Some file systems note times no finer than that (FAT)."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """A value's file as it was when it was verified.

    Attributes:
        name: of the file, below the folder of the cache.
        bytes: how many it had.
        mtime_ns: when it was changed last.
    """

    name: str
    bytes: int
    mtime_ns: int

    def fits(self, facts: os.stat_result) -> bool:
        """Whether a file still looks the same."""
        return (facts.st_size, facts.st_mtime_ns) == (self.bytes, self.mtime_ns)

    def is_settled(self, now: float) -> bool:
        """Whether another change of the file would show, by the time in seconds."""
        return self.mtime_ns / 1e9 < now - _CLOCK_TELLS_AFTER_S


@dataclass(frozen=True, slots=True)
class Glance:
    """All files of a picture, in order, and the blurred pixels that stand in its place."""

    stamps: tuple[Stamp, ...]
    blur: bytes


def to_json(glance: Glance) -> bytes:
    """As the cache keeps it."""
    stamps = [(each.name, each.bytes, each.mtime_ns) for each in glance.stamps]
    return json.dumps({"stamps": stamps, "blur": b64encode(glance.blur).decode()}).encode()


def from_json(content: bytes) -> Glance | None:
    """What the cache has kept; None where that is nothing of ours."""
    try:
        read = json.loads(content)
        stamps = tuple(Stamp(*each) for each in read["stamps"])
        glance = Glance(stamps, b64decode(read["blur"], validate=True))
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    kinds = {(type(each.name), type(each.bytes), type(each.mtime_ns)) for each in stamps}
    return glance if kinds <= {(str, int, int)} else None
