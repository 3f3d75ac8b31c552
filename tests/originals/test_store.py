"""Originals are kept byte for byte and found again."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from mkdocs_imagegen import files
from mkdocs_imagegen.errors import StoreError
from mkdocs_imagegen.option_parsers import SKETCH_MODEL
from mkdocs_imagegen.originals.judge import DefectKind, Original
from tests.originals.support import (
    CONTENT,
    REQUEST,
    everything_below,
    flip,
    key_of,
    leftovers,
    open_store,
    read_original,
    record,
    record_path,
    refuse,
    wanting,
)


def test_put_keeps_the_image_byte_for_byte(store, caplog):
    original = store.put(record(), CONTENT)
    assert (
        read_original(store, key_of("a"))
        == original
        == Original(record(), store.folder / key_of("a")[:2])
    )
    assert original.path.read_bytes() == CONTENT
    assert not caplog.messages


def test_a_second_store_finds_the_original(store, tmp_path):
    store.put(record(), CONTENT)
    again = open_store(tmp_path / "originals")
    assert read_original(again, key_of("a")).record == record()


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
    assert read_original(store, key_of("a")) is None
    assert list(store.cache_keys()) == []
    assert store.find_by_subject(wanting(key_of("subject"), "a/b")) is None
    assert list(store.records()) == []
    assert not caplog.messages
    assert not store.folder.exists()


def test_put_keeps_the_first_of_two_images(store):
    first = store.put(record(), CONTENT)
    other = b"another image"
    second = store.put(record(content=other, cost_usd=None), other)
    assert second == first
    assert read_original(store, key_of("a")) == first
    assert other in everything_below(store.folder)


def test_put_keeps_a_record_whose_image_is_missing(store):
    """A build replaces no record; the image of a later request is shown with it."""
    store.put(record(), CONTENT).path.unlink()
    before = record_path(store).read_bytes()
    other = b"another image"
    original = store.put(record(content=other), other)
    assert (original.path.read_bytes(), store.read(original)) == (other, (original, other))
    assert record_path(store).read_bytes() == before
    assert read_original(store, key_of("a")) == original


def test_put_replaces_lone_surrogates_in_the_record(store):
    """JSON can contain them, and the record is written after the image is charged."""
    odd = record(warnings=("odd \ud800",), generation_id="\udfff", answered_by="\ud800")
    original = store.put(odd, CONTENT)
    assert read_original(store, key_of("a")).record.warnings == ("odd ?",)
    assert original.path.read_bytes() == CONTENT


def test_temporary_and_other_files_are_ignored(store):
    store.put(record(), CONTENT)
    (record_path(store).parent / ".0123456789abcdef.tmp").write_bytes(b"half")
    (store.folder / ".0123456789abcdef.tmp").write_bytes(b"half")
    (record_path(store).parent / "notes.json").write_text("{}")
    assert [each.key for each in store.records()] == [key_of("a")]
    assert read_original(store, key_of("a")) is not None


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.ESTALE, errno.EMFILE])
def test_an_unreadable_file_is_an_error(store, monkeypatch, number):
    """Or every image is charged again when a disk is gone for a moment."""
    original = store.put(record(), CONTENT)
    with monkeypatch.context() as broken:
        broken.setattr(files.os, "open", refuse(number))
        assert store.audit(key_of("a")).defect.kind is DefectKind.UNREADABLE
        for act in (lambda: store.find(key_of("a")), lambda: store.read(original)):
            with pytest.raises(StoreError) as caught:
                act()
            assert str(caught.value) == (
                f"original {record_path(store)} cannot be used ({os.strerror(number)}) and is not "
                "generated again; check the permissions and the disk"
            )
    assert read_original(store, key_of("a")) == original
    assert store.defects == {}


def test_folder_that_cannot_be_listed_is_an_error(store, monkeypatch):
    original = store.put(record(), CONTENT)
    record_path(store).unlink()
    with monkeypatch.context() as broken:
        broken.setattr("os.listdir", refuse(errno.EIO))
        assert store.audit(key_of("a")).defect.kind is DefectKind.UNREADABLE
        with pytest.raises(StoreError, match="is not generated again"):
            store.find(key_of("a"))
    assert original.path.exists()


def test_find_does_not_read_the_image(store):
    """Variants come from verified bytes, so a build that derives none reads no image."""
    original = store.put(record(), CONTENT)
    flip(original.path)
    assert store.find(key_of("a")) == original
    with pytest.raises(StoreError, match="differs from the SHA-256 in its name"):
        store.read(original)


def test_find_compares_the_length_of_the_image(store):
    original = store.put(record(), CONTENT)
    original.path.write_bytes(CONTENT + b"x")
    with pytest.raises(StoreError, match="differs from the SHA-256 in its name"):
        store.find(key_of("a"))


def test_read_returns_the_image_or_an_error_when_it_is_missing(store):
    original = store.put(record(), CONTENT)
    assert store.read(original) == (original, CONTENT)
    original.path.unlink()
    with pytest.raises(StoreError, match="its image is missing"):
        store.read(original)
    record_path(store).unlink()
    with pytest.raises(StoreError, match="it is missing"):
        store.read(original)


def test_require_writable_leaves_no_file(store):
    store.require_writable(for_sketches=False)
    names = sorted(path.relative_to(store.folder).as_posix() for path in store.folder.rglob("*"))
    assert names == [".gitattributes", "work", "work/.gitignore"]
    assert store.is_new
    original = store.put(record(), CONTENT)
    store.require_writable(for_sketches=False)
    assert read_original(store, key_of("a")) == original
    assert not leftovers(store.folder)


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (errno.ENOSPC, "free up disk space, then build again"),
        (errno.EROFS, "check the permissions, then build again"),
        (errno.EACCES, "check the permissions, then build again"),
        (errno.ENOENT, "another program, such as a second build, deleted the folder; build again"),
        (errno.EIO, "free up disk space or check the permissions, then build again"),
    ],
)
def test_require_writable_raises_an_error_when_the_disk_refuses(store, monkeypatch, number, hint):
    monkeypatch.setattr(files.os, "replace", refuse(number))
    with pytest.raises(StoreError) as caught:
        store.require_writable(for_sketches=False)
    assert str(caught.value) == (
        f"images cannot be stored in {store.folder} ({os.strerror(number)}); {hint}"
    )
    assert not leftovers(store.folder)


def test_require_writable_raises_an_error_when_the_folder_is_a_file(store):
    store.folder.write_text("in the way")
    with pytest.raises(StoreError, match=r"images cannot be stored in .*; move the file"):
        store.require_writable(for_sketches=False)


def test_require_writable_for_sketches_creates_no_originals_folder(tmp_path):
    store = open_store(tmp_path / "originals", cache=tmp_path / "cache")
    store.require_writable(for_sketches=True)
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]
    assert not store.is_new


def test_sketch_of_the_embedded_emulator_is_in_the_cache(tmp_path):
    store = open_store(tmp_path / "originals", cache=tmp_path / "cache")
    sketch = REQUEST.as_sketch
    facts = {"key": sketch.key, "subject": sketch.subject_key, "model": sketch.model}
    original = store.put(record(server="sketch:", **facts), CONTENT)
    assert original.folder.parent == tmp_path / "cache/sketches"
    assert store.find_exact(REQUEST, "sketch:") == original
    assert store.find_exact(REQUEST, "") is None
    assert not store.folder.exists()


@pytest.mark.parametrize("model", [REQUEST.model, SKETCH_MODEL])
def test_a_sketch_without_a_record_is_no_error(tmp_path, model):
    """Another build stores the image of a sketch before its record."""
    store = open_store(tmp_path / "originals")
    request, server = replace(REQUEST, model=model), "http://localhost:1/v1"
    sketch = REQUEST.as_sketch
    facts = {"key": sketch.key, "subject": sketch.subject_key, "model": sketch.model}
    original = store.put(record(server=server, **facts), CONTENT)
    original.folder.joinpath(f"{sketch.key}.json").unlink()
    found = store.find_exact(request, server)
    assert (found is not None) == (model == SKETCH_MODEL)


def test_draft_is_in_the_working_files(tmp_path):
    store = open_store(tmp_path / "originals")
    draft = replace(REQUEST, is_draft=True)
    facts = {"key": draft.key, "subject": draft.subject_key}
    original = store.put(record(**facts), CONTENT, is_draft=True)
    assert original.folder.parent == tmp_path / "originals/work/drafts"
    assert store.find_exact(draft, "") == original
    assert list(store.records()) == []


def test_a_read_only_folder_is_read(store, caplog):
    store.put(record(), CONTENT)
    for path in (*store.folder.rglob("*"), store.folder):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        assert read_original(store, key_of("a")) is not None
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
    assert store.find_by_subject(wanting(subject, "a/b")).record.key == put["new"]
    assert store.find_by_subject(wanting(subject, "c/d")).record.key == min(
        put["other"], put["twin"]
    )
    assert store.find_by_subject(wanting(subject, "x/y")).record.key == put["newest"]
    assert store.find_by_subject(wanting(key_of("another"), "a/b")) is None


def test_find_by_subject_raises_an_error_for_a_damaged_original(store):
    """Another image in its place would change the page without a message."""
    store.put(record("old", created="2026-01-01"), CONTENT)
    new = store.put(record("new", created="2026-02-01"), CONTENT)
    new.path.write_bytes(CONTENT[:-1])
    with pytest.raises(StoreError, match="is not generated again"):
        store.find_by_subject(wanting(key_of("subject"), "a/b"))


def test_find_by_subject_ignores_sketches(store):
    store.put(record("sketch", model=SKETCH_MODEL, created="2099-01-01"), CONTENT)
    assert store.find_by_subject(wanting(key_of("subject"), "a/b")) is None
    assert store.find_by_subject(wanting(key_of("subject"), SKETCH_MODEL)) is None


def test_a_sketch_does_not_hide_an_image(store):
    store.put(record("sketch", model=SKETCH_MODEL, created="2099-01-01"), CONTENT)
    store.put(record("real"), CONTENT)
    assert store.find_by_subject(wanting(key_of("subject"), SKETCH_MODEL)).record.key == key_of(
        "real"
    )


def test_a_sketch_is_found_by_its_own_key(store):
    original = store.put(record("sketch", model=SKETCH_MODEL), CONTENT)
    assert read_original(store, key_of("sketch")) == original
    assert list(store.cache_keys()) == [key_of("sketch")]


def test_records_are_sorted_by_key(store):
    keys = [store.put(record(name), CONTENT).record.key for name in "cab"]
    assert [each.key for each in store.records()] == sorted(keys)


def test_quarantine_keeps_each_file(store):
    paths = {store.put_in_quarantine("key.answer", b"{}") for _ in range(3)}
    assert len(paths) == 3
    assert all(path.read_bytes() == b"{}" for path in paths)
    assert all(path.parent == store.quarantine for path in paths)


def test_put_in_quarantine_returns_none_when_it_fails(store):
    store.folder.mkdir(parents=True)
    (store.folder / "work").write_text("in the way")
    assert store.put_in_quarantine("key.answer", b"{}") is None


def test_cache_keys_are_those_of_records_and_images(store):
    store.put(record("a"), CONTENT)
    store.put(record("b"), CONTENT)
    record_path(store, "b").unlink()
    for ending in ("attempts", "refused"):
        record_path(store, "a").with_name(f"{key_of('c')}.{ending}.json").write_text("[]")
    store.put_in_quarantine(f"{key_of('d')}.picture", CONTENT)
    assert list(store.cache_keys()) == sorted([key_of("a"), key_of("b")])


def test_remove_deletes_the_record_and_every_image_of_the_key(store):
    store.put(record("b"), CONTENT)
    one = store.put(record("a"), CONTENT)
    store.put(record("a", content=b"later"), b"later")
    store.remove(one.record.key)
    assert list(store.cache_keys()) == [key_of("b")]


def test_repair_leaves_a_correct_original_and_the_damaged_record_in_quarantine(store):
    store.put(record(), CONTENT)
    record_path(store).write_text("{}")
    store.repair(Original(record(), record_path(store).parent))
    assert read_original(store, key_of("a")).record == record()
    assert [path.read_text() for path in store.quarantine.iterdir()] == ["{}"]
    assert (store.folder / "work/.gitignore").exists()
