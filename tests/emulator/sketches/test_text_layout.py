"""The label fits on the image, and the prompt is readable."""

import pytest

from mkdocs_imagegen.emulator.sketches.drawing import _measure
from mkdocs_imagegen.emulator.sketches.text_layout import lay_out


@pytest.mark.parametrize("size", [(1536, 1024), (1024, 1536), (256, 256), (1600, 200), (96, 96)])
@pytest.mark.parametrize(
    "prompt", ["Hi", "A red balloon on a wooden table.", "words " * 90, "w" * 500]
)
@pytest.mark.parametrize("label", ["sketch", "sketch, take 24"])
def test_label_stays_inside_the_image(size, prompt, label):
    width, height = size
    panel = lay_out(prompt, label, width, height, _measure)
    for box in (panel.box, panel.tag_box):
        assert 0 <= box.left < box.right <= width
        assert 0 <= box.top < box.bottom <= height
    for run in panel.words:
        assert panel.box.left < run.x
        assert run.x + _measure(run.text, run.size) < panel.box.right


def test_every_word_that_fits_is_shown():
    panel = lay_out("A red balloon on a wooden table.", "sketch", 1536, 1024, _measure)
    assert " ".join(run.text for run in panel.words) == "A red balloon on a wooden table."
    assert panel.tag.text == "sketch"


def test_accents_are_removed_and_other_scripts_become_bars():
    panel = lay_out("Crème 山と海 ok", "sketch", 600, 400, _measure)
    assert [(run.text, run.bar is not None) for run in panel.words] == [
        ("Creme", False),
        ("山と海", True),
        ("ok", False),
    ]


@pytest.mark.parametrize("size", [(64, 64), (80, 40)])
def test_small_image_has_the_tag_only(size):
    panel = lay_out("Some words", "sketch, take 2", *size, _measure)
    assert panel.box is None
    assert panel.tag.text == "sketch"


def test_tag_names_the_take():
    panel = lay_out("Some words", "sketch, take 2", 320, 200, _measure)
    assert panel.tag.text == "sketch, take 2"
