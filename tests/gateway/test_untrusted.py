"""Values from a server, made safe."""

import tracemalloc
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkdocs_imagegen.gateway.untrusted import parse_object, parse_usd, safe_id, safe_text


@pytest.mark.parametrize(
    "value",
    [
        b"[" * 190_000,
        b"[" * 190_000 + b"]" * 190_000,
        b"NaN",
        b"-Infinity",
        b"1" * 10_000,
        b'"\xff"',
        b"",
    ],
)
def test_malicious_json_is_rejected(value):
    assert parse_object(b'{"a":0}') == {"a": 0}
    assert parse_object(b'{"a":' + value + b"}") is None


@pytest.mark.parametrize("value", [b"[],", b"{},", b"0,", b'"",'])
def test_json_with_too_many_values_is_rejected(value):
    wide = b'{"a":[' + value * 1_000_000 + b"0]}"
    tracemalloc.start()
    assert parse_object(wide) is None
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_json_with_a_large_image_is_accepted():
    body = b'{"data":[{"b64_json":"' + b"A" * 10_000_000 + b'"}]}'
    assert parse_object(body) == {"data": [{"b64_json": "A" * 10_000_000}]}


@given(st.text())
def test_safe_text_is_one_short_printable_line(text):
    said = safe_text(text, 50)
    assert said.isprintable()
    assert len(said) <= 51


def test_tags_are_removed_from_web_pages_only():
    assert safe_text("size < 5 and > 3") == "size < 5 and > 3"
    assert safe_text("<b>bold</b> move") == "bold move"


@given(st.text() | st.integers() | st.none())
def test_identifier_is_safe_or_none(value):
    told = safe_id(value)
    assert told is None or (told.isascii() and told.isprintable() and 0 < len(told) <= 100)


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ("0.08", "0.08"),
        (0.08, "0.08"),
        (5e-05, "0.00005"),
        (0, "0"),
        (1, "1"),
        ("1e999999999", None),
        ("-1", None),
        (-0.5, None),
        ("NaN", None),
        ("Infinity", None),
        (True, None),
        (None, None),
        ([], None),
        ("", None),
        (10**400, None),
        ("9" * 5000, None),
    ],
)
def test_amount_is_parsed_only_if_it_is_money(given_, expected):
    assert parse_usd(given_) == (None if expected is None else Decimal(expected))
