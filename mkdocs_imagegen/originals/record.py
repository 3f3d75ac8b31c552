"""Record of one original: the JSON file next to its image. Pure: no I/O, clock or environment.

The file ``ab/<key>.json`` is UTF-8 with sorted keys, an indent of two and a final newline, so that
equal records are equal bytes::

    {
      "answered_by": "openai/gpt-image-1-mini",     model named in the response; "import" for a file
      "answered_quality": "medium",                 quality named in the response, or ""
      "bytes": 183204,                              size of the image file
      "cost_is_estimate": false,                    true if cost_usd is the list price
      "cost_usd": "0.015",                          decimal as a string, or null if unknown
      "created": "2026-11-23T17:00:00+00:00",       time of the response, ISO 8601 in UTC, or ""
      "generation_id": "gen_01",                    the gateway's id of the call, or null
      "has_alpha": false,                           true if a pixel is transparent
      "height": 1024,                               in pixels
      "key": "<64 hex digits>",                     cache key of the request
      "mime": "image/webp",                         or image/png, image/jpeg, image/avif
      "model": "openai/gpt-image-1-mini",           model of the request, or the sketch model
      "prompt": "A red balloon",                    final prompt, style included
      "quality": "medium",                          quality of the request
      "server": "https://ai-gateway.vercel.sh/v1",  base URL of Vercel or of an emulator, or ""
      "sha256": "<64 hex digits>",                  of the image file
      "size": "1536x1024",                          size of the request
      "subject": "<64 hex digits>",                 subject key of the request
      "take": 1,                                    from 1
      "version": 2,                                 of this format
      "warnings": [],                               remarks of the gateway, one string each
      "width": 1536                                 in pixels
    }

``rebuilt: true`` marks a record that was lost and written again from its image and the request.
``is_decoded: false`` marks the image of a machine that cannot decode it; size and transparency are
those of the request then.

Version 1 has no ``quality``, ``size`` and ``answered_quality``; its first records have no
``has_alpha``. Unknown fields are ignored. A higher version raises `NewerVersionError`.
"""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from mkdocs_imagegen.errors import NewerVersionError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.option_parsers import MAX_PIXELS, MAX_SIDE_PX, SKETCH_MODEL, Size
from mkdocs_imagegen.request import ImageRequest

VERSION = 2
IMPORT = "import"
"""Value of ``answered_by`` for a file that the author imported."""
MAX_RECORD_BYTES = 1_000_000
_EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/avif": "avif"}
_INTERNED = ("mime", "model", "answered_by", "server")
"""Fields that most records of a site share; each value is in memory once."""
MAX_COST_USD = 100_000
_MAX_TAKE = 10**9
_HEX64 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """Facts about an image that was decoded to its last pixel."""

    mime: str
    size: Size
    has_alpha: bool


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
        quality: Quality of the request; ``""`` if unknown.
        asked_size: Size of the request, as ``WIDTHxHEIGHT``; ``""`` if unknown.
        answered_quality: Quality named in the response; ``""`` if none is.
        is_rebuilt: True if the record was lost and written again.
        is_decoded: False if the machine that stored the image could not decode it.
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
    quality: str = ""
    asked_size: str = ""
    answered_quality: str = ""
    is_rebuilt: bool = False
    is_decoded: bool = True

    @property
    def is_import(self) -> bool:
        """True if the author imported the image; its key is the subject key of the request."""
        return self.answered_by == IMPORT

    def answers(self, request: ImageRequest) -> bool:
        """Return True if the model and the quality that answered are those of a request.

        So an image of a replacement model is that of the model once `model` names it.
        """
        # Under `auto` the server chooses, and may name its choice.
        asked = self.quality if self.quality == "auto" else ""
        qualities = (self.answered_quality or self.quality, asked)
        is_same = self.answered_by == request.model and request.quality in qualities
        is_sketch = self.model == SKETCH_MODEL
        return is_same and not is_sketch and self.subject in request.subject_keys

    @property
    def facts(self) -> ImageFacts:
        """Facts that decoding the image shows."""
        return ImageFacts(self.mime, self.size, self.has_alpha)

    @property
    def size(self) -> Size:
        """Width and height in pixels."""
        return Size(self.width, self.height)

    @property
    def file_name(self) -> str:
        """Name of the image file."""
        return f"{self.key}.{self.sha256[:16]}.{_EXTENSIONS[self.mime]}"

    def with_facts(self, facts: ImageFacts) -> Record:
        """Return the record with other facts about the image."""
        width, height = facts.size
        return replace(self, mime=facts.mime, width=width, height=height, has_alpha=facts.has_alpha)


_FIELDS = [each.name for each in dataclasses.fields(Record)]


def serialize_record(record: Record) -> bytes:
    """Return the content of a record file."""
    written = asdict(record) | {"version": VERSION, "warnings": list(record.warnings)}
    cost = record.cost_usd
    written["cost_usd"] = None if cost is None else str(cost)
    written["size"] = written.pop("asked_size")
    if written.pop("is_rebuilt"):
        written["rebuilt"] = True
    if record.is_decoded:
        del written["is_decoded"]
    return _to_json(written)


def _to_json(fields: Mapping[str, object]) -> bytes:
    text = json.dumps(fields, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    # A lone surrogate in a gateway's text must not lose an image that is already charged.
    return text.encode("utf-8", "replace")


def parse_record(content: bytes, key: str) -> Record:
    """Return the record of a cache key from the content of its file.

    Raises:
        ValueError: If the content is not a valid record, or belongs to another cache key.
        NewerVersionError: If a newer version of mkdocs-imagegen wrote the file.
    """
    try:
        fields: dict[str, Any] = json.loads(content)
        check_version(fields["version"], *range(1, VERSION + 1))
        if fields["key"] != key:
            raise ValueError("the record belongs to another cache key")
        # The records of 2026-11-23 have no `has_alpha`. Only a JPEG is certainly opaque.
        fields.setdefault("has_alpha", fields["mime"] != "image/jpeg")
        fields |= {"key": key} | {name: sys.intern(fields[name]) for name in _INTERNED}
        fields["asked_size"] = fields.pop("size", "")
        fields["is_rebuilt"] = fields.pop("rebuilt", False)
        cost = fields["cost_usd"]
        fields["cost_usd"] = None if cost is None else Decimal(str(cost))
        fields["warnings"] = tuple(str(each) for each in fields["warnings"])
        record = Record(**{name: fields[name] for name in _FIELDS if name in fields})
    except (TypeError, KeyError, AttributeError, InvalidOperation, RecursionError) as error:
        raise ValueError(f"the record is invalid: {error}") from None
    _check_types(record)
    return record


def with_unknown_fields(content: bytes, damaged: bytes) -> bytes:
    """Return the content of a record file with the unknown fields of a damaged one."""
    try:
        fields = json.loads(damaged)
        known = json.loads(content)
        for mark in ("rebuilt", "is_decoded"):  # written only if they apply
            fields.pop(mark, None)
        return _to_json(fields | known)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return content


def minimal_record(
    key: str, request: ImageRequest, sha256: str, size_bytes: int, facts: ImageFacts
) -> Record:
    """Return a rebuilt record of an image without its response: cost and time are unknown.

    Args:
        key: Cache key of the request, or its subject key for an imported file.
        request: Request that the image answers.
        sha256: SHA-256 of the image.
        size_bytes: Size of the image.
        facts: Facts of the image.
    """
    is_import = key in request.subject_keys
    return Record(
        key=key,
        subject=key if is_import else request.subject_key,
        sha256=sha256,
        bytes=size_bytes,
        mime=facts.mime,
        width=facts.size.width,
        height=facts.size.height,
        has_alpha=facts.has_alpha,
        model=IMPORT if is_import else request.model,
        answered_by=IMPORT if is_import else "",
        prompt=request.prompt,
        take=request.take,
        cost_usd=None,
        cost_is_estimate=False,
        generation_id=None,
        server="",
        created="",
        warnings=(),
        quality="" if is_import else request.quality,
        asked_size=str(request.size),
        is_rebuilt=True,
    )


def check_version(found: object, *known: int) -> None:
    """Raise an error unless a file has a supported format version.

    Raises:
        NewerVersionError: If a newer version wrote the file; it may be valid and must stay.
        ValueError: If no version of mkdocs-imagegen writes this number.
    """
    if type(found) is int and found > max(known):
        fault = "it was written by a newer version of mkdocs-imagegen"
        raise NewerVersionError(fault, hint="update mkdocs-imagegen")
    if type(found) is not int or found not in known:
        raise ValueError("unknown format version")


def is_amount(usd: Decimal) -> bool:
    """Return True if a number can be the cost of one image."""
    return usd.is_finite() and 0 <= usd <= MAX_COST_USD


def _check_types(record: Record) -> None:
    hashes = (record.key, record.subject, record.sha256)
    numbers = (record.bytes, record.width, record.height, record.take)
    names = (record.model, record.answered_by, record.server, record.generation_id or "")
    asked = (record.quality, record.asked_size, record.answered_quality)
    flags = (record.cost_is_estimate, record.has_alpha, record.is_rebuilt, record.is_decoded)
    texts: tuple[object, ...] = (*hashes, *names, *asked, record.prompt, record.created)
    is_valid = (
        all(type(each) is str for each in texts)
        and all(_HEX64.fullmatch(each) for each in hashes)
        and str(record.mime) in _EXTENSIONS
        and all(type(each) is int and each > 0 for each in numbers)
        and all(type(each) is bool for each in flags)
        and max(record.width, record.height) <= MAX_SIDE_PX
        and record.width * record.height <= MAX_PIXELS
        and record.take <= _MAX_TAKE
        and (record.cost_usd is None or is_amount(record.cost_usd))
    )
    if not is_valid:
        raise ValueError("a field of the record has an invalid type or value")
