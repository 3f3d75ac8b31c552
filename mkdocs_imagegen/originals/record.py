"""What is known of one original, and its JSON; pure."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from typing import Any

from mkdocs_imagegen.files import check_version
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.options import Size

VERSION = 1
MAX_RECORD_BYTES = 1_000_000
_ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/avif": "avif"}
_ALIKE = ("mime", "model", "answered_by", "server")
"""What a site's originals have in common, so that it is in memory once."""
_HEX64 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Record:
    """One image that was paid for.

    Attributes:
        key: the key of the request it answers.
        subject: the subject key of that request.
        sha256: the hash of its bytes.
        bytes: how many bytes it has.
        mime: what its bytes are.
        width: of the image, in pixels.
        height: of the image, in pixels.
        has_alpha: whether some of it is transparent.
        model: the model it was asked of, or the sketch model.
        answered_by: the model that drew it, where the gateway named another one.
        prompt: the final prompt.
        take: the take that was asked for.
        cost_usd: dollars charged; None where nothing is known.
        cost_is_estimate: whether that is the list price and not the gateway's word.
        generation_id: the gateway's name for the call.
        server: the address that answered.
        created: when it was received, ISO 8601 in UTC.
        warnings: what the gateway remarked.
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
        """The name of the image's file."""
        return f"{self.key}.{self.sha256[:16]}.{_ENDINGS[self.mime]}"


def to_json(record: Record) -> bytes:
    """The record as it is kept: sorted, indented, one line at its end, the same every time."""
    fields = asdict(record) | {"version": VERSION, "warnings": list(record.warnings)}
    cost = record.cost_usd
    fields["cost_usd"] = None if cost is None else str(cost)
    return (json.dumps(fields, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode(
        "utf-8", "replace"
    )


def from_json(text: bytes, key: str) -> Record:
    """The record of that key.

    Raises:
        ValueError: it is no record, or not that key's.
        StoreError: a newer version wrote it.
    """
    try:
        fields: dict[str, Any] = json.loads(text)
        check_version(fields.pop("version"), VERSION)
        if fields["key"] != key:
            raise ValueError("another key's record")
        fields |= {"key": key} | {name: sys.intern(fields[name]) for name in _ALIKE}
        cost = fields.pop("cost_usd")
        warnings = tuple(str(each) for each in fields.pop("warnings"))
        cost_usd = None if cost is None else Decimal(str(cost))
        record = Record(**fields, cost_usd=cost_usd, warnings=warnings)
    except (TypeError, KeyError, AttributeError, InvalidOperation, RecursionError) as error:
        raise ValueError(f"no record: {error}") from None
    _check(record)
    return record


def _check(record: Record) -> None:
    hashes = (record.key, record.subject, record.sha256)
    numbers = (record.bytes, record.width, record.height, record.take)
    names = (record.model, record.answered_by, record.server, record.generation_id or "")
    facts = (record.cost_is_estimate, record.has_alpha)
    texts: tuple[object, ...] = (*hashes, *names, record.prompt, record.created)
    right = (
        all(type(each) is str for each in texts)
        and all(_HEX64.fullmatch(each) for each in hashes)
        and str(record.mime) in _ENDINGS
        and all(type(each) is int and each > 0 for each in numbers)
        and all(type(each) is bool for each in facts)
        and (record.cost_usd is None or record.cost_usd.is_finite())
    )
    if not right:
        raise ValueError("a field of the record is not what it should be")
