"""Records and their JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkdocs_imagegen.originals.record import parse_record, serialize_record, with_unknown_fields
from tests.originals.support import record

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
        "quality": st.text(),
        "asked_size": st.text(),
        "answered_quality": st.text(),
        "is_rebuilt": st.booleans(),
        "is_decoded": st.booleans(),
        "warnings": st.lists(st.text()).map(tuple),
    }
)


@given(FIELDS)
def test_a_record_survives_serialization(facts):
    one = record(**facts)
    try:
        str(facts).encode()
    except UnicodeEncodeError:
        assert parse_record(serialize_record(one), one.key).key == one.key
    else:
        assert parse_record(serialize_record(one), one.key) == one
    assert serialize_record(one) == serialize_record(replace(one))


def written(**changes):
    fields = json.loads(serialize_record(record())) | changes
    return json.dumps({name: each for name, each in fields.items() if each is not ...}).encode()


def test_version_1_is_read():
    content = written(version=1, quality=..., size=..., answered_quality=...)
    assert parse_record(content, record().key) == record()


def test_record_without_has_alpha_is_read():
    content = written(version=1, has_alpha=...)
    assert parse_record(content, record().key).has_alpha
    jpeg = written(version=1, has_alpha=..., mime="image/jpeg")
    assert not parse_record(jpeg, record().key).has_alpha


def test_marks_are_written_only_if_they_apply():
    assert {"rebuilt", "is_decoded", "is_rebuilt"}.isdisjoint(
        json.loads(serialize_record(record()))
    )
    marked = json.loads(serialize_record(record(is_rebuilt=True, is_decoded=False)))
    assert (marked["rebuilt"], marked["is_decoded"], marked["version"]) == (True, False, 2)


@pytest.mark.parametrize("damaged", [b"", b"[]", b"{", b"[" * 100_000, b"\xff"])
def test_damaged_record_without_fields_adds_none(damaged):
    content = serialize_record(record())
    assert with_unknown_fields(content, damaged) == content


def test_unknown_fields_of_a_damaged_record_are_kept_and_known_ones_replaced():
    content = serialize_record(record())
    damaged = b'{"later": [1], "width": "x", "is_decoded": "no", "rebuilt": 1}'
    kept = with_unknown_fields(content, damaged)
    assert json.loads(kept) == json.loads(content) | {"later": [1]}
