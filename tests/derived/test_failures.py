"""Where there can be no cache, a build goes on without it and says so once."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from mkdocs_imagegen.derived import check, errors, strict_cache, strict_disk
from mkdocs_imagegen.derived.errors import UnfitError
from tests.derived.planting import NAMES, content_of, editing, key_of, works_without
from tests.derived.vectors import VECTORS

ROOT = Path(__file__).parents[2]


def test_a_folder_that_is_a_file(cache):
    cache.folder.write_bytes(b"a file of the user")
    works_without(cache)
    assert cache.folder.read_bytes() == b"a file of the user"
    (warning,) = cache.warnings
    assert warning == (
        f"{cache.folder}: the cache of derived images: this build does without it: File exists. "
        "No original is affected"
    )


def test_a_folder_below_a_file(cache):
    cache.folder.write_bytes(b"a file")
    cache.folder = cache.folder / "derived"
    works_without(cache)
    assert len(cache.warnings) == 1


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_where_nothing_may_be_written_and_nothing_is_there_nobody_is_told(
    cache, monkeypatch, number
):
    def refuse(*_args, **_kwargs):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "mkdir", refuse)
    works_without(cache)
    assert cache.warnings == []


def test_simulated_a_database_that_cannot_be_opened(filled, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise sqlite3.OperationalError("unable to open database file")

    monkeypatch.setattr(sqlite3, "connect", refuse)
    works_without(filled)
    assert len(filled.warnings) == 1
    assert "unable to open database file" in filled.warnings[0]
    assert filled.folder.exists(), "what cannot be opened now is not broken"


def test_simulated_a_python_without_sqlite(filled, monkeypatch):
    monkeypatch.delitem(sys.modules, "mkdocs_imagegen.derived.strict_cache")
    monkeypatch.setitem(sys.modules, "sqlite3", None)
    works_without(filled)
    assert len(filled.warnings) == 1


def test_simulated_a_disk_that_is_full_while_values_are_written(filled, monkeypatch):
    def refuse(*_args, **_more):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(strict_disk, "write_atomic", refuse)
    store = filled.open()
    for name in range(3):
        store.write(key_of(name), b"x")
    assert store.read(key_of("a")) == content_of("a"), "what is there can still be read"
    store.close()
    (warning,) = filled.warnings
    assert "nothing more is put into it: No space left on device" in warning


def test_simulated_a_disk_that_is_full_while_rows_are_written(filled, monkeypatch):
    def refuse(*_args):
        raise sqlite3.OperationalError("database or disk is full")

    store = filled.open()
    assert store.read(key_of("a"))
    monkeypatch.setattr(strict_cache.StrictCache, "_row_insert", refuse)
    store.write(key_of("new"), b"x")
    assert store.read(key_of("a")) == content_of("a")
    store.close()
    assert len(list(filled.folder.rglob("*.val"))) == len(NAMES), "a file was left behind"
    assert len(filled.warnings) == 1


def test_a_broken_cache_is_set_aside_whole_and_begun_anew(filled):
    (filled.folder / "cache.db").write_bytes(b"no database")
    (filled.folder / "notes.txt").write_bytes(b"somebody's notes")
    filled.fill()
    (aside,) = filled.folder.parent.glob("derived.broken-*")
    assert (aside / "cache.db").read_bytes() == b"no database"
    assert (aside / "notes.txt").read_bytes() == b"somebody's notes"
    (warning,) = filled.warnings
    assert warning == (
        f"{filled.folder}: the cache of derived images: it is not as it was left (file is not a "
        f"database); moved to {aside.name}, and begun anew. No original is affected"
    )


def test_damage_found_while_a_build_runs_begins_a_new_cache(filled, monkeypatch):
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


def test_damage_that_only_the_check_of_the_pages_finds(filled):
    with (filled.folder / "cache.db").open("r+b") as file:
        file.seek(36)
        file.write(bytes([0, 0, 0, 9]))  # more free pages than there are
    with pytest.raises(UnfitError, match="damaged database"):
        check.check_cache(filled.folder)


def test_a_log_without_its_database_is_never_joined_to_a_new_one(cache):
    cache.folder.mkdir()
    (cache.folder / "cache.db-wal").write_bytes(b"somebody's log")
    store = cache.open()
    store.write(key_of("a"), content_of("a"))
    assert store.read(key_of("a")) == content_of("a")
    store.close()
    (aside,) = cache.folder.parent.glob("derived.broken-*")
    assert (aside / "cache.db-wal").read_bytes() == b"somebody's log"


@pytest.mark.parametrize("is_made_anew", [True, False])
def test_a_cache_that_is_exchanged_while_it_is_opened_is_opened_again(
    filled, monkeypatch, is_made_anew
):
    """Another build sets it aside between our look at its files and our opening of it."""
    look = check._check_files

    def look_then_move(folder):
        monkeypatch.undo()
        look(folder)
        shutil.move(filled.folder, filled.outside / "moved")
        if is_made_anew:
            filled.fill()

    monkeypatch.setattr(check, "_check_files", look_then_move)
    store = filled.open()
    assert store.read(key_of("a")) == (content_of("a") if is_made_anew else None)
    store.write(key_of("new"), b"x")
    assert store.read(key_of("new")) == b"x"
    store.close()
    assert filled.warnings == []


@pytest.mark.parametrize("below", ["", "00"])
def test_no_value_is_written_through_a_link(filled, below):
    """Whichever folder its name falls into."""
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


def test_a_value_that_cannot_be_finished_leaves_nothing(filled, monkeypatch):
    def refuse(*_paths):
        raise OSError(errno.EIO, "Input/output error")

    before = sorted(filled.folder.rglob("*.*"))
    store = filled.open()
    assert store.read(key_of("a"))
    monkeypatch.setattr(os, "replace", refuse)
    store.write(key_of("new"), b"x")
    store.close()
    assert sorted(filled.folder.rglob("*.*")) == before


def test_a_name_that_is_no_text_spoils_its_own_entry_only(filled):
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


def test_the_check_sees_what_only_the_log_holds(filled):
    VECTORS["log that rewrites the schema"](filled)
    with pytest.raises(UnfitError, match="foreign tables or triggers"):
        check.check_cache(filled.folder)


def test_the_claim_of_a_build_that_was_killed_is_taken_over(filled, monkeypatch):
    monkeypatch.setattr(errors, "PATIENCE_S", 0.1)
    (filled.folder / "cache.db").write_bytes(b"no database")
    (filled.folder / "set-aside.claim").touch()
    filled.fill()
    assert len(filled.warnings) == 1
    assert len(list(filled.folder.parent.glob("derived.broken-*"))) == 1
    assert not (filled.folder / "set-aside.claim").exists()


def test_a_claim_that_comes_too_late_leaves_the_new_cache_alone(filled, monkeypatch):
    """Another build moves the broken one and makes a new one just before the claim is laid."""
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


def test_a_broken_cache_that_cannot_be_moved_is_left_out(filled, monkeypatch):
    def refuse(*_paths):
        raise OSError(errno.EBUSY, "Device or resource busy")

    (filled.folder / "cache.db").write_bytes(b"no database")
    monkeypatch.setattr(os, "rename", refuse)
    works_without(filled)
    assert len(filled.warnings) == 1
    assert "Device or resource busy" in filled.warnings[0]


def test_a_cache_that_another_build_has_set_aside_already_is_not_moved_again(filled):
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


def test_a_database_that_diskcache_makes_differently_is_not_used(cache, monkeypatch):
    """Else every build would set the last one's cache aside."""
    monkeypatch.setitem(check._SCHEMA, ("table", "Cache"), "CREATE TABLE Cache (other)")
    works_without(cache)
    assert not list(cache.folder.parent.glob("derived.broken-*"))
    (warning,) = cache.warnings
    assert "makes a database that is not known" in warning


def test_settings_that_do_not_hold_are_refused(filled, monkeypatch):
    monkeypatch.setattr(
        strict_cache, "SETTINGS", check.SETTINGS | {"sqlite_journal_mode": "delete"}
    )
    works_without(filled)
    assert "settings do not hold" in filled.warnings[0]


MOUNTED = """
import json, sys
from pathlib import Path
from tests.derived.planting import Cache, NAMES, content_of, key_of
base = Path(sys.argv[1])
cache = Cache(base / "mount" / "derived", base, base)
store = cache.open()
wrong = 0
for name in [*NAMES, *range(200)]:
    wrong += store.read(key_of(name)) not in {None, content_of(name)}
    store.write(key_of(name), content_of(name, 20_000))
    wrong += store.read(key_of(name)) not in {None, content_of(name), content_of(name, 20_000)}
store.close()
print(json.dumps([wrong, cache.warnings]))
"""


def in_a_mount(base: Path, mount: str) -> tuple[int, list[str]]:
    """Run a build in a mount namespace of its own."""
    command = ["unshare", "--mount", "sh", "-c", f'{mount} && exec "$@"', "sh"]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*command, "true"], cwd=base, capture_output=True, check=False).returncode
    ):
        pytest.skip("this system lets us mount nothing")
    done = subprocess.run(
        [*command, sys.executable, "-W", "error", "-c", MOUNTED, str(base)],
        cwd=base,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return tuple(json.loads(done.stdout))


@pytest.mark.parametrize(("is_filled", "warnings"), [(True, 1), (False, 0)])
def test_a_folder_on_a_read_only_mount(template, tmp_path, is_filled, warnings):
    (tmp_path / "mount").mkdir()
    if is_filled:
        shutil.copytree(template, tmp_path / "mount" / "derived")
    mount = "mount --bind mount mount && mount -o remount,ro,bind mount"
    wrong, said = in_a_mount(tmp_path, mount)
    assert wrong == 0
    assert len(said) == warnings, said
    assert not list((tmp_path / "mount").glob("derived.broken-*"))


@pytest.mark.parametrize("size", ["8k", "100k", "1m"])
def test_a_file_system_that_is_full(tmp_path, size):
    (tmp_path / "mount").mkdir()
    wrong, said = in_a_mount(tmp_path, f"mount -t tmpfs -o size={size} none mount")
    assert wrong == 0
    assert len(said) == 1, said
