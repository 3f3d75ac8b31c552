"""The plan of the files of an original."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkdocs_imagegen.imaging import variants as module
from mkdocs_imagegen.imaging.variants import (
    Encoding,
    Variant,
    image_of_original,
    plan_variants,
    variant_widths,
)
from mkdocs_imagegen.option_parsers import SKETCH_MODEL, Size
from mkdocs_imagegen.page_layout import Focus, Layout, scale_to_width
from mkdocs_imagegen.settings import VariantSettings
from tests.originals.support import record

SIDES = st.integers(1, 8192)
SIZES = st.builds(Size, SIDES, SIDES)
WIDTHS = st.lists(SIDES, max_size=5).map(tuple)


def record_of(size: Size, **more):
    return record(width=size.width, height=size.height, **more)


def files_of(planned):
    return [variant for variants in planned.variants for variant in variants]


@given(SIZES, SIZES, WIDTHS)
def test_no_file_is_larger_than_original_or_request(size, requested, widths) -> None:
    planned = plan_variants(record_of(size), Layout(requested, widths), VariantSettings(), "keep")
    for variant in files_of(planned):
        assert 1 <= variant.size.width <= min(size.width, requested.width)
        assert 1 <= variant.size.height <= min(size.height, requested.height)


@given(SIZES, SIZES, WIDTHS)
def test_every_file_has_the_requested_aspect_ratio(size, requested, widths) -> None:
    """To the nearest pixel; an image of one pixel's width cannot have every ratio."""
    planned = plan_variants(record_of(size), Layout(requested, widths), VariantSettings(), "keep")
    for variant in files_of(planned):
        exact = variant.size.width * planned.size.height / planned.size.width
        assert abs(variant.size.height - exact) <= 1
    if planned.size.width > 1:
        exact = planned.size.width * requested.height / requested.width
        assert abs(planned.size.height - exact) <= 1


@given(SIZES, SIZES)
def test_largest_file_reaches_request_or_original(size, requested) -> None:
    """To the nearest pixel."""
    width, height = plan_variants(
        record_of(size), Layout(requested), VariantSettings(), "keep"
    ).size
    next_larger = scale_to_width(requested, width + 1)
    assert (
        width == requested.width
        or next_larger.width > size.width
        or ((width + 1) * requested.height > size.height * requested.width)
    )
    assert height <= size.height


@given(WIDTHS, SIDES)
def test_widths_ascend_to_the_width_of_the_image(widths, largest) -> None:
    found = variant_widths(widths, largest)
    assert list(found) == sorted(set(found))
    assert found[-1] == largest
    assert set(found[:-1]) == {width for width in widths if width < largest}


@given(SIZES, SIZES, WIDTHS)
def test_file_names_are_unique(size, requested, widths) -> None:
    planned = plan_variants(record_of(size), Layout(requested, widths), VariantSettings(), "keep")
    names = list(planned.files.values())
    assert len(set(names)) == len(names) == len(files_of(planned))
    layout = r"assets/imagegen/[0-9a-f]{16}-\d+\.[0-9a-f]{8}\.(avif|jpg)"
    assert all(re.fullmatch(layout, name) for name in names)


def test_plan_in_an_unknown_theme_has_three_widths_in_avif_and_jpeg() -> None:
    planned = plan_variants(
        record_of(Size(1536, 1024)), Layout(Size(1536, 1024)), VariantSettings(), "keep"
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
    ("width", "expected"),
    [
        (300, [300]),
        (774, [480, 774]),
        (1200, [480, 760, 1200]),
        (1024, [480, 760, 1024]),
        (1536, [480, 760, 1536]),
        (2048, [480, 760, 2048]),
        (2049, [480, 960, 2049]),
        (3840, [480, 960, 1920, 3840]),
    ],
)
def test_widths_in_a_known_theme_depend_on_the_width_of_the_original(width, expected) -> None:
    size, settings = Size(width, 100), VariantSettings(formats=("jpeg",))
    planned = plan_variants(record_of(size), Layout(size), settings, "keep", (480, 760))
    assert [each.size.width for each in files_of(planned)] == expected


def test_widths_of_site_and_image_override_those_of_the_theme() -> None:
    size, settings = Size(1536, 1024), VariantSettings(formats=("jpeg",), widths=(700,))
    for layout, expected in ((Layout(size), [700, 1536]), (Layout(size, (600,)), [600, 1536])):
        planned = plan_variants(record_of(size), layout, settings, "keep", (480, 760))
        assert [each.size.width for each in files_of(planned)] == expected


@pytest.mark.parametrize(
    ("has_alpha", "configured", "expected"),
    [
        (False, (), ["avif", "jpeg"]),
        (True, (), ["avif", "webp"]),
        (True, ("jpeg",), ["jpeg"]),
        (False, ("webp", "png"), ["webp", "png"]),
    ],
)
def test_formats_depend_on_transparency_and_settings(has_alpha, configured, expected) -> None:
    original = record_of(Size(100, 100), has_alpha=has_alpha)
    planned = plan_variants(
        original, Layout(Size(100, 100)), VariantSettings(formats=configured), "keep"
    )
    assert [variants[0].encoding.format for variants in planned.variants] == expected
    assert planned.has_blur is not has_alpha


@pytest.mark.parametrize(("effort", "speed"), [("fastest", 9), ("fast", 8), ("small", 6)])
def test_effort_is_the_speed_of_the_avif_encoder(effort: str, speed: int) -> None:
    settings = VariantSettings(effort=effort)
    planned = plan_variants(record_of(Size(100, 100)), Layout(Size(100, 100)), settings, "keep")
    assert [variants[0].encoding.speed for variants in planned.variants] == [speed, 0]


@pytest.mark.parametrize(
    ("model", "provenance", "source_type"),
    [
        ("openai/gpt-image-1-mini", "keep", "trainedAlgorithmicMedia"),
        (SKETCH_MODEL, "keep", "algorithmicMedia"),
        ("openai/gpt-image-1-mini", "strip", ""),
    ],
)
def test_source_type_depends_on_model_and_provenance(model, provenance, source_type) -> None:
    original = record_of(Size(100, 100), model=model)
    planned = plan_variants(original, Layout(Size(100, 100)), VariantSettings(), provenance)
    assert {each.source_type for each in files_of(planned)} == {source_type}


def test_key_changes_with_everything_that_changes_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
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
    monkeypatch.setattr(module, "_encoder", lambda: "another version")
    keys.add(usual.key("a" * 64))
    assert len(keys) == len(others) + 3


def test_blur_key_changes_with_everything_that_changes_the_blur() -> None:
    size, settings = Size(100, 50), VariantSettings()
    shapes = [Layout(size), Layout(size, focus=Focus(0, 0)), Layout(Size(50, 50))]
    keys = {plan_variants(record_of(size), each, settings, "keep").blur_key for each in shapes}
    assert len(keys) == len(shapes)


def test_pillow_without_webp_plans_no_webp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_has_encoder", lambda name: name == "avif")
    size = Size(64, 64)
    for has_alpha, fallback in ((False, "jpeg"), (True, "png")):
        original = record_of(size, has_alpha=has_alpha)
        planned = plan_variants(original, Layout(size), VariantSettings(blur=True), "keep")
        formats = {each.encoding.format for each in files_of(planned)}
        assert formats == {"avif", fallback}
        assert not planned.has_blur


@pytest.mark.parametrize(
    ("layout", "crop"),
    [
        (Layout(Size(1536, 1024)), ""),
        (Layout(Size(300, 200)), ""),
        (Layout(Size(333, 222)), ""),
        (
            Layout(Size(1600, 900), focus=Focus(30, 60)),
            "aspect-ratio:1600/900;object-fit:cover;object-position:30% 60%",
        ),
        (
            Layout(Size(1024, 1024)),
            "aspect-ratio:1024/1024;object-fit:cover;object-position:50% 50%",
        ),
    ],
)
def test_original_on_a_page_is_cropped_to_its_layout_by_css(layout, crop) -> None:
    record = record_of(Size(1536, 1024), mime="image/jpeg", sha256="ab" * 32)
    shown = image_of_original(record, layout)
    assert shown.name == "assets/imagegen/abababababababab-original.jpg"
    assert [(each.mime, len(each.files)) for each in shown.sources] == [("image/jpeg", 1)]
    assert (shown.size, shown.blur, shown.crop) == (Size(1536, 1024), "", crop)
