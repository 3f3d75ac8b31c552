"""The stat index: a build with unchanged variants reads none of their files."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from mkdocs_imagegen.derived import stat_index
from mkdocs_imagegen.derived import store as store_module
from mkdocs_imagegen.derived.stat_index import FileStat, IndexEntry, StatIndex
from mkdocs_imagegen.derived.store import DerivedStore
from mkdocs_imagegen.derived.strict_cache import StrictCache
from mkdocs_imagegen.imaging.derive import FileVariantBuilder
from tests.derived.support import logged
from tests.imaging.test_derive import CONTENT, ORIGINAL, PLAN, PLAN_OF, files_in

LONG_AGO_S = 1_000_000_000


class Builds:
    """Builds of one site with one image, each with a site folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cache = folder / "derived"
        self.number = 0

    def find(self) -> dict[str, bytes] | None:
        """Return the files of the next build, or None if it lacks a file."""
        self.number += 1
        store = DerivedStore(self.cache)
        site = self.folder / f"site{self.number}"
        found = FileVariantBuilder(store, site).find(PLAN)
        store.close()
        return files_in(site) if found else None

    def values(self) -> list[Path]:
        return sorted(self.cache.glob("*/*/*.val"))


@pytest.fixture
def builds(tmp_path: Path) -> Iterator[Builds]:
    """Yield builds after an old one that has encoded all files; forbid warnings."""
    builds = Builds(tmp_path)
    store = DerivedStore(builds.cache)
    FileVariantBuilder(store, None).build(ORIGINAL, CONTENT, PLAN_OF)
    store.close()
    for path in builds.values():
        os.utime(path, (LONG_AGO_S, LONG_AGO_S))
    with logged() as messages:
        yield builds
    assert messages.warnings == []


def read_by(builds: Builds, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return the number of values that the next build reads."""
    read: list[str] = []
    read_value = store_module._read_value

    def counted(key, row):
        read.append(key)
        return read_value(key, row)

    with monkeypatch.context() as patch:
        patch.setattr(store_module, "_read_value", counted)
        assert builds.find()
    return len(read)


def test_second_build_reads_no_file(builds, monkeypatch) -> None:
    assert read_by(builds, monkeypatch) == 7
    assert read_by(builds, monkeypatch) == 1
    assert files_in(builds.folder / "site1") == files_in(builds.folder / "site2")
    assert len(files_in(builds.folder / "site2")) == 6


def test_recent_file_is_read_again(builds, monkeypatch) -> None:
    for path in builds.values():
        os.utime(path)
    assert read_by(builds, monkeypatch) == 7
    assert read_by(builds, monkeypatch) == 7


@pytest.mark.parametrize("size", [0, -1, 1])
def test_file_changed_in_place_is_not_shown(builds, size: int) -> None:
    first = builds.find()
    name = max(first, key=lambda each: len(first[each]))
    path = next(each for each in builds.values() if each.read_bytes() == first[name])
    path.write_bytes(b"x" * (len(first[name]) + size))
    assert builds.find() is None


def test_deleted_file_is_a_miss(builds) -> None:
    first = builds.find()
    for path in builds.values():
        if path.read_bytes() in first.values():
            path.unlink()
            break
    assert builds.find() is None


def keep(builds: Builds, content: bytes) -> None:
    store = DerivedStore(builds.cache)
    store.write(store_module._index_key(""), content)
    store.close()


@pytest.mark.parametrize(
    "change",
    [
        lambda _: b"no JSON",
        lambda _: b"[" * 100_000,
        lambda _: b"[1, 2]",
        lambda _: {PLAN.key: 3},
        lambda _: {PLAN.key: None},
        lambda _: {PLAN.key: "!;a 1 2"},
        lambda line: {PLAN.key: line.replace(" ", "  ")},
        lambda line: {PLAN.key: line.rpartition(";")[0]},
        lambda line: {PLAN.key: f"{line};{line.rpartition(';')[2]}"},
        lambda line: {PLAN.key: f";{line.partition(';')[2]}"},
    ],
)
def test_invalid_index_is_ignored(builds, change) -> None:
    first = builds.find()
    store = DerivedStore(builds.cache)
    line = json.loads(store.read(store_module._index_key("")))[PLAN.key]
    store.close()
    content = change(line)
    keep(builds, content if isinstance(content, bytes) else json.dumps(content).encode())
    assert builds.find() == first


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "ab/00/../../../secret"])
def test_index_leads_to_no_file_outside(builds, name: str) -> None:
    first = builds.find()
    (builds.folder / "secret").write_text("secret")
    facts = (builds.folder / "secret").stat()
    index = opened({})
    index.add(
        PLAN.key, IndexEntry((FileStat(name, facts.st_size, facts.st_mtime_ns),) * 6, b"blur")
    )
    keep(builds, dict(index.changes())[""])
    assert builds.find() == first


def test_folder_that_became_a_link_is_not_followed(builds) -> None:
    first = builds.find()
    values = (each for each in builds.values() if each.read_bytes() in first.values())
    folder = next(values).parent
    elsewhere = builds.folder / "elsewhere"
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)
    assert builds.find() in (None, first)
    assert builds.find() is None


def test_index_that_cannot_be_kept_is_not_logged(builds, monkeypatch) -> None:
    def refuses(*_: object) -> None:
        raise sqlite3.OperationalError("attempt to write a readonly database")

    monkeypatch.setattr(StrictCache, "keep", refuses)
    assert builds.find()
    assert read_by(builds, monkeypatch) == 7


def test_other_file_in_the_site_is_replaced(builds) -> None:
    first = builds.find()
    site = builds.folder / "site2"
    for name in first:
        (site / "assets/imagegen").mkdir(parents=True, exist_ok=True)
        (site / "assets/imagegen" / name).write_bytes(b"from another build")
    assert builds.find() == first


def opened(values: dict[str, bytes]) -> StatIndex:
    """Return an index with the values of an earlier one."""
    return StatIndex(lambda digits: values.get(digits, b""))


def filled(index: StatIndex, keys: Iterable[str]) -> dict[str, bytes]:
    """Return the values of an index after adding entries."""
    for key in keys:
        index.add(key, IndexEntry((), key.encode()))
    return dict(index.changes())


def found(index: StatIndex, keys: Iterable[str]) -> list[str]:
    return [key for key in keys if index.find(key) == IndexEntry((), key.encode())]


KEYS = [f"{number:03x}" for number in range(0x400)]
"""Keys of which a quarter each begins with the digits 0 to 3."""


def test_find_returns_added_entry() -> None:
    entry = IndexEntry((FileStat("ab/00/c.val", 3, 5), FileStat("d", 0, 0)), b"blur")
    index = opened({})
    index.add("a", entry)
    assert opened(dict(index.changes())).find("a") == entry


def test_small_index_is_one_value_with_unused_entries() -> None:
    first = filled(opened({}), ["a"])
    second = filled(opened(first), ["b"])
    assert list(second) == [""]
    assert set(json.loads(second[""])) == {"a", "b"}


def test_large_index_is_split_and_complete(monkeypatch) -> None:
    monkeypatch.setattr(stat_index, "_MAX_ENTRIES", 100)
    values = filled(opened({}), KEYS)
    assert list(values)[-1] == ""  # an interrupted build leaves the old value
    sizes = [len(json.loads(each)) for each in values.values() if each != b'"split"']
    assert max(sizes) <= 100
    assert sum(sizes) == len(KEYS)
    assert found(opened(values), KEYS) == KEYS


def test_build_reads_and_writes_only_the_parts_that_it_uses(monkeypatch) -> None:
    monkeypatch.setattr(stat_index, "_MAX_ENTRIES", 100)
    values, read = filled(opened({}), KEYS), list[str]()
    index = StatIndex(lambda digits: read.append(digits) or values.get(digits, b""))
    assert found(index, KEYS[:16]) == KEYS[:16]
    assert read == ["", "0", "00"]
    assert list(filled(index, ["3ff"])) == ["3f"]


def test_release_keeps_changed_parts_only(monkeypatch) -> None:
    monkeypatch.setattr(stat_index, "_MAX_ENTRIES", 100)
    values, read = filled(opened({}), KEYS), list[str]()
    index = StatIndex(lambda digits: read.append(digits) or values.get(digits, b""))
    filled(index, ["3ff"])
    index.release()
    assert found(index, ["3ff", "000"]) == ["3ff", "000"]
    assert read == ["", "3", "3f", "", "3", "0", "00"]


def test_large_part_drops_entries_if_fewer_than_half_are_used(monkeypatch) -> None:
    values = filled(opened({}), KEYS)
    monkeypatch.setattr(stat_index, "_MAX_ENTRIES", 100)
    index = opened(values)
    assert found(index, KEYS[:600]) == KEYS[:600]
    kept = filled(index, ["fff"])
    assert found(opened(kept), KEYS) == KEYS  # more than half are used
    index = opened(values)
    index.release()
    assert found(opened(filled(index, ["fff"])), KEYS) == KEYS  # unknown
    index = opened(values)
    assert found(index, KEYS[:50]) == KEYS[:50]
    kept = filled(index, ["fff"])
    assert set(json.loads(kept[""])) == {*KEYS[:50], "fff"}


def test_parts_of_a_split_index_drop_entries_from_a_sixteenth_on(monkeypatch) -> None:
    monkeypatch.setattr(stat_index, "_MAX_ENTRIES", 320)
    values = filled(opened({}), KEYS)
    assert set(values) >= {"", "0", "3"}
    index = opened(values)
    assert found(index, KEYS[:2]) == KEYS[:2]
    kept = filled(index, ["0ff"])
    assert set(kept) == {"0"}
    assert set(json.loads(kept["0"])) == {*KEYS[:2], "0ff"}


def test_split_without_parts_is_an_empty_index() -> None:
    values = dict.fromkeys(["", "0", "00", "000"], b'"split"')
    assert opened(values).find("000") is None
    healed = filled(opened(values), ["000", "1"])
    assert set(healed) == {"000", "1"}
    assert found(opened(values | healed), ["000", "1"]) == ["000", "1"]


def test_repeated_lookup_links_files_unread(builds) -> None:
    builds.find()
    store, site = DerivedStore(builds.cache), builds.folder / "site"
    builder = FileVariantBuilder(store, site)
    found = [builder.find(PLAN), builder.find(PLAN)]
    builder.release_index()
    assert [*found, builder.find(PLAN)] == [found[0]] * 3 != [None] * 3
    assert not list(store.stat_index.changes())
    assert all(path.stat().st_nlink > 1 for path in site.rglob("*.*"))
    store.close()


def test_new_entries_are_kept_when_index_is_released(builds, monkeypatch) -> None:
    store = DerivedStore(builds.cache)
    builder = FileVariantBuilder(store, builds.folder / "site")
    assert builder.find(PLAN)
    builder.release_index()
    store.close()
    assert read_by(builds, monkeypatch) == 1


def test_link_in_place_of_a_value_is_not_published(builds) -> None:
    first = builds.find()
    path = next(each for each in builds.values() if each.read_bytes() in first.values())
    (builds.folder / "secret").write_text("secret")
    path.unlink()
    path.symlink_to(builds.folder / "secret")
    facts = path.lstat()
    store = DerivedStore(builds.cache)
    entry = store.stat_index.find(PLAN.key)
    name = "/".join(path.parts[-3:])
    stats = [
        FileStat(name, facts.st_size, facts.st_mtime_ns) if each.name == name else each
        for each in entry.stats
    ]
    store.stat_index.add(PLAN.key, IndexEntry(tuple(stats), entry.blur))
    store.close()
    assert builds.find() is None
    assert not any(each.is_symlink() for each in builds.folder.glob("site*/**/*"))
