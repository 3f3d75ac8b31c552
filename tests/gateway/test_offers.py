"""Models on offer at a server, their health, and the credits of an account."""

import json
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkdocs_imagegen.errors import InvalidResponseError
from mkdocs_imagegen.gateway.offers import (
    Health,
    endpoints_path,
    read_credits,
    read_health,
    read_offers,
)
from mkdocs_imagegen.gateway.pricing import price_usd
from mkdocs_imagegen.option_parsers import SKETCH_MODEL, Size
from mkdocs_imagegen.request import ImageRequest

REQUEST = ImageRequest("a/b", "A balloon", Size(1024, 1024), quality="low")


def models(*entries: object) -> bytes:
    return json.dumps({"object": "list", "data": entries}).encode()


def image(model, pricing=None, **more):
    return {"id": model, "type": "image", "pricing": pricing} | more


@pytest.mark.parametrize(
    ("pricing", "price"),
    [
        ({"image": "0.04"}, "$0.04 an image"),
        ({"image": "0.040"}, "$0.04 an image"),
        (
            {"image_dimension_quality_pricing": [{"cost": "0.10"}, {"cost": "0.02"}, {}, 3]},
            "$0.02 to $0.1 an image",
        ),
        (
            {"input": "0.000002", "output": "0.000008", "input_cache_read": "0.0000002"},
            "$2 input, $8 output per million tokens",
        ),
        (
            {"image": "0.5", "input": "0.000002"},
            "$0.5 an image; $2 input per million tokens",
        ),
        ({}, ""),
        (None, ""),
        ("free", ""),
        ({"image": "cheap", "image_dimension_quality_pricing": "none"}, ""),
    ],
)
def test_price_text_is_read_from_each_layout(pricing, price):
    (offer,) = read_offers(models(image("a/b", pricing)))
    assert (offer.model, offer.price_text, offer.shutdown_date) == ("a/b", price, None)


def test_price_text_has_the_list_price_when_the_server_prices_tokens():
    pricing = {"input": "0.000002", "output": "0.000008"}
    (offer,) = read_offers(models(image("openai/gpt-image-1-mini", pricing)))
    assert offer.price_text.startswith("$0.005 to $0.052 an image; $2 input")


def test_offers_are_image_models_only():
    entries = [
        image("b/draws"),
        {"id": "c/talks", "type": "language"},
        {"id": "gpt-image-1"},
        {"id": "whisper"},
        {"id": "img", "mode": "image_generation"},
        {"id": "img-2", "model_info": {"mode": "image_generation"}},
        {"id": "image-chat", "mode": "chat"},
        {"id": "image-chat-2", "model_info": {"mode": "chat"}},
        {"id": "img-3", "mode": ["image_generation"]},
        {"type": "image"},
        7,
    ]
    found = [offer.model for offer in read_offers(models(*entries))]
    assert found == ["b/draws", "gpt-image-1", "img", "img-2"]


@pytest.mark.parametrize(
    ("given_", "ends"), [(1796083200, "2026-12-01"), (1e300, None), ("soon", None), (True, None)]
)
def test_shutdown_date_is_read(given_, ends):
    (offer,) = read_offers(models(image("a/b", deprecated_at=given_)))
    assert offer.shutdown_date == ends


values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["image", "input", "cost", "image_dimension_quality_pricing"]), inner
        )
    ),
    max_leaves=8,
)


@given(values, values, values)
def test_list_of_models_of_any_content_is_read_without_an_error(model, pricing, day):
    entry = {"id": model, "type": "image", "pricing": pricing, "deprecated_at": day}
    offers = read_offers(models(entry, pricing))
    assert all(f"{each.model} {each.price_text}".isprintable() for each in offers)


@given(st.binary(max_size=100))
def test_offers_are_empty_when_the_body_is_not_a_list_of_models(body):
    assert read_offers(body) == ()


@pytest.mark.parametrize(
    ("pricing", "usd"),
    [
        ({"image": "0.04"}, "0.04"),
        ({"image": "0"}, None),
        ({"image": "0.04", "image_dimension_quality_pricing": [{"cost": "0"}]}, "0.04"),
        ({}, None),
        (
            {
                "image": "0.04",
                "image_dimension_quality_pricing": [
                    {"cost": "0.9", "operation": "edit"},
                    {"cost": "0.3", "size": "1024x1024", "quality": "high"},
                    {"cost": "0.01", "size": "1024x1024", "quality": "low"},
                ],
            },
            "0.01",
        ),
        (
            {"image_dimension_quality_pricing": [{"cost": "0.3", "size": "1x1"}, {"cost": "0.2"}]},
            "0.2",
        ),
    ],
)
def test_price_depends_on_size_and_quality(pricing, usd):
    (offer,) = read_offers(models(image("a/b", pricing)))
    assert offer.price_usd(REQUEST) == (None if usd is None else Decimal(usd))


def test_price_of_zero_is_known_for_a_sketch_alone():
    known = "openai/gpt-image-2"
    for model, usd in [(SKETCH_MODEL, 0), (known, price_usd(replace(REQUEST, model=known)))]:
        (offer,) = read_offers(models(image(model, {"image": "0"})))
        assert offer.price_usd(REQUEST) == usd


@dataclass
class Endpoint:
    """One provider of a model, as a gateway lists it."""

    status: object = 0
    uptime_last_1d: object = 99.5
    latency_last_1h: object = field(default_factory=lambda: {"p50": 900, "p95": 4000})


def endpoints(*listed: object) -> bytes:
    every = [vars(each) if isinstance(each, Endpoint) else each for each in listed]
    return json.dumps({"data": {"endpoints": every}}).encode()


@pytest.mark.parametrize(
    ("body", "health"),
    [
        (endpoints(Endpoint()), Health(99.5, 900, 1)),
        (endpoints(Endpoint(), Endpoint(0, 98, {"p50": 700})), Health(99.5, 700, 2)),
        (endpoints(Endpoint(), Endpoint(-5, 100, {"p50": 1})), Health(99.5, 900, 1)),
        (endpoints(Endpoint(0, None, None)), Health(None, None, 1)),
        (endpoints(Endpoint(0, "99", {"p50": True})), Health(None, None, 1)),
        (endpoints(3, None, [], {}), Health(None, None, 1)),
        (b'{"data": {"endpoints": 3}}', Health(None, None, 0)),
        (b'{"data": []}', Health(None, None, 0)),
        (b"[]", Health(None, None, 0)),
        (b"no JSON", Health(None, None, 0)),
    ],
)
def test_health_is_read_from_any_body(body: bytes, health: Health) -> None:
    assert read_health(body) == health


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"balance": "much"}', b'{"balance": null}'])
def test_body_without_a_balance_is_an_error(body: bytes) -> None:
    with pytest.raises(InvalidResponseError):
        read_credits(body)


def test_model_name_is_quoted_in_its_path() -> None:
    assert endpoints_path("a/b?c#d") == "models/a/b%3Fc%23d/endpoints"
