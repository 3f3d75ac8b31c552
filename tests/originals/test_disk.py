"""A disk that says no is told, and nothing is left half there."""

from __future__ import annotations

import errno
import os
import resource
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from mkdocs_imagegen import files
from mkdocs_imagegen.errors import StoreError
from tests.originals.support import (
    CONTENT,
    folder,
    key_of,
    leftovers,
    record,
    record_path,
    refuse,
)

FULL = {
    "replacing": ("os.replace", errno.ENOSPC),
    "linking and replacing": ("os.link, os.replace", errno.ENOSPC),
    "syncing": ("os.fsync", errno.ENOSPC),
    "syncing fails": ("os.fsync", errno.EIO),
    "a quota": ("os.fsync", errno.EDQUOT),
    "a read-only disk": ("os.replace", errno.EROFS),
}


@pytest.mark.parametrize(("where", "number"), FULL.values(), ids=FULL)
def test_a_disk_that_says_no_is_told_and_leaves_nothing(store, monkeypatch, where, number):
    with monkeypatch.context() as broken:
        for name in where.split(", "):
            broken.setattr(files.os, name.removeprefix("os."), refuse(number))
        with pytest.raises(StoreError) as caught:
            store.put(record(), CONTENT)
    assert os.strerror(number) in str(caught.value)
    assert str(store.folder) in str(caught.value)
    assert not leftovers(store.folder)
    assert store.get(key_of("a")) is None
    assert store.put(record(), CONTENT) == store.get(key_of("a"))


@pytest.mark.parametrize("most_bytes", [100, 400], ids=["in the image", "in the record"])
def test_a_disk_that_fills_while_writing_leaves_nothing(store, most_bytes):
    with files_up_to(most_bytes), pytest.raises(StoreError, match="File too large"):
        store.put(record(), CONTENT)
    assert not leftovers(store.folder)
    assert store.get(key_of("a")) is None
    assert store.put(record(), CONTENT) == store.get(key_of("a"))


@contextmanager
def files_up_to(most_bytes):
    """Let no file grow past a size, as on a disk that is nearly full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_folder_that_is_a_file_is_told(store):
    store.folder.write_text("in the way")
    assert store.get(key_of("a")) is None
    assert store.is_empty()
    with pytest.raises(StoreError, match="cannot be stored"):
        store.put(record(), CONTENT)
    assert store.folder.read_text() == "in the way"


def test_a_disk_without_hard_links_still_keeps(store, monkeypatch):
    monkeypatch.setattr(files.os, "link", refuse(errno.EPERM))
    assert store.put(record(), CONTENT) == store.get(key_of("a"))
    assert not leftovers(store.folder)


def test_files_are_on_the_disk_before_they_have_a_name(store, monkeypatch):
    done = []
    for name in ("fsync", "replace", "link"):
        real = getattr(os, name)
        monkeypatch.setattr(files.os, name, noting(done, name, real))
    store.put(record(), CONTENT)
    synced, folder_synced = "fsync", "fsync"
    assert done == [synced, "replace", folder_synced, synced, "link", folder_synced]


def noting(done, name, real):
    def noted(*arguments):
        done.append(name)
        return real(*arguments)

    return noted


@pytest.mark.parametrize("sync", [True, False])
def test_a_file_may_be_written_twice_at_the_same_time(tmp_path, monkeypatch, sync):
    """Two threads have written their temporary files before either is renamed."""
    replace, both = os.replace, threading.Barrier(2, timeout=10)

    def together(*paths):
        both.wait()
        replace(*paths)

    monkeypatch.setattr(files.os, "replace", together)
    path = tmp_path / "file"
    with ThreadPoolExecutor(2) as pool:
        for each in [pool.submit(files.write_atomic, path, b"x", sync=sync) for _ in range(2)]:
            each.result()
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("size", [0, 1, 99, 100])
def test_a_file_is_read_up_to_a_size(tmp_path, size):
    path = tmp_path / "a"
    path.write_bytes(b"x" * size)
    assert files.read_plain_file(path, 100) == b"x" * size


def test_a_file_beyond_its_size_is_not_read(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"x" * 101)
    with pytest.raises(ValueError, match="larger than 100 bytes"):
        files.read_plain_file(path, 100)


@pytest.mark.parametrize("told_bytes", [100_000, 4], ids=["too large", "grown meanwhile"])
def test_read_stops_at_the_limit_when_a_file_is_larger(tmp_path, monkeypatch, told_bytes):
    """A file of any size costs no more memory than the limit."""
    path, read = tmp_path / "a", []
    path.write_bytes(b"x" * 100_000)
    monkeypatch.setattr(files.os, "fstat", told_size(told_bytes))
    monkeypatch.setattr(files.os, "read", noting_bytes(read, os.read))
    with pytest.raises(ValueError, match="larger than 100 bytes"):
        files.read_plain_file(path, 100)
    assert sum(read) == 101


def told_size(size):
    stat = os.fstat

    def told(descriptor):
        facts = list(stat(descriptor))
        facts[6] = size
        return os.stat_result(facts)

    return told


def noting_bytes(read, real):
    def noted(*arguments):
        content = real(*arguments)
        read.append(len(content))
        return content

    return noted


def test_a_socket_is_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind("s")
        with pytest.raises(ValueError, match="no regular file"):
            files.read_plain_file(tmp_path / "s", 100)


def test_reading_leaves_no_file_open(store):
    store.put(record(), CONTENT)
    folder(record_path(store))
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        with pytest.raises(ValueError, match="no regular file"):
            files.read_plain_file(record_path(store), 100)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_what_a_link_that_appears_late_points_to_is_not_read(tmp_path, monkeypatch):
    """Between the look and the opening another process may put a link in its place."""
    secret, path = tmp_path / "secret", tmp_path / "a"
    secret.write_bytes(b"secret")
    path.symlink_to(secret)
    facts = secret.stat()
    monkeypatch.setattr(files.os, "lstat", lambda _: facts)
    with pytest.raises(OSError, match="symbolic links"):
        files.read_plain_file(path, 100)


@pytest.mark.parametrize("told_bytes", [0, 4, 8, 12, 20])
@pytest.mark.parametrize("most_a_read", [3, 5, 100])
def test_a_file_is_read_to_its_end_whatever_its_size_was(
    tmp_path, monkeypatch, told_bytes, most_a_read
) -> None:
    """It may grow meanwhile, and network disks may give less than was asked for."""
    (tmp_path / "file").write_bytes(b"twelve bytes")
    read = os.read
    monkeypatch.setattr(os, "fstat", told_size(told_bytes))
    monkeypatch.setattr(os, "read", lambda file, most: read(file, min(most, most_a_read)))
    assert files.read_plain_file(tmp_path / "file", 100) == b"twelve bytes"
