"""Originals are kept byte for byte and found again."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from pathlib import Path

import pytest

from mkdocs_imagegen import files
from mkdocs_imagegen.errors import StoreError
from mkdocs_imagegen.option_parsers import SKETCH_MODEL
from mkdocs_imagegen.originals.store import Original, OriginalStore
from tests.originals.support import (
    CONTENT,
    everything_below,
    flip,
    key_of,
    leftovers,
    record,
    record_path,
    refuse,
)


def test_put_keeps_the_image_byte_for_byte(store, caplog):
    original = store.put(record(), CONTENT)
    assert (
        store.find_verified(key_of("a"))
        == original
        == Original(record(), store.folder / key_of("a")[:2])
    )
    assert original.path.read_bytes() == CONTENT
    assert not caplog.messages


def test_a_second_store_finds_the_original(store, tmp_path):
    store.put(record(), CONTENT)
    again = OriginalStore(tmp_path / "originals", tmp_path / "quarantine")
    assert again.find_verified(key_of("a")).record == record()


def test_files_are_named_after_key_and_hash(store):
    path = store.put(record(), CONTENT).path
    key, digest = key_of("a"), hashlib.sha256(CONTENT).hexdigest()
    assert path.relative_to(store.folder) == Path(key[:2], f"{key}.{digest[:16]}.webp")
    text = record_path(store).read_text()
    assert json.loads(text)["prompt"] == "Ein roter Ballon 🎈"
    assert "Ein roter Ballon 🎈" in text
    assert text.endswith("}\n")
    assert not leftovers(store.folder)


def test_an_empty_folder_is_read_without_a_warning(store, caplog):
    assert store.find_verified(key_of("a")) is None
    assert store.is_empty()
    assert store.find_by_subject(key_of("subject"), "a/b") is None
    assert list(store.records()) == []
    assert not caplog.messages
    assert not store.folder.exists()


def test_put_keeps_the_first_of_two_images(store):
    first = store.put(record(), CONTENT)
    other = b"another image"
    second = store.put(record(content=other, cost_usd=None), other)
    assert second == first
    assert store.find_verified(key_of("a")) == first
    assert other in everything_below(store.folder)


def test_put_replaces_a_record_when_its_image_is_missing(store, caplog):
    store.put(record(), CONTENT).path.unlink()
    assert store.find_verified(key_of("a")) is None
    other = b"another image"
    original = store.put(record(content=other), other)
    assert store.find_verified(key_of("a")) == original
    assert original.path.read_bytes() == other
    assert not caplog.messages


def test_put_replaces_lone_surrogates_in_the_record(store):
    """JSON can contain them, and the record is written after the image is charged."""
    odd = record(warnings=("odd \ud800",), generation_id="\udfff", answered_by="\ud800")
    original = store.put(odd, CONTENT)
    assert store.find_verified(key_of("a")).record.warnings == ("odd ?",)
    assert original.path.read_bytes() == CONTENT


def test_temporary_and_other_files_are_ignored(store):
    store.put(record(), CONTENT)
    (record_path(store).parent / ".0123456789abcdef.tmp").write_bytes(b"half")
    (store.folder / ".0123456789abcdef.tmp").write_bytes(b"half")
    (record_path(store).parent / "notes.json").write_text("{}")
    assert [each.key for each in store.records()] == [key_of("a")]
    assert store.find_verified(key_of("a")) is not None


def test_an_image_without_a_record_is_ignored(store, caplog):
    store.put(record(), CONTENT)
    record_path(store).unlink()
    assert store.find_verified(key_of("a")) is None
    assert store.is_empty()
    assert not caplog.messages


def test_a_damaged_original_stays_in_a_read_only_folder(store, caplog, monkeypatch):
    image = store.put(record(), CONTENT).path
    flip(image)
    for name in ("rename", "unlink"):
        monkeypatch.setattr(files.os, name, refuse(errno.EROFS))
    assert store.find_verified(key_of("a")) is None
    assert "cannot be moved to" in caplog.messages[0]
    assert record_path(store).exists()
    assert image.exists()


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.ESTALE, errno.EMFILE])
def test_an_unreadable_file_is_an_error(store, caplog, monkeypatch, number):
    """Or every image is charged again when a disk is gone for a moment."""
    original = store.put(record(), CONTENT)
    with monkeypatch.context() as broken:
        broken.setattr(files.os, "open", refuse(number))
        for act in (lambda: store.find(key_of("a")), lambda: store.read(original)):
            with pytest.raises(StoreError) as caught:
                act()
            assert str(caught.value).startswith(f"original {store.folder}")
            assert f"cannot be read ({os.strerror(number)}) and is not" in str(caught.value)
    assert store.find_verified(key_of("a")) == original
    assert not caplog.messages


def test_a_link_loop_is_an_error(store, caplog):
    image = store.put(record(), CONTENT).path
    image.unlink()
    image.symlink_to(image)
    with pytest.raises(StoreError, match=f"{image} cannot be read .Too many levels"):
        store.find(key_of("a"))
    assert record_path(store).exists()
    assert not caplog.messages


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n"


@pytest.mark.parametrize("in_record", [True, False], ids=["the record", "the image"])
def test_a_git_lfs_pointer_is_an_error(store, caplog, in_record):
    image = store.put(record(), CONTENT).path
    path = record_path(store) if in_record else image
    path.write_bytes(POINTER)
    for look in (store.find, store.find_verified):
        with pytest.raises(StoreError) as caught:
            look(key_of("a"))
        assert str(caught.value) == f"{path} is a Git LFS pointer; run `git lfs pull`"
    with pytest.raises(StoreError, match="git lfs pull"):
        store.find_by_subject(key_of("subject"), "x/y")
    assert path.read_bytes() == POINTER
    assert not caplog.messages


def test_find_does_not_read_the_image(store, caplog):
    """Variants come from verified bytes, so a build that derives none reads no image."""
    original = store.put(record(), CONTENT)
    flip(original.path)
    assert store.find(key_of("a")) == original
    assert not caplog.messages
    assert store.read(original) is None
    assert len(caplog.messages) == 1
    assert store.find(key_of("a")) is None


def test_find_compares_the_length_of_the_image(store, caplog):
    original = store.put(record(), CONTENT)
    original.path.write_bytes(CONTENT + b"x")
    assert store.find(key_of("a")) is None
    assert f"not have the recorded {len(CONTENT)} bytes" in caplog.messages[0]


def test_read_returns_the_image_or_none_when_it_is_missing(store, caplog):
    original = store.put(record(), CONTENT)
    assert store.read(original) == CONTENT
    original.path.unlink()
    assert store.read(original) is None
    assert not caplog.messages


def test_require_writable_leaves_no_file(store):
    store.require_writable()
    assert list(store.folder.iterdir()) == []
    original = store.put(record(), CONTENT)
    store.require_writable()
    assert store.find_verified(key_of("a")) == original
    assert not leftovers(store.folder)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_require_writable_raises_an_error_when_the_disk_refuses(store, monkeypatch, number):
    monkeypatch.setattr(files.os, "replace", refuse(number))
    with pytest.raises(StoreError) as caught:
        store.require_writable()
    assert str(caught.value) == (
        f"images cannot be stored in {store.folder} ({os.strerror(number)}); "
        "free up disk space or check the permissions, then build again"
    )
    assert not leftovers(store.folder)


def test_require_writable_raises_an_error_when_the_folder_is_a_file(store):
    store.folder.write_text("in the way")
    with pytest.raises(StoreError, match="images cannot be stored in"):
        store.require_writable()


def test_a_read_only_folder_is_read(store, caplog):
    store.put(record(), CONTENT)
    for path in (*store.folder.rglob("*"), store.folder):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        assert store.find_verified(key_of("a")) is not None
        assert not caplog.messages
    finally:
        for path in (store.folder, *store.folder.rglob("*")):
            path.chmod(0o755)


def test_find_by_subject_prefers_the_model_then_the_newest_then_the_key(store):
    early, late = "2026-01-01T00:00:00+00:00", "2026-02-01T00:00:00+00:00"
    put = {
        name: store.put(record(name, model=model, created=created), CONTENT).record.key
        for name, model, created in [
            ("old", "a/b", early),
            ("new", "a/b", late),
            ("other", "c/d", late),
            ("twin", "c/d", late),
            ("newest", "e/f", "2026-03-01T00:00:00+00:00"),
        ]
    }
    subject = key_of("subject")
    assert store.find_by_subject(subject, "a/b").record.key == put["new"]
    assert store.find_by_subject(subject, "c/d").record.key == min(put["other"], put["twin"])
    assert store.find_by_subject(subject, "x/y").record.key == put["newest"]
    assert store.find_by_subject(key_of("another"), "a/b") is None


def test_find_by_subject_skips_a_damaged_original(store, caplog):
    store.put(record("old", created="2026-01-01"), CONTENT)
    cut(store.put(record("new", created="2026-02-01"), CONTENT).path)
    assert store.find_by_subject(key_of("subject"), "a/b").record.key == key_of("old")
    assert len(caplog.messages) == 1


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def test_find_by_subject_ignores_sketches(store):
    store.put(record("sketch", model=SKETCH_MODEL, created="2099-01-01"), CONTENT)
    assert store.find_by_subject(key_of("subject"), "a/b") is None
    assert store.find_by_subject(key_of("subject"), SKETCH_MODEL) is None


def test_a_sketch_does_not_hide_an_image(store):
    store.put(record("sketch", model=SKETCH_MODEL, created="2099-01-01"), CONTENT)
    store.put(record("real"), CONTENT)
    assert store.find_by_subject(key_of("subject"), SKETCH_MODEL).record.key == key_of("real")


def test_a_sketch_is_found_by_its_own_key(store):
    original = store.put(record("sketch", model=SKETCH_MODEL), CONTENT)
    assert store.find_verified(key_of("sketch")) == original
    assert not store.is_empty()


def test_records_are_sorted_by_key(store):
    keys = [store.put(record(name), CONTENT).record.key for name in "cab"]
    assert [each.key for each in store.records()] == sorted(keys)


def test_quarantine_keeps_each_file(store):
    paths = {store.put_in_quarantine("key.answer", b"{}") for _ in range(3)}
    assert len(paths) == 3
    assert all(path.read_bytes() == b"{}" for path in paths)
    assert all(path.parent == store.quarantine for path in paths)


def test_put_in_quarantine_returns_none_when_it_fails(store):
    store.quarantine.write_text("in the way")
    assert store.put_in_quarantine("key.answer", b"{}") is None


def test_a_record_of_a_newer_version_is_an_error(store, caplog):
    original = store.put(record(), CONTENT)
    path = record_path(store)
    path.write_text(path.read_text().replace('"version": 1', '"version": 2'))
    before = everything_below(store.folder)
    for look in (lambda: store.find(key_of("a")), lambda: list(store.records())):
        with pytest.raises(StoreError) as caught:
            look()
        assert str(path) in str(caught.value)
        assert "newer version of mkdocs-imagegen; update" in str(caught.value)
    assert everything_below(store.folder) == before
    assert original.path.exists()
    assert not caplog.messages
