"""Bounded bodies of HTTP responses."""

import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkdocs_imagegen.gateway.exchange import MAX_ERROR_BODY_BYTES, BoundedBody, body_for


def taken(chunks, encoding="", limit=1000):
    body = BoundedBody(encoding, limit)
    for chunk in chunks:
        if not body.add(chunk):
            break
    return body.finish(), body.problem


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [("", bytes), ("identity", bytes), ("gzip", gzip.compress), ("Deflate", zlib.compress)],
)
@given(body=st.binary(max_size=500), step=st.integers(1, 50))
def test_body_is_collected_from_chunks_of_any_size(encoding, packed, body, step):
    whole = packed(body)
    chunks = [whole[at : at + step] for at in range(0, len(whole), step)]
    assert taken(chunks, encoding) == (body, None)


@pytest.mark.parametrize(("encoding", "packed"), [("", bytes), ("gzip", gzip.compress)])
def test_body_is_cut_off_at_the_limit(encoding, packed):
    assert taken([packed(b"x" * 1000)], encoding) == (b"x" * 1000, None)
    held, problem = taken([packed(b"x" * 1001)], encoding)
    assert (held, problem) == (b"x" * 1000, "it is longer than 1000 bytes")


@pytest.mark.parametrize("step", [4096, 10**6], ids=["small chunks", "one chunk"])
def test_decompression_bomb_takes_little_more_memory_than_the_limit(step):
    bomb = gzip.compress(bytes(50_000_000))
    chunks = [bomb[at : at + step] for at in range(0, len(bomb), step)]
    tracemalloc.start()
    _, problem = taken(chunks, "gzip", 10_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert problem is not None
    assert peak < 13_000_000


@pytest.mark.parametrize("size", [2**18 - 1, 2**18, 2**20, 3_000_001])
@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_long_body_is_decoded_whole(pack, size):
    assert taken([pack(bytes(size))], "gzip", size) == (bytes(size), None)


def test_bytes_after_a_compressed_body_are_ignored():
    body = BoundedBody("gzip", 1000)
    assert not body.add(gzip.compress(b"whole") + b"more" * 1000)
    assert (body.finish(), body.problem) == (b"whole", None)


def test_truncated_compression_is_reported():
    held, problem = taken([gzip.compress(bytes(range(200)))[:100]], "gzip")
    assert bytes(range(200)).startswith(held)
    assert problem == "its compression ends too early"


def test_error_body_has_a_limit_of_its_own():
    assert body_for(200, "").add(b"x" * (MAX_ERROR_BODY_BYTES + 1))
    assert not body_for(400, "").add(b"x" * (MAX_ERROR_BODY_BYTES + 1))


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "\x1b"])
def test_unknown_encoding_is_reported(encoding):
    body, problem = taken([b"abc"], encoding)
    assert body == b"abc"
    assert "was not requested" in problem


def test_broken_compression_is_reported():
    assert taken([b"not gzip at all"], "gzip")[1] == "its compression is broken"
