"""Foreign bytes become an image or are refused."""

from __future__ import annotations

import io
import random
import struct
import threading
import time
import warnings
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mkdocs_imagegen.errors import ImageError
from mkdocs_imagegen.imaging.decode import MAX_PIXELS, inspect_image
from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.originals.record import ImageFacts

FORMATS = {"PNG": "png", "JPEG": "jpeg", "WEBP": "webp", "AVIF": "avif"}


def sample(size=(60, 40), mode="RGB"):
    gradient = Image.radial_gradient("L").resize(size)
    bands = [gradient.rotate(90 * turn).resize(size) for turn in range(len(mode))]
    return Image.merge(mode, bands) if len(bands) > 1 else gradient


def encoded(kind, image=None, **more):
    output = io.BytesIO()
    (image or sample()).save(output, kind, **more)
    return output.getvalue()


def png_of(width, height, chunks=b""):
    """Return a PNG with the header of a size, without pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (
        chunk(b"IHDR", header),
        chunks,
        chunk(b"IDAT", zlib.compress(b"")),
        chunk(b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def png_without_palette():
    """Return a PNG with palette indexes and without a palette."""
    header = struct.pack(">IIBBBBB", 9, 9, 8, 3, 0, 0, 0)
    data = zlib.compress(bytes(9 * 10))
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", data), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def chunk(name, content):
    checksum = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + checksum


@pytest.mark.parametrize(("kind", "name"), FORMATS.items())
def test_format_is_read_from_the_bytes(kind, name):
    assert inspect_image(encoded(kind)) == ImageFacts(
        f"image/{name}", Size(60, 40), has_alpha=False
    )


@pytest.mark.parametrize(
    ("mode", "has_alpha"),
    [("RGBA", True), ("LA", True), ("L", False), ("P", False), ("1", False), ("I;16", False)],
)
def test_every_pixel_mode_is_decoded(mode, has_alpha):
    image = Image.new(mode, (7, 5))
    assert inspect_image(encoded("PNG", image)) == ImageFacts("image/png", Size(7, 5), has_alpha)


@pytest.mark.parametrize(
    ("alpha", "has_alpha"), [(255, False), (254, True), (0, True)], ids=["full", "nearly", "none"]
)
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF"])
def test_has_alpha_is_true_when_a_pixel_is_transparent(kind, alpha, has_alpha):
    # Some servers always send an alpha channel; a full one must not prevent a JPEG.
    image = Image.new("RGBA", (16, 16), "red")
    image.putpixel((8, 8), (255, 0, 0, alpha))
    content = encoded(kind, image, lossless=True, quality=100)
    assert inspect_image(content).has_alpha is has_alpha


@pytest.mark.parametrize(("transparent", "has_alpha"), [(0, True), (1, False)])
def test_has_alpha_is_true_when_a_transparent_palette_color_is_used(transparent, has_alpha):
    image = Image.new("P", (8, 8), 0)
    image.putpalette([255, 0, 0, 0, 255, 0])
    assert inspect_image(encoded("PNG", image, transparency=transparent)).has_alpha is has_alpha


def test_jpeg_of_several_images_is_a_jpeg():
    """Cameras write such files, which Pillow calls MPO."""
    content = encoded("MPO", save_all=True, append_images=[sample()])
    assert inspect_image(content) == ImageFacts("image/jpeg", Size(60, 40), has_alpha=False)


def test_animation_has_the_size_of_its_first_frame():
    frames = [sample(), sample((60, 40)).rotate(90)]
    for kind in ("PNG", "WEBP"):
        content = encoded(kind, frames[0], save_all=True, append_images=frames[1:])
        assert inspect_image(content).size == Size(60, 40)


REFUSED = {
    "no bytes": b"",
    "text": b"an error message",
    "JSON": b'{"error": "no"}',
    "HTML": b"<html><img src=x></html>",
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
    "PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "GIF": encoded("GIF"),
    "BMP": encoded("BMP"),
    "TIFF": encoded("TIFF"),
    "ICO": encoded("ICO"),
    "PPM": encoded("PPM"),
    "TGA": encoded("TGA"),
    "a PNG's beginning": b"\x89PNG\r\n\x1a\n",
    "a JPEG's beginning": b"\xff\xd8\xff\xe0",
    "a PNG without pixels": png_of(9, 9),
    "a PNG of no size": png_of(0, 0),
    "a PNG without its palette": png_without_palette(),
    "a GIF with the signature of a PNG": b"\x89PNG\r\n\x1a\n" + encoded("GIF"),
    "half an image": encoded("PNG")[:200],
    "zeros": bytes(1000),
    "a bomb of text": png_of(
        9, 9, chunk(b"zTXt", b"a\x00\x00" + zlib.compress(bytes(80_000_000), 9))
    ),
}


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED)
def test_unsupported_bytes_are_refused(content):
    with pytest.raises(ImageError, match=r"the bytes are not a valid image \([A-Za-z]+\)$"):
        inspect_image(content)


@pytest.mark.parametrize("kind", FORMATS)
def test_truncated_image_is_refused(kind):
    content = encoded(kind, sample((200, 150)))
    for part in (0.3, 0.6, 0.9):
        with pytest.raises(ImageError):
            inspect_image(content[: int(len(content) * part)])


@pytest.mark.parametrize("side", [(50_001, 1_000), (9_000, 9_000), (2**31 - 1, 2**31 - 1)])
def test_decompression_bomb_is_refused_before_decoding(side):
    before = time.perf_counter()
    with pytest.raises(ImageError):
        inspect_image(png_of(*side))
    assert time.perf_counter() - before < 0.5


def test_image_above_the_limit_is_refused_with_its_size():
    with pytest.raises(ImageError) as caught:
        inspect_image(png_of(MAX_PIXELS // 1000 + 1, 1000))
    supported = "supported: up to 8192 per side and 50000000 in total"
    assert str(caught.value) == f"the image has 50001x1000 pixels ({supported})"


@pytest.mark.parametrize("side", [(8193, 1), (1, 49_000_000)])
def test_image_with_a_side_above_the_limit_is_refused_before_decoding(side):
    # An image of 1 x 49 million pixels took 900 MB to decode.
    with pytest.raises(ImageError, match="8192 per side"):
        inspect_image(png_of(*side))


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(sorted(FORMATS)), st.integers(0, 2**32), st.integers(1, 8))
def test_damaged_image_is_decoded_or_refused(kind, seed, changes):
    content = bytearray(CONTENTS[kind])
    chance = random.Random(seed)  # noqa: S311 - repeatable
    for _ in range(changes):
        at = chance.randrange(len(content))
        content[at] = chance.randrange(256)
    if chance.random() < 0.3:
        del content[chance.randrange(len(content)) :]
    try:
        decoded = inspect_image(bytes(content))
    except ImageError as error:
        str(error).encode()
    else:
        assert decoded.mime.removeprefix("image/") in FORMATS.values()


CONTENTS = {kind: encoded(kind) for kind in FORMATS}


@given(st.binary(max_size=300))
def test_random_bytes_are_refused(content):
    with pytest.raises(ImageError):
        inspect_image(content)


def test_warning_filters_stay_unchanged(monkeypatch):
    """Several threads decode images, and warning filters are global."""
    before, content = list(warnings.filters), encoded("PNG")
    monkeypatch.setattr(Image, "open", slowly(Image.open))
    threads = [threading.Thread(target=inspect_image, args=(content,)) for _ in range(6)]
    for each in threads:
        each.start()
        time.sleep(0.005)
    for each in threads:
        each.join()
    assert list(warnings.filters) == before


def slowly(function):
    def slow(*arguments, **more):
        time.sleep(0.02)
        return function(*arguments, **more)

    return slow
