"""Palettes have readable ink; random numbers depend on the seed only."""

from mkdocs_imagegen.emulator.sketches.primitives import PALETTES, Color, SeededRandom


def test_ink_is_dark_enough_to_read():
    for palette in PALETTES:
        assert _luminance(palette.ink) < 0.08


def _luminance(color: Color) -> float:
    parts = [part / 255 for part in color]
    linear = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_random_numbers_are_the_same_on_every_machine():
    """Golden numbers: a change of them changes every sketch."""
    rng = SeededRandom("seed")
    assert [round(rng.random(), 6) for _ in range(3)] == [0.080756, 0.709231, 0.39678]
