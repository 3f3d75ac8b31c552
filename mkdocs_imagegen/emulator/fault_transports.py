"""Ways in which a socket misbehaves while it sends a response.

A transport is a function that returns the pieces to send: bytes, or None for a short pause. The
connection is closed after the last piece, or reset by the transport ``reset``, which a waiting
client notices.
Pure: no I/O, clock or environment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from itertools import chain, repeat
from types import MappingProxyType

from mkdocs_imagegen.emulator.wire_types import HttpResponse

Transport = Callable[[HttpResponse], Iterable[bytes | None]]

PAUSES = 40
"""Number of pauses that together take as long as a slow response."""

_CHUNKED = "transfer-encoding: chunked\r\n"
_CLOSE = "connection: close\r\n"
_EARLY_HINTS = b"HTTP/1.1 103 Early Hints\r\n\r\n"


def _head(response: HttpResponse, framing: str | None = None) -> bytes:
    """Return the status line and the headers, with a correct length unless framed otherwise."""
    framing = _length(len(response.body)) if framing is None else framing
    phrase = HTTPStatus(response.status).phrase
    headers = "".join(f"{name}: {value}\r\n" for name, value in response.headers.items())
    return f"HTTP/1.1 {response.status} {phrase}\r\n{headers}{framing}\r\n".encode("latin-1")


def _length(size: int) -> str:
    return f"content-length: {size}\r\n"


def _whole(response: HttpResponse, framing: str | None = None) -> bytes:
    return _head(response, framing) + response.body


def _half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _unfinished_head(response: HttpResponse) -> bytes:
    return _head(response).removesuffix(b"\r\n") + b"x-filler: "


def _chunk(content: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(content), content)


def _dripped(content: bytes) -> Iterator[bytes | None]:
    size = max(1, -(-len(content) // PAUSES))
    for start in range(0, len(content), size):
        yield None
        yield content[start : start + size]


def _forever(content: bytes) -> Iterator[bytes | None]:
    while True:
        yield content
        yield None


def _cut(response: HttpResponse) -> bytes:
    return _head(response) + _half(response.body)


def _chunked(response: HttpResponse) -> list[bytes]:
    first = _half(response.body)
    rest = response.body[len(first) :]
    return [_head(response, _CHUNKED) + _chunk(first), _chunk(rest) + b"0\r\n\r\n"]


def _one_chunk(response: HttpResponse) -> bytes:
    return _head(response, _CHUNKED) + _chunk(response.body)


TRANSPORTS: Mapping[str, Transport] = MappingProxyType(
    {
        "reset": lambda _: (),
        "close": lambda _: (),
        "silence": lambda _: repeat(None),
        "slow": lambda response: chain(repeat(None, PAUSES), [_whole(response)]),
        "drip-head": lambda response: chain(_dripped(_head(response)), [response.body]),
        "endless-head": lambda response: chain([_unfinished_head(response)], _forever(b"x")),
        "cut-head": lambda response: [_half(_head(response))],
        "huge-header": lambda response: [
            _unfinished_head(response) + b"x" * 2**20 + b"\r\n\r\n" + response.body
        ],
        "garbage": lambda _: [b"\x16\x03\x01 what is this\r\n\r\n"],
        "informing": lambda response: [_EARLY_HINTS] * 40 + [_whole(response)],
        "drip": lambda response: chain([_head(response)], _dripped(response.body)),
        "stall": lambda response: chain([_cut(response)], repeat(None)),
        "endless": lambda response: chain(
            [_head(response, _CHUNKED)], _forever(_chunk(b" " * 65536))
        ),
        "cut": lambda response: [_cut(response)],
        "short-length": lambda response: [_whole(response, _length(len(response.body) // 2))],
        "long-length": lambda response: [_whole(response, _length(len(response.body) + 1000))],
        "two-lengths": lambda response: [
            _whole(response, _length(len(response.body)) + _length(len(response.body) + 1))
        ],
        "no-length": lambda response: [_whole(response, _CLOSE)],
        "chunked": _chunked,
        "cut-chunks": lambda response: [_one_chunk(response)],
        "broken-chunks": lambda response: [_one_chunk(response) + b"what\r\n" + response.body],
    }
)
"""Transports by the name in ``HttpResponse.transport``; only a socket can apply them."""
