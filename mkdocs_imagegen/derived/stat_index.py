"""What verified files look like from outside, so that the next build need not read them; pure.

Reading and hashing all files of an image takes ten times as long as looking at their sizes and
times. As git does it: a file that has both as they were when it was read is taken to be the same,
unless it was changed so shortly before that the clock could not tell another change.
"""

from __future__ import annotations

import json
import os
import stat
from base64 import b64decode, b64encode

from mkdocs_imagegen.frozen import dataclass

_MOST = 20_000
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
        """Whether a file still looks the same, and is one: a link would be linked into the site."""
        is_same = (facts.st_size, facts.st_mtime_ns) == (self.bytes, self.mtime_ns)
        return is_same and stat.S_ISREG(facts.st_mode)

    def is_settled(self, now: float) -> bool:
        """Whether another change of the file would show, by the time in seconds."""
        return self.mtime_ns / 1e9 < now - _CLOCK_TELLS_AFTER_S


@dataclass(frozen=True, slots=True)
class Glance:
    """All files of an image, in order, and the blurred pixels that stand in its place."""

    stamps: tuple[Stamp, ...]
    blur: bytes


class Glances:
    """Glances at all images of a site, kept together: one value is read, and not one for each.

    Args:
        content: as they were kept; anything else counts as none.
    """

    def __init__(self, content: bytes) -> None:
        self._lines = _lines_of(content)
        self._used: set[str] = set()
        self.is_changed = False

    def find(self, key: str) -> Glance | None:
        """The glance at an image; None where there is none."""
        line = self._lines.get(key)
        glance = _read(line) if line is not None else None
        if glance is not None:
            self._used.add(key)
        return glance

    def add(self, key: str, glance: Glance) -> None:
        """Keep the glance at an image, in place of another."""
        self._lines[key] = _written(glance)
        self._used.add(key)
        self.is_changed = True

    def to_json(self) -> bytes:
        """As they are kept. Of very many only those that were used."""
        too_many = len(self._lines) > _MOST
        kept = self._used if too_many else self._lines.keys()
        return json.dumps({key: self._lines[key] for key in sorted(kept)}).encode()


def _lines_of(content: bytes) -> dict[str, str]:
    try:
        read = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def _written(glance: Glance) -> str:
    """On one line: a page may have thousands, and objects take ten times the room of text."""
    stamps = (f"{each.name} {each.bytes} {each.mtime_ns}" for each in glance.stamps)
    return ";".join([b64encode(glance.blur).decode(), *stamps])


def _read(line: object) -> Glance | None:
    try:
        blur, *stamps = str(line).split(";")
        parts = (stamp.split(" ") for stamp in stamps)
        read = tuple(Stamp(name, int(size), int(mtime)) for name, size, mtime in parts)
        return Glance(read, b64decode(blur, validate=True))
    except ValueError:
        return None
