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
INTENT = Intent(
    REQUEST, "https://x.org/v1", "webp", Decimal("0.015"), "2026-11-23T17:00:00+00:00", 300.0
)
KEY = REQUEST.key


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "journal")


EDIT = replace(REQUEST, references=("a" * 64, "b" * 64), mask="c" * 64)


def intent_path(journal, key=KEY):
    return journal.folder / f"{key}.intent"


def bodies(journal, request=None):
    return [each.body for each in journal.find_responses(KEY, request)]


def in_version_1(intent):
    """Return an intent as earlier versions wrote it."""
    journaled = json.loads(
        json.dumps(
            {
                "version": 1,
                "key": intent.request.key,
                "request": {
                    "model": intent.request.model,
                    "prompt": intent.request.prompt,
                    "size": list(intent.request.size),
                    "quality": intent.request.quality,
                    "background": intent.request.background,
                    "take": intent.request.take,
                    "model_options": intent.request.model_options,
                    "is_draft": False,
                },
                "server": intent.server,
                "output_format": intent.output_format,
                "price_usd": str(intent.price_usd),
                "begun": intent.begun,
            }
        )
    )
    return json.dumps(journaled).encode()


OLD = replace(INTENT, timeout_s=0.0)


@pytest.mark.parametrize(
    "intent", [INTENT, replace(INTENT, price_usd=None), replace(INTENT, replaces=True)]
)
def test_intent_is_found_as_written(journal, intent):
    journal.begin(intent)
    assert journal.open_keys() == [KEY]
    assert journal.find_intent(KEY) == intent
    assert journal.find_responses(KEY) == []


def test_intent_with_references_is_found_as_written(journal):
    intent = replace(INTENT, request=EDIT)
    journal.begin(intent)
    assert journal.find_intent(EDIT.key) == intent


def test_intent_without_reference_fields_is_found(journal):
    journal.begin(INTENT)
    path = intent_path(journal)
    fields = json.loads(path.read_bytes())
    del fields["request"]["references"], fields["request"]["mask"]
    path.write_text(json.dumps(fields))
    assert journal.find_intent(KEY) == INTENT


@pytest.mark.parametrize("body", [b"\x00raw", b"", b"\n\n{}\n", b"a\r\nb"])
def test_response_is_found_unchanged_until_request_ends(journal, body):
    journal.begin(INTENT)
    assert journal.save_response(INTENT, body)
    assert bodies(journal) == [body]
    assert journal.has_response(KEY)
    journal.end(KEY)
    assert (journal.open_keys(), journal.find_intent(KEY), bodies(journal)) == ([], None, [])
    assert list(journal.folder.iterdir()) == []


def test_response_needs_no_other_file(journal):
    journal.save_response(INTENT, b"raw")
    (found,) = journal.find_responses(KEY)
    assert (found.intent, found.body) == (INTENT, b"raw")
    first, _, body = found.path.read_bytes().partition(b"\n")
    assert (json.loads(first)["key"], body) == (KEY, b"raw")
    assert journal.open_keys() == [KEY]


def test_later_response_does_not_overwrite_an_earlier_one(journal):
    for number in range(5):
        journal.begin(INTENT)
        assert journal.save_response(INTENT, b"raw %d" % number)
    assert sorted(bodies(journal)) == [b"raw %d" % number for number in range(5)]
    names = {path.name for path in journal.folder.glob("*.answer")}
    assert len(names) == 5


def test_one_response_is_removed(journal):
    for number in range(2):
        journal.save_response(INTENT, b"raw %d" % number)
    first, second = journal.find_responses(KEY)
    journal.remove(first)
    assert journal.find_responses(KEY) == [second]
    journal.remove(first)  # no error


def test_response_of_an_earlier_version_is_found_with_its_intent(tmp_path):
    old = tmp_path / "cache/journal"
    old.mkdir(parents=True)
    (old / f"{KEY}.intent").write_bytes(in_version_1(INTENT))
    (old / f"{KEY}.answer").write_bytes(b"{\n  raw\n}")
    journal = Journal(tmp_path / "journal", [old])
    (found,) = journal.find_responses(KEY)
    assert (found.intent, found.body) == (OLD, b"{\n  raw\n}")
    assert journal.open_keys() == [KEY]
    journal.end(KEY)
    assert list(old.iterdir()) == []


def test_response_of_an_earlier_version_without_its_intent_needs_the_request(tmp_path):
    old = tmp_path / "cache/journal"
    old.mkdir(parents=True)
    (old / f"{KEY}.answer").write_bytes(b"raw")
    journal = Journal(tmp_path / "journal", [old])
    assert (journal.find_responses(KEY), journal.has_response(KEY)) == ([], True)
    (found,) = journal.find_responses(KEY, REQUEST)
    assert (found.intent.request, found.intent.begun, found.body) == (REQUEST, "", b"raw")
    assert found.path == old / f"{KEY}.answer"


def test_journal_of_an_earlier_version_is_not_written_to(tmp_path):
    old = tmp_path / "cache/journal"
    old.mkdir(parents=True)
    journal = Journal(tmp_path / "journal", [old])
    journal.begin(INTENT)
    journal.save_response(INTENT, b"raw")
    assert list(old.iterdir()) == []
    assert journal.folder == tmp_path / "journal"


def test_unknown_requests_of_an_earlier_version_are_listed(tmp_path):
    other = replace(OLD, request=replace(REQUEST, take=3))
    old = tmp_path / "cache/journal"
    old.mkdir(parents=True)
    lines = b"\n".join([in_version_1(OLD), b"\xff no line", b"{}", in_version_1(other), b""])
    (old / "unknown.jsonl").write_bytes(lines)
    journal = Journal(tmp_path / "journal", [old])
    assert list(journal.unknown_intents()) == [OLD, other]
    assert journal.open_keys() == []
    journal.end(KEY)
    assert (old / "unknown.jsonl").read_bytes() == lines


def test_begin_fails_when_journal_cannot_be_written(journal, monkeypatch):
    monkeypatch.setattr("os.fsync", refuse(28))
    with pytest.raises(StoreError, match="No space left"):
        journal.begin(INTENT)
    assert journal.open_keys() == []


def test_save_response_returns_false_when_disk_is_full(journal, monkeypatch):
    journal.begin(INTENT)
    monkeypatch.setattr("os.fsync", refuse(28))
    assert not journal.save_response(INTENT, b"raw")
    assert journal.find_responses(KEY) == []


@pytest.mark.parametrize("number", [5, 13, 116])
def test_unreadable_response_is_an_error(journal, monkeypatch, number):
    journal.begin(INTENT)
    journal.save_response(INTENT, b"raw")
    monkeypatch.setattr("os.open", refuse(number))
    for find in (journal.find_intent, journal.find_responses):
        with pytest.raises(StoreError, match="until then the image is not generated"):
            find(KEY)


@pytest.mark.parametrize("number", [5, 13, 116])
def test_journal_that_cannot_be_listed_is_an_error(journal, monkeypatch, number):
    journal.begin(INTENT)
    journal.save_response(INTENT, b"raw")
    with monkeypatch.context() as broken:
        broken.setattr("os.listdir", refuse(number))
        for find in (journal.find_intent, journal.find_responses):
            with pytest.raises(StoreError, match="until then the image is not generated"):
                find(KEY)
        assert journal.has_response(KEY)
        journal.end(KEY)
        assert journal.deletion_hint(KEY).endswith(f"{KEY}.*.answer")
    assert [each.body for each in journal.find_responses(KEY)] == [b"raw"]


SPOILED = [
    lambda path: path.write_bytes(b""),
    lambda path: path.write_bytes(b"[]"),
    lambda path: path.write_bytes(b"[" * 100_000),
    lambda path: path.write_bytes(path.read_bytes().replace(b'"take": 2', b'"take": 3')),
    lambda path: path.write_bytes(path.read_bytes().replace(b'"version": 2', b'"version": 0')),
    lambda path: path.write_bytes(path.read_bytes().replace(b'"0.015"', b'"x"')),
    lambda path: path.write_bytes(path.read_bytes().replace(b"[3, 2]", b"[3]")),
    make_folder,
]


@pytest.mark.parametrize("spoil", SPOILED)
def test_changed_intent_is_ignored(journal, spoil):
    journal.begin(INTENT)
    before = intent_path(journal).read_bytes() if intent_path(journal).is_file() else b""
    spoil(intent_path(journal))
    assert not intent_path(journal).is_file() or intent_path(journal).read_bytes() != before
    assert journal.find_intent(KEY) is None


@pytest.mark.parametrize("spoil", SPOILED[:-1])
def test_response_with_a_changed_intent_stays(journal, spoil):
    journal.save_response(INTENT, b"raw")
    (path,) = journal.folder.glob("*.answer")
    spoil(path)
    assert (journal.find_responses(KEY), journal.has_response(KEY)) == ([], True)
    assert path.name in journal.deletion_hint(KEY)


def test_intent_of_newer_version_is_kept_and_reported(journal):
    journal.begin(INTENT)
    path = intent_path(journal)
    path.write_bytes(path.read_bytes().replace(b'"version": 2', b'"version": 3'))
    before = path.read_bytes()
    with pytest.raises(StoreError, match="newer version of mkdocs-imagegen; update"):
        journal.find_intent(KEY)
    assert path.read_bytes() == before


def test_response_of_newer_version_is_kept_and_reported(journal):
    journal.save_response(INTENT, b"raw")
    (path,) = journal.folder.glob("*.answer")
    path.write_bytes(path.read_bytes().replace(b'"version": 2', b'"version": 3'))
    with pytest.raises(StoreError, match="newer version of mkdocs-imagegen; update"):
        journal.find_responses(KEY, REQUEST)
    assert path.exists()
