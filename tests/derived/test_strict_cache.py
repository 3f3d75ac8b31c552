"""diskcache without its dangers: opening, settings, files, deletion of old values."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from mkdocs_imagegen.derived import InvalidCacheError, check, strict_cache
from tests.derived.support import (
    DAY_S,
    NAMES,
    SHORT_S,
    Cache,
    assert_untouched,
    content_of,
    editing,
    key_of,
    lock_alone,
    other_build,
    value_path,
    works_without,
)

START = 1_790_000_000.0
SIZE = 1000
OLD, NEW = 2 * DAY_S, 0.5 * DAY_S
OWN = "ab/00/" + "0" * 28
TEMPORARY = "ab/00/." + "0" * 16 + ".tmp"


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def kept(cache: Cache) -> str:
    """Return the names of the values a to z in the cache, without using them."""
    with editing(cache.folder) as database:
        keys = {key for (key,) in database.execute("SELECT key FROM Cache")}
    assert len(keys) == len(list(cache.folder.rglob("*.val")))
    return "".join(name for name in "abcdefghijklmnopqrstuvwxyz" if key_of(name) in keys)


def set_age(path: Path, age_s: float) -> None:
    changed = time.time() - age_s
    os.utime(path, (changed, changed))


def test_open_creates_cache_when_hard_links_fail(cache, monkeypatch):
    def refuse(*_paths):
        raise OSError("no hard links here")

    monkeypatch.setattr(os, "link", refuse)
    cache.fill()
    assert value_path(cache.folder).read_bytes() == content_of("a")
    assert cache.warnings == []


def test_open_refuses_path_with_variable(cache, monkeypatch):
    monkeypatch.setenv("ELSEWHERE", "outside")
    cache.folder = cache.folder.with_name("$ELSEWHERE")
    cache.fill()
    assert list(cache.outside.iterdir()) == [cache.outside / "secret.txt"]
    assert len(cache.warnings) == 1


def test_all_threads_use_one_connection(filled, monkeypatch):
    opened: list[object] = []
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda *a, **b: opened.append(connect(*a, **b)) or opened[-1]
    )
    store = filled.open()
    assert store.read(key_of("a"))
    before = len(opened)
    threads = [threading.Thread(target=store.read, args=(key_of(name),)) for name in NAMES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()
    assert len(opened) == before
    for connection in opened:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.execute("SELECT 1")


def test_changed_settings_are_overwritten(filled):
    with editing(filled.folder) as database:
        database.execute("UPDATE Settings SET value = 0 WHERE key = 'size_limit'")
        database.execute("UPDATE Settings SET value = 1000 WHERE key = 'cull_limit'")
        database.execute("UPDATE Settings SET value = 'least-recently-stored' WHERE key LIKE 'ev%'")
    store = filled.open()
    store.write(key_of("new"), b"x")
    assert all(store.read(key_of(name)) for name in NAMES)
    held = dict(store._cache._sql("SELECT key, value FROM Settings").fetchall())
    assert {name: held[name] for name in check.SETTINGS} == check.SETTINGS
    store.close()


@pytest.mark.parametrize("below", ["", "00"])
def test_no_value_is_written_through_a_link(filled, below):
    # Every folder is a link, since the name of a value is random.
    shutil.rmtree(filled.outside / "values", ignore_errors=True)
    target = filled.outside / "values"
    target.mkdir()
    for number in range(256):
        folder = filled.folder / f"{number:02x}"
        shutil.rmtree(folder, ignore_errors=True)
        if below:
            folder.mkdir()
        (folder / below).symlink_to(target)
    store = filled.open()
    store.write(key_of("new"), b"x")
    assert list(target.iterdir()) == []
    assert store.read(key_of("new")) == b"x"
    store.close()
    assert len(filled.warnings) == 1


def test_failed_write_leaves_no_file(filled, monkeypatch):
    def refuse(*_paths):
        raise OSError(errno.EIO, "Input/output error")

    before = sorted(filled.folder.rglob("*.*"))
    store = filled.open()
    assert store.read(key_of("a"))
    monkeypatch.setattr(os, "replace", refuse)
    store.write(key_of("new"), b"x")
    store.close()
    assert sorted(filled.folder.rglob("*.*")) == before


def test_name_that_is_not_text_affects_only_its_row(filled):
    with editing(filled.folder) as database:
        change = "UPDATE Cache SET filename = CAST(x'ff00fe' AS TEXT) WHERE key = ?"
        database.execute(change, (key_of("a"),))
    store = filled.open()
    assert store.read(key_of("a")) is None
    assert store.read(key_of("b")) == content_of("b")
    store.write(key_of("a"), content_of("a"))
    assert store.read(key_of("a")) == content_of("a")
    store.close()
    assert filled.warnings == []


def test_unknown_database_of_diskcache_is_not_used(cache, monkeypatch):
    """Otherwise each build would quarantine the cache of the one before."""
    monkeypatch.setitem(check._SCHEMA, ("table", "Cache"), "CREATE TABLE Cache (other)")
    works_without(cache)
    assert not list(cache.folder.parent.glob("derived.broken-*"))
    (warning,) = cache.warnings
    assert "creates an unknown database" in warning


def test_open_refuses_settings_that_do_not_hold(filled, monkeypatch):
    monkeypatch.setattr(
        strict_cache, "SETTINGS", check.SETTINGS | {"sqlite_journal_mode": "delete"}
    )
    works_without(filled)
    assert "settings do not hold" in filled.warnings[0]


def test_wait_ends_at_timeout_when_locked_during_opening(filled, monkeypatch):
    monkeypatch.setattr(check, "LOCK_TIMEOUT_S", SHORT_S)
    with other_build(filled) as other:

        def check_then_lock(folder: Path) -> None:
            check.check_cache(folder)
            lock_alone(other)

        monkeypatch.setattr(strict_cache, "check_cache", check_then_lock)
        started = time.monotonic()
        works_without(filled)
        assert time.monotonic() - started < 10 * SHORT_S
    monkeypatch.undo()
    assert len(filled.infos) == 1
    assert_untouched(filled)


def test_open_shares_cache_that_another_build_creates(cache, monkeypatch):
    # The other build creates and uses it between two checks of this build.
    cache.folder.mkdir()
    mkdir, others = Path.mkdir, []

    def mkdir_late(folder: Path, **options: object) -> None:
        monkeypatch.undo()
        others.append(cache.open())
        others[0].write(key_of("a"), content_of("a"))
        assert (cache.folder / "cache.db-wal").exists()
        mkdir(folder, **options)

    monkeypatch.setattr(Path, "mkdir", mkdir_late)
    store = cache.open()
    store.write(key_of("b"), content_of("b"))
    assert store.read(key_of("a")) == content_of("a")
    assert others[0].read(key_of("b")) == content_of("b")
    store.close()
    others[0].close()
    assert_untouched(cache)


def test_open_checks_database_of_another_build(cache, monkeypatch):
    link = os.link

    def link_late(source: Path, target: Path) -> None:
        shutil.copy(source, target)
        with contextlib.closing(sqlite3.connect(target)) as database:
            database.execute("CREATE TABLE Other (value)")
        link(source, target)

    monkeypatch.setattr(os, "link", link_late)
    with pytest.raises(InvalidCacheError, match="foreign tables"):
        strict_cache.open_cache(cache.folder)


def test_open_keeps_existing_database_when_hard_links_fail(cache, monkeypatch):
    # A build that uses it would lose it.

    def create_then_refuse(_source: Path, _target: Path) -> None:
        monkeypatch.undo()
        cache.fill()
        raise OSError("no hard links here")

    monkeypatch.setattr(os, "link", create_then_refuse)
    store = cache.open()
    store.write(key_of("new"), b"x")
    assert store.read(key_of("a")) == content_of("a")
    store.close()
    assert_untouched(cache)


def test_open_creates_no_incomplete_database(filled, monkeypatch):
    """Another build moves the cache and creates the folder again before this build opens it."""

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


def build(cache: Cache, clock: Clock, *, reads="", writes="", limit=10**9) -> None:
    store = cache.open(clock=clock, size_limit_bytes=limit)
    for name in writes:
        store.write(key_of(name), content_of(name, SIZE))
    for name in reads:
        assert store.read(key_of(name)) is not None
    store.close()


def test_settle_deletes_nothing_below_limit(cache, clock):
    build(cache, clock, writes="abcd")
    clock.now += 400 * DAY_S
    build(cache, clock, reads="a", limit=4 * SIZE)
    assert kept(cache) == "abcd"


def test_settle_deletes_least_recently_used_down_to_limit(cache, clock):
    for name in "abcd":
        build(cache, clock, writes=name)
        clock.now += 10
    clock.now += 2 * DAY_S
    build(cache, clock, writes="e", limit=3 * SIZE)
    assert kept(cache) == "cde"


def test_read_counts_as_use(cache, clock):
    build(cache, clock, writes="abcd")
    clock.now += 3 * DAY_S
    build(cache, clock, reads="a")
    clock.now += 2 * DAY_S
    build(cache, clock, writes="e", limit=2 * SIZE)
    assert kept(cache) == "ae"


def test_link_counts_as_use(cache, clock):
    build(cache, clock, writes="ab")
    clock.now += 3 * DAY_S
    store = cache.open(clock=clock, size_limit_bytes=SIZE)
    assert store.link(key_of("a"), cache.site / "a")
    store.close()
    assert kept(cache) == "a"


@pytest.mark.parametrize(("age_s", "left"), [(DAY_S - 1, "abc"), (DAY_S + 1, "c")])
def test_settle_keeps_values_used_within_a_day(cache, clock, age_s, left):
    build(cache, clock, writes="ab")
    clock.now += age_s
    build(cache, clock, writes="c", limit=0)
    assert kept(cache) == left


def test_settle_keeps_values_of_a_build_of_two_days(cache, clock):
    store = cache.open(clock=clock, size_limit_bytes=0)
    store.write(key_of("a"), content_of("a", SIZE))
    clock.now += 2 * DAY_S
    store.close()
    assert kept(cache) == "a"


def test_no_value_is_deleted_during_a_build(cache, clock):
    build(cache, clock, writes="ab")
    clock.now += 2 * DAY_S
    store = cache.open(clock=clock, size_limit_bytes=0)
    for name in "cdef":
        store.write(key_of(name), content_of(name, SIZE))
    assert all(store.read(key_of(name)) for name in "abcdef")
    store.close()


def test_settle_deletes_value_used_in_the_future(cache, clock):
    clock.now += 5000 * DAY_S
    build(cache, clock, writes="a")
    clock.now = START
    build(cache, clock, writes="b", limit=SIZE)
    assert kept(cache) == "b"


def test_settle_notes_use_in_one_transaction(cache, clock):
    build(cache, clock, writes="abcd")
    store = cache.open(clock=clock)
    assert all(store.read(key_of(name)) for name in "abcd")
    statements: list[str] = []
    store._cache._con.set_trace_callback(statements.append)
    store.close()
    frame = [text for text in statements if text.startswith(("BEGIN", "COMMIT"))]
    assert frame == ["BEGIN IMMEDIATE", "COMMIT"]
    assert len({text for text in statements if text.startswith("UPDATE Cache")}) == 4


@pytest.mark.parametrize(
    ("name", "age_s", "stays"),
    [
        (f"{OWN}.val", OLD, False),
        (f"{OWN}.tmp", OLD, False),
        (f"{OWN}.val", NEW, True),
        (f"{OWN}.tmp", NEW, True),
        (TEMPORARY, OLD, False),
        (TEMPORARY, NEW, True),
        ("ab/00/.notes.tmp", OLD, True),
        ("ab/00/notes.txt", OLD, True),
        (f"{OWN}.value", OLD, True),
        (f"{OWN.upper()}.val", OLD, True),
        ("ab/" + "0" * 28 + ".val", OLD, True),
        ("abc/00/" + "0" * 28 + ".val", OLD, True),
        ("zz/00/" + "0" * 28 + ".val", OLD, True),
        ("notes.txt", OLD, True),
    ],
)
def test_sweep_deletes_only_old_own_files_without_a_row(cache, clock, name, age_s, stays):
    build(cache, clock, writes="a")
    path = cache.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    set_age(path, age_s)
    build(cache, clock, writes="b")
    assert path.exists() == stays


def test_sweep_keeps_old_values_with_a_row(cache, clock):
    build(cache, clock, writes="abc")
    for path in cache.folder.rglob("*.val"):
        set_age(path, OLD)
    build(cache, clock, writes="d")
    assert kept(cache) == "abcd"


def test_sweep_deletes_nothing_behind_a_link(cache, clock):
    build(cache, clock, writes="a")
    target = cache.outside / "00" / f"{'0' * 28}.val"
    target.parent.mkdir()
    target.write_bytes(b"x")
    set_age(target, OLD)
    values = {path.parts[-3] for path in cache.folder.rglob("*.val")}
    free = next(name for name in ("cd", "ce") if name not in values)
    (cache.folder / free).symlink_to(cache.outside)
    build(cache, clock, writes="b")
    assert target.exists()


def test_sweep_reads_no_folder_behind_a_link(cache, clock, monkeypatch):
    build(cache, clock, writes="a")
    values = {path.parts[-3] for path in cache.folder.rglob("*.val")}
    free = next(name for name in ("cd", "ce") if name not in values)
    (cache.folder / free).symlink_to(cache.outside)
    scanned: list[str] = []
    scan = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: scanned.append(path) or scan(path))
    build(cache, clock, writes="b")
    assert scanned
    assert not any(Path(path).is_relative_to(cache.folder / free) for path in scanned)


def test_sweep_continues_when_a_value_vanishes(cache, clock, monkeypatch):
    """Two builds may end at the same time."""
    build(cache, clock, writes="a")
    orphans = [cache.folder / "ab/00" / f"{digit * 28}.val" for digit in "012"]
    orphans[0].parent.mkdir(parents=True, exist_ok=True)
    for orphan in orphans:
        orphan.write_bytes(b"x")
        set_age(orphan, OLD)
    scan = os.scandir

    @contextlib.contextmanager
    def vanishing(path):
        with scan(path) as entries:
            found = list(entries)
            if Path(path) == orphans[0].parent:
                orphans[1].unlink(missing_ok=True)
            yield iter(found)

    monkeypatch.setattr(os, "scandir", vanishing)
    build(cache, clock, writes="b")
    assert not any(orphan.exists() for orphan in orphans)
