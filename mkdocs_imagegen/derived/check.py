"""Whether a cache's database is one that this package wrote, before anything in it is used.

A database can carry more than rows: settings that move the cache elsewhere, triggers and views
that act when a table is read, a rollback journal whose super-journal SQLite deletes, side files
that are links to something else. So the files are looked at first, then the database through a
connection that cannot write, and what is not exactly as diskcache makes it is refused.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from mkdocs_imagegen.derived import errors
from mkdocs_imagegen.derived.errors import BusyError, UnfitError

DATABASE = "cache.db"
_MAX_DATABASE_BYTES = 256_000_000
_MAX_OBJECTS = 20
_BUSY = ("database is locked", "locking protocol")
"""What SQLite says when others hold a database: always, and where its log is being begun."""
_NOT_ITS_FAULT = (
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
    "sqlite_mmap_size": 0,  # a mapped file that somebody else cuts short kills the process
    "sqlite_synchronous": 0,  # what a power cut breaks is found broken and made again
    "disk_min_file_size": 0,
    "disk_pickle_protocol": 0,
}
"""All that can be set: what the database says otherwise would win over diskcache's defaults."""

_COUNTERS = {"count", "size", "hits", "misses"}


def check_cache(folder: Path) -> None:
    """Look at a cache's files and database without changing them.

    Raises:
        UnfitError: something in it is not what this package writes.
        BusyError: another program has locked it.
        sqlite3.OperationalError: it cannot be looked at now: a full disk, no rights.
        OSError: the same.
    """
    _check_files(folder)
    try:
        with (
            busy_told(),
            contextlib.closing(connect(folder / DATABASE, "ro")) as connection,
        ):
            _check_database(connection)
    except sqlite3.OperationalError as error:
        if str(error) in _NOT_ITS_FAULT:
            raise
        raise UnfitError(str(error)) from None
    except sqlite3.DatabaseError as error:
        raise UnfitError(str(error)) from None


def connect(database: Path, mode: Literal["ro", "rw"]) -> sqlite3.Connection:
    """A connection that any thread may use, one at a time, and that trusts no schema.

    It makes no database where there is none: a folder that another build begins anew would get
    half a one.
    """
    connection = sqlite3.connect(
        f"{database.as_uri()}?mode={mode}",
        timeout=errors.PATIENCE_S,
        isolation_level=None,
        check_same_thread=False,
        uri=True,
    )
    connection.text_factory = _as_text
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    return connection


@contextlib.contextmanager
def busy_told() -> Iterator[None]:
    """Tell a locked database from one that fails.

    Raises:
        BusyError: in place of SQLite's own error.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        if str(error) not in _BUSY:
            raise
        raise BusyError("another program has locked it") from None


def _as_text(content: bytes) -> str:
    return content.decode(errors="replace")


def _check_files(folder: Path) -> None:
    _refuse_unless(_is_plain(folder / DATABASE), "its database is no ordinary file")
    journal = folder / f"{DATABASE}-journal"
    _refuse_unless(not os.path.lexists(journal), "a rollback journal, which we never use")
    for ending in ("-wal", "-shm"):
        side = folder / f"{DATABASE}{ending}"
        with contextlib.suppress(FileNotFoundError):
            # Without any name: the last build to close it is removing the file just now.
            is_ours = _is_plain(side) and side.lstat().st_nlink <= 1
            _refuse_unless(is_ours, f"{side.name} is no ordinary file")


def _is_plain(path: Path) -> bool:
    facts = path.lstat()
    return stat.S_ISREG(facts.st_mode) and facts.st_size <= _MAX_DATABASE_BYTES


def _check_database(connection: sqlite3.Connection) -> None:
    # The schema comes first: the check of the pages evaluates what the schema says.
    found = connection.execute(
        "SELECT type, name, sql FROM sqlite_master LIMIT ?", (_MAX_OBJECTS,)
    ).fetchall()
    schema = {(kind, name): sql for kind, name, sql in found}
    _refuse_unless(schema == _SCHEMA and len(found) == len(_SCHEMA), "foreign tables or triggers")
    pages, page_bytes = _pragma(connection, "page_count"), _pragma(connection, "page_size")
    _refuse_unless(
        isinstance(pages, int)
        and isinstance(page_bytes, int)
        and pages * page_bytes <= _MAX_DATABASE_BYTES,
        "more pages than can be",
    )
    _refuse_unless(_pragma(connection, "quick_check(1)") == "ok", "a damaged database")
    rows = connection.execute("SELECT key FROM Settings LIMIT ?", (_MAX_OBJECTS,)).fetchall()
    _refuse_unless({key for (key,) in rows} <= SETTINGS.keys() | _COUNTERS, "foreign settings")


def _pragma(connection: sqlite3.Connection, name: str) -> object:
    row = connection.execute(f"PRAGMA {name}").fetchone()
    return row[0] if row else None


def _refuse_unless(condition: bool, reason: str) -> None:  # noqa: FBT001 - reads like a sentence
    if not condition:
        raise UnfitError(reason)
