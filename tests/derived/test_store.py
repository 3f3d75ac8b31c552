"""The variant cache of one build: values in and out, and builds that continue without it."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mkdocs_imagegen.derived import check, strict_cache
from mkdocs_imagegen.derived import store as store_module
from tests.derived.support import NAMES, content_of, key_of, value_path, works_without

ROOT = Path(__file__).parents[2]

MOUNTED = """
import json, sys
from pathlib import Path
from tests.derived.support import Cache, NAMES, content_of, key_of, logged
base = Path(sys.argv[1])
with logged() as messages:
    store = Cache(base / "mount" / "derived", base, base, messages).open()
    wrong = 0
    for name in [*NAMES, *range(200)]:
        wrong += store.read(key_of(name)) not in {None, content_of(name)}
        store.write(key_of(name), content_of(name, 20_000))
        wrong += store.read(key_of(name)) not in {None, content_of(name), content_of(name, 20_000)}
    store.close()
print(json.dumps([wrong, messages.warnings]))
"""


def test_read_returns_value_of_same_build(cache):
    store = cache.open()
    store.write(key_of(1), b"first")
    assert store.read(key_of(1)) == b"first"
    store.close()


def test_read_returns_value_of_earlier_build(filled):
    store = filled.open()
    assert [store.read(key_of(name)) for name in NAMES] == [content_of(name) for name in NAMES]
    store.close()
    assert filled.warnings == []


def test_write_keeps_first_value_of_empty_cache(cache):
    """diskcache's cache counts as false while it is empty."""
    store = cache.open()
    store.write(key_of(1), b"x")
    assert len(list(cache.folder.rglob("*.val"))) == 1
    store.close()


@pytest.mark.parametrize("content", [b"", b"\0", os.urandom(300_000)], ids=["none", "one", "many"])
def test_read_returns_any_bytes(cache, content):
    store = cache.open()
    store.write(key_of(1), content)
    assert store.read(key_of(1)) == content
    store.close()


def test_write_replaces_value_and_file(cache):
    store = cache.open()
    store.write(key_of(1), b"first")
    store.write(key_of(1), b"second")
    assert store.read(key_of(1)) == b"second"
    assert len(list(cache.folder.rglob("*.val"))) == 1
    store.close()


def test_missing_key_is_a_miss(filled):
    store = filled.open()
    assert store.read(key_of("nothing")) is None
    assert not store.link(key_of("nothing"), filled.site / "x")
    assert not (filled.site / "x").exists()
    store.close()


@pytest.mark.parametrize("key", ["", "a", "A" * 64, "g" * 64, "0" * 63, "0" * 65, "0" * 64 + "\n"])
def test_invalid_key_is_refused(cache, key):
    store = cache.open()
    for act in (store.read, lambda key: store.write(key, b""), lambda key: store.link(key, Path())):
        with pytest.raises(ValueError, match="64 hex digits"):
            act(key)
    store.close()


def test_write_refuses_text(cache):
    store = cache.open()
    with pytest.raises(TypeError, match="bytes are kept, not str"):
        store.write(key_of(1), "text")
    store.close()


def test_write_ignores_value_above_limit(cache, monkeypatch):
    monkeypatch.setattr(store_module, "MAX_VALUE_BYTES", 10)
    store = cache.open()
    store.write(key_of(1), b"12345678901")
    assert store.read(key_of(1)) is None
    store.close()


def test_link_shares_file_of_cache(filled):
    store = filled.open()
    path = filled.site / "x.webp"
    assert store.link(key_of("a"), path)
    store.close()
    assert path.read_bytes() == content_of("a")
    assert path.samefile(value_path(filled.folder))


def test_link_replaces_existing_file(filled):
    path = filled.site / "x.webp"
    path.write_bytes(b"old")
    store = filled.open()
    assert store.link(key_of("a"), path)
    store.close()
    assert path.read_bytes() == content_of("a")
    assert [each.name for each in filled.site.iterdir()] == ["x.webp"]


def test_link_replaces_symlink_and_keeps_its_target(filled):
    path, target = filled.site / "x.webp", filled.outside / "secret.txt"
    path.symlink_to(target)
    store = filled.open()
    assert store.link(key_of("a"), path)
    store.close()
    assert not path.is_symlink()
    assert path.read_bytes() == content_of("a")
    assert target.read_bytes() == b"outside the cache"


def test_link_copies_when_hard_links_fail(filled, monkeypatch):
    def refuse(*_paths):
        raise OSError("no hard links here")

    monkeypatch.setattr(os, "link", refuse)
    store = filled.open()
    path = filled.site / "x.webp"
    assert store.link(key_of("a"), path)
    store.close()
    assert path.read_bytes() == content_of("a")
    assert path.stat().st_nlink == 1


def test_read_misses_when_published_file_was_changed(filled):
    store = filled.open()
    store.link(key_of("a"), filled.site / "x.webp")
    (filled.site / "x.webp").write_bytes(b"optimised by another plugin")
    assert store.read(key_of("a")) is None
    store.write(key_of("a"), content_of("a"))
    assert store.read(key_of("a")) == content_of("a")
    store.close()
    assert (filled.site / "x.webp").read_bytes() == b"optimised by another plugin"


def test_link_raises_when_file_cannot_be_written(filled):
    store = filled.open()
    with pytest.raises(OSError, match="No such file"):
        store.link(key_of("a"), filled.site / "no/such/folder/x.webp")
    store.close()


def test_read_creates_no_cache(cache):
    store = cache.open()
    assert store.read(key_of(1)) is None
    store.close()
    assert not cache.folder.exists()


def test_close_leaves_only_database_and_values(filled):
    names = sorted(path.name for path in filled.folder.iterdir() if len(path.name) != 2)
    assert names == ["cache.db"]


def test_folder_may_be_a_link(cache):
    real = cache.outside / "elsewhere"
    real.mkdir()
    cache.folder.symlink_to(real)
    cache.fill()
    store = cache.open()
    assert store.read(key_of("a")) == content_of("a")
    store.close()
    assert cache.warnings == []
    assert (real / "cache.db").is_file()


def test_path_may_have_odd_characters(cache):
    cache.folder = cache.folder.with_name("a b%20?mode=rwc#ü~")
    cache.fill()
    store = cache.open()
    assert store.read(key_of("a")) == content_of("a")
    store.close()
    assert cache.warnings == []


def test_closed_store_neither_reads_nor_writes(filled):
    store = filled.open()
    assert store.read(key_of("a"))
    store.close()
    store.write(key_of("late"), b"late")
    assert store.read(key_of("a")) is None
    store.close()
    assert len(list(filled.folder.rglob("*.val"))) == len(NAMES)


def test_threads_can_share_one_store(cache):
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


def test_value_is_looked_up_again_when_replaced_during_read(filled, monkeypatch):
    store = filled.open()
    assert store.read(key_of("a"))
    read = store_module.read_plain_file

    def replaced_first(path, most):
        monkeypatch.undo()
        store.write(key_of("a"), b"newer")
        return read(path, most)

    monkeypatch.setattr(store_module, "read_plain_file", replaced_first)
    assert store.read(key_of("a")) == b"newer"
    store.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_forked_process_does_not_use_the_cache(filled):
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


def test_store_loads_no_database_when_no_cache_exists():
    code = (
        "import sys; from pathlib import Path; import mkdocs_imagegen.derived.store as d;"
        "s = d.DerivedStore(Path('/nowhere/at/all')); s.read('0' * 64); s.close();"
        "print([name for name in ('sqlite3', 'diskcache') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_build_continues_when_folder_is_a_file(cache):
    cache.folder.write_bytes(b"a file of the user")
    works_without(cache)
    assert cache.folder.read_bytes() == b"a file of the user"
    (warning,) = cache.warnings
    assert warning == (
        f"{cache.folder}: cannot use the variant cache (File exists); "
        "this build continues without it, originals are not affected"
    )


def test_build_continues_when_parent_is_a_file(cache):
    cache.folder.write_bytes(b"a file")
    cache.folder = cache.folder / "derived"
    works_without(cache)
    assert len(cache.warnings) == 1


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_store_logs_nothing_when_it_can_create_no_cache(cache, monkeypatch, number):
    def refuse(*_args, **_kwargs):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "mkdir", refuse)
    works_without(cache)
    assert cache.warnings == []


def test_build_continues_when_database_cannot_be_opened(filled, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise sqlite3.OperationalError("unable to open database file")

    monkeypatch.setattr(sqlite3, "connect", refuse)
    works_without(filled)
    assert len(filled.warnings) == 1
    assert "unable to open database file" in filled.warnings[0]
    assert filled.folder.exists(), "a cache that cannot be opened was moved"


def test_build_continues_when_python_lacks_sqlite(filled, monkeypatch):
    monkeypatch.delitem(sys.modules, "mkdocs_imagegen.derived.strict_cache")
    monkeypatch.setitem(sys.modules, "sqlite3", None)
    works_without(filled)
    assert len(filled.warnings) == 1


def test_store_stays_readable_when_no_value_can_be_written(filled, monkeypatch):
    def refuse(*_args, **_more):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(strict_cache, "write_atomic", refuse)
    store = filled.open()
    for name in range(3):
        store.write(key_of(name), b"x")
    assert store.read(key_of("a")) == content_of("a")
    store.close()
    (warning,) = filled.warnings
    assert "(No space left on device); this build keeps no more files" in warning


def test_store_stays_readable_when_no_row_can_be_written(filled, monkeypatch):
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


@pytest.mark.parametrize("is_replaced", [True, False])
def test_cache_is_opened_again_when_replaced_during_opening(filled, monkeypatch, is_replaced):
    """Another build moves it between the check of its files and the opening of the database."""
    check_files = check._check_files

    def check_then_move(folder):
        monkeypatch.undo()
        check_files(folder)
        shutil.move(filled.folder, filled.outside / "moved")
        if is_replaced:
            filled.fill()

    monkeypatch.setattr(check, "_check_files", check_then_move)
    store = filled.open()
    assert store.read(key_of("a")) == (content_of("a") if is_replaced else None)
    store.write(key_of("new"), b"x")
    assert store.read(key_of("new")) == b"x"
    store.close()
    assert filled.warnings == []


def in_a_mount(base: Path, mount: str) -> tuple[int, list[str]]:
    """Run a build in a mount namespace of its own."""
    command = ["unshare", "--mount", "sh", "-c", f'{mount} && exec "$@"', "sh"]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*command, "true"], cwd=base, capture_output=True, check=False).returncode
    ):
        pytest.skip("this system forbids mounts")
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
def test_build_continues_on_read_only_mount(template, tmp_path, is_filled, warnings):
    (tmp_path / "mount").mkdir()
    if is_filled:
        shutil.copytree(template, tmp_path / "mount" / "derived")
    mount = "mount --bind mount mount && mount -o remount,ro,bind mount"
    wrong, logged = in_a_mount(tmp_path, mount)
    assert wrong == 0
    assert len(logged) == warnings, logged
    assert not list((tmp_path / "mount").glob("derived.broken-*"))


@pytest.mark.parametrize("size", ["8k", "100k", "1m"])
def test_build_continues_on_full_file_system(tmp_path, size):
    (tmp_path / "mount").mkdir()
    wrong, logged = in_a_mount(tmp_path, f"mount -t tmpfs -o size={size} none mount")
    assert wrong == 0
    assert len(logged) == 1, logged
