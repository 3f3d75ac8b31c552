"""What a socket can do wrong with an answer, piece by piece; pure.

A transport is a generator of what is sent: bytes, or None for a short rest. After the last piece
the connection is closed; ``RESETTING`` says where that is done with a reset.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from itertools import count, repeat
from types import MappingProxyType

from mkdocs_imagegen.emulator.records import Fault, Response

Pieces = Iterator[bytes | None]

RESTS = 40
"""How many rests together take as long as a slow answer."""

_BLOCK = b" " * 65536
_LONG = 2**20
_MORE = 1000
_CHUNKED = "transfer-encoding: chunked\r\n"


def _head(response: Response, framing: str | None = None) -> bytes:
    """The status line and headers; with the body's length, or framed as given."""
    if framing is None:
        framing = f"content-length: {len(response.body)}\r\n"
    phrase = HTTPStatus(response.status).phrase
    given = "".join(f"{name}: {value}\r\n" for name, value in response.headers.items())
    return f"HTTP/1.1 {response.status} {phrase}\r\n{given}{framing}\r\n".encode("latin-1")


def _length(size: int) -> str:
    return f"content-length: {size}\r\n"


def _chunk(content: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(content), content)


def _drops(content: bytes) -> Pieces:
    size = max(1, -(-len(content) // RESTS))
    for start in range(0, len(content), size):
        yield None
        yield content[start : start + size]


def _nothing(_: Response) -> Pieces:
    yield from ()


def _cut_head(response: Response) -> Pieces:
    head = _head(response)
    yield head[: len(head) // 2]


def _cut(response: Response) -> Pieces:
    yield _head(response) + response.body[: len(response.body) // 2]


def _silence(_: Response) -> Pieces:
    yield from repeat(None)


def _stall(response: Response) -> Pieces:
    yield from _cut(response)
    yield from repeat(None)


def _slow(response: Response) -> Pieces:
    yield from repeat(None, RESTS)
    yield _head(response) + response.body


def _drip_head(response: Response) -> Pieces:
    yield from _drops(_head(response))
    yield response.body


def _drip(response: Response) -> Pieces:
    yield _head(response)
    yield from _drops(response.body)


def _endless(response: Response) -> Pieces:
    yield _head(response, _CHUNKED)
    for _ in count():
        yield _chunk(_BLOCK)
        yield None


def _endless_head(response: Response) -> Pieces:
    yield _head(response)[:-2] + b"x-filler: "
    for _ in count():
        yield b"x"
        yield None


def _huge_header(response: Response) -> Pieces:
    yield _head(response)[:-2] + b"x-filler: " + b"x" * _LONG + b"\r\n\r\n" + response.body


def _garbage(_: Response) -> Pieces:
    yield b"\x16\x03\x01 what is this\r\n\r\n"


def _informing(response: Response) -> Pieces:
    for _ in range(RESTS):
        yield b"HTTP/1.1 103 Early Hints\r\n\r\n"
    yield _head(response) + response.body


def _short_length(response: Response) -> Pieces:
    yield _head(response, _length(len(response.body) // 2)) + response.body


def _long_length(response: Response) -> Pieces:
    yield _head(response, _length(len(response.body) + _MORE)) + response.body


def _two_lengths(response: Response) -> Pieces:
    size = len(response.body)
    yield _head(response, _length(size) + _length(size + 1)) + response.body


def _no_length(response: Response) -> Pieces:
    yield _head(response, "connection: close\r\n") + response.body


def _chunked(response: Response) -> Pieces:
    half = len(response.body) // 2
    yield _head(response, _CHUNKED) + _chunk(response.body[:half])
    yield _chunk(response.body[half:]) + b"0\r\n\r\n"


def _cut_chunks(response: Response) -> Pieces:
    yield _head(response, _CHUNKED) + _chunk(response.body)


def _broken_chunks(response: Response) -> Pieces:
    yield _head(response, _CHUNKED) + _chunk(response.body) + b"what\r\n" + response.body


RESETTING = frozenset({"reset"})
"""The transports that end with a reset, which a client sees where it waits for more."""

TRANSPORTS: Mapping[str, Callable[[Response], Pieces]] = MappingProxyType(
    {
        "reset": _nothing,
        "close": _nothing,
        "silence": _silence,
        "slow": _slow,
        "drip-head": _drip_head,
        "endless-head": _endless_head,
        "cut-head": _cut_head,
        "huge-header": _huge_header,
        "garbage": _garbage,
        "informing": _informing,
        "drip": _drip,
        "stall": _stall,
        "endless": _endless,
        "cut": _cut,
        "short-length": _short_length,
        "long-length": _long_length,
        "two-lengths": _two_lengths,
        "no-length": _no_length,
        "chunked": _chunked,
        "cut-chunks": _cut_chunks,
        "broken-chunks": _broken_chunks,
    }
)
"""What ``Response.transport`` may name; only a socket can do it."""


def _before(about: str, transport: str) -> Fault:
    """The connection ends before anything is computed."""
    response = Response(502, {}, b"", transport)
    return Fault(about=about, shape="transport", error=lambda _: response)


def _after(about: str, transport: str) -> Fault:
    return Fault(about=about, shape="transport", transport=transport)


BROKEN: Mapping[str, Fault] = MappingProxyType(
    {
        "reset": _before("the connection is reset before anything is computed", "reset"),
        "closed": _before("the connection is closed before anything is computed", "close"),
        "lost": _after("the image is computed, then the connection is reset", "reset"),
        "hung-up": _after("the image is computed, then the connection is closed", "close"),
        "silence": _after("the image is computed, and nothing is ever sent", "silence"),
        "slow": _after("the headers come late", "slow"),
        "drip-head": _after("the headers come in drops", "drip-head"),
        "endless-head": _after("the headers never end", "endless-head"),
        "cut-head": _after("the connection is closed in the middle of the headers", "cut-head"),
        "huge-header": _after("a header of a megabyte", "huge-header"),
        "garbage-status": _after("the status line is garbage", "garbage"),
        "informing": _after("forty interim answers come before the real one", "informing"),
        "drip": _after("the body comes in drops", "drip"),
        "stall": _after("the body stops in the middle, the connection stays", "stall"),
        "endless": _after("the body never ends", "endless"),
        "cut": _after("the connection is closed in the middle of the body", "cut"),
        "short-length": _after("Content-Length is half of the body's length", "short-length"),
        "long-length": _after("Content-Length is more than the body's length", "long-length"),
        "two-lengths": _after("two values of Content-Length that differ", "two-lengths"),
        "no-length": _after("good, though only the connection's end ends the body", "no-length"),
        "chunked": _after("good, in chunks", "chunked"),
        "cut-chunks": _after("chunks without the last one", "cut-chunks"),
        "broken-chunks": _after("chunks, and then something that is none", "broken-chunks"),
    }
)
"""By name, in the order of the manual."""
