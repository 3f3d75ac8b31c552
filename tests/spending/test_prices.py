"""The price list of the server."""

from __future__ import annotations

import asyncio
import json
import time
from decimal import Decimal

import pytest

from mkdocs_imagegen.errors import OverBudgetError, UnreachableError
from mkdocs_imagegen.gateway.models import estimate_usd
from mkdocs_imagegen.gateway.offers import ImagePrice, Offer
from tests.bench import MODEL, SERVER, FakeGateway, job, request


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
    assert made.run.ledger.budget.usd == estimate_usd(request())


def _cost(usd):
    return {"usd": usd, "size": "", "quality": ""}
