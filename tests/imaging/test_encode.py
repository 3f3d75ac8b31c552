"""Variants as bytes: sizes, what a cut keeps, transparency, colour, and what files say."""

from __future__ import annotations

import io
import random
import xml.etree.ElementTree as ET

import pytest
from PIL import Image, ImageCms

from mkdocs_imagegen.errors import ImageError
from mkdocs_imagegen.imaging.decode import inspect_image
from mkdocs_imagegen.imaging.encode import BLUR_WIDTH_PX, encode_blur, encode_variants, open_srgb
from mkdocs_imagegen.imaging.variants import MIMES, Encoding, Variant
from mkdocs_imagegen.layout import CENTER, Focus
from mkdocs_imagegen.options import Size

FORMATS = sorted(MIMES)
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
IPTC = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
RED, GREEN, BLUE, WHITE = (220, 20, 20), (20, 200, 20), (20, 20, 220), (250, 250, 250)


def written(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    output = io.BytesIO()
    image.save(output, kind, **options)
    return output.getvalue()


def corners(size: Size = Size(120, 80)) -> Image.Image:
    """Red and green above, blue and white below."""
    image = Image.new("RGB", (2, 2))
    for location, color in zip(
        [(0, 0), (1, 0), (0, 1), (1, 1)], [RED, GREEN, BLUE, WHITE], strict=True
    ):
        image.putpixel(location, color)
    return image.resize(size, Image.Resampling.NEAREST)


def variant(size: Size, kind: str = "png", *, focus: Focus = CENTER, said: str = "") -> Variant:
    return Variant(size, Encoding(kind, 90, 8 if kind == "avif" else 0), focus, said)


def encoded(content: bytes, *variants: Variant) -> list[Image.Image]:
    made = dict(encode_variants(open_srgb(content), variants))
    return [Image.open(io.BytesIO(made[each])) for each in variants]


def near(
    image: Image.Image, location: tuple[int, int], color: tuple[int, ...], by: int = 8
) -> bool:
    found = image.convert("RGBA" if len(color) == 4 else "RGB").getpixel(location)
    assert isinstance(found, tuple)
    return all(abs(a - b) <= by for a, b in zip(found, color, strict=True))


@pytest.mark.parametrize("kind", FORMATS)
def test_each_file_has_its_format_and_exactly_its_size(kind) -> None:
    sizes = [Size(33, 22), Size(120, 80), Size(61, 41), Size(50, 50)]
    images = encoded(written(corners()), *(variant(size, kind) for size in sizes))
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
def test_a_cut_keeps_its_focus(focus, color) -> None:
    """A tall and a wide cut out of a square show only the corner in which they meet."""
    square = written(corners(Size(100, 100)))
    tall, wide = Size(40, 100), Size(100, 40)
    (first, second) = encoded(square, variant(tall, focus=focus), variant(wide, focus=focus))
    across, down = focus.left * 99 // 100, focus.top * 99 // 100
    for image in (first, second):
        location = (min(across, image.width - 1), min(down, image.height - 1))
        assert near(image, location, color)
    colors = {first.getpixel((x, 5)) for x in (2, 20, 37)}
    assert len(colors) == 1


def test_files_do_not_depend_on_what_is_made_beside_them() -> None:
    """One name never stands for two contents, whatever widths a site asks for."""
    noise = written(Image.effect_noise((120, 80), 60).convert("RGB"))
    small, middle, large = (variant(Size(width, width * 2 // 3)) for width in (30, 60, 120))
    alone = dict(encode_variants(open_srgb(noise), [small]))
    together = dict(encode_variants(open_srgb(noise), [large, middle, small]))
    assert alone[small] == together[small]


@pytest.mark.parametrize("kind", FORMATS)
def test_the_same_image_gives_the_same_bytes(kind) -> None:
    content = written(Image.effect_noise((120, 80), 60).convert("RGB"))
    wanted = [variant(Size(60, 40), kind, said="algorithmicMedia")]
    first, second = (dict(encode_variants(open_srgb(content), wanted)) for _ in range(2))
    assert first == second


def test_avif_is_smaller_for_the_options_of_its_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps of colour, as charts have them; another encoder is given no option it may refuse."""
    content = written(corners(Size(240, 160)).rotate(20))
    wanted = [Variant(Size(240, 160), Encoding("avif", 60, speed)) for speed in (6, 8)]
    tuned = dict(encode_variants(open_srgb(content), wanted))
    monkeypatch.setattr("mkdocs_imagegen.imaging.encode._has_aom", lambda: False)
    usual = dict(encode_variants(open_srgb(content), wanted))
    assert all(len(tuned[each]) < len(usual[each]) for each in wanted)


@pytest.mark.parametrize("kind", ["avif", "webp", "png"])
def test_transparent_stays_transparent(kind) -> None:
    image = corners().convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 60, 40))
    (made,) = encoded(written(image), variant(Size(60, 40), kind))
    assert made.mode == "RGBA"
    assert made.getchannel("A").getpixel((10, 10)) == 0
    assert near(made, (45, 10), (*GREEN, 255), 20)


def test_a_jpeg_of_a_transparent_image_stands_on_white() -> None:
    image = corners().convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 60, 40))
    image.paste((0, 0, 0, 127), (0, 40, 60, 80))
    (made,) = encoded(written(image), variant(Size(120, 80), "jpeg"))
    assert near(made, (20, 20), (255, 255, 255))
    assert near(made, (20, 60), (128, 128, 128))


@pytest.mark.parametrize("kind", FORMATS)
def test_a_channel_that_is_full_everywhere_is_none(kind) -> None:
    (made,) = encoded(written(corners().convert("RGBA")), variant(Size(60, 40), kind))
    assert made.mode == "RGB"


def display_p3() -> bytes:
    """A profile with Display P3's primaries, by exchanging those of sRGB's."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    # Display P3's colorants, adapted to D50, as in Apple's profile; s15Fixed16.
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
def test_colours_of_another_space_are_brought_to_srgb(in_p3, in_srgb, mode) -> None:
    """Display P3 writes sRGB's red as 234, 51, 35 and its green as 117, 251, 76."""
    image = Image.new("RGBA", (40, 40), (*in_p3, 255))
    if mode == "RGBA":
        image.paste((0, 0, 0, 0), (0, 0, 10, 40))
    content = written(image.convert(mode), icc_profile=display_p3())
    (made,) = encoded(content, variant(Size(40, 40), "png"))
    assert near(made, (30, 20), in_srgb, 3)
    assert made.mode == ("RGBA" if mode == "RGBA" else "RGB")


def test_a_profile_that_is_none_is_ignored() -> None:
    content = written(Image.new("RGB", (9, 9), RED), "JPEG", icc_profile=b"no profile" * 20)
    (made,) = encoded(content, variant(Size(9, 9)))
    assert near(made, (4, 4), RED)


def with_everything(kind: str) -> bytes:
    exif = Image.Exif()
    exif[0x010E] = "PRIVATE description"
    exif[0x013B] = "PRIVATE artist"
    options = {"exif": exif, "icc_profile": display_p3(), "xmp": b"<x>PRIVATE</x>"}
    return written(
        corners(), kind, **options, **({"comment": b"PRIVATE"} if kind == "JPEG" else {})
    )


@pytest.mark.parametrize("source", ["JPEG", "WEBP", "AVIF"])
@pytest.mark.parametrize("kind", FORMATS)
def test_nothing_but_pixels_is_taken_over(kind, source) -> None:
    content = with_everything(source)
    assert b"PRIVATE" in content
    (each,) = dict(encode_variants(open_srgb(content), [variant(Size(60, 40), kind)])).values()
    assert b"PRIVATE" not in each
    image = Image.open(io.BytesIO(each))
    assert not {"exif", "icc_profile", "comment", "xmp"} & {*image.info}
    assert not image.getexif()


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("said", ["trainedAlgorithmicMedia", "algorithmicMedia"])
def test_files_say_that_their_media_is_generated(kind, said) -> None:
    (made,) = encoded(written(corners()), variant(Size(60, 40), kind, said=said))
    (described,) = ET.fromstring(made.info["xmp"]).iter(f"{RDF}Description")  # noqa: S314 - our own
    address = f"http://cv.iptc.org/newscodes/digitalsourcetype/{said}"
    assert described.get(f"{IPTC}DigitalSourceType") == address


@pytest.mark.parametrize("kind", FORMATS)
def test_files_say_nothing_where_it_is_stripped(kind) -> None:
    (each,) = dict(
        encode_variants(open_srgb(written(corners())), [variant(Size(60, 40), kind)])
    ).values()
    assert b"xmp" not in each.lower()
    assert b"iptc" not in each.lower()


@pytest.mark.parametrize("source", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_a_image_that_lies_on_its_side_is_turned(source) -> None:
    """Its size is that of the image as people see it, so that nothing is enlarged."""
    exif = Image.Exif()
    exif[0x0112] = 6  # its top is on the right of what is stored
    content = written(corners(), source, exif=exif)
    assert inspect_image(content).size == Size(80, 120)
    (made,) = encoded(content, variant(Size(80, 120)))
    assert near(made, (20, 20), BLUE, 20)
    assert near(made, (60, 20), RED, 20)
    assert near(made, (60, 100), GREEN, 20)


@pytest.mark.parametrize("source", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_broken_bytes_are_no_image_or_a_image_and_nothing_worse(source) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "words"
    image = Image.effect_noise((64, 48), 80).convert("RGB")
    content = written(image, source, exif=exif, icc_profile=display_p3())
    chance, refused = random.Random(3), 0  # noqa: S311 - the same every time
    for _ in range(300):
        broken = bytearray(content)
        for _ in range(chance.choice([1, 2, 8])):
            broken[chance.randrange(min(len(broken), 1500))] = chance.randrange(256)
        try:
            open_srgb(
                bytes(broken[: chance.randrange(len(broken)) if chance.random() < 0.3 else None])
            )
        except ImageError:
            refused += 1
    assert refused


def test_what_exif_says_wrongly_is_no_reason_to_refuse_a_image() -> None:
    """Words where a width should be: Pillow fails when it writes them back."""
    exif = Image.Exif()
    exif[0x010E] = "words"
    exif[0x0112] = 6
    broken = exif.tobytes().replace(b"\x01\x0e\x00\x02", b"\x01\x00\x00\x02")
    assert broken != exif.tobytes()
    assert open_srgb(written(corners(), "JPEG", exif=broken)).size in {(120, 80), (80, 120)}


def test_the_blurred_pixels_are_few_and_of_the_same_shape() -> None:
    made = encode_blur(open_srgb(written(corners())), Size(60, 60), Focus(0, 0))
    image = Image.open(io.BytesIO(made))
    assert (image.format, image.size) == ("WEBP", (BLUR_WIDTH_PX, BLUR_WIDTH_PX))
    assert len(made) < 400
    assert near(image, (2, 2), RED, 30)
