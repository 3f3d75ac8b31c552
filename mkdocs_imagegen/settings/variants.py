"""Settings of the files that are derived from each original."""

from __future__ import annotations

import re

from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.option_parsers import (
    BOOLEAN,
    MAX_SIDE_PX,
    Parser,
    nested,
    one_line,
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


WIDTHS: Parser[tuple[int, ...]] = Parser(
    "widths in pixels, like 480 960",
    _widths,
    {"anyOf": [{"type": ["string", "integer"]}, {"type": "array", "items": {"type": "integer"}}]},
    type="list of integers",
)


AUTO_OR_WIDTHS: Parser[tuple[int, ...]] = Parser(
    "auto, or widths in pixels, like 480 960",
    lambda value: () if value == "auto" else _widths(value),
    WIDTHS.schema,
    type="`auto` or a list of integers",
)


def _formats(value: object) -> tuple[str, ...] | None:
    if value == "auto":
        return ()
    listed = value if isinstance(value, list) else str(value).replace(",", " ").split()
    names = tuple(dict.fromkeys(str(name).lower() for name in listed))
    return names if names and all(name in _FORMATS for name in names) else None


FORMATS: Parser[tuple[str, ...]] = Parser(
    "auto, or a list of avif, webp, jpeg and png, best first",
    _formats,
    {"anyOf": [{"type": "string"}, {"type": "array", "items": {"enum": list(_FORMATS)}}]},
    type="`auto` or a list of formats",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatQualities:
    """Encoding quality by format."""

    avif: int = option(60, whole_number(1, 100), "Quality of AVIF files, up to 100.", "50")
    webp: int = option(80, whole_number(1, 100), "Quality of WebP files, up to 100.", "75")
    jpeg: int = option(82, whole_number(1, 100), "Quality of JPEG files, up to 100.", "75")

    def of(self, name: str) -> int:
        """Return the quality of a format; 100 for PNG, which is lossless."""
        return getattr(self, name, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantSettings:
    """Settings of the files that are derived from each original, locally and at no cost."""

    widths: tuple[int, ...] = option(
        (),
        AUTO_OR_WIDTHS,
        "Widths of the smaller files in pixels. A file of full width is always added. `auto`: "
        "two or three widths that fit the content column of the theme.",
        "[400, 800]",
    )
    sizes: str = option(
        "auto",
        one_line("auto, or a value of HTML's sizes"),
        "HTML `sizes` attribute of images that set neither `sizes` nor a width. `auto` follows the "
        "content column of the theme.",
        '"(max-width: 800px) 100vw, 720px"',
    )
    formats: tuple[str, ...] = option(
        (),
        FORMATS,
        "Formats, best first. The last one is for browsers without support for the others. "
        "`auto`: AVIF and JPEG, or AVIF and WebP for images with transparency.",
        "[webp, png]",
    )
    quality: FormatQualities = option(
        FormatQualities(),
        nested(FormatQualities, "avif: 50"),
        "Encoding quality by format.",
        "avif: 50",
    )
    effort: str = option(
        "fast",
        words("fastest", "fast", "small"),
        "Encoding effort. With `small`, AVIF files are 25 % smaller and take two to five times as "
        "long. With `fastest`, they take less than half the time; photographs are 10 % larger, and "
        "flat drawings twice as large.",
        "small",
    )
    blur: bool = option(
        True,
        BOOLEAN,
        "Blurred background in place of an image while it loads, without a script.",
        "false",
    )
