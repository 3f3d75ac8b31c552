"""Small answers that become large in the hands of whoever reads them; pure.

They are made when they are first asked for, and then kept.
"""

from __future__ import annotations

import zlib
from dataclasses import replace
from functools import cache

from mkdocs_imagegen.emulator.records import Response

GIGABYTE = 2**30
_BLOCK = 2**24
_LISTS = 5_000_000
_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


def gigabyte(response: Response) -> Response:
    """A gigabyte of zeros, compressed to a megabyte."""
    headers = {**response.headers, "content-encoding": "gzip"}
    return replace(response, body=zeros(GIGABYTE), headers=headers)


def wide(response: Response) -> Response:
    """An answer behind so many empty lists that reading them takes a gigabyte's third."""
    return replace(response, body=_lists() + response.body[1:])


@cache
def zeros(size: int) -> bytes:
    """A gzip file of so many zeros, a multiple of 16 MiB, made without holding them."""
    block, blocks = bytes(_BLOCK), size // _BLOCK
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    # What is flushed in full does not depend on what stood before, so it can be repeated.
    packed = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    check = 0
    for _ in range(blocks):
        check = zlib.crc32(block, check)
    tail = check.to_bytes(4, "little") + (size % 2**32).to_bytes(4, "little")
    return _GZIP_HEAD + packed * blocks + packer.flush() + tail


@cache
def _lists() -> bytes:
    return b'{"filler":[' + b"[]," * _LISTS + b"[]],"
