"""Purchases: price, budget and storage of an image."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from decimal import Decimal

import pytest

from mkdocs_imagegen.errors import OverBudgetError, StoppedError, StoreError, UnreachableError
from mkdocs_imagegen.gateway.models import estimate_usd
from mkdocs_imagegen.gateway.offers import ImagePrice, Offer
from mkdocs_imagegen.originals.store import OriginalStore
from mkdocs_imagegen.spending.recovery import recover_all
from tests.bench import BODY, MODEL, SERVER, FakeGateway, job, request
from tests.originals.support import refuse


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


def test_sketch_is_free_and_not_journaled(bench):
    none = {"images": 0, "usd": 0}
    made = bench(gateway={"url": "sketch:"}, budget=none)
    (result,) = made.run_jobs(job(request()))
    assert (result.error, result.was_generated, result.original.record.cost_usd) == (None, True, 0)
    assert (made.run.ledger.budget.images, made.run.ledger.budget.usd) == (0, 0)
    assert not made.stores.journal.unknown_path.parent.exists()


def test_image_that_cannot_be_saved_counts_as_charged_and_is_stored_later(bench, monkeypatch):
    full = bench()
    with monkeypatch.context() as patch:
        patch.setattr(OriginalStore, "put", _no_room)
        patch.setattr(tempfile, "mkdtemp", refuse(28))
        (first,) = full.run_jobs(job(request(1)))
        (second,) = full.run_jobs(job(request(2)))
    assert "could not be saved" in str(first.error)
    assert isinstance(second.error, StoppedError)
    budget = full.run.ledger.budget
    assert (budget.images, budget.usd) == (1, estimate_usd(request(1)))
    assert budget.failed == 1
    assert full.stores.journal.find_response(request(1).key) == BODY
    later = bench()
    recover_all(later.stores)
    assert later.stored() == ["prompt 1"]
    assert later.journal == []


def _no_room(*_arguments):
    raise StoreError("no room")
