"""Originals in other folders: adopted by a link or a copy, and never moved."""

from __future__ import annotations

import errno
import json
from dataclasses import replace

import pytest

from mkdocs_imagegen import files
from mkdocs_imagegen.errors import StoreError
from mkdocs_imagegen.imaging.decode import inspect_image
from mkdocs_imagegen.option_parsers import SKETCH_MODEL
from mkdocs_imagegen.originals.record import IMPORT
from mkdocs_imagegen.originals.store import OriginalStore
from tests.originals.support import (
    PNG,
    REQUEST,
    flip,
    leftovers,
    png,
    put,
    record_file,
    refuse,
    request_record,
    tree,
    wanting,
)

SUBJECT = REQUEST.subject_key


def opened(folder, *earlier, **more):
    return OriginalStore(folder, inspect_image, earlier=earlier, **more)


@pytest.fixture
def old(tmp_path):
    return opened(tmp_path / "old")


@pytest.fixture
def store(tmp_path, old):
    return opened(tmp_path / "originals", old.folder)


def test_original_of_another_folder_is_linked(store, old):
    source = put(old)
    before = tree(old.folder)
    found = store.find_exact(REQUEST, "")
    assert found == replace(source, folder=store.folder / REQUEST.key[:2])
    assert found.path.samefile(source.path)
    assert record_file(found).read_bytes() == record_file(source).read_bytes()
    assert store.adopted == {old.folder: 1}
    assert store.is_new
    assert tree(old.folder) == before
    assert (store.folder / ".gitattributes").read_text() == "* -text\n"
    assert store.read(found) == (found, PNG)


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EPERM, errno.ENOSYS])
def test_original_is_copied_without_hard_links(store, old, monkeypatch, number):
    source = put(old)
    monkeypatch.setattr(files.os, "link", refuse(number))
    found = store.find_exact(REQUEST, "")
    assert found.folder.parent == store.folder
    assert found.path.read_bytes() == PNG
    assert not found.path.samefile(source.path)
    assert record_file(found).read_bytes() == record_file(source).read_bytes()
    assert not leftovers(store.folder)


def test_record_is_adopted_byte_for_byte(store, old):
    path = record_file(put(old))
    fields = json.loads(path.read_bytes()) | {"version": 1, "later": [1]}
    path.write_text(json.dumps(fields))
    found = store.find_exact(REQUEST, "")
    assert record_file(found).read_bytes() == path.read_bytes()
    assert store.defects == {}


def test_damaged_record_is_adopted_byte_for_byte(store, old):
    path = record_file(put(old))
    path.write_text("<<<<<<< HEAD\n")
    before = tree(old.folder)
    found = store.find_exact(REQUEST, "")
    assert record_file(found).read_text() == "<<<<<<< HEAD\n"
    assert store.read(found) == (found, PNG)
    assert tree(old.folder) == before


def test_lost_record_is_rebuilt_in_the_originals_folder_alone(store, old):
    record_file(put(old)).unlink()
    found = store.find_exact(REQUEST, "")
    assert (found.record.is_rebuilt, record_file(found).exists()) == (True, True)
    assert list(old.folder.glob("??/*.json")) == []


def test_no_file_is_written_when_the_store_may_not_write(tmp_path, old):
    source = put(old)
    reading = opened(tmp_path / "originals", old.folder, can_write=False)
    found = reading.find_exact(REQUEST, "")
    assert (found, reading.adopted) == (source, {})
    assert reading.read(found) == (source, PNG)
    assert not reading.folder.exists()


def test_original_is_used_where_it_is_when_the_folder_cannot_be_written(store, old, monkeypatch):
    source = put(old)
    for name in ("link", "replace"):
        monkeypatch.setattr(files.os, name, refuse(errno.EROFS))
    assert store.find_exact(REQUEST, "") == source
    assert store.adopted == {}


def test_link_to_an_image_is_not_adopted_and_does_not_end_the_build(store, old, monkeypatch):
    source = put(old)
    source.path.rename(source.path.with_name("elsewhere"))
    source.path.symlink_to("elsewhere")
    monkeypatch.setattr(files.os, "link", refuse(errno.EXDEV))
    assert store.find_exact(REQUEST, "") == source
    assert store.adopted == {}


def test_own_original_precedes_the_one_of_another_folder(store, old):
    put(old, content=png("blue"))
    put(store)
    found = store.find_exact(REQUEST, "")
    assert (store.read(found)[1], store.adopted) == (PNG, {})


def test_damaged_own_original_is_replaced_by_an_intact_one_elsewhere(store, old):
    own = put(store)
    own.path.write_bytes(b"cut")
    source = put(old)
    before = tree(store.folder)
    found = store.find_exact(REQUEST, "")
    assert (found, store.read(found)) == (source, (source, PNG))
    assert tree(store.folder) == before


def test_image_damaged_after_the_lookup_is_read_from_another_folder(store, old):
    own, source = put(store), put(old)
    flip(own.path)
    assert store.find_exact(REQUEST, "") == own
    assert store.read(own) == (source, PNG)


def test_image_lost_after_the_lookup_is_not_written_to_another_folder(store, old, tmp_path):
    third = opened(tmp_path / "third")
    put(third)
    put(store).path.write_bytes(b"cut")
    source = put(old)
    both = opened(store.folder, old.folder, third.folder)
    assert both.find_exact(REQUEST, "") == source
    source.path.unlink()
    before = tree(old.folder)
    assert both.read(source)[1] == PNG
    assert tree(old.folder) == before


def test_original_is_an_error_when_it_is_damaged_everywhere(store, old):
    for each in (store, old):
        put(each).path.write_bytes(b"cut")
    with pytest.raises(StoreError, match="is not generated again"):
        store.find_exact(REQUEST, "")
    assert store.adopted == {}


def test_original_is_found_by_subject_in_another_folder(store, old):
    put(old)
    found = store.find_by_subject(wanting(SUBJECT, "c/d"))
    assert found.folder.parent == store.folder
    assert store.adopted == {old.folder: 1}


def test_sketch_of_another_folder_is_not_adopted(store, old):
    source = put(old, REQUEST.as_sketch, model=SKETCH_MODEL, server="http://localhost:1/v1")
    assert store.find_exact(REQUEST, "http://localhost:1/v1") == source
    assert not store.folder.exists()


def test_quarantine_of_an_earlier_version_is_searched(tmp_path):
    name = f"{REQUEST.key}.{request_record().sha256[:16]}.png.0123abcd"
    for number, folder in enumerate(
        ["cache/quarantine", "old/work/quarantine", "o2/work/quarantine"]
    ):
        file = tmp_path / folder / name
        file.parent.mkdir(parents=True)
        file.write_bytes(PNG)
        earlier = [tmp_path / "old"] if folder.startswith("old") else []
        store = opened(tmp_path / f"o{number}", *earlier, cache=tmp_path / "cache")
        found = store.find_exact(REQUEST, "")
        assert (found.record.is_rebuilt, store.read(found)[1]) == (True, PNG)
        assert store.adopted == {file.parent: 1}
        assert file.read_bytes() == PNG
        file.unlink()


@pytest.mark.parametrize("content", [b"", PNG[:-1], b"no image"])
def test_damaged_image_in_quarantine_is_ignored(tmp_path, content):
    store = opened(tmp_path / "originals", cache=tmp_path / "cache")
    file = (
        tmp_path / "cache/quarantine" / f"{REQUEST.key}.{request_record().sha256[:16]}.png.0123abcd"
    )
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    assert store.find_exact(REQUEST, "") is None
    assert not store.folder.exists()


def test_decoded_image_of_a_charged_response_is_taken_from_quarantine(tmp_path):
    """A machine that could not decode it has put it there, without a hash in its name."""
    store = opened(tmp_path / "originals", cache=tmp_path / "cache")
    store.put_in_quarantine(f"{REQUEST.key}.picture", PNG)
    assert store.read(store.find_exact(REQUEST, ""))[1] == PNG


def test_quarantine_repairs_an_original_whose_image_is_missing(tmp_path):
    store = opened(tmp_path / "originals", cache=tmp_path / "cache")
    original = put(store)
    file = tmp_path / "cache/quarantine" / f"{original.path.name}.0123abcd"
    file.parent.mkdir(parents=True)
    original.path.rename(file)
    assert store.find_exact(REQUEST, "") == original
    assert (store.read(original)[1], file.exists()) == (PNG, True)


def imported(store, content=None):
    content = content or png("green")
    record = request_record(content=content, key=SUBJECT, answered_by=IMPORT, model=IMPORT)
    return store.replace(record, content)


def test_imported_file_answers_every_model_and_quality(store):
    generated = put(store)
    original = imported(store)
    for request in (REQUEST, replace(REQUEST, model="c/d"), replace(REQUEST, quality="high")):
        assert store.find_exact(request, "") == original
    assert original.record.is_import
    assert generated.path.exists()
    assert store.find_exact(replace(REQUEST, take=2), "") is None


def test_imported_file_of_another_folder_is_adopted(store, old):
    source = imported(old)
    put(store)
    found = store.find_exact(REQUEST, "")
    assert (found.record, found.folder.parent) == (source.record, store.folder)


def test_second_import_replaces_the_first_whose_image_stays(store):
    first, second = imported(store), imported(store, png("blue"))
    assert store.find_exact(REQUEST, "") == second
    assert first.path.exists()


def test_regenerated_image_puts_an_import_aside(store):
    first = put(store)
    original = imported(store)
    again = store.replace(request_record(content=png("blue")), png("blue"), [SUBJECT])
    assert store.find_exact(REQUEST, "") == again
    assert (first.path.exists(), original.path.exists()) == (True, False)
    image, record = sorted(store.quarantine.iterdir(), key=lambda path: ".json" in path.name)
    assert image.read_bytes() == png("green")
    assert json.loads(record.read_bytes())["answered_by"] == IMPORT


def test_regenerated_image_is_shown_although_the_import_is_in_another_folder_too(store, old):
    imported(old)
    assert store.find_exact(REQUEST, "").record.is_import
    later = request_record(content=png("blue"), created="2026-11-24T17:00:00+00:00")
    again = store.replace(later, png("blue"), [SUBJECT])
    assert store.find_exact(REQUEST, "") == again
    reopened = opened(store.folder, old.folder)
    assert (reopened.find_exact(REQUEST, ""), reopened.adopted) == (again, {})


def test_damaged_import_is_an_error_and_is_not_generated(store):
    put(store)
    imported(store).path.unlink()
    with pytest.raises(StoreError, match="its image is missing"):
        store.find_exact(REQUEST, "")


def test_several_builds_adopt_one_original_once(tmp_path, old):
    put(old)
    stores = [opened(tmp_path / "originals", old.folder) for _ in range(3)]
    found = [each.find_exact(REQUEST, "") for each in stores]
    assert len(set(found)) == 1
    assert sum(each.adopted[old.folder] for each in stores) == 1
    assert found[0].path.samefile(old.find(REQUEST.key).path)
