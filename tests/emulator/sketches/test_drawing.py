"""Sketches are files of the requested size and format, marked, and reproducible."""

import io

import pytest
from PIL import Image, ImageChops

from mkdocs_imagegen.emulator.sketches import composition, drawing
from mkdocs_imagegen.emulator.sketches.composition import label_area
from mkdocs_imagegen.emulator.sketches.drawing import draw
from mkdocs_imagegen.emulator.sketches.motifs import MOTIFS
from mkdocs_imagegen.request import SKETCH_MARK
from tests.emulator.support import draw_request

FORMATS = ("png", "jpeg", "webp")


def sketch(prompt="A red balloon", width=192, height=128, **options):
    seed = options.pop("seed", "0")
    return draw(draw_request(prompt, width, height, **options), seed)


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
    [{"prompt": "A blue boat"}, {"seed": "1"}, {"background": "transparent"}, {"take": 2}],
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


@pytest.mark.parametrize("size", [(300, 200), (120, 300), (900, 60)])
def test_sketch_fills_the_image_at_any_aspect_ratio(size):
    image = decoded(sketch("?", *size))
    assert len(image.getcolors(maxcolors=300_000)) > 20


CROPS = (1, 16 / 9, 4 / 3, 1.91)


def label_box(monkeypatch, *arguments, **options):
    """Return the bounds of the pixels that the label changes."""
    labeled = decoded(sketch(*arguments, **options))
    with monkeypatch.context() as context:
        context.setattr(drawing, "_draw_label", lambda *_, **__: None)
        plain = decoded(sketch(*arguments, **options))
    return ImageChops.difference(labeled.convert("RGB"), plain.convert("RGB")).getbbox()


@pytest.mark.parametrize("background", ["auto", "transparent"])
@pytest.mark.parametrize("take", [1, 12])
@pytest.mark.parametrize(
    "size", [(1536, 1024), (1024, 1024), (1024, 1536), (300, 200), (96, 96), (64, 64), (600, 120)]
)
def test_no_usual_crop_cuts_the_label(monkeypatch, size, take, background):
    width, height = size
    options = {"take": take, "background": background}
    left, top, right, bottom = label_box(monkeypatch, "A boat", *size, **options)
    for ratio in CROPS:
        across, down = min(width, height * ratio), min(height, width / ratio)
        assert (width - across) / 2 <= left < right <= (width + across) / 2
        assert (height - down) / 2 <= top < bottom <= (height + down) / 2


@pytest.mark.parametrize("size", [(180, 120), (120, 120), (120, 180), (64, 64)])
@pytest.mark.parametrize("motif", MOTIFS, ids=lambda motif: motif.name)
def test_subject_and_contours_stay_clear_of_the_label(monkeypatch, motif, size):
    monkeypatch.setattr(composition, "choose_motif", lambda _: motif)
    area = label_area(*size)
    monkeypatch.setattr(drawing, "_draw_label", lambda *_, **__: None)
    for take in range(1, 6):
        place = decoded(sketch("A", *size, take=take)).crop(
            (int(area.left), int(area.top), int(area.right) + 1, int(area.bottom) + 1)
        )
        assert len(place.getcolors()) == 1


def test_label_is_in_the_lower_left_and_tells_the_size(monkeypatch):
    left, top, right, bottom = label_box(monkeypatch, "A boat", 1536, 1024)
    assert right - left > 300
    assert right < 1536 / 2
    assert top > 1024 * 0.75
    assert 25 < bottom - top < 50
    longer = label_box(monkeypatch, "A boat", 1536, 1024, take=2)
    assert longer[2] > right + 50
    assert label_box(monkeypatch, "A boat", 96, 96)[2] < 96


@pytest.mark.parametrize("size", [(1536, 1024), (1024, 1024), (1024, 1536)])
def test_label_of_a_transparent_image_lies_on_opaque_pixels(monkeypatch, size):
    box = label_box(monkeypatch, "A boat", *size, background="transparent", take=12)
    image = decoded(sketch("A boat", *size, background="transparent"))
    assert image.getchannel("A").crop(box).getextrema() == (255, 255)


def test_label_does_not_depend_on_the_prompt(monkeypatch):
    boxes = {label_box(monkeypatch, prompt) for prompt in ("A boat", "A cat " * 50, "日本")}
    assert len(boxes) == 1


def test_tiny_image_has_no_label(monkeypatch):
    assert label_box(monkeypatch, "A boat", 20, 20) is None


@pytest.mark.parametrize("style", ["Pencil drawing, loose lines.", "A red boat by night."])
def test_style_changes_no_byte(style):
    assert sketch(f"A windmill\n\n{style}") == sketch("A windmill")
