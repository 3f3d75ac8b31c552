"""Bounded reads and atomic writes."""

from __future__ import annotations

import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from mkdocs_imagegen import files


@pytest.mark.parametrize("sync", [True, False])
def test_two_threads_can_write_one_file(tmp_path, monkeypatch, sync):
    """Both threads have written a temporary file before either renames it."""
    replace, both = os.replace, threading.Barrier(2, timeout=60)

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
def test_read_returns_a_file_up_to_the_limit(tmp_path, size):
    path = tmp_path / "a"
    path.write_bytes(b"x" * size)
    assert files.read_plain_file(path, 100) == b"x" * size


def test_read_refuses_a_file_above_the_limit(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"x" * 101)
    with pytest.raises(ValueError, match="larger than 100 bytes"):
        files.read_plain_file(path, 100)


@pytest.mark.parametrize("reported_bytes", [100_000, 4], ids=["too large", "grown since"])
def test_read_stops_at_the_limit_when_a_file_is_larger(tmp_path, monkeypatch, reported_bytes):
    """A file of any size costs no more memory than the limit."""
    path, read = tmp_path / "a", []
    path.write_bytes(b"x" * 100_000)
    monkeypatch.setattr(files.os, "fstat", reporting(reported_bytes))
    monkeypatch.setattr(files.os, "read", counting(read, os.read))
    with pytest.raises(ValueError, match="larger than 100 bytes"):
        files.read_plain_file(path, 100)
    assert sum(read) == 101


def reporting(size):
    stat = os.fstat

    def fstat(descriptor):
        facts = list(stat(descriptor))
        facts[6] = size
        return os.stat_result(facts)

    return fstat


def counting(read, real):
    def noted(*arguments):
        content = real(*arguments)
        read.append(len(content))
        return content

    return noted


def test_read_refuses_a_socket(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind("s")
        with pytest.raises(ValueError, match="not a regular file"):
            files.read_plain_file(tmp_path / "s", 100)


def test_read_leaves_no_file_open(tmp_path):
    (tmp_path / "folder").mkdir()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        with pytest.raises(ValueError, match="not a regular file"):
            files.read_plain_file(tmp_path / "folder", 100)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_read_refuses_a_link_that_appears_late(tmp_path, monkeypatch):
    """Another process may replace the file with a link between `lstat` and `open`."""
    secret, path = tmp_path / "secret", tmp_path / "a"
    secret.write_bytes(b"secret")
    path.symlink_to(secret)
    facts = secret.stat()
    monkeypatch.setattr(files.os, "lstat", lambda _: facts)
    with pytest.raises(OSError, match="symbolic links"):
        files.read_plain_file(path, 100)


@pytest.mark.parametrize("reported_bytes", [0, 4, 8, 12, 20])
@pytest.mark.parametrize("max_bytes", [3, 5, 100])
def test_read_returns_the_whole_file_when_its_size_changes(
    tmp_path, monkeypatch, reported_bytes, max_bytes
):
    """The file may grow, and a network disk may return less than was requested."""
    (tmp_path / "file").write_bytes(b"twelve bytes")
    read = os.read
    monkeypatch.setattr(os, "fstat", reporting(reported_bytes))
    monkeypatch.setattr(os, "read", lambda file, most: read(file, min(most, max_bytes)))
    assert files.read_plain_file(tmp_path / "file", 100) == b"twelve bytes"
