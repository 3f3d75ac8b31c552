"""Error responses and spoiled content, for faults that take more than one expression.

Pure: no I/O, clock or environment.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Mapping
from dataclasses import replace
from email.utils import formatdate
from functools import cache
from typing import Any

from mkdocs_imagegen.emulator.responses import html_page, json_response, nested_error
from mkdocs_imagegen.emulator.wire_types import DrawRequest, DrawResult, HttpResponse
from mkdocs_imagegen.option_parsers import Size

GIGABYTE = 2**30
SVG_WITH_SCRIPT = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'

_INVALID = "invalid_request_error"
_BLOCK_BYTES = 2**24
_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_FILLER_LISTS = 5_000_000


def retry_later(status: int, after: str | None, after_ms: str | None) -> HttpResponse:
    """Return a 429 or 503 error with the given ``Retry-After`` and ``retry-after-ms``."""
    kinds = {429: "rate_limit_exceeded", 503: "service_unavailable_error"}
    response = nested_error(status, kinds[status], "Please try again later.")
    headers = {"retry-after": after, "retry-after-ms": after_ms}
    return add_headers(response, {name: value for name, value in headers.items() if value})


def in_two_seconds(now: float) -> str:
    """Return an HTTP date two seconds after ``now``."""
    return formatdate(now + 2, usegmt=True)


def missing_model() -> HttpResponse:
    """Return the gateway's error for a request without a model."""
    return nested_error(400, _INVALID, "No model.", param="model", code="missing_parameter")


def detail() -> HttpResponse:
    """Return a validation error as of FastAPI servers."""
    return json_response(422, {"detail": [{"loc": ["body", "size"], "msg": "bad", "type": "x"}]})


def response_format_refused() -> HttpResponse:
    """Return OpenAI's refusal of ``response_format``."""
    name = "response_format"
    message = f"Unknown parameter: '{name}'."
    return nested_error(400, _INVALID, message, param=name, code="unknown_parameter")


def html_429() -> HttpResponse:
    """Return a rate limit as an HTML page, with ``Retry-After``."""
    return add_headers(html_page(429, "429 Too Many Requests"), {"retry-after": "1"})


def accepted() -> HttpResponse:
    """Return the promise of a later image."""
    return json_response(202, {"id": "job_emulator", "status": "queued"})


def moderation_blocked() -> HttpResponse:
    """Return OpenAI's refusal of a prompt, with the reasons."""
    error = {
        "message": "Your request was rejected by the safety system. Request id: req_emulator.",
        "type": "image_generation_user_error",
        "param": None,
        "code": "moderation_blocked",
        "moderation_details": {"moderation_stage": "input", "categories": ["violence"]},
    }
    return json_response(400, {"error": error})


def images_per_minute() -> HttpResponse:
    """Return OpenAI's error for too many images per minute."""
    message = "Rate limit reached for images per minute. Please try again in 1s."
    response = nested_error(429, "input-images", message, code="rate_limit_exceeded")
    return add_headers(response, {"retry-after": "1", "x-ratelimit-remaining-requests": "0"})


def add_headers(response: HttpResponse, headers: Mapping[str, str]) -> HttpResponse:
    """Return the response with additional headers."""
    return replace(response, headers={**response.headers, **headers})


def other_format(request: DrawRequest) -> DrawRequest:
    """Return the request with another output format."""
    return replace(request, output_format="jpeg" if request.output_format == "png" else "png")


def other_size(request: DrawRequest) -> DrawRequest:
    """Return the request with another size."""
    size = Size(request.size.width // 2 + 8, request.size.height // 2 + 4)
    return replace(request, size=size)


def set_cost(result: DrawResult, cost: object) -> DrawResult:
    """Return the result with another cost in its metadata."""
    metadata: dict[str, Any] = dict(result.metadata or {})
    return replace(result, metadata=metadata | {"gateway": metadata["gateway"] | {"cost": cost}})


def numeric_cost(result: DrawResult) -> DrawResult:
    """Return the result with its cost as a JSON number."""
    return set_cost(result, float((result.metadata or {})["gateway"]["cost"]))


def as_urls(result: DrawResult) -> DrawResult:
    """Return the result with https URLs that do not resolve."""
    url = "https://images.example.invalid/sketch.png"
    return replace(result, images=(url,) * len(result.images), is_url=True)


def as_data_urls(result: DrawResult) -> DrawResult:
    """Return the result with its images as data: URLs."""
    prefix = f"data:image/{result.request.output_format};base64,"
    return replace(result, images=tuple(prefix + image for image in result.images))


def set_raw_cost(response: HttpResponse, number: bytes) -> HttpResponse:
    """Return the response with the given bytes in place of its cost."""
    body = re.sub(rb'"cost":"[^"]*"', b'"cost":' + number, response.body, count=1)
    return replace(response, body=body)


def halve(response: HttpResponse) -> HttpResponse:
    """Return the response with the first half of its body."""
    return replace(response, body=response.body[: len(response.body) // 2])


def compress(response: HttpResponse) -> HttpResponse:
    """Return the response with its body compressed."""
    body = gzip.compress(response.body, mtime=0)
    return add_headers(replace(response, body=body), {"content-encoding": "gzip"})


def gzip_bomb(response: HttpResponse) -> HttpResponse:
    """Return the response with a megabyte that decompresses to a gigabyte."""
    body = compressed_zeros(GIGABYTE)
    return add_headers(replace(response, body=body), {"content-encoding": "gzip"})


def json_bomb(response: HttpResponse) -> HttpResponse:
    """Return the response with so many empty lists that parsing it takes 340 MB."""
    return replace(response, body=_json_filler() + response.body[1:])


@cache
def compressed_zeros(size: int) -> bytes:
    """Return a gzip file of zeros without holding them; ``size`` is a multiple of 16 MiB."""
    block, blocks = bytes(_BLOCK_BYTES), size // _BLOCK_BYTES
    compressor = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    # After a full flush the output does not depend on earlier input, so it can be repeated.
    compressed = compressor.compress(block) + compressor.flush(zlib.Z_FULL_FLUSH)
    checksum = 0
    for _ in range(blocks):
        checksum = zlib.crc32(block, checksum)
    tail = checksum.to_bytes(4, "little") + (size % 2**32).to_bytes(4, "little")
    return _GZIP_HEAD + compressed * blocks + compressor.flush() + tail


@cache
def _json_filler() -> bytes:
    return b'{"filler":[' + b"[]," * _FILLER_LISTS + b"[]],"
