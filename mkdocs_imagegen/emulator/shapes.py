"""What a scene is made of: shapes, colours and dice; pure.

Places and lengths are in pixels of the image, colours are red, green, blue from 0 to 255.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

from mkdocs_imagegen.frozen import dataclass

T = TypeVar("T")


class Colour(NamedTuple):
    """Red, green and blue, each from 0 to 255."""

    red: int
    green: int
    blue: int

    def towards(self, other: Colour, share: float) -> Colour:
        """The colour that lies ``share`` (0 to 1) of the way to another one."""
        return Colour(
            *(round(mine + (its - mine) * share) for mine, its in zip(self, other, strict=True))
        )


class Point(NamedTuple):
    """A place in the image, from its upper left corner."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Fill:
    """A colour that changes from top to bottom, and how much of what is below it hides."""

    top: Colour
    bottom: Colour
    opacity: float = 1.0


@dataclass(frozen=True, slots=True)
class Area:
    """A filled polygon."""

    points: tuple[Point, ...]
    fill: Fill


@dataclass(frozen=True, slots=True)
class Disc:
    """A filled circle."""

    centre: Point
    radius: float
    fill: Fill


@dataclass(frozen=True, slots=True)
class Glow:
    """Light that fades with the distance from its centre."""

    centre: Point
    radius: float
    colour: Colour
    opacity: float


Shape = Area | Disc | Glow


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours that go together.

    Attributes:
        sky: at the top and at the horizon.
        light: the sun or the moon.
        land: five colours from far to near.
        accent: one colour that stands out.
        words: in a prompt, these ask for this palette.
    """

    sky: tuple[Colour, Colour]
    light: Colour
    land: tuple[Colour, ...]
    accent: Colour
    words: frozenset[str]

    @property
    def ink(self) -> Colour:
        """The darkest colour, for letters."""
        return self.land[-1].towards(Colour(16, 18, 28), 0.35)

    def ground(self, share: float) -> Colour:
        """A colour of the land: 0 is far and pale, 1 is near and dark."""
        place = min(max(share, 0.0), 1.0) * (len(self.land) - 1)
        far = min(int(place), len(self.land) - 2)
        return self.land[far].towards(self.land[far + 1], place - far)


@dataclass(frozen=True, slots=True)
class Scene:
    """A ground colour and the shapes upon it, in the order they are painted."""

    ground: Fill
    shapes: tuple[Shape, ...]
    palette: Palette


def plain(colour: Colour, opacity: float = 1.0) -> Fill:
    """A fill of one colour."""
    return Fill(colour, colour, opacity)


class Dice:
    """Numbers that look random and are the same for the same seed, on every machine."""

    def __init__(self, seed: str) -> None:
        self._digest = hashlib.sha256(seed.encode("utf-8", "surrogatepass")).digest()
        self._thrown = 0

    def roll(self) -> float:
        """A number from 0 up to, not including, 1."""
        self._thrown += 1
        salted = self._digest + self._thrown.to_bytes(4, "big")
        return int.from_bytes(hashlib.blake2b(salted, digest_size=6).digest(), "big") / 2**48

    def between(self, low: float, high: float) -> float:
        """A number within bounds."""
        return low + (high - low) * self.roll()

    def pick(self, choices: Sequence[T]) -> T:
        """One of several."""
        return choices[int(self.roll() * len(choices))]

    def shuffled(self, things: Iterable[T]) -> list[T]:
        """All of them in another order."""
        return [thing for _, thing in sorted(((self.roll(), thing) for thing in things), key=_roll)]

    def chance(self, share: float) -> bool:
        """True in ``share`` of all throws."""
        return self.roll() < share


def _roll(pair: tuple[float, object]) -> float:
    return pair[0]


def arc(centre: Point, radius: float, start: float, end: float) -> list[Point]:
    """Points along a circle; angles in degrees, clockwise from the right."""
    steps = max(8, int(abs(end - start) / 4))
    angles = (math.radians(start + (end - start) * step / steps) for step in range(steps + 1))
    return [
        Point(centre.x + radius * math.cos(angle), centre.y + radius * math.sin(angle))
        for angle in angles
    ]


def _colour(text: str) -> Colour:
    return Colour(*bytes.fromhex(text))


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


def _palette(sky: str, light: str, land: str, accent: str, asked_by: str) -> Palette:
    top, horizon = map(_colour, sky.split())
    return Palette(
        (top, horizon),
        _colour(light),
        tuple(map(_colour, land.split())),
        _colour(accent),
        words(asked_by),
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


def by_word(prompt: str, choices: Sequence[tuple[frozenset[str], T]]) -> T | None:
    """The choice that the earliest fitting word of a prompt asks for."""
    for word in re.findall(r"[a-z]+", prompt.lower()):
        for asked_by, choice in choices:
            if word in asked_by:
                return choice
    return None
