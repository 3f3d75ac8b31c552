"""Replacement models among those on offer."""

from __future__ import annotations

from dataclasses import replace

from mkdocs_imagegen.gateway.offers import read_offers
from mkdocs_imagegen.gateway.replacements import format_alternatives, replacements
from tests.gateway.test_offers import REQUEST, image, models


def test_alternatives_are_the_cheapest_models_of_the_same_creator():
    prices = {"a/5": "0.05", "a/2": "0.02", "a/4": "0.04", "a/3": "0.03", "z/y": "0.001"}
    offers = read_offers(models(*(image(model, {"image": usd}) for model, usd in prices.items())))
    asked = replace(REQUEST, model="a/gone")
    assert format_alternatives(offers, asked) == "a/2 ($0.02), a/3 ($0.03), 2 more"


def test_alternatives_are_other_models_when_the_creator_has_none_with_a_price():
    offers = read_offers(models(*map(image, ("a/x", "m/n", "z/gone", "z/y"))))
    asked = replace(REQUEST, model="z/gone")
    assert format_alternatives(offers, asked) == "z/y, a/x, 1 more"
    assert format_alternatives((), asked) == ""


def test_replacements_are_models_of_the_same_creator_without_a_shutdown_date():
    ends = image("a/soon", {"image": "0.001"}) | {"deprecated_at": 1796083200}
    others = [image(f"a/{each}", {"image": f"0.0{each}"}) for each in (5, 2, 4, 3)]
    offers = read_offers(models(ends, *others, image("z/y", {"image": "0.001"})))
    found = replacements(offers, replace(REQUEST, model="a/soon"))
    assert [(each.model, str(usd)) for each, usd in found] == [
        ("a/2", "0.02"),
        ("a/3", "0.03"),
        ("a/4", "0.04"),
        ("a/5", "0.05"),
    ]
