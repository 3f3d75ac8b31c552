"""The index of records by subject, so that a missing image does not make a build read all records.

``subjects.json`` in the cache folder has, for each subfolder of originals, its modification time in
nanoseconds and the cache keys of its records, by subject key. A subfolder with another time is read
again. A record that is found is read, so an index that is out of date shows no wrong image.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from mkdocs_imagegen.errors import NewerVersionError
from mkdocs_imagegen.files import write_atomic
from mkdocs_imagegen.option_parsers import SKETCH_MODEL
from mkdocs_imagegen.originals.judge import read_record
from mkdocs_imagegen.originals.record import Record

_SUBFOLDERS = "??"
_RECORDS = f"{64 * '?'}.json"
_MTIME_STEP_NS = 2_000_000_000
"""Coarsest step of modification times, that of FAT:
https://docs.python.org/3/library/os.html#os.stat_result"""

_UNREADABLE = (OSError, ValueError, NewerVersionError)
"""Errors for a record that must not hide all others."""

_Subfolder = tuple[int, Mapping[str, str]]
"""Modification time, and the cache keys with a space between them, by subject key."""


class SubjectIndex:
    """The records of real models in some folders of originals, by subject key.

    Args:
        folders: Folders of originals.
        cache: Cache folder; None to keep no index.
        can_write: False to write no file.
    """

    def __init__(self, folders: Sequence[Path], cache: Path | None, *, can_write: bool) -> None:
        self._folders = folders
        self._path = cache / "subjects.json" if cache else None
        self._can_write = can_write

    def records(self, subject: str) -> Iterator[Record]:
        """Yield the readable records of a subject key.

        Raises:
            StoreError: If a record is a Git LFS pointer.
        """
        for subfolder, keys in self._subfolders:
            for key in str(keys.get(subject, "")).split():
                with contextlib.suppress(*_UNREADABLE):
                    record = read_record(subfolder / f"{key}.json")
                    if record.subject == subject and record.model != SKETCH_MODEL:
                        yield record

    @cached_property
    def _subfolders(self) -> list[tuple[Path, Mapping[str, str]]]:
        known, opened, kept = self._read(), [], dict[str, _Subfolder]()
        for subfolder in (each for folder in self._folders for each in folder.glob(_SUBFOLDERS)):
            name, now = str(subfolder.absolute()), time.time_ns()
            try:
                changed = subfolder.stat().st_mtime_ns
            except OSError:
                continue
            then, keys = known.get(name, (0, {}))
            is_complete = then == changed
            if not is_complete:
                keys, is_complete = _read_subfolder(subfolder)
            # Just after a change, a later one may have the same time.
            if is_complete and now - changed > _MTIME_STEP_NS:
                kept[name] = (changed, keys)
            opened.append((subfolder, keys))
        if kept != known:
            self._write(kept)
        return opened

    def _read(self) -> dict[str, _Subfolder]:
        try:
            content = json.loads(self._path.read_bytes()) if self._path else {}
            # The keys are not checked here: most of them are never used.
            return {name: (int(then), dict(keys)) for name, (then, keys) in content.items()}
        except (OSError, ValueError, TypeError, AttributeError, RecursionError):
            return {}

    def _write(self, subfolders: Mapping[str, _Subfolder]) -> None:
        if self._path and self._can_write:
            with contextlib.suppress(OSError):
                write_atomic(self._path, json.dumps(subfolders).encode(), sync=False)


def _read_subfolder(subfolder: Path) -> tuple[dict[str, str], bool]:
    """Return the cache keys of the readable records by subject key; True if all are readable."""
    keys, is_complete = dict[str, str](), True
    for path in subfolder.glob(_RECORDS):
        try:
            subject = read_record(path).subject
        except _UNREADABLE:
            is_complete = False
        else:
            keys[subject] = f"{keys.get(subject, '')} {path.stem}".strip()
    return keys, is_complete
