"""The check of a database before its use, and the wait for a database that is locked."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

import diskcache
import pytest

from mkdocs_imagegen.derived import CacheLockedError, InvalidCacheError, check
from tests.derived.support import (
    SHORT_S,
    assert_untouched,
    content_of,
    key_of,
    lock_alone,
    lock_for_writing,
    other_build,
    released_in_time,
    works_without,
)
from tests.derived.vectors import VECTORS


def test_check_refuses_damaged_pages(filled):
    with (filled.folder / "cache.db").open("r+b") as file:
        file.seek(36)
        file.write(bytes([0, 0, 0, 9]))  # more free pages than there are
    with pytest.raises(InvalidCacheError, match="damaged database"):
        check.check_cache(filled.folder)


def test_check_reads_write_ahead_log(filled):
    VECTORS["log that rewrites the schema"](filled)
    with pytest.raises(InvalidCacheError, match="foreign tables or triggers"):
        check.check_cache(filled.folder)


def test_schema_is_that_of_installed_diskcache(tmp_path):
    with diskcache.Cache(str(tmp_path), eviction_policy="none") as made:
        rows = made._sql("SELECT type, name, sql FROM sqlite_master").fetchall()
    assert {(kind, name): sql for kind, name, sql in rows} == check._SCHEMA


def test_settings_cover_all_settings_of_diskcache():
    assert check.SETTINGS.keys() == diskcache.DEFAULT_SETTINGS.keys()
    assert set(diskcache.core.METADATA) == check._COUNTERS


@pytest.mark.parametrize("ending", ["-wal", "-shm"])
def test_check_accepts_side_file_that_is_being_removed(filled, monkeypatch, ending):
    # A file that is deleted between two calls has no name left.
    side = filled.folder / f"cache.db{ending}"
    side.touch()
    with side.open("rb") as file:
        side.unlink()
        nameless = os.fstat(file.fileno())
    assert nameless.st_nlink == 0
    lstat = Path.lstat
    monkeypatch.setattr(Path, "lstat", lambda path: nameless if path == side else lstat(path))
    check.check_cache(filled.folder)
    assert_untouched(filled)


@pytest.mark.parametrize("lock", [lock_alone, lock_for_writing])
def test_locked_database_is_waited_for(filled, lock):
    with other_build(filled) as other:
        lock(other)
        with released_in_time(other):
            store = filled.open()
            assert store.read(key_of("a")) == content_of("a")
            store.close()
    assert filled.infos == []
    assert_untouched(filled)


def test_write_waits_for_locked_database(filled):
    store = filled.open()
    assert store.read(key_of("a"))
    with other_build(filled) as other:
        lock_for_writing(other)
        with released_in_time(other):
            store.write(key_of("new"), b"x")
    assert store.read(key_of("new")) == b"x"
    store.close()
    assert filled.infos == []


@pytest.mark.parametrize("lock", [lock_alone, lock_for_writing])
def test_wait_for_locked_database_ends_at_timeout(filled, monkeypatch, lock):
    monkeypatch.setattr(check, "LOCK_TIMEOUT_S", SHORT_S)
    with other_build(filled) as other:
        lock(other)
        started = time.monotonic()
        works_without(filled)
        assert time.monotonic() - started < 10 * SHORT_S
    (info,) = filled.infos
    assert info == (
        f"{filled.folder}: cannot use the variant cache (another program has locked it); "
        "this build continues without it, originals are not affected"
    )
    assert_untouched(filled)


def test_locked_database_stays_readable_when_open(filled, monkeypatch):
    monkeypatch.setattr(check, "LOCK_TIMEOUT_S", SHORT_S)
    store = filled.open()
    assert store.read(key_of("a"))
    with other_build(filled) as other:
        lock_for_writing(other)
        store.write(key_of("new"), b"x")
        assert store.read(key_of("new")) is None
        assert store.read(key_of("a")) == content_of("a")
        store.close()
    (info,) = filled.infos
    assert "(another program has locked it); this build keeps no more files" in info
    assert_untouched(filled)


def test_lock_timeout_is_a_few_seconds():
    assert 1 <= check.LOCK_TIMEOUT_S <= 5


@pytest.mark.parametrize("moment", ["_pragma", "_check_database"])
def test_locking_protocol_error_counts_as_lock(filled, monkeypatch, moment):
    """SQLite raises it after ten seconds if other builds keep setting up the log."""

    def refuse(*_args: object) -> None:
        raise sqlite3.OperationalError("locking protocol")

    monkeypatch.setattr(check, "_check_files", lambda _folder: None)
    monkeypatch.setattr(check, moment, refuse)
    with pytest.raises(CacheLockedError):
        check.check_cache(filled.folder)
    works_without(filled)
    monkeypatch.undo()
    assert len(filled.infos) == 1
    assert_untouched(filled)
