"""Reference images and masks are visible in the sketch."""

from decimal import Decimal

from tests.emulator.support import EDITS, MASK, data_url, edit, image_in, png, red_pixels


def test_reference_image_is_shown_in_the_sketch_and_charged(api):
    plain = image_in(api.generate(prompt="In the rain"))
    edited = image_in(edit(api))
    assert red_pixels(plain) == 0
    assert red_pixels(edited) > 10_000
    assert edited.size == (1024, 1024)
    assert api.emulator.bill.usd == Decimal("0.01")
    assert [each.path for each in api.emulator.log] == ["/v1/images/generations", EDITS]
    assert api.emulator.log[1].prompt == "In the rain"


def test_another_reference_image_gives_another_sketch(api):
    blue = data_url(png(color=(0, 0, 255)))
    assert image_in(edit(api)) != image_in(edit(api, images=[blue]))


def test_editable_area_of_the_mask_is_tinted(api):
    assert red_pixels(image_in(edit(api, mask=data_url(MASK)))) == 0
