"""Another build at the same instant: what is only busy is waited for, and never set aside.

Each test holds open one window that several processes hit only now and then.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mkdocs_imagegen.derived import check, errors, strict_cache
from mkdocs_imagegen.derived.errors import BusyError
from mkdocs_imagegen.derived.setting_aside import identity, set_aside
from tests.derived.planting import Cache, content_of, key_of, works_without

SHORT_S = 0.2
"""How long a test waits for a lock that stays."""
HELD_S = 0.3
"""How long a lock is held that ends in time."""


def lock_alone(database: sqlite3.Connection) -> None:
    """Nobody else may even read, as while the last build to close it tidies up."""
    database.execute("PRAGMA locking_mode = EXCLUSIVE")
    lock_for_writing(database)


def lock_for_writing(database: sqlite3.Connection) -> None:
    database.execute("BEGIN EXCLUSIVE")
    database.execute("UPDATE Settings SET value = value")


@contextlib.contextmanager
def other_build(cache: Cache) -> Iterator[sqlite3.Connection]:
    """A connection of somebody else, closed at the end."""
    database = sqlite3.connect(
        cache.folder / "cache.db", isolation_level=None, check_same_thread=False
    )
    try:
        yield database
    finally:
        database.close()


@contextlib.contextmanager
def let_go_in_time(database: sqlite3.Connection) -> Iterator[None]:
    timer = threading.Timer(HELD_S, database.close)
    timer.start()
    try:
        yield
    finally:
        timer.join()


def assert_untouched(cache: Cache) -> None:
    """Nobody was alarmed, and the cache is the one that it was."""
    assert cache.warnings == []
    assert not list(cache.folder.parent.glob("derived.broken-*"))
    store = cache.open()
    assert store.read(key_of("a")) == content_of("a")
    store.close()


@pytest.mark.parametrize("lock", [lock_alone, lock_for_writing])
def test_a_locked_database_is_waited_for(filled, lock):
    with other_build(filled) as other:
        lock(other)
        with let_go_in_time(other):
            store = filled.open()
            assert store.read(key_of("a")) == content_of("a")
            store.close()
    assert filled.remarks == []
    assert_untouched(filled)


def test_a_database_locked_while_a_build_writes_is_waited_for(filled):
    store = filled.open()
    assert store.read(key_of("a"))
    with other_build(filled) as other:
        lock_for_writing(other)
        with let_go_in_time(other):
            store.write(key_of("new"), b"x")
    assert store.read(key_of("new")) == b"x"
    store.close()
    assert filled.remarks == []


@pytest.mark.parametrize("lock", [lock_alone, lock_for_writing])
def test_a_locked_database_is_not_waited_for_for_long(filled, monkeypatch, lock):
    monkeypatch.setattr(errors, "PATIENCE_S", SHORT_S)
    with other_build(filled) as other:
        lock(other)
        started = time.monotonic()
        works_without(filled)
        assert time.monotonic() - started < 10 * SHORT_S
    (remark,) = filled.remarks
    assert remark == (
        f"{filled.folder}: the cache of derived images: this build does without it: "
        "another program has locked it. No original is affected"
    )
    assert_untouched(filled)


def test_a_database_locked_while_a_build_runs_can_still_be_read(filled, monkeypatch):
    monkeypatch.setattr(errors, "PATIENCE_S", SHORT_S)
    store = filled.open()
    assert store.read(key_of("a"))
    with other_build(filled) as other:
        lock_for_writing(other)
        store.write(key_of("new"), b"x")
        assert store.read(key_of("new")) is None
        assert store.read(key_of("a")) == content_of("a")
        store.close()
    (remark,) = filled.remarks
    assert "nothing more is put into it: another program has locked it" in remark
    assert_untouched(filled)


def test_a_lock_taken_while_the_cache_is_opened_is_not_waited_for_a_minute(filled, monkeypatch):
    monkeypatch.setattr(errors, "PATIENCE_S", SHORT_S)
    with other_build(filled) as other:

        def check_then_lock(folder: Path) -> None:
            check.check_cache(folder)
            lock_alone(other)

        monkeypatch.setattr(strict_cache, "check_cache", check_then_lock)
        started = time.monotonic()
        works_without(filled)
        assert time.monotonic() - started < 10 * SHORT_S
    monkeypatch.undo()
    assert len(filled.remarks) == 1
    assert_untouched(filled)


def test_patience_is_a_few_seconds():
    assert 1 <= errors.PATIENCE_S <= 5


def test_who_wants_no_remark_is_told_nothing_of_a_lock(filled, monkeypatch):
    monkeypatch.setattr(errors, "PATIENCE_S", SHORT_S)
    with other_build(filled) as other:
        lock_alone(other)
        store = filled.open(remark=None)
        assert store.read(key_of("a")) is None
        store.close()
    assert_untouched(filled)


@pytest.mark.parametrize("moment", ["_pragma", "_refuse_unless"])
def test_simulated_a_log_that_others_keep_beginning(filled, monkeypatch, moment):
    """SQLite gives up after ten seconds of it, with an error of its own."""

    def refuse(*_args: object) -> None:
        raise sqlite3.OperationalError("locking protocol")

    monkeypatch.setattr(check, "_check_files", lambda _folder: None)
    monkeypatch.setattr(check, moment, refuse)
    with pytest.raises(BusyError):
        check.check_cache(filled.folder)
    works_without(filled)
    monkeypatch.undo()
    assert len(filled.remarks) == 1
    assert_untouched(filled)


@pytest.mark.parametrize("ending", ["-wal", "-shm"])
def test_a_side_file_that_is_just_being_removed_is_no_fault(filled, monkeypatch, ending):
    """Looked at between its finding and its end, a file has no name left."""
    side = filled.folder / f"cache.db{ending}"
    side.touch()
    with side.open("rb") as file:
        side.unlink()
        nameless = os.fstat(file.fileno())
    assert nameless.st_nlink == 0
    look = Path.lstat
    monkeypatch.setattr(Path, "lstat", lambda path: nameless if path == side else look(path))
    check.check_cache(filled.folder)
    assert_untouched(filled)


def test_a_cache_that_another_build_makes_just_before_ours_is_shared(cache, monkeypatch):
    """It is made, and in use, between our look for it and our look at its side files."""
    cache.folder.mkdir()
    make_folder, others = Path.mkdir, []

    def make_folder_late(folder: Path, **options: object) -> None:
        monkeypatch.undo()
        others.append(cache.open())
        others[0].write(key_of("a"), content_of("a"))
        assert (cache.folder / "cache.db-wal").exists()
        make_folder(folder, **options)

    monkeypatch.setattr(Path, "mkdir", make_folder_late)
    store = cache.open()
    store.write(key_of("b"), content_of("b"))
    assert store.read(key_of("a")) == content_of("a")
    assert others[0].read(key_of("b")) == content_of("b")
    store.close()
    others[0].close()
    assert_untouched(cache)


def test_what_another_build_puts_in_place_first_is_checked_too(cache, monkeypatch):
    link = os.link

    def link_late(source: Path, target: Path) -> None:
        shutil.copy(source, target)
        with contextlib.closing(sqlite3.connect(target)) as database:
            database.execute("CREATE TABLE Other (value)")
        link(source, target)

    monkeypatch.setattr(os, "link", link_late)
    with pytest.raises(errors.UnfitError, match="foreign tables"):
        strict_cache.open_cache(cache.folder)


def test_without_hard_links_a_cache_that_is_there_is_not_replaced(cache, monkeypatch):
    """One that is in use would be lost under the feet of its build."""

    def make_first_then_refuse(_source: Path, _target: Path) -> None:
        monkeypatch.undo()
        cache.fill()
        raise OSError("no hard links here")

    monkeypatch.setattr(os, "link", make_first_then_refuse)
    store = cache.open()
    store.write(key_of("new"), b"x")
    assert store.read(key_of("a")) == content_of("a")
    store.close()
    assert_untouched(cache)


def test_no_half_database_is_made_where_another_build_begins_anew(filled, monkeypatch):
    """It has set the cache aside, and made the folder again, between our check and our opening."""

    def check_then_move(folder: Path) -> None:
        check.check_cache(folder)
        monkeypatch.undo()
        shutil.move(filled.folder, filled.outside / "moved")
        filled.folder.mkdir()

    monkeypatch.setattr(strict_cache, "check_cache", check_then_move)
    store = filled.open()
    assert store.read(key_of("a")) is None
    assert list(filled.folder.iterdir()) == []
    store.write(key_of("a"), content_of("a"))
    assert store.read(key_of("a")) == content_of("a")
    store.close()
    assert_untouched(filled)


def test_a_broken_cache_moved_by_who_waited_too_long_for_us_is_not_moved_again(filled, monkeypatch):
    rename, moved = os.rename, filled.outside / "moved"

    def rename_late(source: Path, target: Path) -> None:
        monkeypatch.undo()
        rename(source, moved)
        rename(source, target)

    monkeypatch.setattr(os, "rename", rename_late)
    assert set_aside(filled.folder, identity(filled.folder)) is None
    assert (moved / "cache.db").exists()
