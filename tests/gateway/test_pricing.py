"""Price of one image: the server's rows, published prices, and the token formula."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkdocs_imagegen.gateway.models import KNOWN_MODELS
from mkdocs_imagegen.gateway.offers import Offer, read_offers
from mkdocs_imagegen.gateway.pricing import output_tokens, price_usd
from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.request import ImageRequest

SQUARE, LANDSCAPE, PORTRAIT = Size(1024, 1024), Size(1536, 1024), Size(1024, 1536)
QUALITIES = ("low", "medium", "high", "xhigh", "max")
UNKNOWN = "acme/painter"


def priced(model: str, size: Size, quality: str, offer: Offer | None = None) -> Decimal | None:
    request = ImageRequest(model, "A ferry", size, quality)
    return offer.price_usd(request) if offer else price_usd(request)


def offer_of(pricing: object, model: str = UNKNOWN) -> Offer:
    entry = {"id": model, "type": "image", "pricing": pricing}
    (offer,) = read_offers(json.dumps({"data": [entry]}).encode())
    return offer


def table(*rows: object, **more: object) -> dict[str, object]:
    return {"image_dimension_quality_pricing": list(rows), **more}


def row(cost: object, size: object = "", quality: object = "", **more: object) -> dict[str, object]:
    named = {"size": size, "quality": quality} | more
    return {"cost": cost} | {name: value for name, value in named.items() if value}


# Prices of a square and of another image by quality, in dollars:
# https://developers.openai.com/api/docs/models/gpt-image-1-mini and the pages of the other models.
# Those from 2.5 on are reported by users, who state three digits.
PUBLISHED = {
    "openai/gpt-image-1-mini": ("0.005 0.006", "0.011 0.015", "0.036 0.052"),
    "openai/gpt-image-1": ("0.011 0.016", "0.042 0.063", "0.167 0.25"),
    "openai/gpt-image-1.5": ("0.009 0.013", "0.034 0.05", "0.133 0.20"),
    "openai/gpt-image-2": ("0.006 0.005", "0.053 0.041", "0.211 0.165"),
    "openai/gpt-image-2.5-flare": (
        *("0.006 0.005", "0.013 0.010", "0.053 0.041"),
        *("0.094 0.074", "0.211 0.165"),
    ),
    "openai/gpt-image-2.6-flare": (
        *("0.024 0.019", "0.053 0.041", "0.053 0.041"),
        *("0.094 0.074", "0.211 0.165"),
    ),
}
PUBLISHED |= {
    f"{model.removesuffix('flare')}sunburst": usd
    for model, usd in PUBLISHED.items()
    if model.endswith("flare")
}
FIGURES = [
    (model, size, quality, Decimal(usd))
    for model, rows in PUBLISHED.items()
    for quality, pair in zip(QUALITIES, rows, strict=False)
    for size, usd in zip((SQUARE, LANDSCAPE), pair.split(), strict=True)
]


def test_published_figures_cover_every_known_model_and_quality():
    known = {(name, each) for name, facts in KNOWN_MODELS.items() for each in facts.qualities}
    named = {(model, quality) for model, _, quality, _ in FIGURES}
    assert named == {pair for pair in known if pair[1] != "auto"}


@pytest.mark.parametrize(("model", "size", "quality", "usd"), FIGURES)
def test_price_is_the_published_one(model, size, quality, usd):
    price = priced(model, size, quality)
    half_a_digit = Decimal("0.0005") if "2." in model else Decimal(0)
    assert abs(price - usd) <= max(usd / 100, half_a_digit)
    assert priced(model, PORTRAIT, quality) == priced(model, LANDSCAPE, quality)


@pytest.mark.parametrize(
    ("model", "size", "quality", "usd"),
    [
        ("openai/gpt-image-2", Size(3840, 2160), "high", "0.400"),
        ("openai/gpt-image-2", Size(2048, 2048), "high", "0.428"),
        ("openai/gpt-image-2.5-flare", LANDSCAPE, "medium", "0.0103"),
        ("openai/gpt-image-2.6-flare", LANDSCAPE, "medium", "0.0412"),
    ],
)
def test_free_size_is_priced_by_its_pixels(model, size, quality, usd):
    assert abs(priced(model, size, quality) / Decimal(usd) - 1) < Decimal("0.01")


@pytest.mark.parametrize(
    ("size", "factor", "tokens"),
    [
        *[(SQUARE, 16, 196), (SQUARE, 48, 1756), (SQUARE, 96, 7024)],
        *[(SQUARE, 24, 439), (SQUARE, 64, 3122), (LANDSCAPE, 24, 343), (LANDSCAPE, 48, 1372)],
        *[(Size(1024, 672), 16, 108), (Size(3840, 2160), 24, 865)],
    ],
)
def test_formula_gives_the_reported_tokens(size, factor, tokens):
    assert output_tokens(size, factor) == tokens


@pytest.mark.parametrize("model", ["openai/gpt-image-2", "openai/gpt-image-1-mini", UNKNOWN])
def test_price_of_automatic_quality_is_unknown(model):
    assert priced(model, SQUARE, "auto") is None


@pytest.mark.parametrize(
    ("pricing", "usd"),
    [
        ({"image": "0.04"}, "0.04"),
        ({"image": 0.04}, "0.04"),
        ({"image": "0"}, None),
        (table(row("0.039", "default")), "0.039"),
        (table(row("0.039", "default"), image="0.05"), "0.039"),
        (table(row("0.01", "1K"), row("0.02", "2K"), row("0.03", "4K")), "0.02"),
        (table(row("0.01", "1k"), row("0.009", "default")), "0.01"),
        (table(row("0.04", "1K", "low"), row("0.06", "1K", "medium")), "0.06"),
        (table(row("0.1", quality="medium"), row("0.2", "default"), image="0.3"), "0.1"),
        (table(row("0.1", "1536x1024"), row("0.2", "1536x1024", "medium")), "0.2"),
        (table(row("0.1", "1536x1024"), row("0.2", quality="medium")), "0.1"),
        (table(row("0.1", "1536x1024"), row("0.3", "1536x1024")), "0.3"),
        (table(row("0.1", "1024x1024"), row("0.2", "1536x1024", "high")), None),
        (table(row("0.1", "1024x1024"), image="0.3"), "0.3"),
        (table(row("0.1", operation="edit"), row("0.1", style="vector")), None),
        (table(row("0.1", operation="edit"), row("0.2")), "0.2"),
        (table(row("0.1", size=7), row("0.1", quality=["high"])), None),
        (table(row("cheap"), row(-1), row(None), row("NaN"), row(True), {}, 3, None), None),
        ({"image": "1e999", "image_dimension_quality_pricing": {"cost": "0.1"}}, None),
        ({"input": "0.000005", "output": "0.00003"}, None),
    ],
)
def test_price_of_an_unknown_model_is_that_of_the_closest_row(pricing, usd):
    price = priced(UNKNOWN, LANDSCAPE, "medium", offer_of(pricing))
    assert price == (None if usd is None else Decimal(usd))


@pytest.mark.parametrize(
    ("size", "usd"),
    [("1024x1024", "0.01"), ("1536x1024", "0.02"), ("2048x2048", "0.02"), ("3840x2160", "0.04")],
)
def test_named_size_covers_images_up_to_its_square(size, usd):
    offer = offer_of(table(row("0.01", "1K"), row("0.02", "2K"), row("0.04", "4K")))
    width, height = map(int, size.split("x"))
    assert priced(UNKNOWN, Size(width, height), "low", offer) == Decimal(usd)


@pytest.mark.parametrize(
    ("model", "output", "factor"),
    [
        ("openai/gpt-image-2.5-flare", "0.00006", 2),
        ("openai/gpt-image-2.5-flare", "0.000015", "0.5"),
        ("openai/gpt-image-2.5-flare", "0", 1),
        ("openai/gpt-image-2.5-flare", "free", 1),
        ("openai/gpt-image-1-mini", "0.000016", 2),
        # Its published price is above that of its tokens.
        ("openai/gpt-image-1-mini", "0.000004", 1),
    ],
)
def test_price_of_a_known_model_follows_the_price_of_tokens(model, output, factor):
    offer = offer_of({"input": "0.000005", "output": output}, model)
    expected = priced(model, LANDSCAPE, "medium") * Decimal(factor)
    assert priced(model, LANDSCAPE, "medium", offer) == expected


def test_row_of_the_server_comes_before_what_is_known():
    offer = offer_of({"image": "0.02", "output": "0.00003"}, "openai/gpt-image-2.5-flare")
    assert offer.price_usd(ImageRequest("a/b", "A ferry", SQUARE, "max")) == Decimal("0.02")


NAMES = ["image", "input", "output", "cost", "size", "quality", "image_dimension_quality_pricing"]
TEXTS = ["", "1024x1024", "1K", "4k", "default", "medium", "-1", "NaN", "Infinity", "0.04", "1e-9"]
VALUES: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(TEXTS)
    | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
    ),
    max_leaves=12,
)
PRICINGS = VALUES | st.fixed_dictionaries(
    {"image_dimension_quality_pricing": st.lists(VALUES), "output": VALUES}
)


@given(PRICINGS, st.sampled_from([UNKNOWN, *KNOWN_MODELS]), st.sampled_from([*QUALITIES, "x"]))
def test_price_is_unknown_or_not_negative_whatever_the_server_lists(pricing, model, quality):
    for size in (SQUARE, Size(1, 1), Size(8192, 1), Size(3840, 2160)):
        price = priced(model, size, quality, offer_of(pricing, model))
        assert price is None or (price.is_finite() and price >= 0)
