"""Scenes without a horizon: circles, arches, leaves, tiles.

The functions have the same form as those in ``landscapes``. Pure: no I/O, clock or environment.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from mkdocs_imagegen.emulator.sketches.landscapes import sun
from mkdocs_imagegen.emulator.sketches.primitives import (
    Area,
    Color,
    Disc,
    Fill,
    Palette,
    Point,
    Primitive,
    Scene,
    SeededRandom,
    arc,
    solid,
)


def circles(rng: SeededRandom, palette: Palette, width: float, height: float) -> Scene:
    """Compose overlapping circles and half circles."""
    unit = min(width, height)
    big = Point(width * rng.between(0.35, 0.65), height * rng.between(0.36, 0.5))
    shapes: list[Primitive] = [Disc(big, unit * 0.36, solid(palette.land[0], 0.7))]
    colors = rng.shuffled((*palette.land[:4], palette.accent, palette.accent))
    for number, color in enumerate(colors):
        across = (number + rng.between(0.15, 0.85)) / len(colors)
        place = Point(width * across, height * rng.between(0.14, 0.78))
        shapes.append(_round(rng, palette, place, unit * rng.between(0.1, 0.24), color))
    for _ in range(6):
        dot = Point(width * rng.between(0.05, 0.95), height * rng.between(0.06, 0.94))
        shapes.append(Disc(dot, unit * rng.between(0.007, 0.018), solid(palette.ink, 0.9)))
    return Scene(_paper(palette), tuple(shapes), palette)


def arches(rng: SeededRandom, palette: Palette, width: float, height: float) -> Scene:
    """Compose three nested arches under a sun."""
    unit = min(width, height)
    shapes = sun(rng, palette, width, height)
    for x, size in rng.shuffled(((0.2, 0.36), (0.8, 0.3), (0.5, 0.4))):
        across = width * (x + rng.between(-0.05, 0.05))
        foot = Point(across, height * rng.between(0.62, 0.76))
        colors = rng.shuffled((*palette.land[:4], palette.accent, palette.light))
        for ring, color in enumerate(colors):
            radius = unit * size * (1 - ring / len(colors))
            legs = (Point(foot.x + radius, height), Point(foot.x - radius, height))
            shapes.append(Area((*arc(foot, radius, 180, 360), *legs), solid(color)))
    return Scene(Fill(*palette.sky), tuple(shapes), palette)


def leaves(rng: SeededRandom, palette: Palette, width: float, height: float) -> Scene:
    """Compose stems with leaves in front of a large disc."""
    unit = min(width, height)
    disc = Point(width * rng.between(0.4, 0.6), height * rng.between(0.36, 0.46))
    glow = Fill(palette.accent, palette.accent.towards(palette.light, 0.55))
    shapes: list[Primitive] = [Disc(disc, unit * 0.33, glow)]
    count = min(max(4, round(4.6 * width / unit)), 20)
    for number, place in enumerate(rng.shuffled(range(count))):
        foot = Point(width * (place + rng.between(0.2, 0.8)) / count, height * 1.04)
        tall, lean = height * rng.between(0.5, 0.9), rng.between(-0.2, 0.2)
        shapes += _stem(rng, palette, foot, (tall, lean, unit), 0.15 + 0.85 * number / count)
    return Scene(_paper(palette), tuple(shapes), palette)


def tiles(rng: SeededRandom, palette: Palette, width: float, height: float) -> Scene:
    """Compose square tiles, each with one round or slanted part."""
    across = min(max(3, round(width / min(width, height) * 4)), 32)
    side = width / across
    shapes: list[Primitive] = []
    for row in range(min(math.ceil(height / side), 32)):
        for column in range(across):
            shapes += _tile(rng, palette, Point(column * side, row * side), side)
    return Scene(_paper(palette), tuple(shapes), palette)


def _paper(palette: Palette) -> Fill:
    pale = palette.sky[1].towards(palette.light, 0.3)
    return Fill(pale, pale.towards(palette.land[0], 0.28))


def _round(
    rng: SeededRandom, palette: Palette, place: Point, radius: float, color: Color
) -> Primitive:
    fill = Fill(color, color.towards(palette.light, 0.25), 0.82)
    if rng.chance(0.4):
        turn = rng.pick((0, 45, 90, 135, 180, 270))
        return Area(tuple(arc(place, radius * 1.2, turn, turn + 180)), fill)
    return Disc(place, radius, fill)


def _stem(
    rng: SeededRandom,
    palette: Palette,
    foot: Point,
    build: tuple[float, float, float],
    share: float,
) -> Iterator[Primitive]:
    tall, lean, unit = build
    fill = Fill(palette.ground(share - 0.15), palette.ground(share))
    vein = solid(palette.ground(share - 0.4), 0.8)

    def node(along: float) -> Point:
        return Point(foot.x + lean * tall * along**2, foot.y - tall * along)

    thin = unit * 0.004
    line = [node(step / 12) for step in range(13)]
    back = [Point(point.x + 2 * thin, point.y) for point in reversed(line)]
    yield Area((*(Point(point.x - thin, point.y) for point in line), *back), fill)
    for pair in range(9):
        along = 0.12 + 0.88 * pair / 8
        length = unit * (0.25 - 0.018 * pair)
        for side in (-1, 1):
            angle = -math.pi / 2 + side * rng.between(0.5, 0.95) + lean
            yield from _leaf(node(along), length, angle, fill, vein)


def _leaf(root: Point, length: float, angle: float, fill: Fill, vein: Fill) -> list[Primitive]:
    way = Point(math.cos(angle) * length, math.sin(angle) * length)

    def at(along: float, aside: float) -> Point:
        across = Point(-way.y * aside, way.x * aside)
        return Point(root.x + way.x * along + across.x, root.y + way.y * along + across.y)

    steps = [step / 16 for step in range(17)]
    belly = [(along, math.sin(math.pi * along**0.8) * 0.2) for along in steps]
    one = [at(along, aside) for along, aside in belly]
    other = [at(along, -aside) for along, aside in reversed(belly)]
    midrib = (at(0, 0.008), at(0.92, 0.0), at(0, -0.008))
    return [Area((*one, *other), fill), Area(midrib, vein)]


def _tile(rng: SeededRandom, palette: Palette, corner: Point, side: float) -> list[Primitive]:
    right, low = corner.x + side, corner.y + side
    square = (corner, Point(right, corner.y), Point(right, low), Point(corner.x, low))
    colors = rng.shuffled((*palette.land[:4], palette.accent, palette.light))
    ground = Area(square, solid(colors[0]))
    return [ground, *_motif(rng, square, side, solid(colors[1]), solid(colors[2]))]


def _motif(
    rng: SeededRandom, square: tuple[Point, ...], side: float, fill: Fill, inner: Fill
) -> list[Primitive]:
    turn = rng.pick((0, 1, 2, 3))
    hub, middle = square[turn], Point(square[0].x + side / 2, square[0].y + side / 2)
    quarter, half = (turn * 90, turn * 90 + 90), (turn * 90, turn * 90 + 180)
    motifs: tuple[list[Primitive], ...] = (
        [Disc(middle, side * 0.36, fill)],
        [
            Area((hub, *arc(hub, side, *quarter)), fill),
            Area((hub, *arc(hub, side / 2, *quarter)), inner),
        ],
        [Area(tuple(arc(middle, side / 2, *half)), fill)],
        [Area((hub, square[(turn + 1) % 4], square[(turn + 3) % 4]), fill)],
    )
    return rng.pick((motifs[0], motifs[1], motifs[1], motifs[2], motifs[3]))
