"""The journal of paid requests."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from mkdocs_imagegen.errors import StoreError
from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.spending.journal import Intent, Journal
from tests.originals.support import folder as make_folder
from tests.originals.support import refuse

REQUEST = ImageRequest(
    "a/b",
    "Ein roter Ballon 🎈",
    Size(3, 2),
    background="transparent",
    take=2,
    model_options='{"x":1}',
)
INTENT = Intent(REQUEST, "https://x.org/v1", "webp", Decimal("0.015"), "2026-11-23T17:00:00+00:00")
KEY = REQUEST.key


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "journal")


EDIT = replace(REQUEST, references=("a" * 64, "b" * 64), mask="c" * 64)


@pytest.mark.parametrize("intent", [INTENT, replace(INTENT, price_usd=None)])
def test_intent_is_found_as_written(journal, intent):
    journal.begin(intent)
    assert journal.open_keys() == [KEY]
    assert journal.find_intent(KEY) == intent
    assert journal.find_response(KEY) is None


def test_intent_with_references_is_found_as_written(journal):
    intent = replace(INTENT, request=EDIT)
    journal.begin(intent)
    assert journal.find_intent(EDIT.key) == intent


def test_intent_without_reference_fields_is_found(journal):
    journal.begin(INTENT)
    path = journal._path(KEY, "intent")
    fields = json.loads(path.read_bytes())
    del fields["request"]["references"], fields["request"]["mask"]
    path.write_text(json.dumps(fields))
    assert journal.find_intent(KEY) == INTENT


def test_response_is_found_unchanged_until_request_ends(journal):
    journal.begin(INTENT)
    assert journal.save_response(KEY, b"\x00raw")
    assert journal.find_response(KEY) == b"\x00raw"
    journal.end(KEY)
    assert (journal.open_keys(), journal.find_intent(KEY), journal.find_response(KEY)) == (
        [],
        None,
        None,
    )


def test_request_with_unknown_outcome_leaves_one_line(journal):
    other = replace(INTENT, request=replace(REQUEST, take=3))
    for intent in (INTENT, other):
        journal.begin(intent)
        journal.end_as_unknown(intent)
    assert journal.open_keys() == []
    assert list(journal.unknown_intents()) == [INTENT, other]
    lines = journal.unknown_path.read_text().splitlines()
    assert [json.loads(line)["request"]["take"] for line in lines] == [2, 3]


def test_begin_fails_when_journal_cannot_be_written(journal, monkeypatch):
    monkeypatch.setattr("os.fsync", refuse(28))
    with pytest.raises(StoreError, match="No space left"):
        journal.begin(INTENT)
    assert journal.open_keys() == []


def test_save_response_returns_false_when_disk_is_full(journal, monkeypatch):
    journal.begin(INTENT)
    monkeypatch.setattr("os.fsync", refuse(28))
    assert not journal.save_response(KEY, b"raw")
    assert journal.find_response(KEY) is None


def test_intent_stays_when_line_cannot_be_written(journal, monkeypatch):
    journal.begin(INTENT)
    monkeypatch.setattr("os.write", refuse(28))
    journal.end_as_unknown(INTENT)
    assert journal.open_keys() == [KEY]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"[]"),
        lambda path: path.write_bytes(b"[" * 100_000),
        lambda path: path.write_bytes(path.read_bytes().replace(b'"take": 2', b'"take": 3')),
        lambda path: path.write_bytes(path.read_bytes().replace(b'"version": 1', b'"version": 0')),
        lambda path: path.write_bytes(path.read_bytes().replace(b'"0.015"', b'"x"')),
        lambda path: path.write_bytes(path.read_bytes().replace(b"[3, 2]", b"[3]")),
        make_folder,
    ],
)
def test_changed_intent_is_ignored(journal, spoil):
    journal.begin(INTENT)
    spoil(journal._path(KEY, "intent"))
    assert journal.find_intent(KEY) is None


def test_changed_line_is_ignored(journal):
    journal.begin(INTENT)
    journal.end_as_unknown(INTENT)
    with journal.unknown_path.open("ab") as lines:
        lines.write(b"\xff no line\n{}\n")
    assert list(journal.unknown_intents()) == [INTENT]


def test_intent_of_newer_version_is_kept_and_reported(journal):
    journal.begin(INTENT)
    path = journal._path(KEY, "intent")
    path.write_bytes(path.read_bytes().replace(b'"version": 1', b'"version": 2'))
    before = path.read_bytes()
    with pytest.raises(StoreError, match="newer version of mkdocs-imagegen; update"):
        journal.find_intent(KEY)
    assert path.read_bytes() == before
