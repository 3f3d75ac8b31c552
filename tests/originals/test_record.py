"""Records and their JSON."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from mkdocs_imagegen.originals.record import parse_record, serialize_record
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
