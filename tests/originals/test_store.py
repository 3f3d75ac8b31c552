"""What was paid for is kept, byte for byte, and found again."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkdocs_imagegen import files
from mkdocs_imagegen.errors import StoreError
from mkdocs_imagegen.options import SKETCH_MODEL
from mkdocs_imagegen.originals.record import from_json, to_json
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


def test_what_is_put_is_got_to_the_byte(store, told):
    original = store.put(record(), CONTENT)
    assert store.get(key_of("a")) == original == Original(record(), store.folder / key_of("a")[:2])
    assert original.path.read_bytes() == CONTENT
    assert not told


def test_another_process_reads_the_same(store, tmp_path, told):
    store.put(record(), CONTENT)
    again = OriginalStore(tmp_path / "originals", tmp_path / "quarantine", told)
    assert again.get(key_of("a")).record == record()


def test_files_are_named_for_people_and_for_git(store):
    path = store.put(record(), CONTENT).path
    key, digest = key_of("a"), hashlib.sha256(CONTENT).hexdigest()
    assert path.relative_to(store.folder) == Path(key[:2], f"{key}.{digest[:16]}.webp")
    text = record_path(store).read_text()
    assert json.loads(text)["prompt"] == "Ein roter Ballon 🎈"
    assert "Ein roter Ballon 🎈" in text
    assert text.endswith("}\n")
    assert not leftovers(store.folder)


def test_what_is_not_there_is_missing_without_a_word(store, told):
    assert store.get(key_of("a")) is None
    assert store.is_empty()
    assert store.find_subject(key_of("subject"), "a/b") is None
    assert list(store.originals()) == []
    assert not told
    assert not store.folder.exists()


def test_the_first_of_two_answers_stays(store):
    first = store.put(record(), CONTENT)
    other = b"another image"
    second = store.put(record(content=other, cost_usd=None), other)
    assert second == first
    assert store.get(key_of("a")) == first
    assert other in everything_below(store.folder)


def test_a_record_whose_image_is_gone_makes_way_for_a_new_one(store, told):
    store.put(record(), CONTENT).path.unlink()
    assert store.get(key_of("a")) is None
    other = b"another image"
    original = store.put(record(content=other), other)
    assert store.get(key_of("a")) == original
    assert original.path.read_bytes() == other
    assert not told


FIELDS = st.fixed_dictionaries(
    {
        "prompt": st.text(),
        "model": st.text(),
        "answered_by": st.text(),
        "server": st.text(),
        "created": st.text(),
        "generation_id": st.none() | st.text(),
        "cost_usd": st.none() | st.decimals(0, 1000, places=6),
        "cost_is_estimate": st.booleans(),
        "has_alpha": st.booleans(),
        "take": st.integers(1, 9999),
        "warnings": st.lists(st.text()).map(tuple),
    }
)


@given(FIELDS)
def test_a_record_is_read_as_it_was_written(facts):
    one = record(**facts)
    try:
        str(facts).encode()
    except UnicodeEncodeError:
        assert from_json(to_json(one), one.key).key == one.key
    else:
        assert from_json(to_json(one), one.key) == one
    assert to_json(one) == to_json(replace(one))


def test_half_a_letter_in_a_gateways_words_loses_no_image(store):
    """JSON lets lone surrogates through, and a record is written after the money is spent."""
    odd = record(warnings=("odd \ud800",), generation_id="\udfff", answered_by="\ud800")
    original = store.put(odd, CONTENT)
    assert store.get(key_of("a")).record.warnings == ("odd ?",)
    assert original.path.read_bytes() == CONTENT


def test_what_is_half_written_does_not_count(store):
    store.put(record(), CONTENT)
    (record_path(store).parent / ".0123456789abcdef.tmp").write_bytes(b"half")
    (store.folder / ".0123456789abcdef.tmp").write_bytes(b"half")
    (record_path(store).parent / "notes.json").write_text("{}")
    assert [each.key for each in store.originals()] == [key_of("a")]
    assert store.get(key_of("a")) is not None


def test_a_image_without_a_record_does_not_count(store, told):
    store.put(record(), CONTENT)
    record_path(store).unlink()
    assert store.get(key_of("a")) is None
    assert store.is_empty()
    assert not told


def test_a_broken_entry_in_a_folder_that_cannot_be_changed_stays(store, told, monkeypatch):
    image = store.put(record(), CONTENT).path
    flip(image)
    for name in ("rename", "unlink"):
        monkeypatch.setattr(files.os, name, refuse(errno.EROFS))
    assert store.get(key_of("a")) is None
    assert "left where it is" in told[0]
    assert record_path(store).exists()
    assert image.exists()


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.ESTALE, errno.EMFILE])
def test_what_cannot_be_read_is_not_missing(store, told, monkeypatch, number):
    """Else a disk that is away for a moment would have everything bought again."""
    original = store.put(record(), CONTENT)
    with monkeypatch.context() as broken:
        broken.setattr(files.os, "open", refuse(number))
        for act in (lambda: store.find(key_of("a")), lambda: store.read(original)):
            with pytest.raises(StoreError) as caught:
                act()
            assert f"cannot be read: {store.folder}" in str(caught.value)
            assert f"{os.strerror(number)}; correct the rights or the disk" in str(caught.value)
    assert store.get(key_of("a")) == original
    assert not told


def test_a_image_that_cannot_be_looked_at_is_not_missing(store, told):
    image = store.put(record(), CONTENT).path
    image.unlink()
    image.symlink_to(image)
    with pytest.raises(StoreError, match=f"cannot be read: {image}: Too many levels"):
        store.find(key_of("a"))
    assert record_path(store).exists()
    assert not told


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n"


@pytest.mark.parametrize("in_record", [True, False], ids=["the record", "the image"])
def test_a_pointer_of_git_lfs_is_not_missing(store, told, in_record):
    image = store.put(record(), CONTENT).path
    path = record_path(store) if in_record else image
    path.write_bytes(POINTER)
    for look in (store.find, store.get):
        with pytest.raises(StoreError) as caught:
            look(key_of("a"))
        assert str(caught.value) == f"{path} is a pointer of git-lfs; run `git lfs pull`"
    with pytest.raises(StoreError, match="git lfs pull"):
        store.find_subject(key_of("subject"), "x/y")
    assert path.read_bytes() == POINTER
    assert not told


def test_a_record_is_enough_to_find_a_image(store, told):
    """What a page shows was made from verified bytes, so a build without work reads none."""
    original = store.put(record(), CONTENT)
    flip(original.path)
    assert store.find(key_of("a")) == original
    assert not told
    assert store.read(original) is None
    assert len(told) == 1
    assert store.find(key_of("a")) is None


def test_a_image_of_another_length_is_found_broken_without_reading_it(store, told):
    original = store.put(record(), CONTENT)
    original.path.write_bytes(CONTENT + b"x")
    assert store.find(key_of("a")) is None
    assert "another length" in told[0]


def test_what_is_read_is_what_was_put(store, told):
    original = store.put(record(), CONTENT)
    assert store.read(original) == CONTENT
    original.path.unlink()
    assert store.read(original) is None
    assert not told


def test_a_folder_that_takes_files_is_checked_and_left_as_it_was(store):
    store.check()
    assert list(store.folder.iterdir()) == []
    original = store.put(record(), CONTENT)
    store.check()
    assert store.get(key_of("a")) == original
    assert not leftovers(store.folder)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_folder_that_takes_no_files_is_told_before_anything_is_paid(store, monkeypatch, number):
    monkeypatch.setattr(files.os, "replace", refuse(number))
    with pytest.raises(StoreError) as caught:
        store.check()
    assert str(caught.value) == (
        f"images cannot be stored in {store.folder}: {os.strerror(number)}; "
        "make room or correct the rights, then build again"
    )
    assert not leftovers(store.folder)


def test_a_file_in_the_folders_place_takes_no_files(store):
    store.folder.write_text("in the way")
    with pytest.raises(StoreError, match="images cannot be stored in"):
        store.check()


def test_a_store_that_is_only_read_is_read(store, told):
    store.put(record(), CONTENT)
    for path in (*store.folder.rglob("*"), store.folder):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        assert store.get(key_of("a")) is not None
        assert not told
    finally:
        for path in (store.folder, *store.folder.rglob("*")):
            path.chmod(0o755)


def test_a_subject_is_answered_by_the_same_model_then_the_newest_then_by_key(store):
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
    assert store.find_subject(subject, "a/b").record.key == put["new"]
    assert store.find_subject(subject, "c/d").record.key == min(put["other"], put["twin"])
    assert store.find_subject(subject, "x/y").record.key == put["newest"]
    assert store.find_subject(key_of("another"), "a/b") is None


def test_a_broken_answer_to_a_subject_makes_way_for_the_next(store, told):
    store.put(record("old", created="2026-01-01"), CONTENT)
    cut(store.put(record("new", created="2026-02-01"), CONTENT).path)
    assert store.find_subject(key_of("subject"), "a/b").record.key == key_of("old")
    assert len(told) == 1


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def test_a_sketch_never_answers_a_subject(store):
    store.put(record("sketch", model=SKETCH_MODEL, created="2099-01-01"), CONTENT)
    assert store.find_subject(key_of("subject"), "a/b") is None
    assert store.find_subject(key_of("subject"), SKETCH_MODEL) is None


def test_a_sketch_does_not_hide_a_image(tmp_path, told):
    store = OriginalStore(tmp_path / "o", tmp_path / "q", told)
    store.put(record("sketch", model=SKETCH_MODEL, created="2099-01-01"), CONTENT)
    store.put(record("real"), CONTENT)
    assert store.find_subject(key_of("subject"), SKETCH_MODEL).record.key == key_of("real")


def test_a_sketch_is_got_by_its_own_key(store):
    original = store.put(record("sketch", model=SKETCH_MODEL), CONTENT)
    assert store.get(key_of("sketch")) == original
    assert not store.is_empty()


def test_originals_are_listed_by_key(store):
    keys = [store.put(record(name), CONTENT).record.key for name in "cab"]
    assert [each.key for each in store.originals()] == sorted(keys)


def test_garbage_that_was_paid_for_is_kept_for_people(store):
    paths = {store.keep_garbage("key.answer", b"{}") for _ in range(3)}
    assert len(paths) == 3
    assert all(path.read_bytes() == b"{}" for path in paths)
    assert all(path.parent == store.quarantine for path in paths)


def test_garbage_that_cannot_be_kept_is_let_go(store):
    store.quarantine.write_text("in the way")
    assert store.keep_garbage("key.answer", b"{}") is None


def test_what_a_newer_version_stored_is_left_alone_and_told(store, told):
    original = store.put(record(), CONTENT)
    path = record_path(store)
    path.write_text(path.read_text().replace('"version": 1', '"version": 2'))
    before = everything_below(store.folder)
    for look in (lambda: store.find(key_of("a")), lambda: list(store.originals())):
        with pytest.raises(StoreError) as caught:
            look()
        assert str(path) in str(caught.value)
        assert "newer version of mkdocs-imagegen; update" in str(caught.value)
    assert everything_below(store.folder) == before
    assert original.path.exists()
    assert not told
