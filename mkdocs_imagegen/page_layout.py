"""Layout of an image on its page: size, widths, crop and focus; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.option_parsers import TEXT, Parser, Size

if TYPE_CHECKING:
    from fractions import Fraction

_MAX_PERCENT = 100


class Focus(NamedTuple):
    """Point of an image that a crop keeps in view, in percent from the left and the top."""

    left: int = 50
    top: int = 50


CENTER = Focus()


@dataclass(frozen=True, slots=True)
class Layout:
    """Layout of an image on a page.

    Attributes:
        size: Largest size on the page, in pixels; an image of another shape is cropped to it.
        widths: Widths of the smaller files, in pixels; None for those of the site.
        focus: Point that a crop keeps in view.
        is_card: True for an image that other sites show next to a link: one JPEG file.
    """

    size: Size
    widths: tuple[int, ...] | None = None
    focus: Focus = CENTER
    is_card: bool = False


def scale_to_width(size: Size, width: int) -> Size:
    """Return a size of the same shape with another width."""
    return Size(width, max(1, round(width * size.height / size.width)))


def crop_to_ratio(size: Size, ratio: Fraction | None) -> Size:
    """Return the largest size of a ratio within another size; that size if there is no ratio."""
    if ratio is None:
        return size
    if ratio * size.height >= size.width:
        return Size(size.width, max(1, round(size.width / ratio)))
    return Size(max(1, round(size.height * ratio)), size.height)


_RATIO = re.compile(r"(\d{1,4}(?:\.\d{1,4})?)\s*[:/xX\u00d7]\s*(0*[1-9]\d{0,3})", re.ASCII)
_SIDES = {
    "left": Focus(0, 50),
    "right": Focus(100, 50),
    "top": Focus(50, 0),
    "bottom": Focus(50, 100),
    "center": CENTER,
}


def _ratio(value: object) -> Fraction | None:
    from fractions import Fraction  # noqa: PLC0415 - costs 1 ms, and most images have no ratio

    match = _RATIO.fullmatch(TEXT(value).strip())
    ratio = Fraction(match[1]) / Fraction(match[2]) if match else Fraction(0)
    return ratio if Fraction(1, 10) <= ratio <= Fraction(10) else None


def _focus(value: object) -> Focus | None:
    match str(value).lower().split():
        case [side] if side in _SIDES:
            return _SIDES[side]
        case [one, other] if one in _SIDES and other in _SIDES:
            return _corner(_SIDES[one], _SIDES[other])
        case [left, top] if _is_percent(left) and _is_percent(top):
            return Focus(int(left.removesuffix("%")), int(top.removesuffix("%")))
    return None


def _corner(one: Focus, other: Focus) -> Focus | None:
    """Return the corner of two sides; None if they are opposite sides."""
    left, top = {one.left, other.left} - {50}, {one.top, other.top} - {50}
    return Focus(*left or {50}, *top or {50}) if max(len(left), len(top)) <= 1 else None


def _is_percent(word: str) -> bool:
    number = word.removesuffix("%")
    return re.fullmatch(r"[0-9]{1,3}", number) is not None and int(number) <= _MAX_PERCENT


RATIO: Parser[Fraction] = Parser(
    "WIDTH:HEIGHT from 1:10 to 10:1, like 16:9", _ratio, TEXT.schema, type="ratio (`WIDTH:HEIGHT`)"
)
FOCUS: Parser[Focus] = Parser(
    "a side or a corner, like left or top right, or percent from left and top, like 30% 60%",
    _focus,
    TEXT.schema,
)
