"""The move of a broken cache, once, by one of several builds."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from pathlib import Path

from mkdocs_imagegen.derived import quarantine
from tests.derived.support import content_of, key_of, works_without


def test_broken_cache_is_moved_whole_and_replaced(filled):
    (filled.folder / "cache.db").write_bytes(b"no database")
    (filled.folder / "notes.txt").write_bytes(b"notes of the user")
    filled.fill()
    (moved,) = filled.folder.parent.glob("derived.broken-*")
    assert (moved / "cache.db").read_bytes() == b"no database"
    assert (moved / "notes.txt").read_bytes() == b"notes of the user"
    (warning,) = filled.warnings
    assert warning == (
        f"{filled.folder}: the variant cache is invalid (file is not a database); "
        f"moved it to {moved.name} and started a new one, originals are not affected"
    )


def test_cache_is_moved_when_damage_is_found_during_a_build(filled, monkeypatch):
    def refuse(*_args, **_options):
        raise sqlite3.DatabaseError("database disk image is malformed")

    store = filled.open()
    assert store.read(key_of("a"))
    monkeypatch.setattr(store._cache, "get", refuse)
    assert store.read(key_of("a")) is None
    store.write(key_of("a"), content_of("a"))
    assert store.read(key_of("a")) == content_of("a")
    store.close()
    assert len(list(filled.folder.parent.glob("derived.broken-*"))) == 1
    assert len(filled.warnings) == 1


def test_log_without_database_is_moved(cache):
    cache.folder.mkdir()
    (cache.folder / "cache.db-wal").write_bytes(b"an old log")
    store = cache.open()
    store.write(key_of("a"), content_of("a"))
    assert store.read(key_of("a")) == content_of("a")
    store.close()
    (moved,) = cache.folder.parent.glob("derived.broken-*")
    assert (moved / "cache.db-wal").read_bytes() == b"an old log"


def test_claim_of_killed_build_is_taken_over(filled, monkeypatch):
    monkeypatch.setattr(quarantine, "CLAIM_TIMEOUT_S", 0.1)
    (filled.folder / "cache.db").write_bytes(b"no database")
    (filled.folder / "set-aside.claim").touch()
    filled.fill()
    assert len(filled.warnings) == 1
    assert len(list(filled.folder.parent.glob("derived.broken-*"))) == 1
    assert not (filled.folder / "set-aside.claim").exists()


def test_late_claim_leaves_new_cache_alone(filled, monkeypatch):
    """Another build replaces the broken cache just before this one claims it."""
    (filled.folder / "cache.db").write_bytes(b"no database")
    touch, moved = Path.touch, filled.outside / "moved"

    def touch_late(path, **options):
        monkeypatch.undo()
        shutil.move(filled.folder, moved)
        filled.fill()
        touch(path, **options)

    monkeypatch.setattr(Path, "touch", touch_late)
    store = filled.open()
    assert store.read(key_of("a")) == content_of("a")
    store.close()
    assert filled.warnings == []
    assert not list(filled.folder.parent.glob("derived.broken-*"))
    assert not (filled.folder / "set-aside.claim").exists()


def test_build_continues_when_broken_cache_cannot_be_moved(filled, monkeypatch):
    def refuse(*_paths):
        raise OSError(errno.EBUSY, "Device or resource busy")

    (filled.folder / "cache.db").write_bytes(b"no database")
    monkeypatch.setattr(Path, "rename", refuse)
    works_without(filled)
    assert len(filled.warnings) == 1
    assert "Device or resource busy" in filled.warnings[0]


def test_cache_is_not_moved_when_another_build_has_moved_it(filled):
    store = filled.open()
    assert store.read(key_of("a"))
    shutil.move(filled.folder, filled.outside / "moved")
    filled.fill()
    store._cache._con.close()
    with sqlite3.connect(filled.outside / "moved" / "cache.db") as database:
        database.execute("DROP TABLE Cache")
    database.close()
    store.read(key_of("a"))
    store.close()
    assert not list(filled.folder.parent.glob("derived.broken-*"))


def test_quarantine_returns_none_when_another_build_renames_first(filled, monkeypatch):
    rename, moved = Path.rename, filled.outside / "moved"

    def rename_late(source: Path, target: Path) -> None:
        monkeypatch.undo()
        rename(source, moved)
        rename(source, target)

    monkeypatch.setattr(Path, "rename", rename_late)
    assert quarantine.quarantine(filled.folder, quarantine.folder_id(filled.folder)) is None
    assert (moved / "cache.db").exists()
