"""Composition of a sketch: a large disc, soft bands of ground, and one motif.

The lower left corner of the area that every usual crop keeps stays calm, for the label.
Pure: no I/O, clock or environment.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeVar

from mkdocs_imagegen.emulator.sketches.motifs import MOTIFS, Motif, Point, oval
from mkdocs_imagegen.emulator.sketches.palettes import (
    LAMP,
    NIGHT,
    PAINTS,
    PALETTES,
    PAPER,
    SKIN,
    Color,
    Palette,
    choose_by_word,
)
from mkdocs_imagegen.frozen import dataclass

T = TypeVar("T")

MIN_FONT_PX = 9
"""Smallest font size of the label."""

_FLATTEST_CROP = 1.91
_LAYOUTS = (
    (0.04, 0.04, 0.36),
    (0.19, -0.26, 0.17),
    (-0.19, 0.3, 0.21),
    (0.14, -0.02, 0.42),
    (-0.06, -0.36, 0.13),
)
"""Positions of the motif and of the disc from the middle, and the radius of the disc."""

_HILLS = ((0.2, 0.035), (0.115, 0.03), (0.03, 0.014))
"""Height of a band of ground above the motif's foot, and of its waves."""

_FRONT = (0.1, 0.32)
"""Depth of a band of ground below the label."""


class Box(NamedTuple):
    """Rectangle in pixels."""

    left: float
    top: float
    right: float
    bottom: float


class Area(NamedTuple):
    """Filled polygon with an opacity from 0 to 1."""

    points: tuple[Point, ...]
    color: Color
    opacity: float = 1.0


@dataclass(frozen=True, slots=True)
class Scene:
    """Composed sketch; ``shapes`` are in painting order, over the sky of the palette."""

    motif: Motif
    palette: Palette
    shapes: tuple[Area, ...]


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


def label_area(width: float, height: float) -> Box:
    """Return the calm place of the label.

    It is the lower left corner of the area that all centered crops from a square to a social card
    (1.91:1) keep.
    """
    unit = min(width, height)
    right, bottom = (width + unit) / 2, (height + min(height, width / _FLATTEST_CROP)) / 2
    left, edge = right - unit * 0.96, bottom - unit * 0.03
    return Box(left, edge - max(unit * 0.055, MIN_FONT_PX * 1.2), right - unit * 0.04, edge)


def subject_of(prompt: str) -> str:
    """Return the first paragraph of a final prompt: the style follows in another paragraph."""
    return prompt.strip().partition("\n\n")[0]


def choose_palette(prompt: str) -> Palette:
    """Return the palette for a prompt.

    A dark twin has its words in the last paragraph; if these begin with the night, so be it.
    """
    subject, by_words = subject_of(prompt), [(each.words, each) for each in PALETTES]
    opening = " ".join(re.findall(r"\w+", prompt[len(subject) :].rpartition("\n\n")[2])[:3])
    if choose_by_word(opening, by_words) is NIGHT:
        return NIGHT
    days = [palette for palette in PALETTES if palette is not NIGHT]
    return choose_by_word(subject, by_words) or SeededRandom(subject).pick(days)


def choose_motif(prompt: str) -> Motif:
    """Return the motif for a prompt."""
    subject, others = subject_of(prompt), [motif for motif in MOTIFS if not motif.words]
    by_word = choose_by_word(subject, [(motif.words, motif) for motif in MOTIFS])
    return by_word or SeededRandom(f"motif\n{subject}").pick(others)


def compose(
    prompt: str, size: tuple[int, int], seed: str, take: int = 1, *, is_round: bool = False
) -> Scene:
    """Compose a sketch; another seed or take gives another layout of the same motif.

    A round sketch, of which only the largest disc is shown, has its subject near the middle.
    """
    composer = _Composer(prompt, size, seed, take)
    if is_round:
        composer.x, composer.disc_x, composer.disc_y = composer.x * 0.3, 0, 0.26
        composer.radius = min(composer.radius, 0.24)
    return Scene(composer.motif, composer.palette, tuple(composer.shapes()))


class _Composer:
    def __init__(self, prompt: str, size: tuple[int, int], seed: str, take: int) -> None:
        subject = subject_of(prompt)
        self.motif, self.palette = choose_motif(prompt), choose_palette(prompt)
        self.accent = choose_by_word(subject, PAINTS) or self.palette.accent
        first = int(SeededRandom(f"layout {seed}\n{subject}").random() * len(_LAYOUTS))
        self.x, self.disc_x, self.radius = _LAYOUTS[(first + take) % len(_LAYOUTS)]
        self.rng = SeededRandom(f"{seed}, take {take}\n{subject}")
        self.disc_y = self.rng.between(0.95, 1.25) * (0.62 - self.radius)
        self.width, self.height = size
        self.unit = min(size)
        label = label_area(*size)
        self.foot = label.top - self.unit * 0.045
        self.label_foot = (self.foot - label.bottom) / self.unit

    def shapes(self) -> Iterator[Area]:
        yield from self._stars() if self.palette is NIGHT else ()
        yield from self._disc()
        yield from () if self.palette is NIGHT else self._clouds()
        ground = self.motif.ground
        if ground == "any":
            ground = "water" if "sea" in self.palette.words else "hills"
        if ground == "table":
            yield from self._table()
            return
        yield from self._water() if ground == "water" else self._hills(ground)
        for tone, down in enumerate(_FRONT, 3):
            yield self._band(tone, self.label_foot - down, 0.02)

    def _disc(self) -> Iterator[Area]:
        center = self._at(self.disc_x, self.disc_y)
        for wide, opacity in ((1.5, 0.16), (1.22, 0.22), (1.0, 1.0)):
            radius = self.unit * self.radius * wide
            yield Area(tuple(oval(*center, (radius, radius))), self.palette.light, opacity)

    def _clouds(self) -> Iterator[Area]:
        color = self.palette.sky[0].towards(self.palette.sky[1], 0.5).towards(PAPER, 0.6)
        for side in (-1, 1):
            x, y = side * self.rng.between(0.28, 0.62), self.rng.between(0.42, 0.6)
            long, shift = self.rng.between(0.1, 0.15), self.rng.between(-0.04, 0.04)
            yield self._pill(x, y, (long, 0.02), color)
            yield self._pill(x + shift, y + 0.022, (long * 0.55, 0.022), color)

    def _stars(self) -> Iterator[Area]:
        for _ in range(22):
            x, y = self.rng.between(-0.74, 0.74), self.rng.between(0.27, 0.78)
            size = self.rng.between(0.0018, 0.0042)
            yield self._pill(x, y, (size, size), PAPER, 0.8)

    def _table(self) -> Iterator[Area]:
        yield self._band(2, 0.09)
        yield self._pill(self.x, -0.005, (0.3, 0.016), self.palette.ink, 0.2)
        yield from self._subject(0)

    def _water(self) -> Iterator[Area]:
        yield self._band(1, 0.17)
        yield self._band(2, 0.075)
        for row in range(5):
            x, long = self.disc_x + self.rng.between(-0.02, 0.02), self.radius * (0.85 - 0.13 * row)
            yield self._pill(x, 0.145 - 0.035 * row, (long, 0.006), self.palette.light, 0.5)
        yield from self._subject(0.02)
        for side in (-1, 1):
            x = self.x + side * self.rng.between(0.12, 0.3)
            yield self._pill(x, 0.015 + 0.012 * side, (0.1, 0.005), PAPER, 0.5)

    def _hills(self, ground: str) -> Iterator[Area]:
        far, middle, near = (self._band(tone, up, swing) for tone, (up, swing) in enumerate(_HILLS))
        if ground == "behind":
            yield from (far, *self._subject(0.115), middle, near)
        else:
            yield from (far, middle, near, *self._subject(0.014))

    def _subject(self, up: float) -> Iterator[Area]:
        size = self.unit * self.rng.between(0.44, 0.5) * (1 - max(self.motif.lift, 0) * 0.45)
        flip, foot, tones = self.rng.pick((-1, 1)), self._at(self.x, up), self._tones()
        for shape in self.motif.shapes:
            points = (
                Point(foot.x + flip * x * size, foot.y - (y + self.motif.lift) * size)
                for x, y in shape.points
            )
            yield Area(tuple(points), *tones[shape.tone])

    def _tones(self) -> dict[str, tuple[Color, float]]:
        land, ink = self.palette.land, self.palette.ink
        return {
            "a": (self.accent, 1.0),
            "b": (self.accent.towards(ink, 0.22), 1.0),
            "w": (PAPER, 1.0),
            "l": (LAMP, 1.0),
            "k": (SKIN, 1.0),
            "s": (land[1].towards(land[2], 0.5), 1.0),
            "m": (land[3], 1.0),
            "d": (ink, 1.0),
            "x": (ink, 0.16),
            "g": (PAPER, 0.45),
        }

    def _at(self, across: float, up: float) -> Point:
        return Point(self.width / 2 + across * self.unit, self.foot - up * self.unit)

    def _band(self, tone: int, up: float, swing: float = 0) -> Area:
        length, phase = self.rng.between(1.0, 1.7), self.rng.between(0, math.tau)
        half = self.width / self.unit / 2
        across = (half * (step / 32 - 1) for step in range(65))
        contour = (
            self._at(x, up + swing * math.sin(math.tau * x / length + phase)) for x in across
        )
        corners = Point(self.width, self.height), Point(0, self.height)
        return Area((*contour, *corners), self.palette.land[tone])

    def _pill(
        self, x: float, y: float, half: tuple[float, float], color: Color, opacity: float = 1
    ) -> Area:
        long, tall = half
        right = oval(x + long - tall, y, (tall, tall), -90, 90)
        left = oval(x - long + tall, y, (tall, tall), 90, 270)
        return Area(tuple(self._at(*point) for point in (*right, *left)), color, opacity)
