"""What is made of an original, planned without touching a pixel."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkdocs_imagegen.imaging import variants as rules
from mkdocs_imagegen.imaging.variants import Encoding, Variant, plan_variants, variant_widths
from mkdocs_imagegen.layout import Focus, Layout, scaled
from mkdocs_imagegen.options import SKETCH_MODEL, Size
from mkdocs_imagegen.settings import VariantSettings
from tests.originals.support import record

SIDES = st.integers(1, 8192)
SIZES = st.builds(Size, SIDES, SIDES)
WIDTHS = st.lists(SIDES, max_size=5).map(tuple)


def drawn(size: Size, **more):
    return record(width=size.width, height=size.height, **more)


def files_of(planned):
    return [variant for variants in planned.variants for variant in variants]


@given(SIZES, SIZES, WIDTHS)
def test_no_file_is_larger_than_the_original_or_than_what_is_asked(size, asked, widths) -> None:
    planned = plan_variants(drawn(size), Layout(asked, widths), VariantSettings(), "keep")
    for variant in files_of(planned):
        assert 1 <= variant.size.width <= min(size.width, asked.width)
        assert 1 <= variant.size.height <= min(size.height, asked.height)


@given(SIZES, SIZES, WIDTHS)
def test_every_file_has_the_shape_that_is_asked_for(size, asked, widths) -> None:
    """To the nearest pixel; an image of one pixel's width has whatever shape it can."""
    planned = plan_variants(drawn(size), Layout(asked, widths), VariantSettings(), "keep")
    for variant in files_of(planned):
        exact = variant.size.width * planned.size.height / planned.size.width
        assert abs(variant.size.height - exact) <= 1
    if planned.size.width > 1:
        exact = planned.size.width * asked.height / asked.width
        assert abs(planned.size.height - exact) <= 1


@given(SIZES, SIZES)
def test_the_largest_file_loses_nothing_that_the_shape_leaves(size, asked) -> None:
    """It reaches the asked size or an edge of the original, but for a pixel."""
    width, height = plan_variants(drawn(size), Layout(asked), VariantSettings(), "keep").size
    next_larger = scaled(asked, width + 1)
    assert (
        width == asked.width
        or next_larger.width > size.width
        or ((width + 1) * asked.height > size.height * asked.width)
    )
    assert height <= size.height


@given(WIDTHS, SIDES)
def test_widths_ascend_and_end_with_the_image_s_own(widths, largest) -> None:
    made = variant_widths(widths, largest)
    assert list(made) == sorted(set(made))
    assert made[-1] == largest
    assert set(made[:-1]) == {width for width in widths if width < largest}


@given(SIZES, SIZES, WIDTHS)
def test_a_name_stands_for_one_file(size, asked, widths) -> None:
    planned = plan_variants(drawn(size), Layout(asked, widths), VariantSettings(), "keep")
    names = list(planned.files.values())
    assert len(set(names)) == len(names) == len(files_of(planned))
    layout = r"assets/imagegen/[0-9a-f]{16}-\d+\.[0-9a-f]{8}\.(avif|jpg)"
    assert all(re.fullmatch(layout, name) for name in names)


def test_the_usual_files_of_a_usual_image() -> None:
    planned = plan_variants(
        drawn(Size(1536, 1024)), Layout(Size(1536, 1024)), VariantSettings(), "keep"
    )
    assert [(each.size, each.encoding) for each in files_of(planned)] == [
        (Size(480, 320), Encoding("avif", 60, 8)),
        (Size(960, 640), Encoding("avif", 60, 8)),
        (Size(1536, 1024), Encoding("avif", 60, 8)),
        (Size(480, 320), Encoding("jpeg", 82)),
        (Size(960, 640), Encoding("jpeg", 82)),
        (Size(1536, 1024), Encoding("jpeg", 82)),
    ]
    assert planned.has_blur


@pytest.mark.parametrize(
    ("has_alpha", "written", "expected"),
    [
        (False, (), ["avif", "jpeg"]),
        (True, (), ["avif", "webp"]),
        (True, ("jpeg",), ["jpeg"]),
        (False, ("webp", "png"), ["webp", "png"]),
    ],
)
def test_formats(has_alpha, written, expected) -> None:
    of = drawn(Size(100, 100), has_alpha=has_alpha)
    planned = plan_variants(of, Layout(Size(100, 100)), VariantSettings(formats=written), "keep")
    assert [variants[0].encoding.format for variants in planned.variants] == expected
    assert planned.has_blur is not has_alpha


def test_small_takes_the_slower_encoder() -> None:
    settings = VariantSettings(effort="small")
    planned = plan_variants(drawn(Size(100, 100)), Layout(Size(100, 100)), settings, "keep")
    assert [variants[0].encoding.speed for variants in planned.variants] == [6, 0]


@pytest.mark.parametrize(
    ("model", "provenance", "said"),
    [
        ("openai/gpt-image-1-mini", "keep", "trainedAlgorithmicMedia"),
        (SKETCH_MODEL, "keep", "algorithmicMedia"),
        ("openai/gpt-image-1-mini", "strip", ""),
    ],
)
def test_what_files_say_of_where_they_come_from(model, provenance, said) -> None:
    of = drawn(Size(100, 100), model=model)
    planned = plan_variants(of, Layout(Size(100, 100)), VariantSettings(), provenance)
    assert {each.source_type for each in files_of(planned)} == {said}


def test_everything_that_changes_bytes_changes_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = Variant(Size(10, 10), Encoding("avif", 60, 8))
    others = [
        replace(usual, size=Size(10, 11)),
        replace(usual, focus=Focus(0, 50)),
        replace(usual, source_type="algorithmicMedia"),
        replace(usual, encoding=Encoding("avif", 61, 8)),
        replace(usual, encoding=Encoding("avif", 60, 6)),
        replace(usual, encoding=Encoding("webp", 60, 8)),
    ]
    keys = {each.key("a" * 64) for each in [usual, *others]} | {usual.key("b" * 64)}
    monkeypatch.setattr(rules, "_encoder", lambda: "another version")
    keys.add(usual.key("a" * 64))
    assert len(keys) == len(others) + 3


def test_everything_that_changes_the_blurred_pixels_changes_their_key() -> None:
    size, settings = Size(100, 50), VariantSettings()
    shapes = [Layout(size), Layout(size, focus=Focus(0, 0)), Layout(Size(50, 50))]
    keys = {plan_variants(drawn(size), each, settings, "keep").blur_key for each in shapes}
    assert len(keys) == len(shapes)
