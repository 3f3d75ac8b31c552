"""diskcache without its dangers: one connection, fixed settings, files of bytes only.

The stock ``Disk`` unpickles values and keys if a row says so (CVE-2025-69872), and it reads and
deletes any file that a row names. Here a value is a file of bytes, with a name that this package
has chosen, inside the folder of the cache; everything else is refused.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import sqlite3
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NoReturn

import diskcache
from diskcache.core import MODE_BINARY, UNKNOWN

from mkdocs_imagegen.derived import MAX_VALUE_BYTES, InvalidCacheError
from mkdocs_imagegen.derived.check import (
    DATABASE,
    SETTINGS,
    check_cache,
    connect,
    locks_reported,
)
from mkdocs_imagegen.derived.stat_index import FileStat
from mkdocs_imagegen.files import write_atomic
from mkdocs_imagegen.frozen import dataclass

DAY_S = 86_400

_KEY = re.compile("[0-9a-f]{64}")
_FOLDER = re.compile("[0-9a-f]{2}")
_VALUE_NAME = re.compile(r"[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{28}\.val")
_OWN_FILE = re.compile(r"[0-9a-f]{2}/[0-9a-f]{2}/([0-9a-f]{28}\.(val|tmp)|\.[0-9a-f]{16}\.tmp)")
"""Values and temporary files; in older caches a temporary file has the stem of a value."""

# A database from another machine may hold any size, so sizes are limited before they are added.
_TOTAL = "SELECT total(coalesce(min(max(size, 0), ?), 0)) FROM Cache"
_LEAST_RECENT = (
    "SELECT rowid, filename, coalesce(min(max(size, 0), ?), 0) FROM Cache"
    " WHERE coalesce(access_time, 0) NOT BETWEEN ? AND ? ORDER BY access_time"
)
_NOTE_USE = "UPDATE Cache SET access_time = ? WHERE key = ? AND raw = 1"


class StrictDisk(diskcache.Disk):  # type: ignore[misc]  # diskcache has no types
    """Storage of diskcache's values: keys are 64 hex digits, values are files of bytes."""

    def __init__(self, directory: str, **settings: object) -> None:
        super().__init__(directory, **settings)
        self._known_folders: set[str] = set()
        self.newest: str | None = None

    def put(self, key: object) -> tuple[str, bool]:
        """Return a key in its form in the database.

        Raises:
            ValueError: If the key is not 64 hex digits.
        """
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            raise ValueError(f"not a key of 64 hex digits: {key!r}")
        return key, True

    def get(self, *_: object) -> NoReturn:
        """Refuse to read a key back; the stock method unpickles it.

        Raises:
            ValueError: If the method is called.
        """
        raise ValueError("keys are not read back")

    def store(
        self, value: object, read: object, key: object = UNKNOWN
    ) -> tuple[int, int, str, None]:
        """Write a value file; return the size, mode, file name and inline value of its row.

        Raises:
            TypeError: If the value is not bytes.
            InvalidCacheError: If a folder for values is a link.
            OSError: If the file cannot be written; no file is left behind.
        """
        if not isinstance(value, bytes) or read:
            raise TypeError("only bytes are kept")
        name, path = self.filename(key, value)
        _create_folders(Path(path).parent)
        write_atomic(Path(path), value, sync=False)
        self.newest = name
        return len(value), MODE_BINARY, name, None

    def filename(self, *_: object) -> tuple[str, str]:
        """Return a new name, as in a row and as a path.

        The name has the stock form. The second level is always ``00``: 256 folders are enough, and
        65,536 folders would take more disk space than the values in them.
        """
        name = f"{secrets.token_hex(1)}/00/{secrets.token_hex(14)}.val"
        return name, f"{self._directory}/{name}"

    def fetch(self, mode: object, filename: object, value: object, _read: object) -> Path:
        """Return the path of the file that a row names; the file may be missing.

        Raises:
            OSError: If the row does not name a value file, which diskcache reports as a miss.
        """
        if mode != MODE_BINARY or value is not None:
            raise OSError("not a file of bytes")
        name = _checked_name(filename)
        self._check_folder(name.rpartition("/")[0])
        return Path(self._directory, name)

    def path_of(self, name: str) -> str:
        """Return the path of a value file; the folders of each cache are checked once.

        Raises:
            OSError: If the name is not the name of a value file, or its folder is a link.
        """
        folder = _checked_name(name).rpartition("/")[0]
        if folder not in self._known_folders:
            self._check_folder(folder)
            self._known_folders.add(folder)
        return f"{self._directory}/{name}"

    def remove(self, file_path: object) -> None:
        """Delete a file of this package; any other file stays."""
        if not isinstance(file_path, str) or not _OWN_FILE.fullmatch(file_path):
            return
        with contextlib.suppress(OSError):
            self._check_folder(file_path.rpartition("/")[0])
            Path(self._directory, file_path).unlink()

    def remove_newest(self) -> None:
        """Delete the value that was stored last, because its row could not be written."""
        self.remove(self.newest)

    def older_than(self, moment: float) -> Iterator[str]:
        """Yield the names of this package's files that were last changed before a time."""
        for outer in _folders_in(self._directory):
            for inner in _folders_in(outer.path):
                with os.scandir(inner.path) as entries:
                    for entry in entries:
                        name = f"{outer.name}/{inner.name}/{entry.name}"
                        if _OWN_FILE.fullmatch(name) and _was_changed_before(entry, moment):
                            yield name

    def _check_folder(self, name: str) -> None:
        """Raise OSError if a folder of values, or the folder around it, leads out of the cache."""
        folder = f"{self._directory}/{name}"
        if not (_is_folder(folder) and _is_folder(folder.rpartition("/")[0])):
            raise OSError("not inside the cache")


def _checked_name(name: object) -> str:
    if not isinstance(name, str) or not _VALUE_NAME.fullmatch(name):
        raise OSError("not the name of a value file")
    return name


def _create_folders(inner: Path) -> None:
    inner.parent.parent.mkdir(parents=True, exist_ok=True)
    for folder in (inner.parent, inner):  # one by one: no folder is created behind a link
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
        if not _is_folder(folder):
            raise InvalidCacheError("a folder for values is not a folder")


def _folders_in(folder: str) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return [entry for entry in entries if _FOLDER.fullmatch(entry.name) and _is_folder(entry)]


def _is_folder(path: str | os.PathLike[str]) -> bool:
    facts = os.lstat(path)
    leads_elsewhere = stat.FILE_ATTRIBUTE_REPARSE_POINT & getattr(facts, "st_file_attributes", 0)
    return stat.S_ISDIR(facts.st_mode) and not leads_elsewhere


def _was_changed_before(entry: os.DirEntry[str], moment: float) -> bool:
    try:
        facts = entry.stat(follow_symlinks=False)
    except FileNotFoundError:  # another build has deleted it
        return False
    return stat.S_ISREG(facts.st_mode) and facts.st_mtime < moment


@dataclass(frozen=True, slots=True)
class CacheRow:
    """A row of the database.

    Attributes:
        path: File with the value, which may be missing.
        checksum: Checksum of key and value; any value in a database from elsewhere.
    """

    path: Path
    checksum: object


class StrictCache(diskcache.Cache):  # type: ignore[misc]  # diskcache has no types
    """An open cache. Any thread may call it, one at a time.

    Every method raises InvalidCacheError if the database is damaged, CacheLockedError if another
    program has locked it, and sqlite3.OperationalError or OSError if the system refuses.

    Args:
        folder: Absolute path without links; the database in it may be an empty file.
    """

    _connection: sqlite3.Connection | None = None

    def __init__(self, folder: Path) -> None:
        if os.path.expandvars(folder) != str(folder):
            raise OSError("diskcache would replace a variable in its path")
        try:
            with _damage_reported():
                super().__init__(str(folder), disk=StrictDisk, **SETTINGS)
                self._check_settings()
        except BaseException:
            self.close()
            raise

    def look_up(self, key: str) -> CacheRow | None:
        """Return the row of a key, or None if there is none or it names no value file."""
        with _damage_reported():
            path, checksum = self.get(key, read=True, tag=True)
        return CacheRow(path, checksum) if path is not None else None

    def keep(self, key: str, content: bytes, checksum: str) -> None:
        """Write a value and its row, or replace them."""
        try:
            with _damage_reported():
                self.set(key, content, tag=checksum)
        except BaseException:
            self._disk.remove_newest()
            raise

    def link(self, file_stat: FileStat, path: str) -> bool:
        """Link a value to a path; return False if it has changed or cannot be linked."""
        try:
            source = self._disk.path_of(file_stat.name)
            if not file_stat.matches(os.lstat(source)):
                return False
            return _link_or_same(source, path)
        except OSError:
            return False

    def settle(self, used: Iterable[str], now: float, max_bytes: int) -> None:
        """Note the use of values and delete the least recently used above the limit.

        Args:
            used: Keys that were read or written.
            now: Current time in seconds.
            max_bytes: Limit of all values; values that were used within a day stay anyway.
        """
        with _damage_reported(), self._transact() as (sql, remove_afterwards):
            self._con.executemany(_NOTE_USE, ((now, key) for key in used))
            for rowid, name in self._surplus(now, max_bytes):
                sql("DELETE FROM Cache WHERE rowid = ?", (rowid,))
                remove_afterwards(name)

    def sweep(self) -> None:
        """Delete files of this package that are older than a day and have no row."""
        old = list(self._disk.older_than(time.time() - DAY_S))  # comparable with times of files
        with _damage_reported():
            named = {name for (name,) in self._sql("SELECT filename FROM Cache")}
        for name in old:
            if name not in named:
                self._disk.remove(name)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _surplus(self, now: float, max_bytes: int) -> Iterator[tuple[int, object]]:
        ((total,),) = self._sql(_TOTAL, (MAX_VALUE_BYTES,)).fetchall()
        excess = total - max_bytes
        if excess <= 0:
            return
        parameters = (MAX_VALUE_BYTES, now - DAY_S, now + DAY_S)
        for rowid, name, size in self._sql(_LEAST_RECENT, parameters).fetchall():
            yield rowid, name
            excess -= size
            if excess <= 0:
                return

    def _check_settings(self) -> None:
        held = dict(self._sql("SELECT key, value FROM Settings").fetchall())
        ((journal,),) = self._sql("PRAGMA journal_mode").fetchall()
        if {name: held.get(name) for name in SETTINGS} != SETTINGS or journal != "wal":
            raise OSError("its settings do not hold on this file system")

    @property
    def _con(self) -> sqlite3.Connection:
        # diskcache opens one connection per thread, with settings from the database.
        if self._connection is None:
            self._connection = connect(Path(self._directory, DATABASE), "rw")
            for name in ("cache_size", "mmap_size", "synchronous"):
                self._connection.execute(f"PRAGMA {name} = {SETTINGS[f'sqlite_{name}']}")
        return self._connection

    def _sql(self, statement: str, parameters: tuple[object, ...] = ()) -> sqlite3.Cursor:
        # diskcache retries for a minute; the timeout of the connection has passed already.
        with locks_reported():
            return self._con.execute(statement, parameters)

    @property
    def _sql_retry(self) -> object:
        return self._sql


def open_cache(folder: Path) -> StrictCache:
    """Open the cache in a folder after checking it; create it if it is missing.

    Raises:
        InvalidCacheError: If this package does not write such contents.
        CacheLockedError: If another program has locked the database.
        Exception: If the cache cannot be opened for another reason.
    """
    if not os.path.lexists(folder / DATABASE):
        _create(folder)
    check_cache(folder)
    return StrictCache(folder)


def _create(folder: Path) -> None:
    # Created elsewhere and moved as a whole, so that another build never sees half a database.
    folder.mkdir(parents=True, exist_ok=True)
    # In this order: if another build has just created the database, the parts belong to it.
    if _has_parts(folder) and not os.path.lexists(folder / DATABASE):
        raise InvalidCacheError("parts of a database without the database")
    draft = Path(tempfile.mkdtemp(prefix=".new-", dir=folder))
    try:
        (draft / DATABASE).touch(mode=0o644)
        StrictCache(draft).close()
        _check_new(draft)
        _move_first(draft / DATABASE, folder / DATABASE)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _has_parts(folder: Path) -> bool:
    endings = ("-wal", "-shm", "-journal")
    return any(os.path.lexists(folder / f"{DATABASE}{ending}") for ending in endings)


def _check_new(folder: Path) -> None:
    try:
        check_cache(folder)
    except InvalidCacheError as error:
        version = diskcache.__version__
        raise OSError(f"diskcache {version} creates an unknown database: {error}") from None


def _move_first(source: Path, target: Path) -> None:
    try:
        os.link(source, target)  # refuses to replace, unlike a rename
    except FileExistsError:
        return
    except OSError:
        # A file system without hard links: of two builds at the same instant, the last one wins.
        if not os.path.lexists(target):
            source.replace(target)


def _link_or_same(source: str, path: str) -> bool:
    try:
        os.link(source, path, follow_symlinks=False)
    except FileExistsError:
        return os.path.samestat(os.lstat(source), os.lstat(path))
    return True


@contextlib.contextmanager
def _damage_reported() -> Iterator[None]:
    try:
        yield
    except (sqlite3.OperationalError, sqlite3.ProgrammingError):
        raise
    except (sqlite3.DatabaseError, ValueError) as error:
        # ValueError: two rows for a key that the index holds once.
        raise InvalidCacheError(f"a damaged database: {error}") from None
