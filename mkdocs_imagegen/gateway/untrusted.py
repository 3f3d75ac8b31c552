"""Values from a server, made safe: strict JSON, text for messages, names, amounts of money.

Pure: no I/O, clock or environment. A server's text may contain control characters, a whole web
page, or the credential of the request that it answers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import NoReturn

from mkdocs_imagegen.option_parsers import CREDENTIAL

MAX_VALUES = 200_000
"""Values in one JSON text. An empty list of three bytes takes 60 bytes of memory."""

MAX_QUOTED = 120
"""Characters of a server's text in a message."""

MAX_NAME = 100
"""Characters of an identifier or a name."""

_MAX_CONSIDERED = 5000
_TAG = re.compile(r"<[^<>]*>")
_NOT_IN_ID = re.compile(r"[^A-Za-z0-9_.:-]")
_SECRET = re.compile(CREDENTIAL)
_USD = re.compile(r"\d{1,6}(\.\d{1,30})?(e-\d{1,2})?", re.ASCII | re.IGNORECASE)


def parse_object(body: bytes) -> Mapping[str, object] | None:
    """Return a JSON object, or None if the body is any other text.

    Text with NaN, an infinity, a number of thousands of digits, endlessly nested brackets, or more
    than ``MAX_VALUES`` values is not accepted.
    """
    if sum(map(body.count, (b",", b"[", b"{"))) > MAX_VALUES:
        return None
    try:
        value = json.loads(body, parse_constant=_reject_constant)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, Mapping) else None


def as_mapping(value: object) -> Mapping[str, object]:
    """Return the value if it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def parse_usd(value: object) -> Decimal | None:
    """Return an amount in dollars from a string or a number, or None if it is neither."""
    text = "" if isinstance(value, bool) else str(value)[:50] if _is_scalar(value) else ""
    return Decimal(text) if _USD.fullmatch(text) else None


def safe_text(text: str, max_chars: int = MAX_QUOTED) -> str:
    """Return the text on one line, shortened, without control characters, tags or credentials."""
    start = text[:_MAX_CONSIDERED].strip()
    words = (_TAG.sub(" ", start) if start.startswith("<") else start).split()
    plain = " ".join("".join(filter(str.isprintable, word)) for word in words)
    safe = _SECRET.sub("[redacted]", plain).strip()
    return safe if len(safe) <= max_chars else f"{safe[:max_chars]}…"


def safe_id(value: object) -> str | None:
    """Return the printable ASCII of an identifier, or None if it is empty."""
    if not isinstance(value, str):
        return None
    text = _SECRET.sub("", value[:_MAX_CONSIDERED])
    return _NOT_IN_ID.sub("", text)[:MAX_NAME] or None


def safe_name(value: object) -> str | None:
    """Return the name of a model or provider on one line, or None if the value is not a name."""
    return (safe_text(value, MAX_NAME) or None) if isinstance(value, str) else None


def _is_scalar(value: object) -> bool:
    return isinstance(value, (str, float)) or (isinstance(value, int) and abs(value) < 2**53)


def _reject_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
