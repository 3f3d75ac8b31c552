"""A body's bytes, bounded, and its JSON, strict; pure."""

from __future__ import annotations

import json
import zlib
from typing import NoReturn

MAX_ANSWER = 64 * 2**20
"""Bytes of a decoded body that are accepted: an image of 48 MB as base64."""

MAX_REFUSAL = 2**20
"""Bytes of a refusal that are read: what it means stands at its beginning, if anywhere."""

MAX_VALUES = 200_000
"""Values that one JSON text may hold: each empty list of three bytes takes sixty in memory."""

_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32


class BoundedBody:
    """Collects a body chunk by chunk, decoding it, and stops at a limit.

    However small the bytes on the wire, never more than the limit is held: a decoder that is not
    told a limit makes a gigabyte of one megabyte.

    Args:
        encoding: the ``Content-Encoding`` header's value, ``""`` for none.
        limit: decoded bytes that are accepted.
    """

    def __init__(self, encoding: str, limit: int = MAX_ANSWER) -> None:
        self._limit = limit
        self._held = bytearray()
        self._decoder = None
        self.problem: str | None = None
        plain = encoding.strip().lower()
        if plain in ("gzip", "x-gzip", "deflate"):
            self._decoder = zlib.decompressobj(_GZIP_OR_ZLIB)
        elif plain not in ("", "identity"):
            self.problem = f'it is encoded as "{plain[:20]}", which was not asked for'

    def add(self, chunk: bytes) -> bool:
        """Take one chunk as it came; False where no more can be of use.

        What follows the end of a compressed body is not looked at.
        """
        try:
            self._held += self._decoded(chunk)
        except zlib.error:
            self.problem = "its compression is broken"
            return False
        if len(self._held) <= self._limit:
            return self._decoder is None or not self._decoder.eof
        del self._held[self._limit :]
        self.problem = f"it is longer than {self._limit} bytes"
        return False

    def taken(self) -> bytes:
        """What was collected, once nothing more comes."""
        if self._held and self._decoder and not self._decoder.eof and not self.problem:
            self.problem = "its compression ends too early"
        return bytes(self._held)

    def _decoded(self, chunk: bytes) -> bytes:
        if self._decoder is None:
            return chunk
        return self._decoder.decompress(chunk, self._limit - len(self._held) + 1)


def bounded(success: bool, encoding: str) -> BoundedBody:  # noqa: FBT001 - the two kinds of answers
    """What collects an answer's body, as long as a body of its kind may be.

    Args:
        success: whether it may hold an image.
        encoding: the ``Content-Encoding`` header's value.
    """
    return BoundedBody(encoding) if success else BoundedBody(encoding, MAX_REFUSAL)


def strict_json(body: bytes) -> object:
    """The value that a body of JSON stands for.

    Raises:
        ValueError: it is no JSON, or JSON that no honest server sends: NaN, an infinity,
            a number of thousands of digits, brackets nested without end, values without number.
    """
    if sum(map(body.count, (b",", b"[", b"{"))) > MAX_VALUES:
        raise ValueError(f"more than {MAX_VALUES} values")
    try:
        return json.loads(body, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
