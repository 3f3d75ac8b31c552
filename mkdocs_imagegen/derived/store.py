"""The variant cache of one build.

The cache may be deleted at any time, and it may come from elsewhere, like a CI cache. So the
build trusts no part of it, executes no part of it, and treats every defect as a miss: a build
continues without the cache. Every value has a checksum of its key and its bytes, which reveals
damage; a checksum does not prove the origin of a value.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import os
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from mkdocs_imagegen.derived import MAX_VALUE_BYTES, CacheLockedError, InvalidCacheError
from mkdocs_imagegen.derived.quarantine import FolderId, folder_id, quarantine
from mkdocs_imagegen.derived.stat_index import FileStat, StatIndex
from mkdocs_imagegen.files import read_plain_file, write_atomic
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.log import log

if TYPE_CHECKING:
    from mkdocs_imagegen.derived.strict_cache import CacheRow, StrictCache

_KEY = re.compile("[0-9a-f]{64}")
_INDEX = "glances"  # the name in existing caches
_MAX_ATTEMPTS = 3
"""Attempts to open the cache while other builds replace its folder."""
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)
_T = TypeVar("_T")


class DerivedStore:
    """A disposable cache of bytes by key, for one build; several threads and builds may use it.

    The first use opens it, and the first write creates it. After ``close``, and if it cannot be
    opened, every read is a miss and every write does nothing.

    Args:
        folder: Folder of the cache; all files in it belong to the cache.
        size_limit_bytes: Size that ``close`` reduces the cache to.
        clock: Source of the time in seconds since 1970.
    """

    def __init__(
        self,
        folder: Path,
        *,
        size_limit_bytes: int = 2_000_000_000,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.folder = folder
        self._size_limit_bytes = size_limit_bytes
        self._clock = clock
        self._lock = threading.RLock()
        self._process = os.getpid()
        self._cache: StrictCache | None = None
        self._opened: FolderId | None = None
        self._existed = False
        self._is_closed = False
        self._has_quarantined = False
        self._is_full = False
        self._has_written = False
        self._used = bytearray()  # keys, one after the other: a site has tens of thousands

    def read(self, key: str) -> bytes | None:
        """Return the verified value of a key, or None if there is none.

        Raises:
            ValueError: If the key is not 64 hex digits.
        """
        value = self._find(key)
        return value.content if value else None

    def link(self, key: str, path: Path) -> FileStat | None:
        """Write the verified value to a file; return None if there is no value.

        The file is a hard link into the cache if it does not exist yet and the file system
        allows it. A program that changes it in place damages the value in the cache, which the
        next read detects.

        Args:
            key: 64 hex digits.
            path: File to write, or to replace, in an existing folder.

        Raises:
            ValueError: If the key is not 64 hex digits.
            OSError: If the file cannot be written.
        """
        value = self._find(key)
        if value is None:
            return None
        try:
            os.link(value.path, path)
        except OSError:
            write_atomic(path, value.content, sync=False)
        return value.stat

    def verify(self, key: str) -> FileStat | None:
        """Return size and time of the verified file of a value, or None if there is none.

        Raises:
            ValueError: If the key is not 64 hex digits.
        """
        value = self._find(key)
        return value.stat if value else None

    def link_unread(self, files: Mapping[str, str], stats: Sequence[FileStat]) -> bool:
        """Link values to files without reading them; return True if all are unchanged.

        If it returns False, some of the files may have been linked.

        Args:
            files: Paths of the files, in existing folders, by the keys of their values.
            stats: Sizes and times of the values when they were verified, in the same order.
        """
        cache = self._cache  # another thread may find it broken and close it
        if len(files) != len(stats) or cache is None:
            return False
        for file_stat, path in zip(stats, files.values(), strict=True):
            if not cache.link(file_stat, path):
                return False
        self.note_use(*files)
        return True

    def note_use(self, *keys: str) -> None:
        """Note the use of values that are needed but were not read."""
        self._used += bytes.fromhex("".join(keys))

    @cached_property
    def stat_index(self) -> StatIndex:
        """Index of the files that earlier builds have verified; ``close`` keeps additions."""
        return StatIndex(lambda digits: self.read(_index_key(digits)) or b"")

    def release_index(self) -> None:
        """Release the memory of the unchanged index; the next lookup reads it again."""
        if "stat_index" in self.__dict__:
            self.stat_index.release()

    def write(self, key: str, content: bytes) -> None:
        """Keep a value, or replace it; a value above 64 MB is not kept.

        Raises:
            ValueError: If the key is not 64 hex digits.
            TypeError: If the content is not bytes.
        """
        _check_key(key)
        if not isinstance(content, bytes):
            raise TypeError(f"bytes are kept, not {type(content).__name__}")
        if len(content) > MAX_VALUE_BYTES or self._is_full:
            return
        checksum = _checksum(key, content)  # not under the lock
        self._run(lambda cache: self._keep(cache, key, content, checksum), can_create=True)

    def close(self) -> None:
        """Note the use of values, delete the least recently used above the limit, and close."""
        if self._process != os.getpid():
            return
        with self._lock:
            if self._cache is not None:
                # Cleaning up is optional: the next build does it.
                with contextlib.suppress(Exception):
                    self._clean_up(self._cache)
            self._end()

    def _find(self, key: str) -> _Value | None:
        _check_key(key)
        before: CacheRow | None = None
        while True:
            row = self._run(lambda cache: cache.look_up(key), can_create=False)
            if row is None or row == before:
                return None
            value = _read_value(key, row)
            if value is not None:
                self.note_use(key)
                return value
            before = row  # another row now exists if the value has just been replaced

    def _keep(self, cache: StrictCache, key: str, content: bytes, checksum: str) -> None:
        try:
            cache.keep(key, content, checksum)
        except InvalidCacheError:
            raise
        except Exception as error:  # noqa: BLE001 - existing values can still be read
            self._is_full = True
            self._log("cannot write to the variant cache", error, "this build keeps no more files")
            return
        self.note_use(key)
        self._has_written = True

    def _clean_up(self, cache: StrictCache) -> None:
        used = (self._used[at : at + 32].hex() for at in range(0, len(self._used), 32))
        cache.settle(used, self._clock(), self._size_limit_bytes)
        if self._has_written:
            cache.sweep()
        # Last, since the deletions may have freed the disk space for it.
        for digits, content in self.stat_index.changes() if "stat_index" in self.__dict__ else ():
            key = _index_key(digits)
            cache.keep(key, content, _checksum(key, content))

    def _run(self, act: Callable[[StrictCache], _T], *, can_create: bool) -> _T | None:
        """Return the result of ``act``, or None without a cache."""
        if self._process != os.getpid():  # a connection does not survive a fork
            return None
        with self._lock:
            try:
                return self._retry(act, can_create=can_create)
            except Exception as error:  # noqa: BLE001 - no defect of a cache may end a build
                self._give_up(error)
        return None

    def _retry(self, act: Callable[[StrictCache], _T], *, can_create: bool) -> _T | None:
        """Retry ``act`` if another process replaces the folder."""
        for _ in range(_MAX_ATTEMPTS):
            try:
                return self._try(act, can_create=can_create)
            except InvalidCacheError as error:
                self._quarantine(error)
            except Exception:
                self._close_cache()
                if folder_id(self._real_folder()) == self._opened:
                    raise
        return self._try(act, can_create=can_create)

    def _try(self, act: Callable[[StrictCache], _T], *, can_create: bool) -> _T | None:
        if self._cache is None and not self._is_closed:
            self._open(can_create=can_create)
        # `is not None`: an empty cache is falsy.
        return act(self._cache) if self._cache is not None else None

    def _open(self, *, can_create: bool) -> None:
        self._existed = os.path.lexists(self.folder / "cache.db")
        if not self._existed and not can_create:
            return
        folder = self._real_folder()
        self._opened = folder_id(folder)

        # Imports diskcache and SQLite, which a build without images saves.
        from mkdocs_imagegen.derived.strict_cache import open_cache  # noqa: PLC0415

        self._cache = open_cache(folder)
        self._opened = folder_id(folder)

    def _quarantine(self, error: InvalidCacheError) -> None:
        """Move the folder out of the way, unless another build does it.

        Raises:
            InvalidCacheError: If this build has already moved a folder.
            OSError: If the folder cannot be moved.
        """
        self._close_cache()
        if self._has_quarantined:
            raise error
        moved = quarantine(self._real_folder(), self._opened)
        if moved is not None:
            self._has_quarantined = True
            effect = f"moved it to {moved.name} and started a new one"
            self._log("the variant cache is invalid", error, effect)

    def _real_folder(self) -> Path:
        return Path(os.path.realpath(self.folder))

    def _give_up(self, error: Exception) -> None:
        self._end()
        is_read_only = isinstance(error, OSError) and error.errno in _READ_ONLY
        if is_read_only and not self._existed:
            return  # no value is lost
        self._log("cannot use the variant cache", error, "this build continues without it")

    def _log(self, problem: str, error: Exception, effect: str) -> None:
        # A locked cache is intact and must not fail a strict build.
        level = logging.INFO if isinstance(error, CacheLockedError) else logging.WARNING
        text = "%s: %s (%s); %s, originals are not affected"
        log.log(level, text, self.folder, problem, _reason(error), effect)

    def _end(self) -> None:
        self._is_closed = True
        self._close_cache()

    def _close_cache(self) -> None:
        cache, self._cache = self._cache, None
        if cache is not None:
            with contextlib.suppress(Exception):
                cache.close()


@dataclass(frozen=True, slots=True)
class _Value:
    """A verified value, its file, and the state of the file before it was read."""

    content: bytes
    path: Path
    stat: FileStat


def _read_value(key: str, row: CacheRow) -> _Value | None:
    """Return the value in a file, or None if it is missing or has another checksum."""
    try:
        facts = row.path.lstat()
        size = facts.st_size  # a limit far above it makes reading twice as slow
        content = read_plain_file(row.path, min(size, MAX_VALUE_BYTES))
    except (OSError, ValueError):
        return None
    if row.checksum != _checksum(key, content):
        return None
    name = "/".join(row.path.parts[-3:])
    return _Value(content, row.path, FileStat(name, size, facts.st_mtime_ns))


def _checksum(key: str, content: bytes) -> str:
    """Return a hash of both, since a damaged index can lead to the value of another key."""
    checksum = hashlib.sha256(key.encode())
    checksum.update(content)
    return checksum.hexdigest()


def _index_key(digits: str) -> str:
    return hashlib.sha256(f"{_INDEX}{digits}".encode()).hexdigest()


def _check_key(key: str) -> None:
    if not _KEY.fullmatch(key):
        raise ValueError(f"not a key of 64 hex digits: {key!r}")


def _reason(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) else None
    return text or str(error) or type(error).__name__
