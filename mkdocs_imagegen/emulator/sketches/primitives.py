"""Shapes, colors, palettes and seeded random numbers for scenes.

Positions and lengths are in pixels of the image. Pure: no I/O, clock or environment.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Sequence
from operator import itemgetter
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


class Point(NamedTuple):
    """Position relative to the upper left corner of the image."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Fill:
    """Vertical gradient with an opacity from 0 to 1."""

    top: Color
    bottom: Color
    opacity: float = 1.0


@dataclass(frozen=True, slots=True)
class Area:
    """Filled polygon."""

    points: tuple[Point, ...]
    fill: Fill


@dataclass(frozen=True, slots=True)
class Disc:
    """Filled circle."""

    center: Point
    radius: float
    fill: Fill


@dataclass(frozen=True, slots=True)
class Glow:
    """Light that fades with the distance from its center."""

    center: Point
    radius: float
    color: Color
    opacity: float


Primitive = Area | Disc | Glow


@dataclass(frozen=True, slots=True)
class Palette:
    """Set of matching colors.

    Attributes:
        sky: Colors at the top and at the horizon.
        light: Color of the sun or the moon.
        land: Five colors from far to near.
        accent: Contrasting color.
        words: Prompt words that select the palette.
    """

    sky: tuple[Color, Color]
    light: Color
    land: tuple[Color, ...]
    accent: Color
    words: frozenset[str]

    @property
    def ink(self) -> Color:
        """Darkest color, used for text."""
        return self.land[-1].towards(Color(16, 18, 28), 0.35)

    def ground(self, share: float) -> Color:
        """Return a land color: 0 is far and pale, 1 is near and dark."""
        place = min(max(share, 0.0), 1.0) * (len(self.land) - 1)
        far = min(int(place), len(self.land) - 2)
        return self.land[far].towards(self.land[far + 1], place - far)


@dataclass(frozen=True, slots=True)
class Scene:
    """Background and shapes, in painting order."""

    ground: Fill
    shapes: tuple[Primitive, ...]
    palette: Palette


def solid(color: Color, opacity: float = 1.0) -> Fill:
    """Return a fill of one color."""
    return Fill(color, color, opacity)


class SeededRandom:
    """Random numbers that depend on the seed only, not on the machine or Python version."""

    def __init__(self, seed: str) -> None:
        self._digest = hashlib.sha256(seed.encode("utf-8", "surrogatepass")).digest()
        self._count = 0

    def random(self) -> float:
        """Return a number from 0 up to, but not including, 1."""
        self._count += 1
        salted = self._digest + self._count.to_bytes(4, "big")
        return int.from_bytes(hashlib.blake2b(salted, digest_size=6).digest(), "big") / 2**48

    def between(self, low: float, high: float) -> float:
        """Return a number within the bounds."""
        return low + (high - low) * self.random()

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of the choices."""
        return choices[int(self.random() * len(choices))]

    def shuffled(self, items: Iterable[T]) -> list[T]:
        """Return the items in random order."""
        pairs = [(self.random(), item) for item in items]
        return [item for _, item in sorted(pairs, key=itemgetter(0))]

    def chance(self, share: float) -> bool:
        """Return True with the given probability."""
        return self.random() < share


def arc(center: Point, radius: float, start: float, end: float) -> list[Point]:
    """Return points along a circle; angles in degrees, clockwise from the right."""
    steps = max(8, int(abs(end - start) / 4))
    angles = (math.radians(start + (end - start) * step / steps) for step in range(steps + 1))
    return [
        Point(center.x + radius * math.cos(angle), center.y + radius * math.sin(angle))
        for angle in angles
    ]


def _hex_color(text: str) -> Color:
    return Color(*bytes.fromhex(text))


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text as a set."""
    return frozenset(text.split())


def _palette(sky: str, light: str, land: str, accent: str, selecting: str) -> Palette:
    top, horizon = map(_hex_color, sky.split())
    return Palette(
        (top, horizon),
        _hex_color(light),
        tuple(map(_hex_color, land.split())),
        _hex_color(accent),
        word_set(selecting),
    )


PALETTES = (
    _palette(
        "f3a683 fdebd0",
        "fff6e0",
        "eda98f d37f7d a65d76 71456b 3f2f55",
        "f2545b",
        "dawn dusk evening morning sunrise sunset twilight warm",
    ),
    _palette(
        "a5d3e6 f3f8e8",
        "fff0a8",
        "bcd8ac 8fbf8c 5e9f78 397a64 1f4d46",
        "f28f3b",
        "field fields grass meadow park spring valley farm",
    ),
    _palette(
        "131a3a 555a9c",
        "fff1c9",
        "5a5a9a 44458a 30326a 20234d 121532",
        "ffb703",
        "cosmos dark galaxy midnight moon night space star stars stellar",
    ),
    _palette(
        "b5dfee fdf3e1",
        "ffdca6",
        "8acad4 55a9bc 2c83a1 1b6082 123f5c",
        "ff7f51",
        "beach blue boat fish harbour harbor lake ocean river sea ship water wave waves",
    ),
    _palette(
        "f7d29c fdf0da",
        "fffaf0",
        "f0bd80 e29a5e ca7147 a14e38 6a3030",
        "2a9d8f",
        "autumn brown clay desert dune dunes orange sand table wood wooden",
    ),
    _palette(
        "c4dcbc f5f2df",
        "f6d28f",
        "a9c09c 7d9f80 527d68 2f5d50 1b3b36",
        "e07a5f",
        "forest garden green jungle leaf leaves plant plants tree trees",
    ),
    _palette(
        "e2bfdc fcf0f4",
        "ffe7bd",
        "d9a3c6 b871a4 8d4985 5f2f66 391e47",
        "f4a261",
        "bloom flower flowers lavender magenta pink purple rose violet",
    ),
    _palette(
        "bdd6ee f6fafd",
        "ffffff",
        "b9cfe3 92b2cf 6b91b8 456d98 264567",
        "e76f51",
        "alpine cold frost glacier ice mountain mountains peak snow snowy winter",
    ),
    _palette(
        "ffdc8a fff7e0",
        "ffffff",
        "f8cb55 f3a33d e8783c c44f3f 7a2e41",
        "277da1",
        "bright gold golden honey lemon summer sun sunny yellow",
    ),
    _palette(
        "cfd5cf f5f1e7",
        "f6d993",
        "bcc4ba 90a09c 667b80 435963 2a3945",
        "d1495b",
        "building city code computer data desk engine machine network office robot server street",
    ),
    _palette(
        "f29b83 fee6d5",
        "fff0d6",
        "ea735c cf4747 a5313e 702334 401827",
        "2e86ab",
        "balloon fire flame lava red ruby strawberry tomato",
    ),
)


def choose_by_word(prompt: str, choices: Sequence[tuple[frozenset[str], T]]) -> T | None:
    """Return the choice that the earliest matching word of the prompt selects."""
    for word in re.findall(r"[a-z]+", prompt.lower()):
        for selecting, choice in choices:
            if word in selecting:
                return choice
    return None
