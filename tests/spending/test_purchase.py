"""Purchases: price, budget and storage of an image."""

from __future__ import annotations

import tempfile

from mkdocs_imagegen.errors import StoppedError, StoreError
from mkdocs_imagegen.gateway.models import estimate_usd
from mkdocs_imagegen.originals.store import OriginalStore
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


def _no_room(*_arguments):
    raise StoreError("no room")
