"""Colors, palettes, and their choice by the words of a prompt.

Pure: no I/O, clock or environment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple, TypeVar

from mkdocs_imagegen.frozen import dataclass

T = TypeVar("T")


class Color(NamedTuple):
    """Red, green and blue, each from 0 to 255."""

    red: int
    green: int
    blue: int

    def towards(self, other: Color, share: float) -> Color:
        """Return a mix with another color; ``share`` is its part, from 0 to 1."""
        return Color(
            *(round(mine + (its - mine) * share) for mine, its in zip(self, other, strict=True))
        )


PAPER, SKIN, LAMP = Color(255, 252, 244), Color(217, 166, 121), Color(248, 205, 106)
_BLACK = Color(16, 18, 28)
_DARK = 1000
"""Weighted sum of a color's parts below which paper is the more readable text."""


@dataclass(frozen=True, slots=True)
class Palette:
    """Set of matching colors.

    Attributes:
        words: Prompt words that select the palette.
        sky: Colors at the top and at the horizon.
        light: Color of the sun or the moon.
        land: Five colors from far to near.
        accent: Contrasting color of the subject.
    """

    words: frozenset[str]
    sky: tuple[Color, Color]
    light: Color
    land: tuple[Color, ...]
    accent: Color

    @property
    def ink(self) -> Color:
        """Darkest color."""
        return self.land[-1].towards(_BLACK, 0.35)

    @property
    def text(self) -> Color:
        """Color of text on the nearest hill: paper or ink."""
        red, green, blue = self.land[2]
        return PAPER if 2 * red + 5 * green + blue < _DARK else self.ink


def choose_by_word(prompt: str, choices: Iterable[tuple[frozenset[str], T]]) -> T | None:
    """Return the choice that the earliest matching word selects; a plural counts as its word."""
    selecting = {word: choice for words, choice in reversed([*choices]) for word in words}
    for word in re.findall(r"[a-z]+", prompt.lower()):
        for form in (word, word.removesuffix("s")):
            if form in selecting:
                return selecting[form]
    return None


def _palette(words: str, colors: str) -> Palette:
    top, horizon, light, *land, accent = (Color(*bytes.fromhex(each)) for each in colors.split())
    return Palette(frozenset(words.split()), (top, horizon), light, tuple(land), accent)


# For each palette its words, then sky, light, land and accent.
_TABLE = """
dawn dusk evening morning sunrise sunset twilight warm
f3a683 fdebd0 fff6e0 eda98f d37f7d a65d76 71456b 3f2f55 f2545b
farm field grass hill meadow orchard park spring valley
a5d3e6 f3f8e8 fff0a8 bcd8ac 8fbf8c 5e9f78 397a64 1f4d46 f28f3b
cosmos dark galaxy midnight moon moonlight night planet space star stellar
131a3a 555a9c fff1c9 5a5a9a 44458a 30326a 20234d 121532 ffb703
beach boat coast ferry fish fjord harbor harbour lake ocean river sea ship water wave whale
b5dfee fdf3e1 ffdca6 8acad4 55a9bc 2c83a1 1b6082 123f5c ff7f51
autumn canyon clay desert dune sand table wood wooden
f7d29c fdf0da fffaf0 f0bd80 e29a5e ca7147 a14e38 6a3030 2a9d8f
fern forest garden jungle leaf leaves plant tree
c4dcbc f5f2df f6d28f a9c09c 7d9f80 527d68 2f5d50 1b3b36 e07a5f
bloom flower lavender magenta rose tulip violet
e2bfdc fcf0f4 ffe7bd d9a3c6 b871a4 8d4985 5f2f66 391e47 f4a261
alpine cold fog foggy frost glacier ice mountain peak rain snow snowy winter
bdd6ee f6fafd ffffff b9cfe3 92b2cf 6b91b8 456d98 264567 e76f51
bright honey lemon summer sun sunny
ffdc8a fff7e0 ffffff f8cb55 f3a33d e8783c c44f3f 7a2e41 277da1
building city code computer data desk engine machine network office robot server street
cfd5cf f5f1e7 f6d993 bcc4ba 90a09c 667b80 435963 2a3945 d1495b
fire flame lava ruby strawberry tomato
f29b83 fee6d5 fff0d6 ea735c cf4747 a5313e 702334 401827 2e86ab
"""

_PAINTS = """red d64545 coral f2715b orange f08a3c golden eab13c yellow f4c542 green 4f9d69
teal 24897f blue 3a6fb5 purple 7d5ba6 pink e88fae brown 94603f"""

_LINES = iter(_TABLE.strip().splitlines())
PALETTES = tuple(_palette(words, colors) for words, colors in zip(_LINES, _LINES, strict=True))
NIGHT = next(palette for palette in PALETTES if "night" in palette.words)

PAINTS = tuple(
    (frozenset((name,)), Color(*bytes.fromhex(color)))
    for name, color in zip(*[iter(_PAINTS.split())] * 2, strict=True)
)
"""Color words with the accent that they select."""
