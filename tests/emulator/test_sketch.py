"""Sketches are real files of the size and format asked for, marked, and always the same."""

import hashlib
import io

import pytest
from PIL import Image

from mkdocs_imagegen.emulator.lettering import lay_out
from mkdocs_imagegen.emulator.scenes import FAMILIES, compose
from mkdocs_imagegen.emulator.shapes import PALETTES, Colour, Dice
from mkdocs_imagegen.emulator.sketch import _measure, draw
from mkdocs_imagegen.request import SKETCH_MARK

FORMATS = ("png", "jpeg", "webp")


def drawn(prompt="A red balloon", width=192, height=128, **options):
    asked = {"background": "auto", "output_format": "png", "seed": "0"} | options
    return draw(prompt, width, height, **asked)


def decoded(file: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(file))
    image.load()
    return image


@pytest.mark.parametrize("output_format", FORMATS)
@pytest.mark.parametrize("size", [(192, 128), (128, 192), (64, 64), (1, 1), (400, 7), (1700, 90)])
def test_a_sketch_is_a_whole_file_of_the_size_and_format(output_format, size):
    image = decoded(drawn("Size", *size, output_format=output_format))
    assert image.size == size
    assert image.format == output_format.upper()
    assert image.mode == "RGB"


@pytest.mark.parametrize("output_format", FORMATS)
@pytest.mark.parametrize("background", ["auto", "transparent"])
def test_the_mark_stands_uncompressed_in_the_file(output_format, background):
    file = drawn(output_format=output_format, background=background)
    assert file.count(SKETCH_MARK) == 1


@pytest.mark.parametrize("output_format", FORMATS)
def test_the_same_arguments_give_the_same_bytes(output_format):
    assert drawn(output_format=output_format) == drawn(output_format=output_format)


@pytest.mark.parametrize(
    "other",
    [{"prompt": "A blue boat"}, {"seed": "1"}, {"background": "transparent"}, {"label": "draft"}],
)
def test_another_argument_gives_another_image(other):
    assert decoded(drawn()).tobytes() != decoded(drawn(**other)).tobytes()


@pytest.mark.parametrize("output_format", ["png", "webp"])
def test_transparent_leaves_the_corners_out_and_keeps_the_subject(output_format):
    image = decoded(
        drawn(width=300, height=200, background="transparent", output_format=output_format)
    )
    alpha = image.getchannel("A")
    corners = [alpha.getpixel(place) for place in ((0, 0), (299, 0), (0, 199), (299, 199))]
    assert corners == [0, 0, 0, 0]
    assert alpha.getpixel((150, 100)) == 255


def test_jpeg_has_no_alpha_and_is_drawn_whole():
    assert decoded(drawn(background="transparent", output_format="jpeg")).mode == "RGB"


@pytest.mark.parametrize("output_format", ["jpeg", "webp"])
def test_compression_makes_the_file_smaller(output_format):
    small = drawn(output_format=output_format, compression=10)
    large = drawn(output_format=output_format, compression=95)
    assert len(small) < len(large) * 0.7
    assert decoded(drawn(output_format=output_format, compression=0)).size == (192, 128)


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        "   ",
        "日本の山と海",
        "Красный шар",
        "café — “crème”",
        "\ud800 lone",
        "x" * 3000,
        "a " * 3000,
    ],
)
def test_any_prompt_can_be_drawn(prompt):
    assert decoded(drawn(prompt)).size == (192, 128)


@pytest.mark.parametrize("family", [family for _, family in FAMILIES])
@pytest.mark.parametrize("size", [(300, 200), (120, 300), (900, 60)])
def test_every_family_paints_most_of_its_image_at_any_ratio(family, size, monkeypatch):
    monkeypatch.setattr("mkdocs_imagegen.emulator.scenes.FAMILIES", ((frozenset(), family),))
    image = decoded(drawn("?", *size))
    assert len(image.getcolors(maxcolors=300_000)) > 20


def test_different_prompts_look_different():
    prompts = [f"Prompt number {number}" for number in range(40)]
    scenes = [compose(prompt, 300, 200, "0") for prompt in prompts]
    assert len({scene.palette for scene in scenes}) > 6
    assert len({scene.shapes for scene in scenes}) == 40


def test_the_earliest_word_of_a_prompt_chooses_the_colours():
    night, sea = (
        next(each for each in PALETTES if word in each.words) for word in ("night", "sea")
    )
    assert compose("A Night at the sea", 300, 200, "0").palette is night
    assert compose("The sea by night", 300, 200, "0").palette is sea


def test_letters_are_readable_on_their_panel():
    for palette in PALETTES:
        assert _luminance(palette.ink) < 0.08


def _luminance(colour: Colour) -> float:
    parts = [part / 255 for part in colour]
    linear = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("size", [(1536, 1024), (1024, 1536), (256, 256), (1600, 200), (96, 96)])
@pytest.mark.parametrize(
    "prompt", ["Hi", "A red balloon on a wooden table.", "words " * 90, "w" * 500]
)
@pytest.mark.parametrize("label", ["sketch", "sketch, take 24"])
def test_the_label_stays_inside_the_image(size, prompt, label):
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


def test_accents_come_off_and_other_scripts_become_bars():
    panel = lay_out("Crème 山と海 ok", "sketch", 600, 400, _measure)
    assert [(run.text, run.bar is not None) for run in panel.words] == [
        ("Creme", False),
        ("山と海", True),
        ("ok", False),
    ]


@pytest.mark.parametrize("size", [(64, 64), (80, 40)])
def test_a_image_too_small_for_words_still_has_the_tag(size):
    panel = lay_out("Some words", "sketch, take 2", *size, _measure)
    assert panel.box is None
    assert panel.tag.text == "sketch"


def test_the_tag_names_the_take():
    panel = lay_out("Some words", "sketch, take 2", 320, 200, _measure)
    assert panel.tag.text == "sketch, take 2"


def test_dice_are_the_same_on_every_machine():
    """Golden numbers: a change of them changes every sketch."""
    dice = Dice("seed")
    assert [round(dice.roll(), 6) for _ in range(3)] == [0.080756, 0.709231, 0.39678]


def test_a_scene_is_the_same_on_every_machine():
    """A golden scene: a change of it changes every sketch."""
    scene = compose("A red balloon on a wooden table.", 1536, 1024, "0")
    kinds = " ".join(type(shape).__name__ for shape in scene.shapes)
    assert hashlib.sha256(kinds.encode()).hexdigest()[:16] == "dacb731db4515dcc"
    assert scene.palette.accent == Colour(46, 134, 171)
