"""Scenes with a horizon: hills, mountain peaks, the sea, balloons.

Each family is a function of random numbers, a palette and the image size in pixels, and works at
any aspect ratio. The middle of the lower half has little detail because the label covers it.
Pure: no I/O, clock or environment.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from mkdocs_imagegen.emulator.sketches.primitives import (
    Area,
    Color,
    Disc,
    Fill,
    Glow,
    Palette,
    Point,
    Primitive,
    Scene,
    SeededRandom,
    arc,
    solid,
)

Contour = Callable[[float], float]
"""Vertical position of a contour by horizontal position, both in pixels."""


def hills(rng: SeededRandom, palette: Palette, width: float, height: float) -> Scene:
    """Compose five rows of hills, the nearer ones with firs."""
    shapes, horizon = sun(rng, palette, width, height), rng.between(0.42, 0.52)
    for row in range(5):
        share = row / 4
        base = height * (horizon + (0.94 - horizon) * share**1.15)
        line = _wave(rng, width, base, height * (0.055 + 0.02 * share))
        if row in (2, 3):
            fill = solid(palette.ground(share + 0.12))
            tall = min(width, height) * (0.5 + share)
            shapes += _firs(rng, line, width, tall, fill)
        shapes.append(_ridge(line, width, height, palette, share))
    return Scene(Fill(*palette.sky), tuple(shapes), palette)


def peaks(rng: SeededRandom, palette: Palette, width: float, height: float) -> Scene:
    """Compose three mountain ranges, each lit from one side, under stars."""
    shapes = [*_stars(rng, palette, width, height), *sun(rng, palette, width, height)]
    plain_line = _wave(rng, width, height * 0.7, height * 0.012)
    shapes.append(_ridge(plain_line, width, height, palette, 0.05))
    for row, (count, tall) in enumerate(((4, 0.34), (3, 0.42), (4, 0.26))):
        foot = height * (0.78 + 0.14 * row)
        for place in rng.shuffled(range(count)):
            x = width * (place + rng.between(0.25, 0.75)) / count
            top = Point(x, foot - height * tall * rng.between(0.75, 1.15))
            half = max(width / count * 0.95, (foot - top.y) * 0.8)
            feet = Point(x - half, foot), Point(x + half, foot)
            shapes += _mountain(rng, palette, top, feet, 0.1 + 0.3 * row)
    near = _wave(rng, width, height * 0.88, height * 0.02)
    shapes.append(_ridge(near, width, height, palette, 0.85))
    return Scene(Fill(*palette.sky), tuple(shapes), palette)


def sea(rng: SeededRandom, palette: Palette, width: float, height: float) -> Scene:
    """Compose a sunset over the sea, with a boat."""
    unit, horizon = min(width, height), height * rng.between(0.42, 0.5)
    x = width * rng.pick((rng.between(0.24, 0.4), rng.between(0.6, 0.76)))
    radius = unit * rng.between(0.13, 0.18)
    shapes = _low_sun(palette, Point(x, horizon - unit * 0.04), radius)
    shapes += _clouds(rng, palette, width, horizon, unit)
    water = (Point(0, horizon), Point(width, horizon), Point(width, height), Point(0, height))
    shapes.append(Area(water, Fill(palette.ground(0.05), palette.ground(0.55))))
    shapes += _reflection(rng, palette, Point(x, horizon), radius, unit)
    away = Point(width - x + unit * rng.between(-0.1, 0.1), horizon + unit * 0.07)
    shapes += _boat(palette, away, unit * rng.between(0.17, 0.24), rng.pick((-1, 1)))
    for row in range(4):
        crest = _wave(rng, width / 2, height * (0.68 + 0.09 * row), height * 0.014)
        shapes.append(_ridge(crest, width, height, palette, 0.35 + 0.2 * row))
    return Scene(Fill(*palette.sky), tuple(shapes), palette)


def balloons(rng: SeededRandom, palette: Palette, width: float, height: float) -> Scene:
    """Compose balloons that rise over low hills."""
    unit = min(width, height)
    shapes = sun(rng, palette, width, height)
    shapes += _clouds(rng, palette, width, height * 0.6, unit)
    for row in range(3):
        line = _wave(rng, width, height * (0.74 + 0.09 * row), height * 0.035)
        shapes.append(_ridge(line, width, height, palette, 0.15 + 0.35 * row))
    colors = (palette.land[3], palette.accent, palette.land[2], palette.land[1])
    count = min(max(3, round(3.4 * width / unit)), 16)
    for number, place in enumerate(rng.shuffled(range(count))):
        x = width * (place + rng.between(0.3, 0.7)) / count
        nearest = number == count - 1
        radius = unit * (0.12 if nearest else rng.between(0.055, 0.09))
        center = Point(x, height * (0.32 if nearest else rng.between(0.2, 0.44)))
        color = palette.land[1] if nearest else colors[number % 4]
        shapes += _balloon(rng, palette, center, radius, color)
    return Scene(Fill(*palette.sky), tuple(shapes), palette)


def sun(rng: SeededRandom, palette: Palette, width: float, height: float) -> list[Primitive]:
    """Return a sun or moon with a glow, in the upper left or right."""
    unit = min(width, height)
    x = rng.pick((rng.between(0.18, 0.36), rng.between(0.64, 0.82)))
    center = Point(x * width, rng.between(0.2, 0.34) * height)
    radius = rng.between(0.085, 0.13) * unit
    return [
        Glow(center, radius * 5, palette.light, 0.8),
        Disc(center, radius, solid(palette.light)),
    ]


def _wave(rng: SeededRandom, width: float, base: float, swing: float) -> Contour:
    waves = [
        (rng.between(0.5, 1.1), rng.between(0, math.tau), swing),
        (rng.between(1.4, 2.6), rng.between(0, math.tau), swing * 0.45),
        (rng.between(3.2, 5.4), rng.between(0, math.tau), swing * 0.16),
    ]

    def line(x: float) -> float:
        turns = x / width * math.tau
        return base + sum(high * math.sin(turns * pace + phase) for pace, phase, high in waves)

    return line


def _ridge(line: Contour, width: float, height: float, palette: Palette, share: float) -> Area:
    steps = 96
    crest = [Point(x := width * step / steps, line(x)) for step in range(steps + 1)]
    fill = Fill(palette.ground(share), palette.ground(share + 0.17))
    return Area((Point(0, height), *crest, Point(width, height)), fill)


def _firs(
    rng: SeededRandom, line: Contour, width: float, size: float, fill: Fill
) -> Iterator[Area]:
    for _ in range(9):
        x, tall = rng.between(0, width), size * rng.between(0.05, 0.09)
        foot = line(x) + tall * 0.12
        for tier in (0.0, 0.24, 0.46):
            base, half = foot - tall * tier, tall * (0.26 - 0.3 * tier)
            tip = Point(x, base - tall * 0.54)
            yield Area((Point(x - half, base), tip, Point(x + half, base)), fill)


def _stars(rng: SeededRandom, palette: Palette, width: float, height: float) -> Iterator[Disc]:
    for _ in range(26):
        place = Point(rng.between(0, width), rng.between(0, 0.4) * height)
        radius = min(width, height) * rng.between(0.0012, 0.003)
        yield Disc(place, radius, solid(palette.light, 0.8))


def _mountain(
    rng: SeededRandom, palette: Palette, top: Point, feet: tuple[Point, Point], share: float
) -> list[Primitive]:
    left, right = feet
    slope = [left, *_crag(rng, left, top, 3)]
    body = (*slope, *_crag(rng, top, right, 3))
    seam_foot = Point(top.x + (right.x - top.x) * 0.12, right.y)
    seam = [top, *_crag(rng, top, seam_foot, 3)]
    lit = palette.ground(share - 0.08).towards(palette.light, 0.3)
    return [
        Area(body, Fill(palette.ground(share + 0.12), palette.ground(share))),
        Area((*seam, *slope[:-1]), Fill(lit, palette.ground(share))),
    ]


def _crag(rng: SeededRandom, start: Point, end: Point, depth: int) -> list[Point]:
    if depth == 0:
        return [end]
    slip = (end.x - start.x) * rng.between(-0.09, 0.09)
    middle = Point((start.x + end.x) / 2 + slip, (start.y + end.y) / 2 + slip)
    return _crag(rng, start, middle, depth - 1) + _crag(rng, middle, end, depth - 1)


def _low_sun(palette: Palette, center: Point, radius: float) -> list[Primitive]:
    fill = Fill(palette.light, palette.accent.towards(palette.light, 0.55))
    return [Glow(center, radius * 4.5, palette.light, 0.9), Disc(center, radius, fill)]


def _clouds(
    rng: SeededRandom, palette: Palette, width: float, horizon: float, unit: float
) -> Iterator[Area]:
    for _ in range(3):
        place = Point(rng.between(0, width), horizon * rng.between(0.2, 0.7))
        length, fill = unit * rng.between(0.2, 0.4), solid(palette.light, 0.5)
        yield _bar(place, length, unit * 0.024, fill)
        aside = Point(place.x + length * rng.between(-0.4, 0.4), place.y + unit * 0.036)
        yield _bar(aside, length * 0.6, unit * 0.024, fill)


def _reflection(
    rng: SeededRandom, palette: Palette, shore: Point, radius: float, unit: float
) -> Iterator[Area]:
    for row in range(7):
        length = radius * rng.between(0.7, 1.9) * (1 - row * 0.06)
        x = shore.x + radius * rng.between(-0.25, 0.25)
        place = Point(x, shore.y + unit * (0.02 + 0.034 * row))
        yield _bar(place, length, unit * 0.011, solid(palette.light, 0.7))


def _bar(center: Point, length: float, thick: float, fill: Fill) -> Area:
    right, left = Point(center.x + length / 2, center.y), Point(center.x - length / 2, center.y)
    return Area((*arc(right, thick / 2, -90, 90), *arc(left, thick / 2, 90, 270)), fill)


def _boat(palette: Palette, foot: Point, size: float, way: int) -> list[Primitive]:
    def part(fill: Fill, *places: tuple[float, float]) -> Area:
        points = (Point(foot.x + way * size * x, foot.y - size * y) for x, y in places)
        return Area(tuple(points), fill)

    return [
        part(solid(palette.accent), (0, 1), (0, 0.14), (0.52, 0.14)),
        part(solid(palette.light), (-0.06, 0.8), (-0.06, 0.14), (-0.36, 0.14)),
        part(solid(palette.ink), (-0.46, 0.08), (0.54, 0.08), (0.34, -0.1), (-0.32, -0.1)),
    ]


def _balloon(
    rng: SeededRandom, palette: Palette, center: Point, radius: float, color: Color
) -> list[Primitive]:
    skin = Fill(color.towards(palette.light, 0.22), color)
    knot, way = center.y + radius * 1.36, rng.pick((-1, 1))
    string = [
        Point(center.x + radius * 0.14 * way * math.sin(step * 0.5), knot + radius * step / 9)
        for step in range(22)
    ]
    thin = radius * 0.035
    shine = Point(center.x - radius * 0.36, center.y - radius * 0.42)
    return [
        _thread(string, thin, solid(palette.ink, 0.6)),
        Area((Point(center.x, knot - radius * 0.16), *_feet(center.x, knot, radius)), solid(color)),
        Area(tuple(_egg(center, radius)), skin),
        Disc(shine, radius * rng.between(0.13, 0.2), solid(palette.light, 0.45)),
    ]


def _feet(x: float, y: float, radius: float) -> tuple[Point, Point]:
    return Point(x - radius * 0.13, y + radius * 0.06), Point(x + radius * 0.13, y + radius * 0.06)


def _egg(center: Point, radius: float) -> Iterator[Point]:
    for point in arc(Point(0, 0), 1, 0, 360):
        low = max(0.0, point.y)
        narrow = 1 - 0.2 * low**2
        yield Point(
            center.x + radius * point.x * narrow, center.y + radius * point.y * (1 + 0.3 * low)
        )


def _thread(line: list[Point], thick: float, fill: Fill) -> Area:
    left = [Point(point.x - thick, point.y) for point in line]
    right = [Point(point.x + thick, point.y) for point in reversed(line)]
    return Area((*left, *right), fill)
