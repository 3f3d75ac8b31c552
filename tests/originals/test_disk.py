"""Errors of the disk: they are raised, and no partial file is left."""

from __future__ import annotations

import errno
import os
import resource
from contextlib import contextmanager

import pytest

from mkdocs_imagegen import files
from mkdocs_imagegen.errors import StoreError
from tests.originals.support import (
    CONTENT,
    REQUEST,
    key_of,
    leftovers,
    open_store,
    put,
    read_original,
    record,
    refuse,
)

REFUSALS = {
    "replacing": ("os.replace", errno.ENOSPC),
    "linking and replacing": ("os.link, os.replace", errno.ENOSPC),
    "syncing": ("os.fsync", errno.ENOSPC),
    "syncing fails": ("os.fsync", errno.EIO),
    "a quota": ("os.fsync", errno.EDQUOT),
    "a read-only disk": ("os.replace", errno.EROFS),
}


@pytest.mark.parametrize(("where", "number"), REFUSALS.values(), ids=REFUSALS)
def test_put_leaves_no_file_when_the_disk_refuses(store, monkeypatch, where, number):
    with monkeypatch.context() as broken:
        for name in where.split(", "):
            broken.setattr(files.os, name.removeprefix("os."), refuse(number))
        with pytest.raises(StoreError) as caught:
            store.put(record(), CONTENT)
    assert os.strerror(number) in str(caught.value)
    assert str(store.folder) in str(caught.value)
    assert not leftovers(store.folder)
    assert read_original(store, key_of("a")) is None
    assert store.put(record(), CONTENT) == read_original(store, key_of("a"))


@pytest.mark.parametrize("max_bytes", [100, 400], ids=["in the image", "in the record"])
def test_put_leaves_no_partial_file_when_the_disk_fills(store, max_bytes):
    with files_up_to(max_bytes), pytest.raises(StoreError, match="File too large"):
        put(store, content=CONTENT, mime="image/webp")
    assert not leftovers(store.folder)
    # An image without its record is complete, and a build uses it.
    images = [path.read_bytes() for path in store.folder.glob("??/*.webp")]
    assert images == ([] if max_bytes < len(CONTENT) else [CONTENT])
    reader = open_store(store.folder, can_write=False)
    assert (reader.find_exact(REQUEST, "") is not None) == bool(images)
    assert put(store, content=CONTENT, mime="image/webp") == store.find_exact(REQUEST, "")


@contextmanager
def files_up_to(max_bytes):
    """Limit the size of files, as a disk that is nearly full does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (max_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_put_raises_an_error_when_the_folder_is_a_file(store):
    store.folder.write_text("in the way")
    assert read_original(store, key_of("a")) is None
    assert list(store.cache_keys()) == []
    with pytest.raises(StoreError, match="cannot be stored"):
        store.put(record(), CONTENT)
    assert store.folder.read_text() == "in the way"


def test_put_works_without_hard_links(store, monkeypatch):
    monkeypatch.setattr(files.os, "link", refuse(errno.EPERM))
    assert store.put(record(), CONTENT) == read_original(store, key_of("a"))
    assert not leftovers(store.folder)


def test_put_syncs_files_before_they_are_named(store, monkeypatch):
    done = []
    for name in ("fsync", "replace", "link"):
        real = getattr(os, name)
        monkeypatch.setattr(files.os, name, recording(done, name, real))
    store.put(record(), CONTENT)
    synced, folder_synced = "fsync", "fsync"
    assert done == [synced, "replace", folder_synced, synced, "link", folder_synced]


def recording(done, name, real):
    def recorded(*arguments):
        done.append(name)
        return real(*arguments)

    return recorded
