"""Where diskcache keeps its values, without what made that dangerous.

The stock ``Disk`` unpickles what a row tells it to, and reads and deletes whatever file a row
names (CVE-2025-69872 and its neighbours: fact sheet "reliability", section 1.1). Here a value is
a file of bytes under one of our own names inside the cache's folder, or it is nothing.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import diskcache
from diskcache.core import MODE_BINARY, UNKNOWN

from mkdocs_imagegen.derived.errors import UnfitError
from mkdocs_imagegen.files import write_atomic

_KEY = re.compile("[0-9a-f]{64}")
_VALUE_NAME = re.compile(r"[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{28}\.val")
_OUR_FILE = re.compile(r"[0-9a-f]{2}/[0-9a-f]{2}/([0-9a-f]{28}\.(val|tmp)|\.[0-9a-f]{16}\.tmp)")
"""Values and temporary files; in older caches a temporary file has the stem of a value."""


class StrictDisk(diskcache.Disk):  # type: ignore[misc]  # diskcache has no types
    """Keys are 64 hex digits, values are files of bytes; everything else is refused."""

    def __init__(self, directory: str, **settings: Any) -> None:  # noqa: ANN401 - diskcache's
        super().__init__(directory, **settings)
        self._known_folders: set[str] = set()

    def put(self, key: object) -> tuple[str, bool]:
        """A key as it stands in the database.

        Raises:
            ValueError: it is no key of ours.
        """
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            raise ValueError(f"no key of 64 hex digits: {key!r}")
        return key, True

    def get(self, key: object, raw: object) -> NoReturn:  # noqa: ARG002 - diskcache's signature
        """Refused: the stock one unpickles keys that say so.

        Raises:
            ValueError: always.
        """
        raise ValueError("keys are not read back")

    def store(
        self, value: object, read: object, key: object = UNKNOWN
    ) -> tuple[int, int, str, None]:
        """Write a value file; its row's size, mode, name and inline value.

        Raises:
            TypeError: the value is no bytes.
            UnfitError: a folder for values is a link to somewhere else.
            OSError: it cannot be written; nothing is left behind.
        """
        if not isinstance(value, bytes) or read:
            raise TypeError("only bytes are kept")
        name, path = self.filename(key, value)
        _make_folders(Path(path).parent)
        write_atomic(Path(path), value, sync=False)
        self.newest = name
        return len(value), MODE_BINARY, name, None

    def filename(
        self,
        key: object = UNKNOWN,  # noqa: ARG002 - diskcache's signature
        value: object = UNKNOWN,  # noqa: ARG002 - the same
    ) -> tuple[str, str]:
        """A new name, as a row holds it and as a path.

        It has the stock shape. The second level is always ``00``: 256 folders are enough, and
        65,536 of them take more room than the values in them.
        """
        name = f"{secrets.token_hex(1)}/00/{secrets.token_hex(14)}.val"
        return name, os.path.join(self._directory, name)  # noqa: PTH118 - diskcache takes text

    def fetch(
        self,
        mode: object,
        filename: object,
        value: object,
        read: object,  # noqa: ARG002 - diskcache's signature
    ) -> Path:
        """The path of the file that a row names; not whether it is there.

        Raises:
            OSError: the row names none of our files. For diskcache that is a missing value.
        """
        if mode != MODE_BINARY or value is not None:
            raise OSError("no file of bytes")
        if not isinstance(filename, str) or not _VALUE_NAME.fullmatch(filename):
            raise OSError("no name of ours")
        path = Path(self._directory, filename)
        if not (_is_folder(path.parent) and _is_folder(path.parent.parent)):
            raise OSError("not inside the cache")
        return path

    def path_of(self, name: str) -> str:
        """The path of one of our files by its name; folders are looked at once for each cache.

        Raises:
            OSError: it is no name of ours, or leads out of the cache.
        """
        if not _VALUE_NAME.fullmatch(name):
            raise OSError("no name of ours")
        path = os.path.join(self._directory, name)  # noqa: PTH118 - a thousand times as text
        folder = os.path.dirname(path)  # noqa: PTH120 - the same
        if folder not in self._known_folders:
            if not (_is_folder(folder) and _is_folder(os.path.dirname(folder))):  # noqa: PTH120
                raise OSError("not inside the cache")
            self._known_folders.add(folder)
        return path

    def remove(self, file_path: object) -> None:
        """Delete one of our own files; anything else is left alone."""
        if not isinstance(file_path, str) or not _OUR_FILE.fullmatch(file_path):
            return
        path = Path(self._directory, file_path)
        with contextlib.suppress(OSError):
            if _is_folder(path.parent) and _is_folder(path.parent.parent):
                path.unlink()

    def remove_newest(self) -> None:
        """Delete the value that was stored last, whose row could not be written."""
        self.remove(getattr(self, "newest", None))

    def older_than(self, moment: float) -> Iterator[str]:
        """The names of our files that were last changed before that time in seconds."""
        for outer in _folders_in(self._directory):
            for inner in _folders_in(outer.path):
                with os.scandir(inner.path) as entries:
                    for entry in entries:
                        name = f"{outer.name}/{inner.name}/{entry.name}"
                        if _OUR_FILE.fullmatch(name) and _was_changed_before(entry, moment):
                            yield name


def _make_folders(inner: Path) -> None:
    inner.parent.parent.mkdir(parents=True, exist_ok=True)
    for folder in (inner.parent, inner):  # one by one: below a link nothing is made
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
        if not _is_folder(folder):
            raise UnfitError("a folder for values that is none")


def _folders_in(folder: str) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return [entry for entry in entries if len(entry.name) == 2 and _is_folder(entry)]  # noqa: PLR2004 - two hex digits


def _is_folder(path: str | os.PathLike[str]) -> bool:
    facts = os.lstat(path)
    points_elsewhere = stat.FILE_ATTRIBUTE_REPARSE_POINT & getattr(facts, "st_file_attributes", 0)
    return stat.S_ISDIR(facts.st_mode) and not points_elsewhere


def _was_changed_before(entry: os.DirEntry[str], moment: float) -> bool:
    try:
        facts = entry.stat(follow_symlinks=False)
    except FileNotFoundError:  # another build was quicker
        return False
    return stat.S_ISREG(facts.st_mode) and facts.st_mtime < moment
