"""A body's bytes, bounded, and its JSON, strict."""

import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkdocs_imagegen.gateway.bodies import MAX_REFUSAL, BoundedBody, bounded, strict_json
from mkdocs_imagegen.gateway.quoting import identifier, quoted


def taken(chunks, encoding="", limit=1000):
    body = BoundedBody(encoding, limit)
    for chunk in chunks:
        if not body.add(chunk):
            break
    return body.taken(), body.problem


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [("", bytes), ("identity", bytes), ("gzip", gzip.compress), ("Deflate", zlib.compress)],
)
@given(body=st.binary(max_size=500), step=st.integers(1, 50))
def test_a_body_is_collected_whatever_its_chunks(encoding, packed, body, step):
    whole = packed(body)
    chunks = [whole[at : at + step] for at in range(0, len(whole), step)]
    assert taken(chunks, encoding) == (body, None)


@pytest.mark.parametrize(("encoding", "packed"), [("", bytes), ("gzip", gzip.compress)])
def test_nothing_past_the_limit_is_held(encoding, packed):
    assert taken([packed(b"x" * 1000)], encoding) == (b"x" * 1000, None)
    held, problem = taken([packed(b"x" * 1001)], encoding)
    assert (held, problem) == (b"x" * 1000, "it is longer than 1000 bytes")


def test_a_bomb_takes_no_more_memory_than_the_limit():
    bomb = gzip.compress(bytes(50_000_000))
    tracemalloc.start()
    _, problem = taken([bomb], "gzip", 1_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert problem is not None
    assert peak < 5_000_000


def test_what_follows_a_compressed_body_is_neither_read_nor_held():
    body = BoundedBody("gzip", 1000)
    assert not body.add(gzip.compress(b"whole") + b"more" * 1000)
    assert (body.taken(), body.problem) == (b"whole", None)


def test_compression_that_ends_too_early_is_told():
    held, problem = taken([gzip.compress(bytes(range(200)))[:100]], "gzip")
    assert bytes(range(200)).startswith(held)
    assert problem == "its compression ends too early"


def test_a_refusal_is_read_up_to_its_own_limit():
    assert bounded(True, "").add(b"x" * (MAX_REFUSAL + 1))
    assert not bounded(False, "").add(b"x" * (MAX_REFUSAL + 1))


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "\x1b"])
def test_an_encoding_that_was_not_asked_for_is_named(encoding):
    body, problem = taken([b"abc"], encoding)
    assert body == b"abc"
    assert "not asked for" in problem


def test_broken_compression_is_told():
    assert taken([b"not gzip at all"], "gzip")[1] == "its compression is broken"


@pytest.mark.parametrize(
    "body", [b"[" * 200_000, b"NaN", b"-Infinity", b"1" * 10_000, b"\xff", b"", b'{"a":}']
)
def test_json_that_no_honest_server_sends_is_refused(body):
    with pytest.raises(ValueError, match=r"."):
        strict_json(body)


@pytest.mark.parametrize("value", [b"[],", b"{},", b"0,", b'"",'])
def test_a_small_body_that_would_take_much_memory_is_refused(value):
    wide = b"[" + value * 1_000_000 + b"0]"
    tracemalloc.start()
    with pytest.raises(ValueError, match="more than 200000 values"):
        strict_json(wide)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_a_large_image_is_few_values():
    body = b'{"data":[{"b64_json":"' + b"A" * 10_000_000 + b'"}]}'
    assert strict_json(body) == {"data": [{"b64_json": "A" * 10_000_000}]}


@given(st.text())
def test_a_server_s_text_becomes_one_short_printable_line(text):
    said = quoted(text, 50)
    assert said.isprintable()
    assert len(said) <= 51


def test_markup_is_taken_out_of_pages_only():
    assert quoted("size < 5 and > 3") == "size < 5 and > 3"
    assert quoted("<b>bold</b> move") == "bold move"


@given(st.text() | st.integers() | st.none())
def test_an_identifier_is_safe_or_none(value):
    told = identifier(value)
    assert told is None or (told.isascii() and told.isprintable() and 0 < len(told) <= 100)
