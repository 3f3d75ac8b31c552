"""Text is readable in every palette."""

from mkdocs_imagegen.emulator.sketches.palettes import PALETTES, Color, choose_by_word


def test_text_has_enough_contrast_with_the_ground():
    for palette in PALETTES:
        light, dark = sorted(map(_luminance, (palette.text, palette.land[2])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) > 3.5


def test_plural_selects_like_its_word():
    choices = [(frozenset({"tree"}), "tree"), (frozenset({"glass"}), "glass")]
    assert choose_by_word("Trees", choices) == "tree"
    assert choose_by_word("A glass of trees", choices) == "glass"
    assert choose_by_word("A treetop", choices) is None


def _luminance(color: Color) -> float:
    parts = [part / 255 for part in color]
    linear = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
