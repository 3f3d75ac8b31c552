"""What a sketch shows: one of a few families of scenes, chosen by its prompt; pure."""

from __future__ import annotations

from collections.abc import Callable

from mkdocs_imagegen.emulator.landscapes import balloons, hills, peaks, sea
from mkdocs_imagegen.emulator.patterns import arches, circles, leaves, tiles
from mkdocs_imagegen.emulator.shapes import PALETTES, Dice, Palette, Scene, by_word, words

Family = Callable[[Dice, Palette, float, float], Scene]

FAMILIES: tuple[tuple[frozenset[str], Family], ...] = (
    (words("field forest hill hills landscape meadow valley"), hills),
    (words("alpine mountain mountains peak peaks snow"), peaks),
    (words("beach boat harbour harbor ocean sea ship wave waves"), sea),
    (words("airship balloon balloons birthday party sky"), balloons),
    (words("ball bubble bubbles circle circles planet"), circles),
    (words("arch arches bridge door gate rainbow"), arches),
    (words("flower flowers garden leaf leaves plant plants"), leaves),
    (words("blocks code data grid mosaic network pattern tile tiles"), tiles),
)
"""Each family with the words that ask for it."""

_PALETTES = [(palette.words, palette) for palette in PALETTES]


def compose(prompt: str, width: int, height: int, seed: str) -> Scene:
    """The scene for a prompt: its earliest fitting word chooses, else the dice do."""
    dice = Dice(f"{seed}\n{prompt}")
    any_palette, any_family = dice.pick(PALETTES), dice.pick(FAMILIES)[1]
    palette = by_word(prompt, _PALETTES) or any_palette
    family = by_word(prompt, FAMILIES) or any_family
    return family(dice, palette, width, height)
