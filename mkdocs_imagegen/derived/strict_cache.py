"""diskcache's cache with its dangers taken out: one connection, fixed settings, strict files."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import diskcache

from mkdocs_imagegen.derived.check import (
    DATABASE,
    SETTINGS,
    busy_told,
    check_cache,
    connect,
)
from mkdocs_imagegen.derived.errors import MAX_VALUE_BYTES, UnfitError
from mkdocs_imagegen.derived.stat_index import Stamp
from mkdocs_imagegen.derived.strict_disk import StrictDisk
from mkdocs_imagegen.frozen import dataclass

DAY_S = 86_400

_SIZE = f"coalesce(min(max(size, 0), {MAX_VALUE_BYTES}), 0)"
_NOT_RECENT = "coalesce(access_time, 0) NOT BETWEEN ? AND ?"


@dataclass(frozen=True, slots=True)
class Entry:
    """What a row says about its value.

    Attributes:
        path: the file that has the value, which may be gone.
        seal: what was written beside it; anything at all in a database from elsewhere.
    """

    path: Path
    seal: object


class StrictCache(diskcache.Cache):  # type: ignore[misc]  # diskcache has no types
    """An open cache. Any thread may call it, one at a time.

    Every method raises UnfitError where the database turns out to be damaged, BusyError where
    another program has locked it, and sqlite3.OperationalError or OSError where the system
    refuses.

    Args:
        folder: where it is, absolute and without links; its database may be an empty file.
    """

    _connection: sqlite3.Connection | None = None

    def __init__(self, folder: Path) -> None:
        if os.path.expandvars(folder) != str(folder):
            raise OSError("diskcache would replace a variable in its path")
        try:
            with _damage_told():
                super().__init__(str(folder), disk=StrictDisk, **SETTINGS)
                self._check_settings()
        except BaseException:
            self.close()
            raise

    def look_up(self, key: str) -> Entry | None:
        """The entry of a key; None if there is none, or one that is not ours."""
        with _damage_told():
            path, seal = self.get(key, read=True, tag=True)
        return Entry(path, seal) if path is not None else None

    def keep(self, key: str, content: bytes, seal: str) -> None:
        """Write an entry, in place of the one that is there."""
        try:
            with _damage_told():
                self.set(key, content, tag=seal)
        except BaseException:
            self._disk.remove_newest()
            raise

    def link(self, stamp: Stamp, path: str) -> bool:
        """Link a value into a file; False where it looks changed, or cannot be linked."""
        try:
            source = self._disk.path_of(stamp.name)
            if not stamp.fits(os.lstat(source)):
                return False
            return _link_or_same(source, path)
        except OSError:
            return False

    def settle(self, used: Iterable[str], now: float, most_bytes: int) -> None:
        """Note use and, if there is too much, delete what was not used for longest.

        Args:
            used: the keys that were read or written.
            now: the time, in seconds.
            most_bytes: how much may stay; what was used within a day stays even so.
        """
        note = "UPDATE Cache SET access_time = ? WHERE key = ? AND raw = 1"
        with _damage_told(), self._transact() as (sql, remove_afterwards):
            self._con.executemany(note, ((now, key) for key in used))
            for rowid, name in self._surplus(now, most_bytes):
                sql("DELETE FROM Cache WHERE rowid = ?", (rowid,))
                remove_afterwards(name)

    def sweep(self) -> None:
        """Delete our files that no row names and that are older than a day."""
        old = list(self._disk.older_than(time.time() - DAY_S))  # the clock that dates files
        with _damage_told():
            named = {name for (name,) in self._sql("SELECT filename FROM Cache")}
        for name in old:
            if name not in named:
                self._disk.remove(name)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _surplus(self, now: float, most_bytes: int) -> Iterator[tuple[int, object]]:
        ((total,),) = self._sql(f"SELECT total({_SIZE}) FROM Cache").fetchall()  # noqa: S608 - a constant
        query = (
            f"SELECT rowid, filename, {_SIZE} FROM Cache WHERE {_NOT_RECENT} ORDER BY access_time"  # noqa: S608 - constants
        )
        excess = total - most_bytes
        if excess <= 0:
            return
        for rowid, name, size in self._sql(query, (now - DAY_S, now + DAY_S)).fetchall():
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
        # diskcache opens one for each thread, and takes its settings from the database.
        if self._connection is None:
            self._connection = connect(Path(self._directory, DATABASE), "rw")
            for name in ("cache_size", "mmap_size", "synchronous"):
                self._connection.execute(f"PRAGMA {name} = {SETTINGS[f'sqlite_{name}']}")
        return self._connection

    def _sql(self, statement: str, parameters: tuple[object, ...] = ()) -> sqlite3.Cursor:
        # diskcache tries a locked database again for a minute; ours was waited for already.
        with busy_told():
            return self._con.execute(statement, parameters)

    @property
    def _sql_retry(self) -> object:
        return self._sql


def open_cache(folder: Path) -> StrictCache:
    """The cache in that folder, checked before anything in it is used; made if there is none.

    Raises:
        UnfitError: it holds something that this package does not write.
        BusyError: another program has locked it.
        Exception: it cannot be opened now.
    """
    if not os.path.lexists(folder / DATABASE):
        _make(folder)
    check_cache(folder)
    return StrictCache(folder)


def _make(folder: Path) -> None:
    # Made elsewhere and put in place as a whole: another build never sees half a database.
    folder.mkdir(parents=True, exist_ok=True)
    # In this order: where another build has just made the database, the parts are its own.
    if _has_parts(folder) and not os.path.lexists(folder / DATABASE):
        raise UnfitError("parts of a database without the database")
    workshop = Path(tempfile.mkdtemp(prefix=".new-", dir=folder))
    try:
        (workshop / DATABASE).touch(mode=0o644)
        StrictCache(workshop).close()
        _check_make(workshop)
        _put_first(workshop / DATABASE, folder / DATABASE)
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def _has_parts(folder: Path) -> bool:
    endings = ("-wal", "-shm", "-journal")
    return any(os.path.lexists(folder / f"{DATABASE}{ending}") for ending in endings)


def _check_make(folder: Path) -> None:
    try:
        check_cache(folder)
    except UnfitError as error:
        version = diskcache.__version__
        raise OSError(f"diskcache {version} makes a database that is not known: {error}") from None


def _put_first(source: Path, target: Path) -> None:
    try:
        os.link(source, target)  # refuses to replace, unlike a rename
    except FileExistsError:
        return
    except OSError:
        # A file system without hard links: of two builds at the same instant the last one wins.
        if not os.path.lexists(target):
            os.replace(source, target)  # noqa: PTH105 - atomic on every system


def _link_or_same(source: str, path: str) -> bool:
    try:
        os.link(source, path, follow_symlinks=False)
    except FileExistsError:
        return os.path.samestat(os.lstat(source), os.lstat(path))
    return True


@contextlib.contextmanager
def _damage_told() -> Iterator[None]:
    try:
        yield
    except (sqlite3.OperationalError, sqlite3.ProgrammingError):
        raise
    except (sqlite3.DatabaseError, ValueError) as error:
        # ValueError: two rows where the index promises one.
        raise UnfitError(f"a damaged database: {error}") from None
