"""Layout of an image on its page: size, widths, crop and focus; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from mkdocs_imagegen.errors import DirectiveError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.option_parsers import MAX_SIDE_PX, TEXT, Parser, Size

if TYPE_CHECKING:
    from fractions import Fraction

_MAX_PERCENT = 100
_MAX_RATIO = 10
_LENGTH = re.compile(r"([1-9]\d{0,3})(?:\.\d+)?[ ]?(px|%)?", re.ASCII | re.IGNORECASE)
_CSS_SIZE = re.compile(
    r"(?:^|;)\s*(max-width|width|height)\s*:\s*([\d.]+(?:px|%))\s*(?=!|;|$)", re.IGNORECASE
)


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


class Fit(NamedTuple):
    """An image on its page.

    Attributes:
        size: Size of the image after the crop.
        width_px: Width on the page; None for that of the image.
        percent: Width in percent of the column; 0 for an image without such a width.
    """

    size: Size
    width_px: int | None
    percent: int


def fit(
    size: Size, ratio: Fraction | None, width: int | str | None, height: int | None, style: str = ""
) -> Fit:
    """Return an image on its page; with a width and a height, it is cropped and never distorted.

    Args:
        size: Size of the image.
        ratio: Ratio to crop to; None for that of the width and the height, or of the image.
        width: Width in pixels, or in percent of the column as text.
        height: Height in pixels.
        style: CSS of the image, whose sizes override the others, as in a browser.

    Raises:
        DirectiveError: If the width, the height and the ratio contradict each other.
    """
    css = {name.lower(): _length(value) for name, value in _CSS_SIZE.findall(style)}
    width, tall = css.get("width") or width, css.get("height") or height
    limits = [each for each in (width, css.get("max-width")) if each is not None]
    if isinstance(width, int) and isinstance(tall, int):
        ratio = _ratio_of_box(width, tall, ratio)
    elif isinstance(width, str) and height:
        fault = f"height {height} is not supported with width {width}"
        raise DirectiveError(fault, hint="set `ratio` instead of `height`")
    size = crop_to_ratio(size, ratio)
    if width is None and isinstance(tall, int):
        limits.append(max(1, round(tall * size.width / size.height)))
    width_px = min((each for each in limits if isinstance(each, int)), default=None)
    percent = min((int(each[:-1]) for each in limits if isinstance(each, str)), default=0)
    return Fit(size, width_px, percent)


def _ratio_of_box(width: int, height: int, ratio: Fraction | None) -> Fraction:
    from fractions import Fraction  # noqa: PLC0415 - costs 1 ms, and most images have no height

    box = f"width {width} and height {height}"
    if ratio is not None and abs(width / ratio - height) >= 1:
        fault = f"{box} contradict ratio {ratio.numerator}:{ratio.denominator}"
        raise DirectiveError(fault, hint="remove `height`")
    if not 1 / _MAX_RATIO <= width / height <= _MAX_RATIO:
        fault = f"{box} are not a supported ratio"
        raise DirectiveError(fault, accepted="supported: 1:10 to 10:1", hint="remove `height`")
    return ratio or Fraction(width, height)


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
    return ratio if Fraction(1, _MAX_RATIO) <= ratio <= _MAX_RATIO else None


def _length(value: object) -> int | str | None:
    """Return pixels as a number, and percent as text."""
    match = _LENGTH.fullmatch("" if isinstance(value, bool) else str(value).strip())
    number, unit = (int(match[1]), match[2]) if match else (0, None)
    if unit == "%":
        return f"{number}%" if number <= _MAX_PERCENT else None
    return number if 0 < number <= MAX_SIDE_PX else None


def _pixels(value: object) -> int | None:
    length = _length(value)
    return length if isinstance(length, int) else None


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

_PIXELS = {"type": "integer", "minimum": 1, "maximum": MAX_SIDE_PX}
WIDTH: Parser[int | str] = Parser(
    f"pixels from 1 to {MAX_SIDE_PX}, like 480 or 480px, or percent of the column, like 50%",
    _length,
    {"anyOf": [_PIXELS, {"type": "string", "pattern": "^[1-9][0-9]{0,3} ?(px|%)?$"}]},
    type="pixels or percent",
)
HEIGHT: Parser[int] = Parser(
    f"pixels from 1 to {MAX_SIDE_PX}, like 300 or 300px",
    _pixels,
    {"anyOf": [_PIXELS, {"type": "string", "pattern": "^[1-9][0-9]{0,3} ?(px)?$"}]},
    type="pixels",
)
