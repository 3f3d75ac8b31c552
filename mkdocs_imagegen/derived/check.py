"""The check that this package wrote a cache's database, before anything in it is used.

A database can carry more than rows: settings that move the cache elsewhere, triggers and views
that act when a table is read, a rollback journal whose super-journal SQLite deletes, side files
that are links to other files. So the files are checked first, then the database through a
read-only connection, and everything that differs from a database of diskcache is refused. See
https://sqlite.org/security.html for databases from untrusted sources.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from mkdocs_imagegen.derived import CacheLockedError, InvalidCacheError

DATABASE = "cache.db"
_MAX_DATABASE_BYTES = 256_000_000
_MAX_OBJECTS = 20
LOCK_TIMEOUT_S = 3.0
"""Wait for a program that has locked the database."""
_LOCKED = ("database is locked", "locking protocol")
"""Messages of SQLite for a locked database; the second while its write-ahead log is set up."""
_ENVIRONMENT_ERRORS = (
    "attempt to write a readonly database",
    "database or disk is full",
    "disk I/O error",
    "unable to open database file",
)

_TRIGGER = "CREATE TRIGGER Settings_{} AFTER {} ON Cache FOR EACH ROW BEGIN UPDATE Settings SET"
_SCHEMA = {
    ("table", "Settings"): "CREATE TABLE Settings ( key TEXT NOT NULL UNIQUE, value)",
    ("index", "sqlite_autoindex_Settings_1"): None,
    ("table", "Cache"): (
        "CREATE TABLE Cache ( rowid INTEGER PRIMARY KEY, key BLOB, raw INTEGER, store_time REAL,"
        " expire_time REAL, access_time REAL, access_count INTEGER DEFAULT 0, tag BLOB,"
        " size INTEGER DEFAULT 0, mode INTEGER DEFAULT 0, filename TEXT, value BLOB)"
    ),
    ("index", "Cache_key_raw"): "CREATE UNIQUE INDEX Cache_key_raw ON Cache(key, raw)",
    ("index", "Cache_expire_time"): "CREATE INDEX Cache_expire_time ON Cache (expire_time)",
    ("trigger", "Settings_count_insert"): (
        _TRIGGER.format("count_insert", "INSERT") + ' value = value + 1 WHERE key = "count"; END'
    ),
    ("trigger", "Settings_count_delete"): (
        _TRIGGER.format("count_delete", "DELETE") + ' value = value - 1 WHERE key = "count"; END'
    ),
    ("trigger", "Settings_size_insert"): (
        _TRIGGER.format("size_insert", "INSERT")
        + ' value = value + NEW.size WHERE key = "size"; END'
    ),
    ("trigger", "Settings_size_update"): (
        _TRIGGER.format("size_update", "UPDATE")
        + ' value = value + NEW.size - OLD.size WHERE key = "size"; END'
    ),
    ("trigger", "Settings_size_delete"): (
        _TRIGGER.format("size_delete", "DELETE")
        + ' value = value - OLD.size WHERE key = "size"; END'
    ),
}

SETTINGS: dict[str, int | str] = {
    "statistics": 0,
    "tag_index": 0,
    "eviction_policy": "none",
    "size_limit": 2**62,
    "cull_limit": 0,
    "sqlite_auto_vacuum": 1,
    "sqlite_cache_size": 2**13,
    "sqlite_journal_mode": "wal",
    "sqlite_mmap_size": 0,  # truncating a mapped file kills the process that maps it
    "sqlite_synchronous": 0,  # damage by a power failure is detected, and the cache rebuilt
    "disk_min_file_size": 0,
    "disk_pickle_protocol": 0,
}
"""All settings of diskcache: one that is missing here would be read from the database."""

_COUNTERS = {"count", "size", "hits", "misses"}


def check_cache(folder: Path) -> None:
    """Check the files and the database of a cache without changing them.

    Raises:
        InvalidCacheError: If this package does not write such contents.
        CacheLockedError: If another program has locked the database.
        sqlite3.OperationalError: If the system refuses: a full disk, missing permissions.
        OSError: If the system refuses.
    """
    _check_files(folder)
    try:
        with (
            locks_reported(),
            contextlib.closing(connect(folder / DATABASE, "ro")) as connection,
        ):
            _check_database(connection)
    except sqlite3.OperationalError as error:
        if str(error) in _ENVIRONMENT_ERRORS:
            raise
        raise InvalidCacheError(str(error)) from None
    except sqlite3.DatabaseError as error:
        raise InvalidCacheError(str(error)) from None


def connect(database: Path, mode: Literal["ro", "rw"]) -> sqlite3.Connection:
    """Return a connection that any thread may use, one at a time, and that trusts no schema.

    It creates no missing database: in a folder that another build has just quarantined and created
    again, the database would be incomplete.
    """
    connection = sqlite3.connect(
        f"{database.as_uri()}?mode={mode}",
        timeout=LOCK_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,
        uri=True,
    )
    connection.text_factory = lambda content: content.decode(errors="replace")
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    return connection


@contextlib.contextmanager
def locks_reported() -> Iterator[None]:
    """Replace SQLite's error for a locked database.

    Raises:
        CacheLockedError: If another program has locked the database.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        if str(error) not in _LOCKED:
            raise
        raise CacheLockedError("another program has locked it") from None


def _check_files(folder: Path) -> None:
    if not _is_regular(folder / DATABASE):
        raise InvalidCacheError("the database is not a regular file")
    if os.path.lexists(folder / f"{DATABASE}-journal"):
        raise InvalidCacheError("a rollback journal, which this package never uses")
    for ending in ("-wal", "-shm"):
        side = folder / f"{DATABASE}{ending}"
        with contextlib.suppress(FileNotFoundError):
            # No name is left if another build is just removing the file as the last to close it.
            if not _is_regular(side) or side.lstat().st_nlink > 1:
                raise InvalidCacheError(f"{side.name} is not a regular file")


def _is_regular(path: Path) -> bool:
    facts = path.lstat()
    return stat.S_ISREG(facts.st_mode) and facts.st_size <= _MAX_DATABASE_BYTES


def _check_database(connection: sqlite3.Connection) -> None:
    # The schema comes first: the check of the pages evaluates expressions of the schema.
    found = connection.execute(
        "SELECT type, name, sql FROM sqlite_master LIMIT ?", (_MAX_OBJECTS,)
    ).fetchall()
    schema = {(kind, name): sql for kind, name, sql in found}
    if schema != _SCHEMA or len(found) != len(_SCHEMA):
        raise InvalidCacheError("foreign tables or triggers")
    pages, page_bytes = _pragma(connection, "page_count"), _pragma(connection, "page_size")
    if not (isinstance(pages, int) and isinstance(page_bytes, int)) or (
        pages * page_bytes > _MAX_DATABASE_BYTES
    ):
        raise InvalidCacheError("an impossible number of pages")
    if _pragma(connection, "quick_check(1)") != "ok":
        raise InvalidCacheError("a damaged database")
    rows = connection.execute("SELECT key FROM Settings LIMIT ?", (_MAX_OBJECTS,)).fetchall()
    if not {key for (key,) in rows} <= SETTINGS.keys() | _COUNTERS:
        raise InvalidCacheError("foreign settings")


def _pragma(connection: sqlite3.Connection, name: str) -> object:
    row = connection.execute(f"PRAGMA {name}").fetchone()
    return row[0] if row else None
