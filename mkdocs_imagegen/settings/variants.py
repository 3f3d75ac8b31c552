"""The files that are made of each original."""

from __future__ import annotations

import re

from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.options import (
    BOOLEAN,
    MAX_SIDE_PX,
    Parser,
    nested,
    option,
    whole_number,
    words,
)

_WIDTH = re.compile(r"[0-9]{1,5}")
_FORMATS = ("avif", "webp", "jpeg", "png")


def _widths(value: object) -> tuple[int, ...] | None:
    text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
    words = text.replace(",", " ").split()
    widths = sorted({int(word) for word in words if _WIDTH.fullmatch(word)})
    fit = bool(widths) and 0 < widths[0] <= widths[-1] <= MAX_SIDE_PX
    return tuple(widths) if fit and all(map(_WIDTH.fullmatch, words)) else None


_TEXT_OR_NUMBER = {"type": ["string", "integer"]}
WIDTHS: Parser[tuple[int, ...]] = Parser(
    "widths in pixels, like 480 960",
    _widths,
    {"anyOf": [_TEXT_OR_NUMBER, {"type": "array", "items": {"type": "integer"}}]},
)


def _formats(value: object) -> tuple[str, ...] | None:
    if value == "auto":
        return ()
    listed = value if isinstance(value, list) else str(value).replace(",", " ").split()
    names = tuple(dict.fromkeys(str(name).lower() for name in listed))
    return names if names and all(name in _FORMATS for name in names) else None


FORMATS: Parser[tuple[str, ...]] = Parser(
    "auto, or a list of avif, webp, jpeg and png, the best first",
    _formats,
    {"anyOf": [{"type": "string"}, {"type": "array", "items": {"enum": list(_FORMATS)}}]},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatQualities:
    """How well each format is written."""

    avif: int = option(60, whole_number(1, 100), "Quality of AVIF files.")
    webp: int = option(80, whole_number(1, 100), "Quality of WebP files.")
    jpeg: int = option(82, whole_number(1, 100), "Quality of JPEG files.")

    def of(self, name: str) -> int:
        """The quality of a format; PNG loses nothing and has none."""
        return getattr(self, name, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantSettings:
    """The files that are made of each original, on this machine and for nothing."""

    widths: tuple[int, ...] = option(
        (480, 960),
        WIDTHS,
        "Widths of the smaller files in pixels; the image's own width is always made too.",
    )
    formats: tuple[str, ...] = option(
        (),
        FORMATS,
        "Formats, the best first; the last is the one that every browser reads. `auto`: AVIF and "
        "JPEG, or AVIF and WebP where there is transparency.",
    )
    quality: FormatQualities = option(
        FormatQualities(), nested(FormatQualities), "How well each format is written."
    )
    effort: str = option(
        "fast",
        words("fast", "small"),
        "`small` makes AVIF files about a quarter smaller and takes four times as long, once.",
    )
    blur: bool = option(
        True,
        BOOLEAN,
        "Whether a few blurred pixels stand in an image's place until it has come; no script.",
    )
