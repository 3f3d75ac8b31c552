"""Scenes with a horizon: hills, peaks, the sea, balloons; pure.

Every family is a function of dice, a palette and the image's sides in pixels, and looks right
at any ratio of them. The middle of the lower half is kept calm: the label stands there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from mkdocs_imagegen.emulator.shapes import (
    Area,
    Colour,
    Dice,
    Disc,
    Fill,
    Glow,
    Palette,
    Point,
    Scene,
    Shape,
    arc,
    plain,
)

Line = Callable[[float], float]
"""The height of a line above each place across the image, both in pixels."""


def hills(dice: Dice, palette: Palette, width: float, height: float) -> Scene:
    """Five rows of hills, the nearer ones with firs."""
    shapes, horizon = sun(dice, palette, width, height), dice.between(0.42, 0.52)
    for row in range(5):
        share = row / 4
        base = height * (horizon + (0.94 - horizon) * share**1.15)
        line = _wave(dice, width, base, height * (0.055 + 0.02 * share))
        if row in (2, 3):
            fill = plain(palette.ground(share + 0.12))
            tall = min(width, height) * (0.5 + share)
            shapes += _firs(dice, line, width, tall, fill)
        shapes.append(_ridge(line, width, height, palette, share))
    return Scene(Fill(*palette.sky), tuple(shapes), palette)


def peaks(dice: Dice, palette: Palette, width: float, height: float) -> Scene:
    """Three ranges of mountains, each lit from one side, under stars."""
    shapes = [*_stars(dice, palette, width, height), *sun(dice, palette, width, height)]
    plain_line = _wave(dice, width, height * 0.7, height * 0.012)
    shapes.append(_ridge(plain_line, width, height, palette, 0.05))
    for row, (count, tall) in enumerate(((4, 0.34), (3, 0.42), (4, 0.26))):
        foot = height * (0.78 + 0.14 * row)
        for place in dice.shuffled(range(count)):
            x = width * (place + dice.between(0.25, 0.75)) / count
            top = Point(x, foot - height * tall * dice.between(0.75, 1.15))
            half = max(width / count * 0.95, (foot - top.y) * 0.8)
            feet = Point(x - half, foot), Point(x + half, foot)
            shapes += _mountain(dice, palette, top, feet, 0.1 + 0.3 * row)
    near = _wave(dice, width, height * 0.88, height * 0.02)
    shapes.append(_ridge(near, width, height, palette, 0.85))
    return Scene(Fill(*palette.sky), tuple(shapes), palette)


def sea(dice: Dice, palette: Palette, width: float, height: float) -> Scene:
    """A sun going down behind the sea, and a boat."""
    unit, horizon = min(width, height), height * dice.between(0.42, 0.5)
    x = width * dice.pick((dice.between(0.24, 0.4), dice.between(0.6, 0.76)))
    radius = unit * dice.between(0.13, 0.18)
    shapes = _low_sun(palette, Point(x, horizon - unit * 0.04), radius)
    shapes += _clouds(dice, palette, width, horizon, unit)
    water = (Point(0, horizon), Point(width, horizon), Point(width, height), Point(0, height))
    shapes.append(Area(water, Fill(palette.ground(0.05), palette.ground(0.55))))
    shapes += _reflection(dice, palette, Point(x, horizon), radius, unit)
    away = Point(width - x + unit * dice.between(-0.1, 0.1), horizon + unit * 0.07)
    shapes += _boat(palette, away, unit * dice.between(0.17, 0.24), dice.pick((-1, 1)))
    for row in range(4):
        crest = _wave(dice, width / 2, height * (0.68 + 0.09 * row), height * 0.014)
        shapes.append(_ridge(crest, width, height, palette, 0.35 + 0.2 * row))
    return Scene(Fill(*palette.sky), tuple(shapes), palette)


def balloons(dice: Dice, palette: Palette, width: float, height: float) -> Scene:
    """Balloons rising over low hills."""
    unit = min(width, height)
    shapes = sun(dice, palette, width, height)
    shapes += _clouds(dice, palette, width, height * 0.6, unit)
    for row in range(3):
        line = _wave(dice, width, height * (0.74 + 0.09 * row), height * 0.035)
        shapes.append(_ridge(line, width, height, palette, 0.15 + 0.35 * row))
    colours = (palette.land[3], palette.accent, palette.land[2], palette.land[1])
    count = min(max(3, round(3.4 * width / unit)), 16)
    for number, place in enumerate(dice.shuffled(range(count))):
        x = width * (place + dice.between(0.3, 0.7)) / count
        nearest = number == count - 1
        radius = unit * (0.12 if nearest else dice.between(0.055, 0.09))
        centre = Point(x, height * (0.32 if nearest else dice.between(0.2, 0.44)))
        colour = palette.land[1] if nearest else colours[number % 4]
        shapes += _balloon(dice, palette, centre, radius, colour)
    return Scene(Fill(*palette.sky), tuple(shapes), palette)


def sun(dice: Dice, palette: Palette, width: float, height: float) -> list[Shape]:
    """A sun or moon in the upper part, left or right, with light around it."""
    unit = min(width, height)
    x = dice.pick((dice.between(0.18, 0.36), dice.between(0.64, 0.82)))
    centre = Point(x * width, dice.between(0.2, 0.34) * height)
    radius = dice.between(0.085, 0.13) * unit
    return [
        Glow(centre, radius * 5, palette.light, 0.8),
        Disc(centre, radius, plain(palette.light)),
    ]


def _wave(dice: Dice, width: float, base: float, swing: float) -> Line:
    waves = [
        (dice.between(0.5, 1.1), dice.between(0, math.tau), swing),
        (dice.between(1.4, 2.6), dice.between(0, math.tau), swing * 0.45),
        (dice.between(3.2, 5.4), dice.between(0, math.tau), swing * 0.16),
    ]

    def line(x: float) -> float:
        turns = x / width * math.tau
        return base + sum(high * math.sin(turns * pace + phase) for pace, phase, high in waves)

    return line


def _ridge(line: Line, width: float, height: float, palette: Palette, share: float) -> Area:
    steps = 96
    crest = [Point(x := width * step / steps, line(x)) for step in range(steps + 1)]
    fill = Fill(palette.ground(share), palette.ground(share + 0.17))
    return Area((Point(0, height), *crest, Point(width, height)), fill)


def _firs(dice: Dice, line: Line, width: float, size: float, fill: Fill) -> Iterator[Area]:
    for _ in range(9):
        x, tall = dice.between(0, width), size * dice.between(0.05, 0.09)
        foot = line(x) + tall * 0.12
        for tier in (0.0, 0.24, 0.46):
            base, half = foot - tall * tier, tall * (0.26 - 0.3 * tier)
            tip = Point(x, base - tall * 0.54)
            yield Area((Point(x - half, base), tip, Point(x + half, base)), fill)


def _stars(dice: Dice, palette: Palette, width: float, height: float) -> Iterator[Disc]:
    for _ in range(26):
        place = Point(dice.between(0, width), dice.between(0, 0.4) * height)
        radius = min(width, height) * dice.between(0.0012, 0.003)
        yield Disc(place, radius, plain(palette.light, 0.8))


def _mountain(
    dice: Dice, palette: Palette, top: Point, feet: tuple[Point, Point], share: float
) -> list[Shape]:
    left, right = feet
    slope = [left, *_crag(dice, left, top, 3)]
    body = (*slope, *_crag(dice, top, right, 3))
    seam_foot = Point(top.x + (right.x - top.x) * 0.12, right.y)
    seam = [top, *_crag(dice, top, seam_foot, 3)]
    lit = palette.ground(share - 0.08).towards(palette.light, 0.3)
    return [
        Area(body, Fill(palette.ground(share + 0.12), palette.ground(share))),
        Area((*seam, *slope[:-1]), Fill(lit, palette.ground(share))),
    ]


def _crag(dice: Dice, start: Point, end: Point, depth: int) -> list[Point]:
    if depth == 0:
        return [end]
    slip = (end.x - start.x) * dice.between(-0.09, 0.09)
    middle = Point((start.x + end.x) / 2 + slip, (start.y + end.y) / 2 + slip)
    return _crag(dice, start, middle, depth - 1) + _crag(dice, middle, end, depth - 1)


def _low_sun(palette: Palette, centre: Point, radius: float) -> list[Shape]:
    fill = Fill(palette.light, palette.accent.towards(palette.light, 0.55))
    return [Glow(centre, radius * 4.5, palette.light, 0.9), Disc(centre, radius, fill)]


def _clouds(
    dice: Dice, palette: Palette, width: float, horizon: float, unit: float
) -> Iterator[Area]:
    for _ in range(3):
        place = Point(dice.between(0, width), horizon * dice.between(0.2, 0.7))
        length, fill = unit * dice.between(0.2, 0.4), plain(palette.light, 0.5)
        yield _bar(place, length, unit * 0.024, fill)
        aside = Point(place.x + length * dice.between(-0.4, 0.4), place.y + unit * 0.036)
        yield _bar(aside, length * 0.6, unit * 0.024, fill)


def _reflection(
    dice: Dice, palette: Palette, shore: Point, radius: float, unit: float
) -> Iterator[Area]:
    for row in range(7):
        length = radius * dice.between(0.7, 1.9) * (1 - row * 0.06)
        x = shore.x + radius * dice.between(-0.25, 0.25)
        place = Point(x, shore.y + unit * (0.02 + 0.034 * row))
        yield _bar(place, length, unit * 0.011, plain(palette.light, 0.7))


def _bar(centre: Point, length: float, thick: float, fill: Fill) -> Area:
    right, left = Point(centre.x + length / 2, centre.y), Point(centre.x - length / 2, centre.y)
    return Area((*arc(right, thick / 2, -90, 90), *arc(left, thick / 2, 90, 270)), fill)


def _boat(palette: Palette, foot: Point, size: float, way: int) -> list[Shape]:
    def part(fill: Fill, *places: tuple[float, float]) -> Area:
        points = (Point(foot.x + way * size * x, foot.y - size * y) for x, y in places)
        return Area(tuple(points), fill)

    return [
        part(plain(palette.accent), (0, 1), (0, 0.14), (0.52, 0.14)),
        part(plain(palette.light), (-0.06, 0.8), (-0.06, 0.14), (-0.36, 0.14)),
        part(plain(palette.ink), (-0.46, 0.08), (0.54, 0.08), (0.34, -0.1), (-0.32, -0.1)),
    ]


def _balloon(
    dice: Dice, palette: Palette, centre: Point, radius: float, colour: Colour
) -> list[Shape]:
    skin = Fill(colour.towards(palette.light, 0.22), colour)
    knot, way = centre.y + radius * 1.36, dice.pick((-1, 1))
    string = [
        Point(centre.x + radius * 0.14 * way * math.sin(step * 0.5), knot + radius * step / 9)
        for step in range(22)
    ]
    thin = radius * 0.035
    shine = Point(centre.x - radius * 0.36, centre.y - radius * 0.42)
    return [
        _thread(string, thin, plain(palette.ink, 0.6)),
        Area(
            (Point(centre.x, knot - radius * 0.16), *_feet(centre.x, knot, radius)), plain(colour)
        ),
        Area(tuple(_egg(centre, radius)), skin),
        Disc(shine, radius * dice.between(0.13, 0.2), plain(palette.light, 0.45)),
    ]


def _feet(x: float, y: float, radius: float) -> tuple[Point, Point]:
    return Point(x - radius * 0.13, y + radius * 0.06), Point(x + radius * 0.13, y + radius * 0.06)


def _egg(centre: Point, radius: float) -> Iterator[Point]:
    for point in arc(Point(0, 0), 1, 0, 360):
        low = max(0.0, point.y)
        narrow = 1 - 0.2 * low**2
        yield Point(
            centre.x + radius * point.x * narrow, centre.y + radius * point.y * (1 + 0.3 * low)
        )


def _thread(line: list[Point], thick: float, fill: Fill) -> Area:
    left = [Point(point.x - thick, point.y) for point in line]
    right = [Point(point.x + thick, point.y) for point in reversed(line)]
    return Area((*left, *right), fill)
