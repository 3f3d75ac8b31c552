"""Widths, ratios and focuses as read, and sizes derived from them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkdocs_imagegen.errors import DirectiveError, OptionError
from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.page_layout import (
    CENTER,
    FOCUS,
    HEIGHT,
    RATIO,
    WIDTH,
    Fit,
    Focus,
    crop_to_ratio,
    fit,
    scale_to_width,
)
from mkdocs_imagegen.settings.variants import WIDTHS

SIDES = st.integers(1, 8192)
SIZES = st.builds(Size, SIDES, SIDES)
RATIOS = st.fractions(Fraction(1, 10), Fraction(10), max_denominator=9999)


@pytest.mark.parametrize(
    ("parser", "value", "read"),
    [
        (WIDTHS, "480 960", (480, 960)),
        (WIDTHS, " 960,480, 480 ", (480, 960)),
        (WIDTHS, [960, "480"], (480, 960)),
        (WIDTHS, 480, (480,)),
        (WIDTHS, "8192", (8192,)),
        (WIDTH, 480, 480),
        (WIDTH, " 480 ", 480),
        (WIDTH, "480px", 480),
        (WIDTH, "480 PX", 480),
        (WIDTH, "8192", 8192),
        (WIDTH, "50%", "50%"),
        (WIDTH, "100 %", "100%"),
        (HEIGHT, "300px", 300),
        (RATIO, "16:9", Fraction(16, 9)),
        (RATIO, " 16 / 9 ", Fraction(16, 9)),
        (RATIO, "1.91:1", Fraction(191, 100)),
        (RATIO, "1x1", Fraction(1)),
        (RATIO, "4 \u00d7 3", Fraction(4, 3)),
        (RATIO, "1:10", Fraction(1, 10)),
        (RATIO, "10:1", Fraction(10)),
        (FOCUS, "left", Focus(0, 50)),
        (FOCUS, "Bottom", Focus(50, 100)),
        (FOCUS, "center", CENTER),
        (FOCUS, "top right", Focus(100, 0)),
        (FOCUS, "right top", Focus(100, 0)),
        (FOCUS, "center left", Focus(0, 50)),
        (FOCUS, "center center", CENTER),
        (FOCUS, "30% 60%", Focus(30, 60)),
        (FOCUS, "0 100", Focus(0, 100)),
    ],
)
def test_value_is_read(parser, value, read):
    assert parser(value) == read


@pytest.mark.parametrize(
    ("parser", "values", "accepted"),
    [
        (
            WIDTHS,
            ["", "0", "8193", "-1", "1.5", "480px", "²", [], [[480]], None, True],
            "widths in",
        ),
        (
            WIDTH,
            ["", "0", "8193", "-1", "20em", "101%", "0%", "auto", "²", None, True, [480]],
            "pixels from 1 to 8192, like 480 or 480px, or percent of the column, like 50%",
        ),
        (HEIGHT, ["", "0", "8193px", "50%", "auto"], "pixels from 1 to 8192, like 300 or 300px"),
        (
            RATIO,
            ["", "16", "0:1", "1:0", "1:11", "11:1", "-1:1", "1:1:1", "1:1.5", "a:b", "²:1"],
            "WIDTH:HEIGHT from 1:10 to 10:1, like 16:9",
        ),
        (
            FOCUS,
            [
                "",
                "middle",
                "101% 0",
                "50%",
                "1 2 3",
                "left 50",
                "left right",
                "top bottom",
                "-1 5",
                "1.5 2",
                None,
                50,
            ],
            "a side or a corner, like left or top right, or percent",
        ),
    ],
)
def test_unsupported_value_is_rejected(parser, values, accepted):
    for value in values:
        with pytest.raises(OptionError) as caught:
            parser(value)
        assert f"supported: {accepted}" in str(caught.value), value


def test_ratio_that_yaml_reads_as_a_number_must_be_quoted():
    """YAML 1.1 reads 16:9 as sixteen times sixty and nine."""
    with pytest.raises(OptionError, match='YAML read "969" as a number, not as text; put it in'):
        RATIO(969)


@given(SIZES, RATIOS)
def test_crop_is_inside_and_touches_two_sides(size, ratio):
    smaller = crop_to_ratio(size, ratio)
    assert 1 <= smaller.width <= size.width
    assert 1 <= smaller.height <= size.height
    assert smaller.width == size.width or smaller.height == size.height


@given(SIZES, RATIOS)
def test_crop_has_the_ratio_to_half_a_pixel(size, ratio):
    smaller = crop_to_ratio(size, ratio)
    by_height = abs(smaller.height * ratio - smaller.width)
    by_width = abs(smaller.width / ratio - smaller.height)
    assert by_height <= Fraction(1, 2) or by_width <= Fraction(1, 2) or 1 in smaller


@given(SIZES)
def test_size_is_unchanged_without_a_ratio(size):
    assert crop_to_ratio(size, None) == size
    assert crop_to_ratio(size, Fraction(size.width, size.height)) == size


@given(SIZES, SIDES)
def test_scaled_size_has_the_width_and_the_shape(size, width):
    smaller = scale_to_width(size, width)
    assert smaller.width == width
    assert smaller.height >= 1
    assert abs(smaller.height - Fraction(width * size.height, size.width)) <= 1


LANDSCAPE = Size(1536, 1024)


@pytest.mark.parametrize(
    ("width", "height", "style", "result"),
    [
        (None, None, "", Fit(LANDSCAPE, None, 0)),
        (480, None, "", Fit(LANDSCAPE, 480, 0)),
        (None, 512, "", Fit(LANDSCAPE, 768, 0)),
        (500, 500, "", Fit(Size(1024, 1024), 500, 0)),
        ("50%", None, "", Fit(LANDSCAPE, None, 50)),
        (480, None, "width: 300px", Fit(LANDSCAPE, 300, 0)),
        ("50%", None, "width: 300px", Fit(LANDSCAPE, 300, 0)),
        (480, None, "max-width:300px;", Fit(LANDSCAPE, 300, 0)),
        (240, None, "MAX-WIDTH:300.5px!important", Fit(LANDSCAPE, 240, 0)),
        (240, 80, "max-width:120px", Fit(Size(1536, 512), 120, 0)),
        (
            None,
            None,
            "color:red;width:75%",
            Fit(LANDSCAPE, None, 75),
        ),
        (600, None, "max-width:50%", Fit(LANDSCAPE, 600, 50)),
        (None, None, "height:256px", Fit(LANDSCAPE, 384, 0)),
        (None, None, "width:100px;height:10%", Fit(LANDSCAPE, 100, 0)),
        (
            None,
            None,
            "min-width:9px;border-width:9px;width:9rem;width:0px",
            Fit(LANDSCAPE, None, 0),
        ),
    ],
)
def test_fit_follows_the_sizes_of_the_author(width, height, style, result):
    assert fit(LANDSCAPE, None, width, height, style) == result


@given(SIZES, st.integers(16, 8192), st.integers(16, 8192))
def test_image_with_width_and_height_is_cropped_and_not_distorted(size, width, height):
    if not 0.1 <= width / height <= 10:
        with pytest.raises(DirectiveError, match="are not a supported ratio"):
            fit(size, None, width, height)
        return
    shown = fit(size, None, width, height)
    assert shown.size == crop_to_ratio(size, Fraction(width, height))
    assert shown.width_px == width


def test_width_and_height_may_repeat_the_ratio():
    assert fit(LANDSCAPE, Fraction(16, 9), 500, 281) == Fit(Size(1536, 864), 500, 0)
    with pytest.raises(DirectiveError, match="width 500 and height 280 contradict ratio 16:9"):
        fit(LANDSCAPE, Fraction(16, 9), 500, 280)
