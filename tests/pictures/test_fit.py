"""An original becomes a picture of exactly the size that the page has room for."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mkdocs_imagegen.errors import PictureError
from mkdocs_imagegen.pictures.fit import fit
from mkdocs_imagegen.values import Size
from tests.pictures.test_decode import FORMATS, encoded, picture


def opened(content):
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("layout", [Size(60, 40), Size(30, 20), Size(40, 60), Size(1, 1)])
def test_a_picture_has_exactly_the_size_it_should(kind, layout):
    image = opened(fit(encoded(kind), layout))
    assert (image.format, image.size) == ("WEBP", tuple(layout))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 90), st.integers(1, 90))
def test_any_size_becomes_any_size(width, height, new_width, new_height):
    content = encoded("PNG", picture((width, height)))
    assert opened(fit(content, Size(new_width, new_height))).size == (new_width, new_height)


@pytest.mark.parametrize("layout", [Size(60, 40), Size(31, 17)])
def test_the_same_bytes_become_the_same_bytes(layout):
    content = encoded("PNG")
    assert fit(content, layout) == fit(content, layout)


@pytest.mark.parametrize(
    ("mode", "kept"), [("RGBA", "RGBA"), ("LA", "RGBA"), ("RGB", "RGB"), ("L", "RGB")]
)
def test_what_can_be_seen_through_stays_so(mode, kept):
    assert opened(fit(encoded("PNG", picture(mode=mode)), Size(30, 20))).mode == kept


def test_a_palettes_clear_colour_stays_clear():
    image = Image.new("P", (8, 8), 0)
    image.putpalette([255, 0, 0, 0, 255, 0])
    content = encoded("PNG", image, transparency=0)
    assert opened(fit(content, Size(8, 8))).getpixel((4, 4))[3] == 0


def test_a_clear_corner_stays_where_it_is():
    image = Image.new("RGBA", (40, 40), "red")
    image.paste((0, 0, 0, 0), (0, 0, 20, 20))
    small = opened(fit(encoded("PNG", image), Size(20, 20)))
    assert small.getpixel((2, 2))[3] == 0
    assert small.getpixel((17, 17))[3] == 255


def test_a_picture_is_cut_at_its_centre_and_not_squeezed():
    image = Image.new("RGB", (90, 30), "red")
    image.paste("blue", (30, 0, 60, 30))
    middle = opened(fit(encoded("PNG", image), Size(30, 30)))
    assert all(is_near(middle.getpixel(at), (0, 0, 255)) for at in [(1, 15), (15, 15), (28, 15)])


def is_near(colour, wanted):
    return all(abs(one - other) < 40 for one, other in zip(colour, wanted, strict=True))


def test_a_picture_of_the_right_size_is_not_resampled():
    image = Image.effect_noise((64, 64), 80).convert("RGB")
    same = opened(fit(encoded("PNG", image), Size(64, 64)))
    differences = [
        abs(one - other)
        for one, other in zip(image.tobytes(), same.convert("RGB").tobytes(), strict=True)
    ]
    assert sum(differences) / len(differences) < 20


def test_what_is_no_picture_is_refused():
    with pytest.raises(PictureError):
        fit(b"no picture", Size(9, 9))
