"""Replacements of a model that was shut down, and alternatives for a message."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from mkdocs_imagegen.gateway.models import KNOWN_MODELS
from mkdocs_imagegen.gateway.pricing import price_usd
from mkdocs_imagegen.gateway.replacements import (
    alternatives,
    own_replacement,
    replacement,
)
from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.request import ImageRequest

MINI = ImageRequest("openai/gpt-image-1-mini", "A balloon", Size(1536, 1024))
FLARE_2_5, FLARE_2_6, IMAGE_2 = KNOWN_MODELS[MINI.model].replacements


def all_but(*models):
    return lambda model: model not in models


@pytest.mark.parametrize(
    ("missing", "exact", "model", "quality"),
    [
        ((), (), FLARE_2_5, "medium"),
        ((), ("quality",), FLARE_2_5, "medium"),
        # Only dearer ones are left at this quality.
        ((FLARE_2_5,), (), FLARE_2_6, "low"),
        ((FLARE_2_5, FLARE_2_6), (), IMAGE_2, "low"),
        ((FLARE_2_5,), ("quality",), None, None),
        ((), ("model",), None, None),
        ((FLARE_2_5, FLARE_2_6, IMAGE_2), (), None, None),
    ],
)
def test_built_in_replacement_keeps_the_quality_if_its_price_allows_it(
    missing, exact, model, quality
):
    sent = replacement(MINI, exact, all_but(*missing), price_usd)
    assert (sent and (sent.model, sent.quality)) == (model and (model, quality))
    assert sent is None or replace(sent, model=MINI.model, quality=MINI.quality) == MINI


@pytest.mark.parametrize(("factor", "is_used"), [("1.5", True), ("1.51", False)])
def test_replacement_costs_at_most_one_and_a_half_times_as_much(factor, is_used):
    def get_price(request):
        return Decimal(1) if request.model == MINI.model else Decimal(factor)

    assert bool(replacement(MINI, (), all_but(), get_price)) is is_used


def test_model_of_unknown_price_is_no_replacement():
    known = {MINI.model: Decimal(1)}
    assert replacement(MINI, (), all_but(), lambda request: known.get(request.model)) is None
    assert replacement(MINI, (), all_but(), lambda _: None) is None


def test_unknown_model_has_no_built_in_replacement():
    assert replacement(replace(MINI, model="a/b"), (), all_but(), lambda _: Decimal(1)) is None


@pytest.mark.parametrize("quality", ["low", "auto"])
def test_lowest_quality_is_not_lowered(quality):
    asked = replace(MINI, quality=quality)
    prices = {MINI.model: Decimal("0.001")}
    get_price = lambda request: prices.get(request.model, Decimal(1))  # noqa: E731 - one line
    assert replacement(asked, (), all_but(), get_price) is None


def test_replacement_knows_the_options_of_the_model():
    """`complexity` is an option of 2.6 alone."""
    asked = replace(MINI, model_options='{"openai":{"complexity":"low"}}')
    sent = replacement(asked, (), all_but(), lambda _: Decimal(1))
    assert sent.model == FLARE_2_6


def test_own_replacement_is_the_first_model_that_accepts_the_request():
    asked = replace(MINI, quality="max", model=FLARE_2_5)
    models = (IMAGE_2, "a/refused", "a/b", FLARE_2_6)
    assert own_replacement(asked, models, all_but("a/refused")).model == "a/b"
    assert own_replacement(asked, (IMAGE_2,), all_but()) is None
    assert own_replacement(asked, (), all_but()) is None


def test_alternatives_are_three_of_the_same_creator_first_with_prices():
    prices = {"a/5": "0.05", "a/2": "0.02", "z/y": "0.001", "a/4": "0.04", "a/3": None}

    def get_price(request):
        usd = prices[request.model]
        return usd and Decimal(usd)

    asked = replace(MINI, model="a/gone")
    found = alternatives(prices, asked, get_price)
    assert found == [("a/2", Decimal("0.02")), ("a/4", Decimal("0.04")), ("a/5", Decimal("0.05"))]
    assert [model for model, _ in alternatives(["z/y", "a/3"], asked, get_price)] == ["a/3", "z/y"]
    assert alternatives((), asked, get_price) == []
