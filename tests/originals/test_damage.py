"""Damaged originals: what a build shows, what `verify` reports, and that no file is moved."""

from __future__ import annotations

import hashlib
import json
import os
import random
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest

from mkdocs_imagegen.errors import ImageError, NewerVersionError, StoreError
from mkdocs_imagegen.files import write_atomic
from mkdocs_imagegen.imaging.decode import inspect_image
from mkdocs_imagegen.imaging.derive import FileVariantBuilder
from mkdocs_imagegen.imaging.variants import plan_variants
from mkdocs_imagegen.originals.judge import MAX_ORIGINAL_BYTES, DefectKind
from mkdocs_imagegen.originals.record import MAX_COST_USD, MAX_RECORD_BYTES
from mkdocs_imagegen.originals.store import OriginalStore
from mkdocs_imagegen.page_layout import Layout
from mkdocs_imagegen.settings import VariantSettings
from tests.originals.support import (
    PNG,
    REQUEST,
    flip,
    folder,
    key_of,
    png,
    put,
    record_file,
    tree,
    wanting,
)

SILENT, REPORTED, ERROR = "shown", "shown and reported", "error"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n"


def grow(path, size):
    with path.open("r+b") as file:
        file.truncate(size)


def edit(path, **facts):
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))


def leave_out(path, *names):
    fields = json.loads(path.read_text())
    path.write_text(json.dumps({name: fields[name] for name in fields if name not in names}))


def link(path):
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


def dangle(path):
    path.unlink()
    path.symlink_to(path.with_name("nowhere"))


def loop(path):
    path.unlink()
    path.symlink_to(path)


def pipe(path):
    path.unlink()
    os.mkfifo(path)


def cut(path, count):
    path.write_bytes(path.read_bytes()[:-count])


def conflict(path, *, base=False):
    """Leave the record as `git merge` does after both branches generated the image."""
    lines = path.read_text().splitlines(keepends=True)
    theirs = [line.replace("gen_1", "gen_2") for line in lines]
    middle = ["||||||| base\n", "{}\n"] if base else []
    marked = ["<<<<<<< HEAD\n", *lines, *middle, "=======\n", *theirs, ">>>>>>> topic\n"]
    path.write_text("".join(marked))


def conflict_in_a_field(path):
    text = path.read_text()
    line = next(each for each in text.splitlines(keepends=True) if '"generation_id"' in each)
    theirs = line.replace("gen_1", "gen_2")
    path.write_text(text.replace(line, f"<<<<<<< HEAD\n{line}=======\n{theirs}>>>>>>> topic\n"))


def lose_closing_mark(path):
    conflict(path)
    path.write_text(path.read_text().replace(">>>>>>> topic\n", ""))


def rename(path, old, new):
    path.rename(path.with_name(path.name.replace(old, new)))


IMAGE_DAMAGES = {
    "a flipped bit": flip,
    "a cut image": lambda image: cut(image, 1),
    "a longer image": lambda image: image.write_bytes(image.read_bytes() + b"x"),
    "an empty image": lambda image: image.write_bytes(b""),
    "a huge image": lambda image: grow(image, MAX_ORIGINAL_BYTES + 1),
    "no image": lambda image: image.unlink(),
    "another hash in the name": lambda image: rename(
        image, f".{image.name[65:81]}.", f".{'0' * 16}."
    ),
    "another key in the name": lambda image: rename(image, image.name[:64], key_of("b")),
    "a link": link,
    "a broken link": dangle,
    "a link loop": loop,
    "a pipe": pipe,
    "a folder": folder,
}
RECORD_DAMAGES: dict[str, Callable[[Path], object]] = {
    "a flipped bit": flip,
    "a flipped bit at the start": lambda record: record.write_bytes(b"z" + record.read_bytes()[1:]),
    "an empty record": lambda record: record.write_bytes(b""),
    "a cut record": lambda record: cut(record, 10),
    "zeros": lambda record: record.write_bytes(bytes(500)),
    "a list": lambda record: record.write_text("[]"),
    "deep": lambda record: record.write_text("[" * 100_000),
    "a long number": lambda record: record.write_text("9" * 100_000),
    "no text": lambda record: record.write_bytes(b"\xff\xfe"),
    "huge": lambda record: grow(record, MAX_RECORD_BYTES + 1),
    "an unknown version": lambda record: edit(record, version=0),
    "a version that is no number": lambda record: edit(record, version="1"),
    "no version": lambda record: leave_out(record, "version"),
    "another key": lambda record: edit(record, key=key_of("b")),
    "a conflict": conflict,
    "a conflict with a base": lambda record: conflict(record, base=True),
    "a conflict in one field": conflict_in_a_field,
    "a conflict without its end": lose_closing_mark,
    "a link": link,
    "a broken link": dangle,
    "a link loop": loop,
    "a pipe": pipe,
    "a folder": folder,
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
    {"width": 10**6},
    {"width": 20_000, "height": 20_000},
    {"height": 0},
    {"height": 10**400},
    {"take": None},
    {"take": 10**10},
    {"model": None},
    {"prompt": 5},
    {"created": 5},
    {"created": None},
    {"generation_id": 5},
    {"generation_id": ["x"]},
    {"quality": None},
    {"size": 5},
    {"answered_quality": []},
    {"rebuilt": "yes"},
    {"is_decoded": 0},
    {"cost_usd": "much"},
    {"cost_usd": []},
    {"cost_usd": "NaN"},
    {"cost_usd": "sNaN"},
    {"cost_usd": "Infinity"},
    {"cost_usd": "-0.01"},
    {"cost_usd": str(MAX_COST_USD + 1)},
    {"cost_usd": "1e999999"},
    {"cost_usd": {}},
    {"cost_is_estimate": None},
    {"has_alpha": None},
    {"has_alpha": "no"},
    {"has_alpha": 1},
    {"warnings": 5},
    {"warnings": None},
]
WRONG_FACTS = [
    {"sha256": hashlib.sha256(PNG).hexdigest()[:-4] + "0000"},
    {"sha256": "0" * 64},
    {"bytes": len(PNG) + 1},
    {"mime": "image/webp"},
    {"width": 31},
    {"height": 19},
    {"has_alpha": True},
]


def outcome_of(store, request=REQUEST):
    """Return how a build with an empty cache shows the image of a request, and its original."""
    empty = SimpleNamespace(verify=lambda _: None, write=lambda *_: None)
    builder = FileVariantBuilder(empty, None)
    settings = VariantSettings(formats=("webp",))
    try:
        found = store.find_exact(request, "")
        if found is None:
            return "missing", None
        original, content = store.read(found)
        builder.build(
            original,
            content,
            lambda record: plan_variants(record, Layout(request.size), settings, "strip"),
        )
    except (StoreError, ImageError) as error:
        return ERROR, error
    is_reported = bool(store.defects or builder.defects)
    return (REPORTED if is_reported else SILENT), (original, content)


def judged(store, request=REQUEST):
    """Return the outcome that agrees with the verdict of `verify`."""
    verdict = store.audit(request.key, request)
    if verdict is None:
        return "missing"
    if verdict.original is None:
        return ERROR
    return REPORTED if verdict.defect else SILENT


@pytest.fixture(params=[True, False], ids=["writing", "reading"])
def opened(request, tmp_path):
    return OriginalStore(tmp_path / "originals", inspect_image, can_write=request.param)


@pytest.mark.parametrize("damage", IMAGE_DAMAGES.values(), ids=IMAGE_DAMAGES)
def test_damaged_image_is_an_error_and_is_not_generated_again(opened, tmp_path, damage):
    original = put(opened)
    damage(original.path)
    before = tree(tmp_path)
    verdict = opened.audit(REQUEST.key, REQUEST)
    assert (verdict.original, verdict.defect.kind) == (None, DefectKind.DAMAGED)
    outcome, error = outcome_of(opened)
    assert (outcome, judged(opened)) == (ERROR, ERROR)
    assert isinstance(error, StoreError)
    assert "cannot be used (" in error.fault
    assert error.fault.endswith("and is not generated again")
    assert "run `mkdocs-imagegen generate LOCATION --again`" in error.hint
    with pytest.raises(StoreError, match="is not generated again"):
        opened.read(original)
    assert tree(tmp_path) == before
    assert not opened.quarantine.exists()


@pytest.mark.parametrize("damage", RECORD_DAMAGES.values(), ids=RECORD_DAMAGES)
def test_image_of_a_damaged_record_is_shown_and_the_record_is_left_alone(opened, tmp_path, damage):
    path = record_file(put(opened))
    damage(path)
    before = tree(tmp_path)
    verdict = opened.audit(REQUEST.key, REQUEST)
    assert (verdict.defect.path, verdict.defect.kind) == (path, DefectKind.DAMAGED)
    outcome, (original, content) = outcome_of(opened)
    assert (outcome, content, judged(opened)) == (REPORTED, PNG, REPORTED)
    assert original == verdict.original
    assert opened.defects == {REQUEST.key: verdict.defect}
    assert tree(tmp_path) == before
    assert not opened.quarantine.exists()


@pytest.mark.parametrize("facts", INVALID_FIELDS, ids=str)
def test_record_with_an_invalid_field_is_damaged(decoding, tmp_path, facts):
    edit(record_file(put(decoding)), **facts)
    before = tree(tmp_path)
    assert list(decoding.records()) == []
    assert decoding.find_by_subject(wanting(REQUEST.subject_key, "a/b")) is None
    assert judged(decoding) == REPORTED
    outcome, (original, _) = outcome_of(decoding)
    assert (outcome, original.record.is_rebuilt, original.record.cost_usd) == (REPORTED, True, None)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("facts", WRONG_FACTS, ids=str)
def test_record_that_differs_from_its_image_is_reported_and_its_other_facts_are_used(
    decoding, tmp_path, facts
):
    path = record_file(put(decoding))
    edit(path, **facts)
    before = tree(tmp_path)
    assert judged(decoding) == REPORTED
    assert decoding.audit(REQUEST.key).defect.path == path
    outcome, (original, content) = outcome_of(decoding)
    assert (outcome, content, original.record.cost_usd) == (REPORTED, PNG, Decimal("0.015"))
    assert tree(tmp_path) == before


@pytest.mark.parametrize("fields", [{"cost_usd": str(MAX_COST_USD)}, {"take": 10**9}], ids=str)
def test_largest_amounts_are_valid(decoding, fields):
    edit(record_file(put(decoding)), **fields)
    assert (outcome_of(decoding)[0], judged(decoding)) == (SILENT, SILENT)


def test_unknown_fields_are_ignored_and_kept(decoding):
    path = record_file(put(decoding))
    edit(path, later={"x": [1]}, width=31)
    before = path.read_bytes()
    verdict = decoding.audit(REQUEST.key)
    assert outcome_of(decoding)[0] == REPORTED
    assert path.read_bytes() == before
    decoding.repair(verdict.original)
    fields = json.loads(path.read_bytes())
    assert (fields["later"], fields["width"]) == ({"x": [1]}, 30)
    assert [each.read_bytes() for each in decoding.quarantine.iterdir()] == [before]
    assert judged(decoding) == SILENT


@pytest.mark.parametrize("in_record", [True, False], ids=["the record", "the image"])
def test_git_lfs_pointer_is_an_error(opened, tmp_path, in_record):
    original = put(opened)
    path = record_file(original) if in_record else original.path
    path.write_bytes(POINTER)
    before = tree(tmp_path)
    verdict = opened.audit(REQUEST.key, REQUEST)
    assert (verdict.original, verdict.defect.kind) == (None, DefectKind.UNREADABLE)
    outcome, error = outcome_of(opened)
    assert (outcome, judged(opened)) == (ERROR, ERROR)
    assert f"{path} cannot be used (it is a Git LFS pointer) and is not generated" in str(error)
    assert "git lfs pull" in str(error)
    assert tree(tmp_path) == before


def test_git_lfs_pointer_as_a_record_stops_lookups_by_subject(decoding):
    record_file(put(decoding)).write_bytes(POINTER)
    with pytest.raises(StoreError, match="git lfs pull"):
        decoding.find_by_subject(wanting(key_of("subject"), "x/y"))


def test_record_of_a_newer_version_is_an_error(opened, tmp_path):
    path = record_file(put(opened))
    edit(path, version=3)
    before = tree(tmp_path)
    verdict = opened.audit(REQUEST.key, REQUEST)
    assert (verdict.original, verdict.defect.kind) == (None, DefectKind.UNREADABLE)
    outcome, error = outcome_of(opened)
    assert (outcome, judged(opened)) == (ERROR, ERROR)
    assert f"{path} cannot be used (it was written by a newer version" in str(error)
    assert "update mkdocs-imagegen" in str(error)
    with pytest.raises(NewerVersionError):
        list(opened.records())
    assert list(opened.records(skip_newer=True)) == []
    assert opened.find_by_subject(wanting(REQUEST.subject_key, "a/b")) is None
    assert tree(tmp_path) == before


@pytest.mark.parametrize("damage", [conflict, conflict_in_a_field])
def test_conflict_is_resolved_to_ours(decoding, damage):
    put(decoding)
    damage(record_file(decoding.find(REQUEST.key)))
    verdict = decoding.audit(REQUEST.key)
    assert verdict.original.record.generation_id == "gen_1"
    assert not verdict.original.record.is_rebuilt
    decoding.repair(verdict.original)
    assert decoding.find(REQUEST.key).record.generation_id == "gen_1"
    assert judged(decoding) == SILENT


def test_conflict_of_two_images_shows_ours(decoding):
    theirs, ours = png("blue"), png("green")
    path = record_file(put(decoding, content=theirs))
    their_text = path.read_text()
    path.unlink()
    put(decoding, content=ours)
    path.write_text(f"<<<<<<< HEAD\n{path.read_text()}=======\n{their_text}>>>>>>> topic\n")
    outcome, (_, content) = outcome_of(decoding)
    assert (outcome, content) == (REPORTED, ours)


def test_lost_record_is_written_again_from_the_image_and_the_request(decoding):
    original = put(decoding)
    path = record_file(original)
    path.unlink()
    reader = OriginalStore(decoding.folder, inspect_image, can_write=False)
    assert reader.audit(REQUEST.key).defect.kind is DefectKind.ORPHANED
    assert judged(reader) == SILENT
    assert outcome_of(reader)[0] == SILENT
    assert not path.exists()
    outcome, (found, content) = outcome_of(decoding)
    assert (outcome, content) == (SILENT, PNG)
    assert found.record == replace(
        original.record,
        answered_by="",
        cost_usd=None,
        generation_id=None,
        server="",
        created="",
        warnings=(),
        is_rebuilt=True,
    )
    fields = json.loads(path.read_bytes())
    assert (fields["rebuilt"], fields["created"]) == (True, "")
    assert decoding.find(REQUEST.key) == found
    assert reader.audit(REQUEST.key).defect is None


def test_record_is_not_rebuilt_while_another_build_stores_the_image(decoding):
    """Its image is there before the record with the cost."""
    original = put(decoding)
    record_file(original).unlink()
    write_atomic(decoding.folder / f"work/journal/{REQUEST.key}.intent", b"")
    assert decoding.find_exact(REQUEST, "").path == original.path
    assert put(decoding) == original
    assert decoding.find(REQUEST.key) == original


def test_image_without_a_record_is_not_found_when_no_request_is_known(decoding):
    """Another build stores the image before its record."""
    record_file(put(decoding)).unlink()
    assert decoding.find(REQUEST.key) is None
    assert decoding.audit(REQUEST.key).defect.text == "its record is missing"


def test_smallest_name_is_shown_when_a_record_is_damaged_and_has_several_images(decoding):
    contents = [png(color) for color in ("red", "green", "blue")]
    for content in contents:
        put(decoding, content=content)
    path = record_file(decoding.find(REQUEST.key))
    path.write_text("{}")
    first = min(contents, key=lambda each: hashlib.sha256(each).hexdigest())
    assert outcome_of(decoding)[1][1] == first
    path.unlink()
    assert outcome_of(decoding)[1][1] == first


def test_later_image_of_the_key_is_shown_when_the_recorded_one_is_damaged(decoding, tmp_path):
    original = put(decoding)
    put(decoding, content=png("blue"))
    flip(original.path)
    before = tree(tmp_path)
    assert judged(decoding) == REPORTED
    outcome, (found, content) = outcome_of(decoding)
    assert (outcome, content) == (REPORTED, png("blue"))
    assert found.record.cost_usd == original.record.cost_usd
    assert tree(tmp_path) == before


@pytest.mark.parametrize("ending", ["jpg", "png.0123abcd"])
@pytest.mark.parametrize("is_recorded", [True, False], ids=["recorded", "lost record"])
def test_renamed_image_is_shown_until_it_is_repaired(decoding, tmp_path, ending, is_recorded):
    original = put(decoding)
    path = original.path.rename(original.path.with_suffix(f".{ending}"))
    if not is_recorded:
        record_file(original).unlink()
    before = tree(tmp_path)
    assert judged(decoding) == REPORTED
    outcome, (found, content) = outcome_of(decoding)
    assert (outcome, content, found.path) == (REPORTED, PNG, path)
    assert tree(tmp_path).items() >= before.items()
    decoding.repair(decoding.audit(REQUEST.key, REQUEST).original)
    assert (judged(decoding), path.exists()) == (SILENT, True)


def test_swapped_images_are_errors(decoding):
    other = replace(REQUEST, take=2)
    one, two = put(decoding).path, put(decoding, other, png("blue")).path
    one.write_bytes(png("blue"))
    two.write_bytes(PNG)
    assert [outcome_of(decoding, each)[0] for each in (REQUEST, other)] == [ERROR, ERROR]
    assert [judged(decoding, each) for each in (REQUEST, other)] == [ERROR, ERROR]


def test_damage_of_one_original_leaves_the_others(decoding):
    put(decoding, replace(REQUEST, take=2), png("blue"))
    flip(put(decoding).path)
    assert outcome_of(decoding)[0] == ERROR
    assert outcome_of(decoding, replace(REQUEST, take=2))[0] == SILENT


def test_image_that_could_not_be_decoded_is_judged_by_its_image(decoding):
    put(decoding, width=1024, height=1024, has_alpha=True, is_decoded=False)
    assert (outcome_of(decoding)[0], judged(decoding)) == (SILENT, SILENT)
    assert json.loads(record_file(decoding.find(REQUEST.key)).read_bytes())["is_decoded"] is False


def test_record_that_names_bytes_that_are_no_image_is_an_error(decoding):
    put(decoding, content=b"no image")
    verdict = decoding.audit(REQUEST.key, REQUEST)
    assert (verdict.original, verdict.defect.kind) == (None, DefectKind.DAMAGED)
    outcome, error = outcome_of(decoding)
    assert (outcome, type(error)) == (ERROR, ImageError)


@pytest.mark.parametrize("start", range(0, 500, 25))
def test_build_and_verify_agree_on_mutated_pairs(tmp_path, monkeypatch, start):
    monkeypatch.setattr(os, "fsync", lambda _: None)
    for seed in range(start, start + 25):
        store = OriginalStore(tmp_path / f"{seed}", inspect_image)
        chance = random.Random(seed)  # noqa: S311 - repeatable
        original = put(store)
        if chance.random() < 0.2:
            put(store, content=png("blue"))
        for _ in range(chance.choice([1, 1, 1, 2])):
            mutate(chance, original)
        before = tree(store.folder)
        expected = judged(store)
        outcome, shown = outcome_of(store)
        assert (seed, outcome) == (seed, expected)
        assert outcome not in (SILENT, REPORTED) or shown[1] in (PNG, png("blue"))
        after = tree(store.folder)
        assert (seed, {name: after[name] for name in before}) == (seed, before)
        written = record_file(original).relative_to(store.folder).as_posix()
        assert after.keys() - before.keys() <= {written}


def mutate(chance, original):
    files = [path for path in (original.path, record_file(original)) if path.is_file()]
    if not files:
        return
    kinds = [mutate_bytes, mutate_bytes, mutate_field, mutate_field, mutate_name, mutate_file]
    chance.choice(kinds)(chance, chance.choice(files), original)


def mutate_bytes(chance, path, _original):
    content = bytearray(path.read_bytes())
    at, end = sorted(chance.randrange(len(content) + 1) for _ in range(2))
    kind = chance.choice(["set", "cut", "put", "swap", "end"])
    if kind == "set" and at < len(content):
        content[at] = chance.randrange(256)
    elif kind == "cut":
        del content[at : min(end, at + 8)]
    elif kind == "put":
        content[at:at] = chance.randbytes(chance.randrange(8))
    elif kind == "end":
        del content[at:]
    else:
        content[:] = content[end:] + content[:end]
    path.write_bytes(content)


def mutate_field(chance, _path, original):
    path = record_file(original)
    try:
        fields = json.loads(path.read_bytes())
        name = chance.choice([*fields, "later"])
    except (OSError, ValueError, TypeError, IndexError):
        return
    values = [None, True, False, "", "x", 0, 1, 2, 3, 30, -1, 10**9, 1e300, [], {}, ["x"], "0.1"]
    values += ["image/webp", "image/jpeg", key_of("b"), hashlib.sha256(png("blue")).hexdigest()]
    if chance.random() < 0.3:
        fields.pop(name, None)
    else:
        fields[name] = chance.choice(values)
    path.write_text(json.dumps(fields))


def mutate_name(chance, path, original):
    names = [
        f"{REQUEST.key}.{chance.randbytes(8).hex()}.png",
        f"{REQUEST.key}.{original.record.sha256[:16]}.{chance.choice(['jpg', 'avif', 'gif'])}",
        f"{REQUEST.key}.{original.record.sha256[:16]}.png.0123abcd",
        f"{REQUEST.key}.picture",
        f"{key_of('b')}.json",
        f"{key_of('b')}.{original.record.sha256[:16]}.png",
        path.name.upper(),
    ]
    path.replace(path.with_name(chance.choice(names)))


def mutate_file(chance, path, _original):
    chance.choice([Path.unlink, link, dangle, loop, pipe, folder, conflict_or_cut])(path)


def conflict_or_cut(path):
    conflict(path) if path.suffix == ".json" else cut(path, 1)
