"""The cache of derived things, when nothing is wrong."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import diskcache
import pytest

from mkdocs_imagegen.derived import check, sealed
from mkdocs_imagegen.derived import store as store_module
from tests.derived.planting import NAMES, content_of, editing, key_of, value_path


def test_what_was_written_is_read_by_the_same_build(cache):
    store = cache.open()
    store.write(key_of(1), b"first")
    assert store.read(key_of(1)) == b"first"
    store.close()


def test_what_was_written_is_read_by_the_next_build(filled):
    store = filled.open()
    assert [store.read(key_of(name)) for name in NAMES] == [content_of(name) for name in NAMES]
    store.close()
    assert filled.warnings == []


def test_the_first_entry_of_an_empty_cache_is_kept(cache):
    """diskcache's cache counts as false while it is empty."""
    store = cache.open()
    store.write(key_of(1), b"x")
    assert len(list(cache.folder.rglob("*.val"))) == 1
    store.close()


@pytest.mark.parametrize("content", [b"", b"\0", os.urandom(300_000)], ids=["none", "one", "many"])
def test_any_bytes_come_back(cache, content):
    store = cache.open()
    store.write(key_of(1), content)
    assert store.read(key_of(1)) == content
    store.close()


def test_a_second_write_replaces_the_first_and_its_file(cache):
    store = cache.open()
    store.write(key_of(1), b"first")
    store.write(key_of(1), b"second")
    assert store.read(key_of(1)) == b"second"
    assert len(list(cache.folder.rglob("*.val"))) == 1
    store.close()


def test_a_missing_key_is_a_miss(filled):
    store = filled.open()
    assert store.read(key_of("nothing")) is None
    assert not store.link(key_of("nothing"), filled.site / "x")
    assert not (filled.site / "x").exists()
    store.close()


@pytest.mark.parametrize("key", ["", "a", "A" * 64, "g" * 64, "0" * 63, "0" * 65, "0" * 64 + "\n"])
def test_a_key_that_is_none_is_refused(cache, key):
    store = cache.open()
    for act in (store.read, lambda key: store.write(key, b""), lambda key: store.link(key, Path())):
        with pytest.raises(ValueError, match="64 hex digits"):
            act(key)
    store.close()


def test_a_value_that_is_no_bytes_is_refused(cache):
    store = cache.open()
    with pytest.raises(TypeError, match="bytes are kept, not str"):
        store.write(key_of(1), "text")
    store.close()


def test_a_value_that_is_too_large_is_not_kept(cache, monkeypatch):
    monkeypatch.setattr(store_module, "MAX_VALUE_BYTES", 10)
    store = cache.open()
    store.write(key_of(1), b"12345678901")
    assert store.read(key_of(1)) is None
    store.close()


def test_a_link_shares_the_file_of_the_cache(filled):
    store = filled.open()
    path = filled.site / "x.webp"
    assert store.link(key_of("a"), path)
    store.close()
    assert path.read_bytes() == content_of("a")
    assert path.samefile(value_path(filled.folder))


def test_a_link_replaces_the_file_that_is_there(filled):
    path = filled.site / "x.webp"
    path.write_bytes(b"old")
    store = filled.open()
    assert store.link(key_of("a"), path)
    store.close()
    assert path.read_bytes() == content_of("a")
    assert [each.name for each in filled.site.iterdir()] == ["x.webp"]


def test_a_link_in_place_of_a_symlink_leaves_its_target(filled):
    path, target = filled.site / "x.webp", filled.outside / "secret.txt"
    path.symlink_to(target)
    store = filled.open()
    assert store.link(key_of("a"), path)
    store.close()
    assert not path.is_symlink()
    assert path.read_bytes() == content_of("a")
    assert target.read_bytes() == b"outside the cache"


def test_without_hard_links_the_file_is_a_copy(filled, monkeypatch):
    def refuse(*_paths):
        raise OSError("no hard links here")

    monkeypatch.setattr(os, "link", refuse)
    store = filled.open()
    path = filled.site / "x.webp"
    assert store.link(key_of("a"), path)
    store.close()
    assert path.read_bytes() == content_of("a")
    assert path.stat().st_nlink == 1


def test_without_hard_links_a_cache_is_made_all_the_same(cache, monkeypatch):
    def refuse(*_paths):
        raise OSError("no hard links here")

    monkeypatch.setattr(os, "link", refuse)
    cache.fill()
    assert value_path(cache.folder).read_bytes() == content_of("a")
    assert cache.warnings == []


def test_a_published_file_changed_in_place_is_a_miss(filled):
    store = filled.open()
    store.link(key_of("a"), filled.site / "x.webp")
    (filled.site / "x.webp").write_bytes(b"optimised by another plugin")
    assert store.read(key_of("a")) is None
    store.write(key_of("a"), content_of("a"))
    assert store.read(key_of("a")) == content_of("a")
    store.close()
    assert (filled.site / "x.webp").read_bytes() == b"optimised by another plugin"


def test_a_place_that_cannot_be_written_is_the_callers_to_know(filled):
    store = filled.open()
    with pytest.raises(OSError, match="No such file"):
        store.link(key_of("a"), filled.site / "no/such/folder/x.webp")
    store.close()


def test_reading_makes_no_cache(cache):
    store = cache.open()
    assert store.read(key_of(1)) is None
    store.close()
    assert not cache.folder.exists()


def test_nothing_is_left_beside_the_database_and_the_values(filled):
    names = sorted(path.name for path in filled.folder.iterdir() if len(path.name) != 2)
    assert names == ["cache.db"]


def test_a_folder_that_is_a_link_to_a_folder_is_fine(cache):
    real = cache.outside / "elsewhere"
    real.mkdir()
    cache.folder.symlink_to(real)
    cache.fill()
    store = cache.open()
    assert store.read(key_of("a")) == content_of("a")
    store.close()
    assert cache.warnings == []
    assert (real / "cache.db").is_file()


def test_odd_characters_in_the_path_do_no_harm(cache):
    cache.folder = cache.folder.with_name("a b%20?mode=rwc#ü~")
    cache.fill()
    store = cache.open()
    assert store.read(key_of("a")) == content_of("a")
    store.close()
    assert cache.warnings == []


def test_a_variable_in_the_path_is_not_replaced(cache, monkeypatch):
    monkeypatch.setenv("ELSEWHERE", "outside")
    cache.folder = cache.folder.with_name("$ELSEWHERE")
    cache.fill()
    assert list(cache.outside.iterdir()) == [cache.outside / "secret.txt"]
    assert len(cache.warnings) == 1


def test_after_closing_nothing_is_read_or_written(filled):
    store = filled.open()
    assert store.read(key_of("a"))
    store.close()
    store.write(key_of("late"), b"late")
    assert store.read(key_of("a")) is None
    store.close()
    assert len(list(filled.folder.rglob("*.val"))) == len(NAMES)


def test_threads_share_one_store(cache):
    store = cache.open()
    wrong: list[object] = []

    def work(number):
        for name in range(40):
            key, content = key_of(name), content_of(name)
            if store.read(key) not in {None, content}:
                wrong.append(name)
            store.write(key, content)
            path = cache.site / f"{number}-{name}"
            if not store.link(key, path) or path.read_bytes() != content:
                wrong.append(path)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()
    assert wrong == []
    assert cache.warnings == []
    assert len(list(cache.folder.rglob("*.val"))) == 40


def test_all_threads_use_one_connection(filled, monkeypatch):
    made: list[object] = []
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda *a, **b: made.append(connect(*a, **b)) or made[-1]
    )
    store = filled.open()
    assert store.read(key_of("a"))
    before = len(made)
    threads = [threading.Thread(target=store.read, args=(key_of(name),)) for name in NAMES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()
    assert len(made) == before
    for connection in made:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.execute("SELECT 1")


def test_a_value_replaced_between_looking_and_reading_is_looked_up_again(filled, monkeypatch):
    store = filled.open()
    assert store.read(key_of("a"))
    read = sealed.read_plain_file

    def replaced_first(path, most):
        monkeypatch.undo()
        store.write(key_of("a"), b"newer")
        return read(path, most)

    monkeypatch.setattr(sealed, "read_plain_file", replaced_first)
    assert store.read(key_of("a")) == b"newer"
    store.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_goes_without_the_cache_of_its_parent(filled):
    store = filled.open()
    assert store.read(key_of("a"))
    child = os.fork()
    if child == 0:
        store.write(key_of("child"), b"x")
        is_without = store.read(key_of("a")) is None
        store.close()
        os._exit(0 if is_without else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert store.read(key_of("a")) == content_of("a")
    assert store.read(key_of("child")) is None
    store.close()


def test_the_schema_is_what_the_installed_diskcache_makes(tmp_path):
    with diskcache.Cache(str(tmp_path), eviction_policy="none") as made:
        rows = made._sql("SELECT type, name, sql FROM sqlite_master").fetchall()
    assert {(kind, name): sql for kind, name, sql in rows} == check._SCHEMA


def test_every_setting_that_diskcache_knows_is_set():
    assert check.SETTINGS.keys() == diskcache.DEFAULT_SETTINGS.keys()
    assert set(diskcache.core.METADATA) == check._COUNTERS


def test_settings_that_were_changed_do_not_hold(filled):
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


def test_importing_and_missing_load_no_database():
    code = (
        "import sys; from pathlib import Path; import mkdocs_imagegen.derived.store as d;"
        "s = d.DerivedStore(Path('/nowhere/at/all'), print); s.read('0' * 64); s.close();"
        "print([name for name in ('sqlite3', 'diskcache') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
