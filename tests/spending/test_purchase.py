"""What is taken from the budget, and what is not."""

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
from tests.bench import BODY, MODEL, SERVER, Studio, request, want
from tests.originals.support import refuse


async def quarter_dollar():
    return (Offer(MODEL, "", None, (ImagePrice(Decimal("0.25")),)),)


def test_the_servers_price_holds_where_answers_name_no_charge(bench):
    one_dollar = {"images": None, "usd": 1}
    made = bench(Studio(offers=quarter_dollar), budget=one_dollar, concurrency=1)
    results = made.make(*(want(request(number)) for number in range(6)))
    assert len(made.studio.asked) == 4
    assert made.run.budget.usd == 1
    assert [each.original.record.cost_usd for each in results if each.original] == [
        Decimal("0.25")
    ] * 4
    assert sum(isinstance(each.error, OverBudgetError) for each in results) == 2


def test_a_list_of_models_that_hangs_is_waited_for_once(bench):
    async def hanging():
        await asyncio.sleep(0.2)
        raise UnreachableError("no answer")

    made = bench(Studio(offers=hanging), concurrency=4)
    results = made.make(*(want(request(number)) for number in range(6)))
    assert made.studio.visits == 1
    assert [each.error for each in results] == [None] * 6


@pytest.mark.parametrize("usd", ["-1000", "NaN", "sNaN", "Infinity", None, []])
def test_a_price_that_is_none_is_not_taken_from_the_list_that_was_kept(bench, usd):
    made = bench(budget={"images": None, "usd": 1})
    offer = {"model": MODEL, "price": "", "ends": None, "costs": [_cost(usd)]}
    original = {"server": SERVER, "asked": time.time(), "offers": [offer]}
    path = made.settings.cache_path / "offers.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(original))
    (result,) = made.make(want(request()))
    assert result.error is None
    assert made.run.budget.usd == estimate_usd(request())


def _cost(usd):
    return {"usd": usd, "size": "", "quality": ""}


def test_sketches_cost_nothing_and_are_not_written_down(bench):
    none = {"images": 0, "usd": 0}
    made = bench(gateway={"url": "sketch:"}, budget=none)
    (result,) = made.make(want(request()))
    assert (result.error, result.made, result.original.record.cost_usd) == (None, True, 0)
    assert (made.run.budget.images, made.run.budget.usd) == (0, 0)
    assert not made.stores.journal.unknown_path.parent.exists()


def test_a_image_that_could_be_kept_nowhere_counts_as_paid_and_is_stored_later(bench, monkeypatch):
    full = bench()
    with monkeypatch.context() as patch:
        patch.setattr(OriginalStore, "put", _no_room)
        patch.setattr(tempfile, "mkdtemp", refuse(28))
        (first,) = full.make(want(request(1)))
        (second,) = full.make(want(request(2)))
    assert "could be kept nowhere" in str(first.error)
    assert isinstance(second.error, StoppedError)
    budget = full.run.budget
    assert (budget.images, budget.usd) == (1, estimate_usd(request(1)))
    assert budget.wasted == 1
    assert full.stores.journal.answer(request(1).key) == BODY
    later = bench()
    later.stores.recovery.recover_all()
    assert later.stored() == ["prompt 1"]
    assert later.journal == []


def _no_room(*_arguments):
    raise StoreError("no room")
