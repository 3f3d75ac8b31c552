"""Damaged originals: they count as missing, and are moved to quarantine."""

from __future__ import annotations

import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mkdocs_imagegen.originals.store import OriginalStore
from tests.originals.support import (
    CONTENT,
    everything_below,
    flip,
    folder,
    key_of,
    record,
    record_path,
)

DAMAGES = {
    "a flipped bit in the image": lambda image, _: flip(image),
    "a flipped bit in the record": lambda _, record: flip(record),
    "a cut image": lambda image, _: image.write_bytes(image.read_bytes()[:-1]),
    "a longer image": lambda image, _: image.write_bytes(image.read_bytes() + b"x"),
    "an empty image": lambda image, _: image.write_bytes(b""),
    "an empty record": lambda _, record: record.write_bytes(b""),
    "a cut record": lambda _, record: record.write_bytes(record.read_bytes()[:-10]),
    "a record of zeros": lambda _, record: record.write_bytes(bytes(500)),
    "a record that is a list": lambda _, record: record.write_text("[]"),
    "a deep record": lambda _, record: record.write_text("[" * 100_000),
    "a long number": lambda _, record: record.write_text("9" * 100_000),
    "no text": lambda _, record: record.write_bytes(b"\xff\xfe"),
    "a huge record": lambda _, record: grow(record, 1_000_001),
    "a huge image": lambda image, _: grow(image, 64_000_001),
    "an unknown version": lambda _, record: edit(record, version=0),
    "no version": lambda _, record: edit(record, version="1"),
    "another key's record": lambda _, record: edit(record, key=key_of("b")),
    "a link to the image": lambda image, _: link(image),
    "a link to the record": lambda _, record: link(record),
    "a broken link": lambda _, record: dangle(record),
    "a pipe for an image": lambda image, _: pipe(image),
    "a pipe for a record": lambda _, record: pipe(record),
    "a folder for an image": lambda image, _: folder(image),
    "a folder for a record": lambda _, record: folder(record),
}
INVALID_FIELDS = [
    {"sha256": int("1" * 64)},
    {"sha256": "../" + "a" * 61},
    {"sha256": "A" * 64},
    {"subject": int("2" * 64)},
    {"subject": None},
    {"mime": "image/svg+xml"},
    {"mime": ["image/png"]},
    {"bytes": True},
    {"bytes": -1},
    {"bytes": 1.0},
    {"width": "3"},
    {"height": 0},
    {"take": None},
    {"model": None},
    {"prompt": 5},
    {"created": 5},
    {"created": None},
    {"generation_id": 5},
    {"generation_id": ["x"]},
    {"cost_usd": "much"},
    {"cost_usd": []},
    {"cost_usd": "NaN"},
    {"cost_usd": "Infinity"},
    {"cost_usd": {}},
    {"cost_is_estimate": None},
    {"has_alpha": None},
    {"has_alpha": "no"},
    {"has_alpha": 1},
    {"warnings": 5},
    {"warnings": None},
    {"unheard_of": 1},
]


def grow(path, size):
    with path.open("r+b") as file:
        file.truncate(size)


def edit(path, **facts):
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))


def link(path):
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


def dangle(path):
    path.unlink()
    path.symlink_to(path.with_name("nowhere"))


def pipe(path):
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_original_is_moved_to_quarantine(store, caplog, tmp_path, damage):
    image = store.put(record(), CONTENT).path
    record_before = record_path(store).read_bytes()
    damage(image, record_path(store))
    is_intact = is_file_of(record_path(store), record_before)
    before = everything_below(tmp_path)
    assert store.find_verified(key_of("a")) is None
    assert len(caplog.messages) == 1
    assert str(store.quarantine) in caplog.messages[0]
    assert everything_below(tmp_path) == before
    # A damaged record does not identify its image, which stays; a damaged image takes its record.
    assert len(list(store.quarantine.iterdir())) == (2 if is_intact else 1)
    assert image.exists() is not is_intact
    assert not record_path(store).exists()
    assert store.find_verified(key_of("a")) is None
    assert len(caplog.messages) == 1
    original = store.put(record(), CONTENT)
    assert store.find_verified(key_of("a")) == original


def is_file_of(path, content):
    return path.is_file() and not path.is_symlink() and path.read_bytes() == content


def test_files_next_to_a_damaged_record_stay(store):
    image = store.put(record(), CONTENT).path
    neighbour = store.put(record("b"), CONTENT)
    notes = record_path(store).with_name("notes.txt")
    notes.write_text("notes")
    older = image.with_name(f"{key_of('a')}.{'0' * 16}.webp")
    older.write_bytes(b"an older image")
    record_path(store).write_text("{}")
    assert store.find_verified(key_of("a")) is None
    assert all(path.exists() for path in (image, notes, older))
    assert store.find_verified(key_of("b")) == neighbour


@pytest.mark.parametrize("facts", INVALID_FIELDS, ids=str)
def test_a_record_with_an_invalid_field_is_damaged(store, caplog, facts):
    store.put(record(), CONTENT)
    edit(record_path(store), **facts)
    assert list(store.records()) == []
    assert store.find_by_subject(key_of("subject"), "a/b") is None
    assert store.find_verified(key_of("a")) is None
    assert len(caplog.messages) == 1


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_no_mutation_returns_wrong_bytes(data, tmp_path_factory):
    tmp_path = tmp_path_factory.mktemp("mutated")
    store = OriginalStore(tmp_path / "originals", tmp_path / "quarantine")
    image = store.put(record(), CONTENT).path
    path = data.draw(st.sampled_from([image, record_path(store)]))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        mutate(content, data.draw)
    path.write_bytes(content)
    before = everything_below(tmp_path)
    original = store.find_verified(key_of("a"))
    assert original is None or original.path.read_bytes() == CONTENT
    assert everything_below(tmp_path) == before
    list(store.records())
    store.find_by_subject(key_of("subject"), "a/b")


def mutate(content, draw):
    at, end = sorted((draw(st.integers(0, len(content))), draw(st.integers(0, len(content)))))
    kind = draw(st.sampled_from(["set", "cut", "put", "swap"]))
    if kind == "set" and at < len(content):
        content[at] = draw(st.integers(0, 255))
    elif kind == "cut":
        del content[at : min(end, at + 8)]
    elif kind == "put":
        content[at:at] = draw(st.binary(max_size=8))
    else:
        content[:] = content[end:] + content[:end]


def test_swapped_images_are_damaged(store, caplog):
    one = store.put(record("a"), CONTENT).path
    other_content = bytes(reversed(CONTENT))
    other = store.put(record("b", other_content), other_content).path
    one.write_bytes(other_content)
    other.write_bytes(CONTENT)
    assert store.find_verified(key_of("a")) is None
    assert store.find_verified(key_of("b")) is None
    assert len(caplog.messages) == 2
