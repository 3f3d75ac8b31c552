"""Motifs: the silhouettes that sketches show, each selected by words of the prompt.

A motif is drawn in its own coordinates: x from left to right, 0 in its middle, and y upwards, 0
at its foot; it is about one unit tall. The outlines are read once, from ``motifs.txt`` next to
this module.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple, cast, get_args

from mkdocs_imagegen.frozen import dataclass

Ground = Literal["any", "hills", "water", "table", "behind"]
"""Ground of a motif: ``any`` leaves it to the palette, ``behind`` is far away on hills."""


class Point(NamedTuple):
    """Position in pixels of the image, or in the coordinates of a motif."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Shape:
    """Filled outline.

    Attributes:
        tone: Letter of a color: ``a`` accent, ``b`` accent in shade, ``w`` paper, ``l`` lamp,
            ``s``, ``m`` and ``d`` middle to dark land colors, ``k`` skin, ``x`` shade, ``g`` glow.
        points: Outline.
    """

    tone: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Motif:
    """Silhouette of one subject.

    Attributes:
        name: Name of the motif.
        ground: Ground that it stands on.
        lift: Height of its foot above the ground.
        words: Prompt words that select the motif; without any, it serves prompts without a match.
        shapes: Shapes in painting order.
    """

    name: str
    ground: Ground
    lift: float
    words: frozenset[str]
    shapes: tuple[Shape, ...]


def _poly(*numbers: float) -> Iterator[Point]:
    return map(Point, numbers[::2], numbers[1::2])


def _box(left: float, foot: float, right: float, top: float) -> Iterator[Point]:
    return _poly(left, foot, left, top, right, top, right, foot)


def oval(
    x: float, y: float, radii: tuple[float, float], start: float = 0, end: float = 360
) -> Iterator[Point]:
    """Return points on an ellipse; angles in degrees, from the right over the y axis."""
    steps = max(8, round(abs(end - start) / 4))
    for step in range(steps + 1):
        angle = math.radians(start + (end - start) * step / steps)
        yield Point(x + radii[0] * math.cos(angle), y + radii[1] * math.sin(angle))


def _oval(x: float, y: float, across: float, up: float, *arc: float) -> Iterator[Point]:
    return oval(x, y, (across, up), *arc)


def _ring(x: float, y: float, *numbers: float) -> Iterator[Point]:
    """Return the outline of a ring: outer and inner radius, start, end, and flatness."""
    outer, inner, start, end, flat = numbers
    yield from oval(x, y, (outer, outer * flat), start, end)
    yield from oval(x, y, (inner, inner * flat), end, start)


def _pier(x: float) -> Iterator[Point]:
    """Return the outline of a pier between two arches."""
    yield from oval(x - 0.25, 0.28, (0.2, 0.24), 90, 0)
    yield from _poly(x - 0.05, -1, x + 0.05, -1)
    yield from oval(x + 0.25, 0.28, (0.2, 0.24), 180, 90)


def _blob(*numbers: float) -> Iterator[Point]:
    """Return a smooth closed curve through the points (Catmull-Rom); a double point is sharp."""
    knots = [*_poly(*numbers)]
    for at in range(len(knots)):
        before, here, after, later = (knots[(at + step) % len(knots)] for step in (-1, 0, 1, 2))
        for step in range(8 if here != after else 0):
            yield Point(*map(_between(step / 8), before, here, after, later))


def _between(t: float) -> Callable[[float, float, float, float], float]:
    def value(before: float, here: float, after: float, later: float) -> float:
        bend = 2 * before - 5 * here + 4 * after - later
        twist = 3 * (here - after) + later - before
        return here + t * (after - before + t * (bend + t * twist)) / 2

    return value


_OUTLINES: Mapping[str, Callable[..., Iterator[Point]]] = MappingProxyType(
    {"poly": _poly, "box": _box, "oval": _oval, "ring": _ring, "pier": _pier, "blob": _blob}
)

_FILE = Path(__file__).with_name("motifs.txt")
"""Motifs, with an empty line between them: name, ground, lift and words; then a line for each
shape, with its tone, outline and numbers."""


def _motif(text: str) -> Motif:
    header, *shapes = text.splitlines()
    name, ground, lift, *words = header.split()
    if ground not in get_args(Ground):
        raise ValueError(f"unknown ground {ground!r}")
    drawn = tuple(_shape(*shape.split()) for shape in shapes)
    return Motif(name, cast("Ground", ground), float(lift), frozenset(words), drawn)


def _shape(tone: str, outline: str, *numbers: str) -> Shape:
    return Shape(tone, tuple(_OUTLINES[outline](*map(float, numbers))))


MOTIFS = tuple(map(_motif, _FILE.read_text("utf-8").strip().split("\n\n")))
