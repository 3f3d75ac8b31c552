"""Values that shape an image on its page: widths, ratio, focus; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.options import TEXT, Parser, Size

if TYPE_CHECKING:
    from fractions import Fraction


class Focus(NamedTuple):
    """The point of an image that a crop keeps in view, in hundredths from the left and top."""

    left: int = 50
    top: int = 50


CENTER = Focus()


@dataclass(frozen=True, slots=True)
class Layout:
    """How a page shows an image.

    Attributes:
        size: the largest it is shown, in pixels; another shape than the image's is cut out.
        widths: the widths of the smaller files, in pixels; None for the site's.
        focus: what a cut keeps in view.
        is_card: whether it is for others to show beside a link: one JPEG and nothing else.
    """

    size: Size
    widths: tuple[int, ...] | None = None
    focus: Focus = CENTER
    is_card: bool = False


def scaled(layout: Size, width: int) -> Size:
    """The size of that width in a shape."""
    return Size(width, max(1, round(width * layout.height / layout.width)))


def cut(size: Size, ratio: Fraction | None) -> Size:
    """The largest size of that ratio inside another; the same where there is no ratio."""
    if ratio is None:
        return size
    if ratio * size.height >= size.width:
        return Size(size.width, max(1, round(size.width / ratio)))
    return Size(max(1, round(size.height * ratio)), size.height)


_RATIO = re.compile(r"(\d{1,4}(?:\.\d{1,4})?)\s*[:/xX\u00d7]\s*(0*[1-9]\d{0,3})", re.ASCII)
_PLACES = {
    "left": Focus(0, 50),
    "right": Focus(100, 50),
    "top": Focus(50, 0),
    "bottom": Focus(50, 100),
    "center": Focus(50, 50),
}


def _shares(words: list[str]) -> list[int]:
    """Hundredths; empty where a word is none."""
    shares = [int(word) for word in words if re.fullmatch(r"[0-9]{1,3}", word)]
    return shares if len(shares) == len(words) and max(shares, default=0) <= 100 else []  # noqa: PLR2004 - hundredths


def _ratio(value: object) -> Fraction | None:
    from fractions import Fraction  # noqa: PLC0415 - a while, and most images name no ratio

    match = _RATIO.fullmatch(TEXT(value).strip())
    ratio = Fraction(match[1]) / Fraction(match[2]) if match else Fraction(0)
    return ratio if Fraction(1, 10) <= ratio <= Fraction(10) else None


def _focus(value: object) -> Focus | None:
    names = str(value).lower().split()
    locations = [_PLACES[name] for name in names if name in _PLACES]
    if len(names) == len(locations) == 1:
        return locations[0]
    if len(names) == len(locations) == 2:  # noqa: PLR2004 - one across, one down
        across, down = (set(sides) - {50} for sides in zip(*locations, strict=True))
        one_each = len(across) <= 1 and len(down) <= 1
        return Focus(*across or {50}, *down or {50}) if one_each else None
    shares = _shares([name.removesuffix("%") for name in names])
    return Focus(*shares) if len(shares) == 2 else None  # noqa: PLR2004 - left and top


RATIO: Parser[Fraction] = Parser("WIDTH:HEIGHT from 1:10 to 10:1, like 16:9", _ratio, TEXT.schema)
FOCUS: Parser[Focus] = Parser(
    "a place, like left or top right, or hundredths from left and top, like 30% 60%",
    _focus,
    TEXT.schema,
)
