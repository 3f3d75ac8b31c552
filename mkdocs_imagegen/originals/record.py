"""Record of one original: the JSON file next to its image. Pure: no I/O, clock or environment.

The file ``ab/<key>.json`` is UTF-8 with sorted keys, an indent of two and a final newline, so that
equal records are equal bytes::

    {
      "answered_by": "openai/gpt-image-1-mini",     model named in the response
      "bytes": 183204,                              size of the image file
      "cost_is_estimate": false,                    true if cost_usd is the list price
      "cost_usd": "0.015",                          decimal as a string, or null if unknown
      "created": "2026-11-23T17:00:00+00:00",       time of the response, ISO 8601 in UTC
      "generation_id": "gen_01",                    the gateway's id of the call, or null
      "has_alpha": false,                           true if a pixel is transparent
      "height": 1024,                               in pixels
      "key": "<64 hex digits>",                     cache key of the request
      "mime": "image/webp",                         or image/png, image/jpeg, image/avif
      "model": "openai/gpt-image-1-mini",           model of the request, or the sketch model
      "prompt": "A red balloon",                    final prompt, style included
      "server": "https://ai-gateway.vercel.sh/v1",  base URL of the server that answered
      "sha256": "<64 hex digits>",                  of the image file
      "subject": "<64 hex digits>",                 subject key of the request
      "take": 1,                                    from 1
      "version": 1,                                 of this format
      "warnings": [],                               remarks of the gateway, one string each
      "width": 1536                                 in pixels
    }

All fields but ``has_alpha`` are required and no others are accepted. A higher version raises
`NewerVersionError`.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from typing import Any

from mkdocs_imagegen.errors import NewerVersionError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.option_parsers import Size

VERSION = 1
MAX_RECORD_BYTES = 1_000_000
_EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/avif": "avif"}
_INTERNED = ("mime", "model", "answered_by", "server")
"""Fields that most records of a site share; each value is in memory once."""
_HEX64 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Record:
    """Facts about one original.

    Attributes:
        key: Cache key of the request.
        subject: Subject key of the request.
        sha256: SHA-256 of the image file.
        bytes: Size of the image file.
        mime: Media type of the image.
        width: Width in pixels.
        height: Height in pixels.
        has_alpha: True if a pixel is transparent.
        model: Model of the request, or the sketch model.
        answered_by: Model named in the response.
        prompt: Final prompt.
        take: Number of the take.
        cost_usd: US dollars charged; None if unknown.
        cost_is_estimate: True if `cost_usd` is the list price.
        generation_id: The gateway's id of the call; None if it gave none.
        server: Base URL of the server that answered.
        created: Time of the response, ISO 8601 in UTC.
        warnings: Remarks of the gateway.
    """

    key: str
    subject: str
    sha256: str
    bytes: int
    mime: str
    width: int
    height: int
    has_alpha: bool
    model: str
    answered_by: str
    prompt: str
    take: int
    cost_usd: Decimal | None
    cost_is_estimate: bool
    generation_id: str | None
    server: str
    created: str
    warnings: tuple[str, ...]

    @property
    def size(self) -> Size:
        """Width and height in pixels."""
        return Size(self.width, self.height)

    @property
    def file_name(self) -> str:
        """Name of the image file."""
        return f"{self.key}.{self.sha256[:16]}.{_EXTENSIONS[self.mime]}"


def serialize_record(record: Record) -> bytes:
    """Return the content of a record file."""
    fields = asdict(record) | {"version": VERSION, "warnings": list(record.warnings)}
    cost = record.cost_usd
    fields["cost_usd"] = None if cost is None else str(cost)
    # A lone surrogate in a gateway's text must not lose an image that is already charged.
    return (json.dumps(fields, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode(
        "utf-8", "replace"
    )


def parse_record(content: bytes, key: str) -> Record:
    """Return the record of a cache key from the content of its file.

    Raises:
        ValueError: If the content is not a valid record, or belongs to another cache key.
        NewerVersionError: If a newer version of mkdocs-imagegen wrote the file.
    """
    try:
        fields: dict[str, Any] = json.loads(content)
        check_version(fields.pop("version"), VERSION)
        if fields["key"] != key:
            raise ValueError("the record belongs to another cache key")
        # The records of 2026-11-23 have no `has_alpha`. Only a JPEG is certainly opaque.
        fields.setdefault("has_alpha", fields["mime"] != "image/jpeg")
        fields |= {"key": key} | {name: sys.intern(fields[name]) for name in _INTERNED}
        cost = fields.pop("cost_usd")
        warnings = tuple(str(each) for each in fields.pop("warnings"))
        cost_usd = None if cost is None else Decimal(str(cost))
        record = Record(**fields, cost_usd=cost_usd, warnings=warnings)
    except (TypeError, KeyError, AttributeError, InvalidOperation, RecursionError) as error:
        raise ValueError(f"the record is invalid: {error}") from None
    _check_types(record)
    return record


def check_version(found: object, known: int) -> None:
    """Raise an error unless a file has the supported format version.

    Raises:
        NewerVersionError: If a newer version wrote the file; it may be valid and must stay.
        ValueError: If no version of mkdocs-imagegen writes this number.
    """
    if type(found) is int and found > known:
        fault = "it was written by a newer version of mkdocs-imagegen"
        raise NewerVersionError(fault, hint="update mkdocs-imagegen")
    if found != known:
        raise ValueError("unknown format version")


def _check_types(record: Record) -> None:
    hashes = (record.key, record.subject, record.sha256)
    numbers = (record.bytes, record.width, record.height, record.take)
    names = (record.model, record.answered_by, record.server, record.generation_id or "")
    flags = (record.cost_is_estimate, record.has_alpha)
    texts: tuple[object, ...] = (*hashes, *names, record.prompt, record.created)
    is_valid = (
        all(type(each) is str for each in texts)
        and all(_HEX64.fullmatch(each) for each in hashes)
        and str(record.mime) in _EXTENSIONS
        and all(type(each) is int and each > 0 for each in numbers)
        and all(type(each) is bool for each in flags)
        and (record.cost_usd is None or record.cost_usd.is_finite())
    )
    if not is_valid:
        raise ValueError("a field of the record has an invalid type or value")
