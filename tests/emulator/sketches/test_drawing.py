"""Sketches are files of the requested size and format, marked, and reproducible."""

import hashlib
import io

import pytest
from PIL import Image

from mkdocs_imagegen.emulator.sketches.drawing import FAMILIES, compose, draw
from mkdocs_imagegen.emulator.sketches.primitives import PALETTES, Color
from mkdocs_imagegen.request import SKETCH_MARK

FORMATS = ("png", "jpeg", "webp")


def sketch(prompt="A red balloon", width=192, height=128, **options):
    arguments = {"background": "auto", "output_format": "png", "seed": "0"} | options
    return draw(prompt, width, height, **arguments)


def decoded(file: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(file))
    image.load()
    return image


@pytest.mark.parametrize("output_format", FORMATS)
@pytest.mark.parametrize("size", [(192, 128), (128, 192), (64, 64), (1, 1), (400, 7), (1700, 90)])
def test_sketch_is_a_valid_file_of_the_size_and_format(output_format, size):
    image = decoded(sketch("Size", *size, output_format=output_format))
    assert image.size == size
    assert image.format == output_format.upper()
    assert image.mode == "RGB"


@pytest.mark.parametrize("output_format", FORMATS)
@pytest.mark.parametrize("background", ["auto", "transparent"])
def test_file_contains_the_uncompressed_mark(output_format, background):
    file = sketch(output_format=output_format, background=background)
    assert file.count(SKETCH_MARK) == 1


@pytest.mark.parametrize("output_format", FORMATS)
def test_equal_arguments_give_equal_bytes(output_format):
    assert sketch(output_format=output_format) == sketch(output_format=output_format)


@pytest.mark.parametrize(
    "other",
    [{"prompt": "A blue boat"}, {"seed": "1"}, {"background": "transparent"}, {"label": "draft"}],
)
def test_each_argument_changes_the_image(other):
    assert decoded(sketch()).tobytes() != decoded(sketch(**other)).tobytes()


@pytest.mark.parametrize("output_format", ["png", "webp"])
def test_transparent_image_has_clear_corners_and_an_opaque_center(output_format):
    image = decoded(
        sketch(width=300, height=200, background="transparent", output_format=output_format)
    )
    alpha = image.getchannel("A")
    corners = [alpha.getpixel(place) for place in ((0, 0), (299, 0), (0, 199), (299, 199))]
    assert corners == [0, 0, 0, 0]
    assert alpha.getpixel((150, 100)) == 255


def test_jpeg_ignores_a_transparent_background():
    assert decoded(sketch(background="transparent", output_format="jpeg")).mode == "RGB"


@pytest.mark.parametrize("output_format", ["jpeg", "webp"])
def test_lower_quality_gives_a_smaller_file(output_format):
    small = sketch(output_format=output_format, compression=10)
    large = sketch(output_format=output_format, compression=95)
    assert len(small) < len(large) * 0.7
    assert decoded(sketch(output_format=output_format, compression=0)).size == (192, 128)


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
    assert decoded(sketch(prompt)).size == (192, 128)


@pytest.mark.parametrize("family", [family for _, family in FAMILIES])
@pytest.mark.parametrize("size", [(300, 200), (120, 300), (900, 60)])
def test_each_family_fills_the_image_at_any_aspect_ratio(family, size, monkeypatch):
    monkeypatch.setattr(
        "mkdocs_imagegen.emulator.sketches.drawing.FAMILIES", ((frozenset(), family),)
    )
    image = decoded(sketch("?", *size))
    assert len(image.getcolors(maxcolors=300_000)) > 20


def test_different_prompts_give_different_scenes():
    prompts = [f"Prompt number {number}" for number in range(40)]
    scenes = [compose(prompt, 300, 200, "0") for prompt in prompts]
    assert len({scene.palette for scene in scenes}) > 6
    assert len({scene.shapes for scene in scenes}) == 40


def test_earliest_matching_word_selects_the_palette():
    night, sea = (
        next(each for each in PALETTES if word in each.words) for word in ("night", "sea")
    )
    assert compose("A Night at the sea", 300, 200, "0").palette is night
    assert compose("The sea by night", 300, 200, "0").palette is sea


def test_scene_is_the_same_on_every_machine():
    """A golden scene: a change of it changes every sketch."""
    scene = compose("A red balloon on a wooden table.", 1536, 1024, "0")
    kinds = " ".join(type(shape).__name__ for shape in scene.shapes)
    assert hashlib.sha256(kinds.encode()).hexdigest()[:16] == "dacb731db4515dcc"
    assert scene.palette.accent == Color(46, 134, 171)
