"""Price list of a server: prices, shutdown dates, and alternatives to a model."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from decimal import Decimal

import pytest

from mkdocs_imagegen.errors import ModelUnavailableError, OverBudgetError, UnreachableError
from mkdocs_imagegen.gateway.offers import Offer
from mkdocs_imagegen.gateway.pricing import ImagePrice, price_usd
from mkdocs_imagegen.spending.prices import PriceList
from tests.bench import MODEL, SERVER, FakeGateway, job, request

OTHER = "openai/gpt-image-2"


async def quarter_dollar():
    return (Offer(MODEL, "", None, (ImagePrice(Decimal("0.25")),)),)


def test_price_of_server_counts_when_response_has_no_cost(bench):
    one_dollar = {"images": None, "usd": 1}
    made = bench(FakeGateway(offers=quarter_dollar), budget=one_dollar, concurrency=1)
    results = made.run_jobs(*(job(request(number)) for number in range(6)))
    assert len(made.client.asked) == 4
    assert made.run.ledger.budget.usd == 1
    assert [each.original.record.cost_usd for each in results if each.original] == [
        Decimal("0.25")
    ] * 4
    assert sum(isinstance(each.error, OverBudgetError) for each in results) == 2


def test_slow_list_of_models_is_requested_once(bench):
    async def hanging():
        await asyncio.sleep(0.2)
        raise UnreachableError("no answer")

    made = bench(FakeGateway(offers=hanging), concurrency=4)
    results = made.run_jobs(*(job(request(number)) for number in range(6)))
    assert made.client.visits == 1
    assert [each.error for each in results] == [None] * 6


@pytest.mark.parametrize("age_s", [0, 86_000, 90_000, 10_000_000, -1_000])
def test_list_of_an_earlier_run_is_read_without_a_request(bench, age_s):
    made = bench()
    write_list(made, offered(MODEL, None, _cost("0.25")), age_s=age_s)
    prices = PriceList.from_cache(made.settings.prices_path, SERVER)
    assert prices.price_usd(request()) == Decimal("0.25")
    other_server = PriceList.from_cache(made.settings.prices_path, f"{SERVER}/other")
    assert other_server.price_usd(request()) == price_usd(request())
    assert made.client.visits == 0


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"server": 1, "asked": 1}', '{"offers": [1]}']
)
def test_price_is_the_published_one_when_the_list_cannot_be_read(tmp_path, content):
    path = tmp_path / "offers.json"
    path.write_text(content)
    assert PriceList.from_cache(path, SERVER).price_usd(request()) == price_usd(request())


@pytest.mark.parametrize("is_listed", [True, False])
def test_old_list_is_used_only_when_the_server_does_not_answer(bench, is_listed):
    async def offers():
        if not is_listed:
            raise UnreachableError("no answer")
        return await quarter_dollar()

    made = bench(FakeGateway(offers=offers))
    write_list(made, offered(MODEL, None, _cost("0.75")), age_s=90_000)
    made.run_jobs(job(request()))
    assert (made.client.visits, made.run.ledger.budget.usd) == (
        1,
        Decimal("0.25") if is_listed else Decimal("0.75"),
    )


def test_list_keeps_the_prices_of_rows_and_of_tokens(bench):
    rows = (ImagePrice(Decimal("0.03"), "1K", "low"), ImagePrice(Decimal("0.039"), "default"))
    flare = "openai/gpt-image-2.5-flare"

    async def offers():
        return (Offer(OTHER, "", None, rows), Offer(flare, "", None, (), Decimal("0.00006")))

    made = bench(FakeGateway(offers=offers))
    made.run_jobs(job(request()))
    prices = PriceList.from_cache(made.settings.prices_path, SERVER)
    low = replace(request(), model=OTHER, quality="low")
    assert [prices.price_usd(each) for each in (low, replace(low, quality="high"))] == [
        *(Decimal("0.03"), Decimal("0.039"))
    ]
    tokens = replace(request(), model=flare)
    assert prices.price_usd(tokens) == 2 * price_usd(tokens)


def test_list_of_an_earlier_version_has_no_prices_of_tokens(bench):
    made = bench()
    flare = "openai/gpt-image-2.5-flare"
    write_list(made, offered(flare))
    prices = PriceList.from_cache(made.settings.prices_path, SERVER)
    assert prices.price_usd(replace(request(), model=flare)) is not None


@pytest.mark.parametrize("usd", ["-1000", "NaN", "sNaN", "Infinity", None, []])
def test_invalid_price_in_cached_list_is_ignored(bench, usd):
    made = bench(budget={"images": None, "usd": 1})
    offer = {"model": MODEL, "price": "", "ends": None, "costs": [_cost(usd)]}
    original = {"server": SERVER, "asked": time.time(), "offers": [offer]}
    path = made.settings.cache_path / "offers.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(original))
    (result,) = made.run_jobs(job(request()))
    assert result.error is None
    assert made.run.ledger.budget.usd == price_usd(request())


def _cost(usd, size=""):
    return {"usd": usd, "size": size, "quality": ""}


async def other_model():
    return (Offer(OTHER, "", None, (ImagePrice(Decimal("0.04")),)),)


async def unavailable(*_):
    raise ModelUnavailableError("not offered", hint="set `model`")


def write_list(made, *offers, age_s=0):
    path = made.settings.cache_path / "offers.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    fields = {"server": SERVER, "asked": time.time() - age_s, "offers": offers}
    path.write_text(json.dumps(fields))


def offered(model, ends=None, *costs):
    return {"model": model, "price": "", "ends": ends, "costs": costs}


def test_unavailable_model_is_reported_with_models_on_offer(bench):
    made = bench(FakeGateway(before=unavailable, offers=other_model))
    (result,) = made.run_jobs(job(request()))
    expected = f"not offered (alternatives: {OTHER} ($0.04)); set `model`"
    assert str(result.error) == expected
    assert result.error.__context__ is None


def test_unavailable_model_is_reported_when_the_list_is_unavailable(bench):
    async def failing():
        raise UnreachableError("no answer")

    made = bench(FakeGateway(before=unavailable, offers=failing))
    (result,) = made.run_jobs(job(request()))
    known = "openai/gpt-image-2.5-flare ($0.013), "  # prices of the built-in table
    assert str(result.error).startswith(f"not offered (alternatives: {known}")
    assert result.error.__context__ is None


@pytest.mark.parametrize("is_listed", [True, False])
def test_list_of_models_is_requested_once_when_a_model_is_unavailable(bench, is_listed):
    async def offers():
        if not is_listed:
            raise UnreachableError("no answer")
        return await other_model()

    made = bench(FakeGateway(before=unavailable, offers=offers), concurrency=4)
    made.run_jobs(*(job(request(number)) for number in range(6)))
    assert made.client.visits == 1


def test_list_of_an_earlier_run_is_requested_again_when_a_model_is_unavailable(bench):
    made = bench(FakeGateway(before=unavailable, offers=other_model))
    write_list(made, offered(MODEL, None, _cost("0.01")))
    (result,) = made.run_jobs(job(request()))
    assert made.client.visits == 1
    assert result.error.accepted == f"alternatives: {OTHER} ($0.04)"


@pytest.mark.parametrize("age_s", [0, 86_000])
def test_list_of_an_earlier_run_is_not_requested_again_within_a_day(bench, age_s):
    made = bench(budget={"images": None, "usd": 1})
    write_list(made, offered(MODEL, None, _cost("0.25")), age_s=age_s)
    made.run_jobs(job(request()))
    assert (made.client.visits, made.run.ledger.budget.usd) == (0, Decimal("0.25"))
