"""A build in which all is there looks at its files, and reads none of them."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import pytest

from mkdocs_imagegen.derived import stat_index as glance_module
from mkdocs_imagegen.derived import store as store_module
from mkdocs_imagegen.derived.stat_index import Glance, Glances, Stamp
from mkdocs_imagegen.derived.store import DerivedStore
from mkdocs_imagegen.derived.strict_cache import StrictCache
from mkdocs_imagegen.imaging.derive import FileVariantBuilder
from tests.imaging.test_derive import CONTENT, PLAN, files_in

LONG_AGO_S = 1_000_000_000


class Builds:
    """Builds of one site with one image, each with a site folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cache = folder / "derived"
        self.warned: list[str] = []
        self.number = 0

    def find(self) -> dict[str, bytes] | None:
        """The files of the next build; None where something has to be made."""
        self.number += 1
        store = DerivedStore(self.cache, self.warned.append)
        site = self.folder / f"site{self.number}"
        found = FileVariantBuilder(store, site).find(PLAN)
        store.close()
        return files_in(site) if found else None

    def values(self) -> list[Path]:
        return sorted(self.cache.glob("*/*/*.val"))


@pytest.fixture
def builds(tmp_path: Path) -> Builds:
    """What was made long ago, found once, and so noted."""
    builds = Builds(tmp_path)
    store = DerivedStore(builds.cache, builds.warned.append)
    FileVariantBuilder(store, None).build(PLAN, CONTENT)
    store.close()
    for path in builds.values():
        os.utime(path, (LONG_AGO_S, LONG_AGO_S))
    return builds


def read_by(builds: Builds, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many values the next build reads."""
    read: list[str] = []
    read_value = store_module.read_value

    def watched(key, path, seal):
        read.append(key)
        return read_value(key, path, seal)

    with monkeypatch.context() as patch:
        patch.setattr(store_module, "read_value", watched)
        assert builds.find()
    return len(read)


def test_the_second_build_reads_none_of_the_files(builds, monkeypatch) -> None:
    assert read_by(builds, monkeypatch) == 7
    assert read_by(builds, monkeypatch) == 1
    assert files_in(builds.folder / "site1") == files_in(builds.folder / "site2")
    assert len(files_in(builds.folder / "site2")) == 6


def test_what_was_just_written_is_read_again(builds, monkeypatch) -> None:
    for path in builds.values():
        os.utime(path)
    assert read_by(builds, monkeypatch) == 7
    assert read_by(builds, monkeypatch) == 7


@pytest.mark.parametrize("size", [0, -1, 1])
def test_a_file_that_was_changed_in_place_is_not_shown(builds, size: int) -> None:
    first = builds.find()
    name = max(first, key=lambda each: len(first[each]))
    path = next(each for each in builds.values() if each.read_bytes() == first[name])
    path.write_bytes(b"x" * (len(first[name]) + size))
    assert builds.find() is None
    assert builds.warned == []


def test_a_file_that_was_evicted_is_missed(builds) -> None:
    first = builds.find()
    for path in builds.values():
        if path.read_bytes() in first.values():
            path.unlink()
            break
    assert builds.find() is None


def keeping(builds: Builds, content: bytes) -> None:
    store = DerivedStore(builds.cache, builds.warned.append)
    store.write(store_module._GLANCES, content)
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
def test_a_glance_that_is_none_is_left_alone(builds, change) -> None:
    first = builds.find()
    store = DerivedStore(builds.cache, builds.warned.append)
    line = json.loads(store.read(store_module._GLANCES))[PLAN.key]
    store.close()
    content = change(line)
    keeping(builds, content if isinstance(content, bytes) else json.dumps(content).encode())
    assert builds.find() == first
    assert builds.warned == []


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "ab/00/../../../secret"])
def test_a_glance_leads_to_no_file_outside(builds, name: str) -> None:
    first = builds.find()
    (builds.folder / "secret").write_text("secret")
    facts = (builds.folder / "secret").stat()
    glances = Glances(b"")
    glances.add(PLAN.key, Glance((Stamp(name, facts.st_size, facts.st_mtime_ns),) * 6, b"blur"))
    keeping(builds, glances.to_json())
    assert builds.find() == first


def test_a_folder_of_values_that_became_a_link_is_not_followed(builds) -> None:
    first = builds.find()
    quoted_value = (each for each in builds.values() if each.read_bytes() in first.values())
    folder = next(quoted_value).parent
    elsewhere = builds.folder / "elsewhere"
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)
    assert builds.find() in (None, first)
    assert builds.find() is None


def test_where_nothing_can_be_kept_nothing_is_told(builds, monkeypatch) -> None:
    def refuses(*_: object) -> None:
        raise sqlite3.OperationalError("attempt to write a readonly database")

    monkeypatch.setattr(StrictCache, "keep", refuses)
    assert builds.find()
    assert builds.warned == []
    assert read_by(builds, monkeypatch) == 7


def test_a_file_in_the_site_that_is_another_one_is_replaced(builds) -> None:
    first = builds.find()
    site = builds.folder / "site2"
    for name in first:
        (site / "assets/imagegen").mkdir(parents=True, exist_ok=True)
        (site / "assets/imagegen" / name).write_bytes(b"of another build")
    assert builds.find() == first


def test_a_glance_is_read_as_it_was_written() -> None:
    glance = Glance((Stamp("ab/00/c.val", 3, 5), Stamp("d", 0, 0)), b"blur")
    glances = Glances(b"")
    glances.add("a", glance)
    assert Glances(glances.to_json()).find("a") == glance


def test_glances_of_other_sites_stay_until_there_are_very_many(monkeypatch) -> None:
    first = Glances(b"")
    first.add("a", Glance((), b""))
    second = Glances(first.to_json())
    second.add("b", Glance((), b""))
    assert set(json.loads(second.to_json())) == {"a", "b"}
    monkeypatch.setattr(glance_module, "_MOST", 1)
    assert set(json.loads(second.to_json())) == {"b"}


def test_what_is_found_again_is_found_at_a_glance_again(builds) -> None:
    builds.find()
    store, site = DerivedStore(builds.cache, builds.warned.append), builds.folder / "site"
    builder = FileVariantBuilder(store, site)
    found = [builder.find(PLAN), builder.find(PLAN)]
    builder.release_index()
    assert [*found, builder.find(PLAN)] == [found[0]] * 3 != [None] * 3
    assert not store.glances.is_changed
    assert all(path.stat().st_nlink > 1 for path in site.rglob("*.*"))
    store.close()


def test_what_is_new_is_kept_though_the_store_has_rested(builds, monkeypatch) -> None:
    store = DerivedStore(builds.cache, builds.warned.append)
    builder = FileVariantBuilder(store, builds.folder / "site")
    assert builder.find(PLAN)
    builder.release_index()
    store.close()
    assert read_by(builds, monkeypatch) == 1


def test_a_link_in_the_place_of_a_value_is_not_linked_into_the_site(builds) -> None:
    first = builds.find()
    path = next(each for each in builds.values() if each.read_bytes() in first.values())
    (builds.folder / "secret").write_text("secret")
    path.unlink()
    path.symlink_to(builds.folder / "secret")
    facts = path.lstat()
    store = DerivedStore(builds.cache, builds.warned.append)
    glance = store.glances.find(PLAN.key)
    name = "/".join(path.parts[-3:])
    stamps = [
        Stamp(name, facts.st_size, facts.st_mtime_ns) if each.name == name else each
        for each in glance.stamps
    ]
    store.glances.add(PLAN.key, Glance(tuple(stamps), glance.blur))
    store.close()
    assert builds.find() is None
    assert not any(each.is_symlink() for each in builds.folder.glob("site*/**/*"))
