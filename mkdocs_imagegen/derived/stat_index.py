"""Size and time of verified files, so that the next build need not read them; pure.

Reading and hashing all files of an image takes ten times as long as looking at their sizes and
times. As in Git's index, a file with the size and time of its last verification is unchanged,
unless the verification came so soon after the change that the clock could miss another one; see
https://git-scm.com/docs/racy-git.
"""

from __future__ import annotations

import json
import os
import stat
from base64 import b64decode, b64encode

from mkdocs_imagegen.frozen import dataclass

_MAX_ENTRIES = 20_000
_CLOCK_RESOLUTION_S = 2.0
"""Resolution of file times on FAT, the coarsest of the common file systems."""


@dataclass(frozen=True, slots=True)
class FileStat:
    """Size and time of a value's file when it was verified.

    Attributes:
        name: Path of the file below the folder of the cache.
        bytes: Size of the file.
        mtime_ns: Time of its last change.
    """

    name: str
    bytes: int
    mtime_ns: int

    def matches(self, facts: os.stat_result) -> bool:
        """Return True if a regular file has the same size and time.

        A symbolic link never matches: it would be linked into the site.
        """
        is_same = (facts.st_size, facts.st_mtime_ns) == (self.bytes, self.mtime_ns)
        return is_same and stat.S_ISREG(facts.st_mode)

    def is_settled(self, now: float) -> bool:
        """Return True if a change of the file after this moment, in seconds, changes its time."""
        return self.mtime_ns / 1e9 < now - _CLOCK_RESOLUTION_S


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """All files of an image, in order, and the blurred pixels that are shown while it loads."""

    stats: tuple[FileStat, ...]
    blur: bytes


class StatIndex:
    """Index of the verified files of a site, kept as one value instead of one per image.

    Args:
        content: Value of an earlier build; invalid content counts as an empty index.
    """

    def __init__(self, content: bytes) -> None:
        self._lines = _parse_lines(content)
        self._used: set[str] = set()
        self.is_changed = False

    def find(self, key: str) -> IndexEntry | None:
        """Return the entry of an image, or None if there is none or it is invalid."""
        line = self._lines.get(key)
        entry = _parse(line) if line is not None else None
        if entry is not None:
            self._used.add(key)
        return entry

    def add(self, key: str, entry: IndexEntry) -> None:
        """Add the entry of an image, or replace it."""
        self._lines[key] = _format(entry)
        self._used.add(key)
        self.is_changed = True

    def to_json(self) -> bytes:
        """Return the value to keep; a very large index keeps only the entries that were used."""
        is_large = len(self._lines) > _MAX_ENTRIES
        kept = self._used if is_large else self._lines.keys()
        return json.dumps({key: self._lines[key] for key in sorted(kept)}).encode()


def _parse_lines(content: bytes) -> dict[str, str]:
    try:
        lines = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return lines if isinstance(lines, dict) else {}


def _format(entry: IndexEntry) -> str:
    # One line: a site may have thousands of images, and objects take ten times the memory of text.
    stats = (f"{each.name} {each.bytes} {each.mtime_ns}" for each in entry.stats)
    return ";".join([b64encode(entry.blur).decode(), *stats])


def _parse(line: object) -> IndexEntry | None:
    try:
        blur, *stats = str(line).split(";")
        parts = (each.split(" ") for each in stats)
        parsed = tuple(FileStat(name, int(size), int(mtime)) for name, size, mtime in parts)
        return IndexEntry(parsed, b64decode(blur, validate=True))
    except ValueError:
        return None
