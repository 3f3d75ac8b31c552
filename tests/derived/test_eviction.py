"""What goes, and when: only at the end, only what nobody used for a day, the oldest first."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

import pytest

from tests.derived.planting import DAY_S, Cache, content_of, editing, key_of

START = 1_790_000_000.0
SIZE = 1000


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def build(cache: Cache, clock: Clock, *, reads="", writes="", limit=10**9) -> None:
    store = cache.open(clock=clock, size_limit_bytes=limit)
    for name in writes:
        store.write(key_of(name), content_of(name, SIZE))
    for name in reads:
        assert store.read(key_of(name)) is not None
    store.close()


def there(cache: Cache) -> str:
    """Which of the entries a to z are there; looking counts as no use."""
    with editing(cache.folder) as database:
        keys = {key for (key,) in database.execute("SELECT key FROM Cache")}
    assert len(keys) == len(list(cache.folder.rglob("*.val")))
    return "".join(name for name in "abcdefghijklmnopqrstuvwxyz" if key_of(name) in keys)


def test_below_the_limit_nothing_goes(cache, clock):
    build(cache, clock, writes="abcd")
    clock.now += 400 * DAY_S
    build(cache, clock, reads="a", limit=4 * SIZE)
    assert there(cache) == "abcd"


def test_the_least_recently_used_go_first_and_only_as_many_as_must(cache, clock):
    for name in "abcd":
        build(cache, clock, writes=name)
        clock.now += 10
    clock.now += 2 * DAY_S
    build(cache, clock, writes="e", limit=3 * SIZE)
    assert there(cache) == "cde"


def test_reading_is_use(cache, clock):
    build(cache, clock, writes="abcd")
    clock.now += 3 * DAY_S
    build(cache, clock, reads="a")
    clock.now += 2 * DAY_S
    build(cache, clock, writes="e", limit=2 * SIZE)
    assert there(cache) == "ae"


def test_linking_is_use(cache, clock):
    build(cache, clock, writes="ab")
    clock.now += 3 * DAY_S
    store = cache.open(clock=clock, size_limit_bytes=SIZE)
    assert store.link(key_of("a"), cache.site / "a")
    store.close()
    assert there(cache) == "a"


@pytest.mark.parametrize(("age_s", "left"), [(DAY_S - 1, "abc"), (DAY_S + 1, "c")])
def test_what_was_used_within_a_day_stays(cache, clock, age_s, left):
    build(cache, clock, writes="ab")
    clock.now += age_s
    build(cache, clock, writes="c", limit=0)
    assert there(cache) == left


def test_what_this_build_used_stays_even_if_it_took_two_days(cache, clock):
    store = cache.open(clock=clock, size_limit_bytes=0)
    store.write(key_of("a"), content_of("a", SIZE))
    clock.now += 2 * DAY_S
    store.close()
    assert there(cache) == "a"


def test_nothing_goes_while_a_build_runs(cache, clock):
    build(cache, clock, writes="ab")
    clock.now += 2 * DAY_S
    store = cache.open(clock=clock, size_limit_bytes=0)
    for name in "cdef":
        store.write(key_of(name), content_of(name, SIZE))
    assert all(store.read(key_of(name)) for name in "abcdef")
    store.close()


def test_a_clock_that_was_wrong_does_not_keep_an_entry_for_ever(cache, clock):
    clock.now += 5000 * DAY_S
    build(cache, clock, writes="a")
    clock.now = START
    build(cache, clock, writes="b", limit=SIZE)
    assert there(cache) == "b"


def test_use_is_noted_in_one_transaction(cache, clock):
    build(cache, clock, writes="abcd")
    store = cache.open(clock=clock)
    assert all(store.read(key_of(name)) for name in "abcd")
    said: list[str] = []
    store._cache._con.set_trace_callback(said.append)
    store.close()
    frame = [text for text in said if text.startswith(("BEGIN", "COMMIT"))]
    assert frame == ["BEGIN IMMEDIATE", "COMMIT"]
    assert len({text for text in said if text.startswith("UPDATE Cache")}) == 4


OLD, NEW = 2 * DAY_S, 0.5 * DAY_S


def grow_old(path: Path, age_s: float) -> None:
    changed = time.time() - age_s
    os.utime(path, (changed, changed))


OURS = "ab/00/" + "0" * 28
TEMPORARY = "ab/00/." + "0" * 16 + ".tmp"


@pytest.mark.parametrize(
    ("name", "age_s", "stays"),
    [
        (f"{OURS}.val", OLD, False),
        (f"{OURS}.tmp", OLD, False),
        (f"{OURS}.val", NEW, True),
        (f"{OURS}.tmp", NEW, True),
        (TEMPORARY, OLD, False),
        (TEMPORARY, NEW, True),
        ("ab/00/.notes.tmp", OLD, True),
        ("ab/00/notes.txt", OLD, True),
        (f"{OURS}.value", OLD, True),
        (f"{OURS.upper()}.val", OLD, True),
        ("ab/" + "0" * 28 + ".val", OLD, True),
        ("abc/00/" + "0" * 28 + ".val", OLD, True),
        ("zz/00/" + "0" * 28 + ".val", OLD, True),
        ("notes.txt", OLD, True),
    ],
)
def test_only_old_files_of_ours_without_a_row_are_swept(cache, clock, name, age_s, stays):
    build(cache, clock, writes="a")
    path = cache.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    grow_old(path, age_s)
    build(cache, clock, writes="b")
    assert path.exists() == stays


def test_old_values_that_have_a_row_are_not_swept(cache, clock):
    build(cache, clock, writes="abc")
    for path in cache.folder.rglob("*.val"):
        grow_old(path, OLD)
    build(cache, clock, writes="d")
    assert there(cache) == "abcd"


def test_sweeping_follows_no_link(cache, clock):
    build(cache, clock, writes="a")
    target = cache.outside / "00" / f"{'0' * 28}.val"
    target.parent.mkdir()
    target.write_bytes(b"x")
    grow_old(target, OLD)
    values = {path.parts[-3] for path in cache.folder.rglob("*.val")}
    free = next(name for name in ("cd", "ce") if name not in values)
    (cache.folder / free).symlink_to(cache.outside)
    build(cache, clock, writes="b")
    assert target.exists()


def test_sweeping_looks_at_nothing_behind_a_link(cache, clock, monkeypatch):
    build(cache, clock, writes="a")
    values = {path.parts[-3] for path in cache.folder.rglob("*.val")}
    free = next(name for name in ("cd", "ce") if name not in values)
    (cache.folder / free).symlink_to(cache.outside)
    looked: list[str] = []
    scan = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: looked.append(path) or scan(path))
    build(cache, clock, writes="b")
    assert looked
    assert not any(Path(path).is_relative_to(cache.folder / free) for path in looked)


def test_a_value_that_vanishes_while_sweeping_stops_nothing(cache, clock, monkeypatch):
    """As when two builds end at once."""
    build(cache, clock, writes="a")
    orphans = [cache.folder / "ab/00" / f"{digit * 28}.val" for digit in "012"]
    orphans[0].parent.mkdir(parents=True, exist_ok=True)
    for orphan in orphans:
        orphan.write_bytes(b"x")
        grow_old(orphan, OLD)
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
