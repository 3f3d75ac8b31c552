"""What is written down about calls, before and after."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from mkdocs_imagegen.errors import StoreError
from mkdocs_imagegen.options import Size
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.spending.journal import Intent, Journal
from mkdocs_imagegen.spending.ledger import Refusal, Refusals
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
def test_an_intent_is_found_as_it_was_written(journal, intent):
    journal.begin(intent)
    assert journal.keys() == [KEY]
    assert journal.find(KEY) == intent
    assert journal.answer(KEY) is None


def test_what_a_image_follows_is_found_as_it_was_written(journal):
    intent = replace(INTENT, request=EDIT)
    journal.begin(intent)
    assert journal.find(EDIT.key) == intent


def test_an_intent_of_before_there_were_references_is_found(journal):
    journal.begin(INTENT)
    path = journal._path(KEY, "intent")
    fields = json.loads(path.read_bytes())
    del fields["request"]["references"], fields["request"]["mask"]
    path.write_text(json.dumps(fields))
    assert journal.find(KEY) == INTENT


def test_an_answer_is_found_byte_for_byte_until_the_call_is_ended(journal):
    journal.begin(INTENT)
    assert journal.spool(KEY, b"\x00raw")
    assert journal.answer(KEY) == b"\x00raw"
    journal.end(KEY)
    assert (journal.keys(), journal.find(KEY), journal.answer(KEY)) == ([], None, None)


def test_a_call_that_is_lost_leaves_one_line(journal):
    other = replace(INTENT, request=replace(REQUEST, take=3))
    for intent in (INTENT, other):
        journal.begin(intent)
        journal.end_unknown(intent)
    assert journal.keys() == []
    assert list(journal.unknown()) == [INTENT, other]
    lines = journal.unknown_path.read_text().splitlines()
    assert [json.loads(line)["request"]["take"] for line in lines] == [2, 3]


def test_a_journal_that_cannot_be_written_stops_the_call(journal, monkeypatch):
    monkeypatch.setattr("os.fsync", refuse(28))
    with pytest.raises(StoreError, match="No space left"):
        journal.begin(INTENT)
    assert journal.keys() == []


def test_an_answer_that_cannot_be_written_is_no_fault(journal, monkeypatch):
    journal.begin(INTENT)
    monkeypatch.setattr("os.fsync", refuse(28))
    assert not journal.spool(KEY, b"raw")
    assert journal.answer(KEY) is None


def test_a_line_that_cannot_be_written_leaves_the_intent(journal, monkeypatch):
    journal.begin(INTENT)
    monkeypatch.setattr("os.write", refuse(28))
    journal.end_unknown(INTENT)
    assert journal.keys() == [KEY]


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
def test_an_intent_that_was_changed_is_none(journal, spoil):
    journal.begin(INTENT)
    spoil(journal._path(KEY, "intent"))
    assert journal.find(KEY) is None


def test_a_line_that_was_changed_is_left_out(journal):
    journal.begin(INTENT)
    journal.end_unknown(INTENT)
    with journal.unknown_path.open("ab") as lines:
        lines.write(b"\xff no line\n{}\n")
    assert list(journal.unknown()) == [INTENT]


def test_a_refusal_is_remembered_as_it_was_said(tmp_path):
    refusals = Refusals(tmp_path)
    refusal = Refusal("a/b", "2026-11-23", 'the prompt was refused: "no 🎈"')
    assert refusals.find(KEY) is None
    refusals.remember(KEY, refusal)
    assert refusals.find(KEY) == refusal
    refusals.path(KEY).write_text('{"model": "a/b"}')
    assert refusals.find(KEY) is None


def test_what_a_newer_version_wrote_is_left_alone_and_told(journal):
    journal.begin(INTENT)
    path = journal._path(KEY, "intent")
    path.write_bytes(path.read_bytes().replace(b'"version": 1', b'"version": 2'))
    before = path.read_bytes()
    with pytest.raises(StoreError, match="newer version of mkdocs-imagegen; update"):
        journal.find(KEY)
    assert path.read_bytes() == before
