"""Purchases: price, budget and storage of an image."""

from __future__ import annotations

import tempfile

import pytest

from mkdocs_imagegen.errors import OutcomeUnknownError, StoppedError, StoreError
from mkdocs_imagegen.gateway.models import estimate_usd
from mkdocs_imagegen.originals.store import OriginalStore
from mkdocs_imagegen.spending import purchase
from mkdocs_imagegen.spending.budget import MAX_CHARGED_FAILURES_IN_A_ROW
from mkdocs_imagegen.spending.recovery import recover_all
from tests.bench import BODY, job, request
from tests.originals.support import refuse


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


@pytest.mark.parametrize("is_sent", [True, False])
def test_unexpected_errors_stop_the_run_like_charged_failures(bench, monkeypatch, is_sent):
    def fail(*_):
        raise ValueError("a defect")

    made = bench(concurrency=1)
    monkeypatch.setattr(made.client if is_sent else purchase, _FIRST_STEP[is_sent], fail)
    results = made.run_jobs(*(job(request(number)) for number in range(20)))
    failed = [each for each in results if isinstance(each.error, OutcomeUnknownError)]
    assert len(failed) == MAX_CHARGED_FAILURES_IN_A_ROW
    assert "unexpected error: ValueError: a defect; report it" in str(failed[0].error)
    assert (made.run.ledger.budget.images, made.purchaser.in_flight) == (len(failed), 0)
    assert len(made.stores.journal.open_keys()) == len(failed)


_FIRST_STEP = {True: "generate", False: "store_response"}


def _no_room(*_arguments):
    raise StoreError("no room")
