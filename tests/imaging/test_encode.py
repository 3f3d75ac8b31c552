"""Image files: size, focus, transparency, color and metadata."""

from __future__ import annotations

import base64
import io
import random
import xml.etree.ElementTree as ET

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageCms, ImageStat

from mkdocs_imagegen.errors import ImageError
from mkdocs_imagegen.imaging import encode
from mkdocs_imagegen.imaging.decode import decode_image, inspect_image
from mkdocs_imagegen.imaging.encode import (
    BLUR_WIDTH_PX,
    convert_to_srgb,
    encode_blur,
    encode_thumbnail,
    encode_variants,
)
from mkdocs_imagegen.imaging.variants import Encoding, Variant
from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.page_layout import CENTER, Focus

FORMATS = ["avif", "jpeg", "png", "webp"]
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
IPTC = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
RED, GREEN, BLUE, WHITE = (220, 20, 20), (20, 200, 20), (20, 20, 220), (250, 250, 250)


def saved(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    output = io.BytesIO()
    image.save(output, kind, **options)
    return output.getvalue()


def pixels_of(content: bytes) -> Image.Image:
    return convert_to_srgb(decode_image(content))


def corners(size: Size = Size(120, 80)) -> Image.Image:
    """Return an image that is red and green above, blue and white below."""
    image = Image.new("RGB", (2, 2))
    for location, color in zip(
        [(0, 0), (1, 0), (0, 1), (1, 1)], [RED, GREEN, BLUE, WHITE], strict=True
    ):
        image.putpixel(location, color)
    return image.resize(size, Image.Resampling.NEAREST)


def variant(
    size: Size, kind: str = "png", *, focus: Focus = CENTER, source_type: str = ""
) -> Variant:
    return Variant(size, Encoding(kind, 90, 8 if kind == "avif" else 0), focus, source_type)


def encoded(content: bytes, *variants: Variant) -> list[Image.Image]:
    files = dict(encode_variants(pixels_of(content), variants))
    return [Image.open(io.BytesIO(files[each])) for each in variants]


def near(
    image: Image.Image, location: tuple[int, int], color: tuple[int, ...], by: int = 8
) -> bool:
    found = image.convert("RGBA" if len(color) == 4 else "RGB").getpixel(location)
    assert isinstance(found, tuple)
    return all(abs(a - b) <= by for a, b in zip(found, color, strict=True))


@pytest.mark.parametrize("kind", FORMATS)
def test_file_has_its_format_and_exact_size(kind) -> None:
    sizes = [Size(33, 22), Size(120, 80), Size(61, 41), Size(50, 50)]
    images = encoded(saved(corners()), *(variant(size, kind) for size in sizes))
    assert [image.size for image in images] == sizes
    assert {image.format for image in images} == {kind.upper()}


@pytest.mark.parametrize(
    ("focus", "color"),
    [
        (Focus(0, 0), RED),
        (Focus(100, 0), GREEN),
        (Focus(0, 100), BLUE),
        (Focus(100, 100), WHITE),
    ],
)
def test_crop_keeps_its_focus(focus, color) -> None:
    # A tall and a wide crop of a square both show the corner of the focus.
    square = saved(corners(Size(100, 100)))
    tall, wide = Size(40, 100), Size(100, 40)
    (first, second) = encoded(square, variant(tall, focus=focus), variant(wide, focus=focus))
    across, down = focus.left * 99 // 100, focus.top * 99 // 100
    for image in (first, second):
        location = (min(across, image.width - 1), min(down, image.height - 1))
        assert near(image, location, color)
    colors = {first.getpixel((x, 5)) for x in (2, 20, 37)}
    assert len(colors) == 1


def test_bytes_do_not_depend_on_other_variants() -> None:
    # One name never stands for two contents, for any widths of a site.
    noise = saved(Image.effect_noise((120, 80), 60).convert("RGB"))
    small, middle, large = (variant(Size(width, width * 2 // 3)) for width in (30, 60, 120))
    alone = dict(encode_variants(pixels_of(noise), [small]))
    together = dict(encode_variants(pixels_of(noise), [large, middle, small]))
    assert alone[small] == together[small]


@pytest.mark.parametrize("kind", FORMATS)
def test_equal_images_have_equal_bytes(kind) -> None:
    content = saved(Image.effect_noise((120, 80), 60).convert("RGB"))
    variants = [variant(Size(60, 40), kind, source_type="algorithmicMedia")]
    first, second = (dict(encode_variants(pixels_of(content), variants)) for _ in range(2))
    assert first == second


def test_avif_is_smaller_with_options_of_libaom(monkeypatch: pytest.MonkeyPatch) -> None:
    # The image has flat colors, like a chart; other encoders refuse the options.
    content = saved(corners(Size(240, 160)).rotate(20))
    variants = [Variant(Size(240, 160), Encoding("avif", 60, speed)) for speed in (6, 8)]
    tuned = dict(encode_variants(pixels_of(content), variants))
    monkeypatch.setattr("mkdocs_imagegen.imaging.encode._aom_options", lambda **_: {})
    default = dict(encode_variants(pixels_of(content), variants))
    assert all(len(tuned[each]) < len(default[each]) for each in variants)


@pytest.mark.parametrize("is_fast", [False, True])
def test_options_that_the_encoder_refuses_are_left_out(
    monkeypatch: pytest.MonkeyPatch, is_fast: bool
) -> None:
    known = encode._AOM | encode._AOM_FAST if is_fast else encode._AOM
    monkeypatch.setattr(encode, "_AOM", {"unknown-option": "1", **encode._AOM})
    assert encode._aom_options(is_fast=is_fast) == known
    (file,) = encoded(saved(corners()), variant(Size(60, 40), "avif"))
    assert file.size == (60, 40)


@pytest.mark.parametrize(
    ("shape", "size", "focus", "box"),
    [
        ((120, 80), Size(60, 40), Focus(0, 100), (0, 0, 120, 80)),
        ((120, 80), Size(50, 50), CENTER, (20, 0, 100, 80)),
        ((120, 80), Size(50, 50), Focus(100, 0), (40, 0, 120, 80)),
        ((80, 120), Size(50, 50), Focus(0, 25), (0, 10, 80, 90)),
        ((121, 80), Size(33, 22), Focus(100, 0), (1, 0, 121, 80)),
        ((1, 1000), Size(3, 1), Focus(0, 100), (0, 1000 - 1 / 3, 1, 1000)),
    ],
)
def test_crop_is_the_largest_box_around_the_focus(shape, size, focus, box) -> None:
    assert encode._crop(Image.new("L", shape), size, focus) == pytest.approx(box)


@given(
    *(st.tuples(st.integers(1, 300), st.integers(1, 300)) for _ in range(2)),
    st.tuples(st.integers(0, 100), st.integers(0, 100)),
)
@example((1600, 1067), (1536, 1024), (50, 50))
def test_crop_is_within_the_image(shape, size, focus) -> None:
    image = Image.new("L", shape)
    left, top, right, bottom = encode._crop(image, Size(*size), Focus(*focus))
    assert 0 <= left < right <= image.width
    assert 0 <= top < bottom <= image.height
    assert encode._resize(image, Size(*size), Focus(*focus)).size == size


def test_small_file_is_similar_to_one_that_is_resized_at_once() -> None:
    image = Image.effect_noise((1200, 800), 60).resize((1230, 820)).convert("RGB")
    (file,) = encoded(saved(image), variant(Size(300, 200)))
    at_once = image.resize((300, 200), Image.Resampling.LANCZOS)
    difference = ImageStat.Stat(ImageChops.difference(file, at_once)).rms
    contrast = ImageStat.Stat(at_once).stddev
    assert 0 < difference[0] < contrast[0] / 4


@pytest.mark.parametrize("kind", ["avif", "webp", "png"])
def test_transparency_is_kept(kind) -> None:
    image = corners().convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 60, 40))
    (file,) = encoded(saved(image), variant(Size(60, 40), kind))
    assert file.mode == "RGBA"
    assert file.getchannel("A").getpixel((10, 10)) == 0
    assert near(file, (45, 10), (*GREEN, 255), 20)


def test_jpeg_of_transparent_image_has_white_background() -> None:
    image = corners().convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 60, 40))
    image.paste((0, 0, 0, 127), (0, 40, 60, 80))
    (file,) = encoded(saved(image), variant(Size(120, 80), "jpeg"))
    assert near(file, (20, 20), (255, 255, 255))
    assert near(file, (20, 60), (128, 128, 128))


@pytest.mark.parametrize("kind", FORMATS)
def test_opaque_alpha_channel_is_dropped(kind) -> None:
    (file,) = encoded(saved(corners().convert("RGBA")), variant(Size(60, 40), kind))
    assert file.mode == "RGB"


def display_p3() -> bytes:
    """Return a profile with the primaries of Display P3 instead of those of sRGB."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    # Colorants of Display P3, adapted to D50, as in Apple's profile; s15Fixed16.
    colorants = {
        b"rXYZ": (0.51512, 0.24120, -0.00105),
        b"gXYZ": (0.29198, 0.69225, 0.04189),
        b"bXYZ": (0.15710, 0.06657, 0.78407),
    }
    for name, values in colorants.items():
        entry = profile.index(name)
        start = int.from_bytes(profile[entry + 4 : entry + 8], "big") + 8
        for number, value in enumerate(values):
            location = slice(start + 4 * number, start + 4 * number + 4)
            profile[location] = round(value * 65536).to_bytes(4, "big", signed=True)
    return bytes(profile)


@pytest.mark.parametrize(
    ("in_p3", "in_srgb"),
    [((234, 51, 35), (255, 0, 0)), ((117, 251, 76), (0, 255, 0)), ((128, 128, 128),) * 2],
)
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_colors_are_converted_to_srgb(in_p3, in_srgb, mode) -> None:
    # The red of sRGB is 234, 51, 35 in Display P3, its green 117, 251, 76.
    image = Image.new("RGBA", (40, 40), (*in_p3, 255))
    if mode == "RGBA":
        image.paste((0, 0, 0, 0), (0, 0, 10, 40))
    content = saved(image.convert(mode), icc_profile=display_p3())
    (file,) = encoded(content, variant(Size(40, 40), "png"))
    assert near(file, (30, 20), in_srgb, 3)
    assert file.mode == ("RGBA" if mode == "RGBA" else "RGB")


def test_invalid_profile_is_ignored() -> None:
    content = saved(Image.new("RGB", (9, 9), RED), "JPEG", icc_profile=b"no profile" * 20)
    (file,) = encoded(content, variant(Size(9, 9)))
    assert near(file, (4, 4), RED)


def with_everything(kind: str) -> bytes:
    exif = Image.Exif()
    exif[0x010E] = "PRIVATE description"
    exif[0x013B] = "PRIVATE artist"
    options = {"exif": exif, "icc_profile": display_p3(), "xmp": b"<x>PRIVATE</x>"}
    return saved(corners(), kind, **options, **({"comment": b"PRIVATE"} if kind == "JPEG" else {}))


@pytest.mark.parametrize("source", ["JPEG", "WEBP", "AVIF"])
@pytest.mark.parametrize("kind", FORMATS)
def test_metadata_of_the_original_is_dropped(kind, source) -> None:
    content = with_everything(source)
    assert b"PRIVATE" in content
    (each,) = dict(encode_variants(pixels_of(content), [variant(Size(60, 40), kind)])).values()
    assert b"PRIVATE" not in each
    image = Image.open(io.BytesIO(each))
    assert not {"exif", "icc_profile", "comment", "xmp"} & {*image.info}
    assert not image.getexif()


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("source_type", ["trainedAlgorithmicMedia", "algorithmicMedia"])
def test_file_names_its_source_type(kind, source_type) -> None:
    (file,) = encoded(saved(corners()), variant(Size(60, 40), kind, source_type=source_type))
    (described,) = ET.fromstring(file.info["xmp"]).iter(f"{RDF}Description")  # noqa: S314 - encoded by this test
    url = f"http://cv.iptc.org/newscodes/digitalsourcetype/{source_type}"
    assert described.get(f"{IPTC}DigitalSourceType") == url


@pytest.mark.parametrize("kind", FORMATS)
def test_file_has_no_metadata_when_stripped(kind) -> None:
    (each,) = dict(
        encode_variants(pixels_of(saved(corners())), [variant(Size(60, 40), kind)])
    ).values()
    assert b"xmp" not in each.lower()
    assert b"iptc" not in each.lower()


@pytest.mark.parametrize("source", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_rotated_image_is_turned_upright(source) -> None:
    # The size is that of the upright image, so that no side is enlarged.
    exif = Image.Exif()
    exif[0x0112] = 6  # its top is on the right of what is stored
    content = saved(corners(), source, exif=exif)
    assert inspect_image(content).size == Size(80, 120)
    (file,) = encoded(content, variant(Size(80, 120)))
    assert near(file, (20, 20), BLUE, 20)
    assert near(file, (60, 20), RED, 20)
    assert near(file, (60, 100), GREEN, 20)


@pytest.mark.parametrize("source", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_damaged_image_is_opened_or_refused(source) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "words"
    image = Image.effect_noise((64, 48), 80).convert("RGB")
    content = saved(image, source, exif=exif, icc_profile=display_p3())
    chance, refused = random.Random(3), 0  # noqa: S311 - repeatable
    for _ in range(300):
        broken = bytearray(content)
        for _ in range(chance.choice([1, 2, 8])):
            broken[chance.randrange(min(len(broken), 1500))] = chance.randrange(256)
        try:
            pixels_of(
                bytes(broken[: chance.randrange(len(broken)) if chance.random() < 0.3 else None])
            )
        except ImageError:
            refused += 1
    assert refused


def test_image_with_broken_exif_is_opened() -> None:
    """Text in the tag of the width: Pillow fails to write it back."""
    exif = Image.Exif()
    exif[0x010E] = "words"
    exif[0x0112] = 6
    broken = exif.tobytes().replace(b"\x01\x0e\x00\x02", b"\x01\x00\x00\x02")
    assert broken != exif.tobytes()
    assert pixels_of(saved(corners(), "JPEG", exif=broken)).size in {(120, 80), (80, 120)}


def test_blur_is_small_and_has_the_aspect_ratio() -> None:
    blur = encode_blur(pixels_of(saved(corners())), Size(60, 60), Focus(0, 0))
    image = Image.open(io.BytesIO(blur))
    assert (image.format, image.size) == ("WEBP", (BLUR_WIDTH_PX, BLUR_WIDTH_PX))
    assert len(blur) < 400
    assert near(image, (2, 2), RED, 30)


@pytest.mark.parametrize(
    ("max_px", "size"), [(30, Size(30, 20)), (120, Size(120, 80)), (320, Size(120, 80))]
)
def test_thumbnail_is_whole_and_never_enlarged(max_px, size) -> None:
    thumbnail = encode_thumbnail(saved(corners()), max_px)
    head, _, data = thumbnail.url.partition(",")
    assert head == "data:image/webp;base64"
    image = Image.open(io.BytesIO(base64.b64decode(data)))
    assert (image.format, image.size, thumbnail.size) == ("WEBP", size, size)
    assert near(image, (2, 2), RED, 30)
    assert near(image, (size.width - 3, size.height - 3), WHITE, 30)
