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
from collections.abc import Callable, Iterator, Mapping
from operator import methodcaller

from mkdocs_imagegen.frozen import dataclass

_MAX_ENTRIES = 5_000
_SPLIT = "split"
"""Value in place of entries that are in sixteen other values."""
_SPLIT_FIELDS = methodcaller("split", " ")
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


class _Part:
    """Entries whose keys have the same first digits, one line each, and the keys in use."""

    # No dataclass: creating one takes longer than a warm build of 100 images needs for the index.

    def __init__(self, digits: str, lines: dict[str, str] | None, used: set[str]) -> None:
        self.digits = digits
        self.is_split = lines is None
        self.lines = lines or {}
        self.used = used


class StatIndex:
    """Index of the verified files of a site, kept as one value instead of one per image.

    A value of more than 5,000 entries is split by the next digit of their keys, and so on. So a
    build reads and writes only the parts with its images.

    Args:
        read: Function that returns the value for keys with some first digits, as an earlier build
            kept it; ``b""`` if there is none. Invalid content counts as an empty index.
    """

    def __init__(self, read: Callable[[str], bytes]) -> None:
        self._read = read
        self._parts: dict[str, _Part] = {}
        self._changed: set[str] = set()
        self._is_released = False

    def find(self, key: str) -> IndexEntry | None:
        """Return the entry of an image, or None if there is none or it is invalid."""
        part = self._part_of(key)
        line = part.lines.get(key)
        entry = _parse(line) if line is not None else None
        if entry is not None:
            part.used.add(key)
        return entry

    def add(self, key: str, entry: IndexEntry) -> None:
        """Add the entry of an image, or replace it."""
        part = self._part_of(key)
        part.lines[key] = _format(entry)
        part.used.add(key)
        self._changed.add(part.digits)

    def release(self) -> None:
        """Release the memory of unchanged parts; the next lookup reads them again."""
        self._parts = {digits: self._parts[digits] for digits in self._changed}
        self._is_released = True

    def changes(self) -> Iterator[tuple[str, bytes]]:
        """Yield the values to keep and the first digits of their keys, parts before the whole."""
        for digits in sorted(self._changed):
            lines, used = self._parts[digits].lines, self._parts[digits].used
            # Most others are of images that have changed, and would add up over the years.
            limit = _MAX_ENTRIES // 16 if digits else _MAX_ENTRIES
            if len(lines) > max(limit, 2 * len(used)):
                lines = {key: lines[key] for key in used}
            yield from _values(digits, lines)

    def _part_of(self, key: str) -> _Part:
        digits = ""
        while True:
            part = self._parts.get(digits) or self._read_part(digits)
            if not part.is_split:
                return part
            if digits == key:  # the cache is invalid: there are no more digits
                self._parts[key] = _Part(key, {}, set())
            digits = key[: len(digits) + 1]

    def _read_part(self, digits: str) -> _Part:
        lines = _parse_lines(self._read(digits))
        # Which entries were in use before the release is forgotten, so all count.
        used = set(lines or ()) if self._is_released else set()
        part = self._parts[digits] = _Part(digits, lines, used)
        return part


def _values(digits: str, lines: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    if len(lines) <= _MAX_ENTRIES:
        yield digits, json.dumps(lines, sort_keys=True).encode()
        return
    for each in (digits + digit for digit in "0123456789abcdef"):
        inside = {key: line for key, line in lines.items() if key.startswith(each)}
        yield from _values(each, inside)
    yield digits, json.dumps(_SPLIT).encode()


def _parse_lines(content: bytes) -> dict[str, str] | None:
    """Return the lines of a part by key; None if they are in other parts."""
    try:
        lines = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    if lines == _SPLIT:
        return None
    return lines if isinstance(lines, dict) else {}


def _format(entry: IndexEntry) -> str:
    # One line: a site may have thousands of images, and objects take ten times the memory of text.
    stats = (f"{each.name} {each.bytes} {each.mtime_ns}" for each in entry.stats)
    return ";".join([b64encode(entry.blur).decode(), *stats])


def _parse(line: object) -> IndexEntry | None:
    try:
        blur, *stats = str(line).split(";")
        parts = map(_SPLIT_FIELDS, stats)
        parsed = [FileStat(name, int(size), int(mtime)) for name, size, mtime in parts]
        return IndexEntry(tuple(parsed), b64decode(blur, validate=True))
    except ValueError:
        return None
