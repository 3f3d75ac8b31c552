"""Purchases: price, budget and storage of an image."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import anyio
import pytest

from mkdocs_imagegen.errors import (
    EarlierFailureError,
    InvalidResponseError,
    ModerationError,
    OutcomeUnknownError,
    OverBudgetError,
    RejectedRequestError,
    StoppedError,
    StoreError,
)
from mkdocs_imagegen.gateway.models import STANDARD_SIZES
from mkdocs_imagegen.gateway.pricing import price_usd
from mkdocs_imagegen.gateway.wire import ImageResponse
from mkdocs_imagegen.jobs.job import Job
from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.originals.store import OriginalStore
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.spending import ledger, purchase
from mkdocs_imagegen.spending.budget import MAX_CHARGED_FAILURES_IN_A_ROW
from mkdocs_imagegen.spending.ledger import Attempts
from mkdocs_imagegen.spending.recovery import recover_all
from tests.bench import BODY, PNG, FakeGateway, body_of, job, request
from tests.originals.support import png, refuse


def test_sketch_is_free_and_not_journaled(bench):
    none = {"images": 0, "usd": 0}
    made = bench(gateway={"url": "sketch:"}, budget=none)
    (result,) = made.run_jobs(job(request()))
    assert (result.error, result.was_generated, result.original.record.cost_usd) == (None, True, 0)
    assert (made.run.ledger.budget.images, made.run.ledger.budget.usd) == (0, 0)
    assert not made.stores.journal.folder.exists()
    assert not made.settings.originals_path.exists()


def test_sketch_that_is_drawn_again_takes_the_place_of_the_earlier_one(bench):
    sketched = request().as_sketch
    bench(gateway={"url": "sketch:"}).run_jobs(job(sketched))
    made = bench(gateway={"url": "sketch:"})
    made.run.ledger.again = frozenset({sketched.key})
    (result,) = made.run_jobs(job(sketched))
    assert result.was_generated
    assert made.stores.originals.replaced == {sketched.key}


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
    assert (budget.images, budget.usd) == (1, price_usd(request(1)))
    assert budget.failed == 1
    (saved,) = full.stores.journal.find_responses(request(1).key)
    assert saved.body == BODY
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


def _no_room(*_arguments, **_options):
    raise StoreError("no room")


async def cut(*_):
    raise OutcomeUnknownError("the connection broke")


async def bad(_request, keep):
    keep(b"{}")
    raise InvalidResponseError("no image", body=b"{}")


def attempts_of(made, number=0):
    found = made.stores.attempts.find(request(number).key)
    return [(each.billing, each.counts) for each in found]


def test_unknown_outcome_is_noted_and_does_not_count(bench):
    made = bench(FakeGateway(cut))
    made.run_jobs(job(request()))
    assert (attempts_of(made), made.journal) == ([("unknown", False)], [])


@pytest.mark.parametrize("is_first", [True, False])
def test_unknown_outcome_counts_if_another_image_is_generated(bench, is_first):
    made = bench(FakeGateway(cut_for("prompt 0")))
    for number in (0, 1) if is_first else (1, 0):
        made.run_jobs(job(request(number)))
    assert attempts_of(made) == [("unknown", True)]


def cut_for(prompt):
    async def answer(asked, _keep):
        if asked.prompt == prompt:
            await cut()

    return answer


def test_charged_response_without_an_image_counts(bench):
    made = bench(FakeGateway(bad))
    made.run_jobs(job(request()))
    assert (attempts_of(made), made.journal) == ([("billed", True)], [])
    assert [path.read_bytes() for path in made.stores.originals.quarantine.iterdir()] == [b"{}"]


def test_request_rests_after_two_charged_responses_without_an_image(bench):
    for _ in range(2):
        (result,) = bench(FakeGateway(bad)).run_jobs(job(request()))
        assert isinstance(result.error, InvalidResponseError)
    made = bench()
    resting, other = made.run_jobs(job(request()), job(request(1)))
    assert isinstance(resting.error, EarlierFailureError)
    assert (other.error, made.client.asked) == (None, ["prompt 1"])
    again = bench()
    again.run.ledger.again = frozenset([request().key])
    (result,) = again.run_jobs(job(request()))
    assert (result.error, again.client.asked) == (None, ["prompt 0"])


def test_refusal_is_noted(bench):
    async def refuse_prompt(*_):
        raise ModerationError("was refused")

    made = bench(FakeGateway(refuse_prompt))
    made.run_jobs(job(request()))
    assert (attempts_of(made), made.journal) == ([("refused", False)], [])


def test_intent_stays_when_the_attempt_cannot_be_written(bench, monkeypatch):
    made = bench(FakeGateway(cut))
    monkeypatch.setattr(Attempts, "add", refuse(28))
    made.run_jobs(job(request()))
    assert made.journal == [f"{request().key}.intent"]


def test_request_is_not_sent_when_earlier_attempts_cannot_be_read(bench, monkeypatch):
    for _ in range(2):
        bench(FakeGateway(bad)).run_jobs(job(request()))
    made = bench()
    with monkeypatch.context() as patch:
        patch.setattr(ledger, "read_plain_file", refuse(13))
        (result,) = made.run_jobs(job(request()))
    assert "attempts.json cannot be read (Permission denied)" in str(result.error)
    assert (made.client.asked, attempts_of(made)) == ([], [("billed", True)] * 2)


def test_image_is_regenerated_once_by_all_builds_of_a_run(bench):
    """There is one build for each language."""
    first = bench()
    first.run.ledger.again = frozenset([request().key])
    second = bench(run=first.run)
    results = [each.run_jobs(job(request()))[0] for each in (first, second)]
    assert [each.was_generated for each in results] == [True, False]
    assert second.client.asked == []


def test_image_generated_again_takes_the_place_of_the_original(bench):
    before = bench()
    before.run_jobs(job(request()))
    first = before.stores.originals.find(request().key)
    again = bench(FakeGateway(body=body_of(png("blue"))))
    again.run.ledger.again = frozenset([request().key])
    (result,) = again.run_jobs(job(request()))
    assert (result.error, again.client.asked) == (None, ["prompt 0"])
    assert result.original.path.read_bytes() == png("blue")
    assert first.path.read_bytes() == PNG
    assert bench().stores.originals.find_exact(request(), "") == result.original


class ChargingGateway(FakeGateway):
    """A server that lists no prices.

    Args:
        cost: Function that returns the charge of a request as text; None if it reports none.
        together: Number of requests that wait until as many are in flight.
        alone: Number of requests before them.
    """

    def __init__(
        self, cost: Callable[[ImageRequest], str | None], together: int = 0, alone: int = 1
    ) -> None:
        super().__init__(self._wait)
        self._cost, self._together, self._alone = cost, together, alone
        self._are_together = asyncio.Event()
        self.in_flight = 0
        self.seen: list[int] = []
        self.lock: Callable[[], anyio.Lock] | None = None

    async def _wait(self, *_: Any) -> None:
        self.in_flight += 1
        self.seen.append(self.in_flight)
        if self.in_flight == self._together:
            self._are_together.set()
        if self._together and len(self.seen) > self._alone:
            await asyncio.wait_for(self._are_together.wait(), 20)
        # A lock has no event for a task that begins to wait.
        while self.lock and self.in_flight == 1 and not _is_free_or_awaited(self.lock()):  # noqa: ASYNC110
            await asyncio.sleep(0)

    async def generate(self, asked: ImageRequest, keep: Any = None, _: Any = None) -> ImageResponse:
        try:
            response = await super().generate(asked, keep)
        finally:
            self.in_flight -= 1
        cost = self._cost(asked)
        return replace(response, cost_usd=None if cost is None else Decimal(cost))


def _is_free_or_awaited(lock: anyio.Lock) -> bool:
    """Return True unless a request is in flight that has to be alone, and no other waits for it."""
    state = lock.statistics()
    return not state.locked or state.tasks_waiting > 0


def painted(number: int, size: Size = STANDARD_SIZES[0]) -> Job:
    return job(ImageRequest("acme/painter", f"prompt {number}", size))


@pytest.mark.parametrize(
    ("cost", "images", "usd"), [("0.30", 3, "0.90"), ("3.00", 1, "3.00"), ("0.51", 1, "0.51")]
)
def test_budget_is_exceeded_by_at_most_one_image_of_unknown_price(bench, cost, images, usd):
    gateway = ChargingGateway(lambda _: cost)
    made = bench(gateway, budget={"images": None, "usd": 1}, concurrency=8)
    gateway.lock = lambda: made.scheduler._loop.unknown_price_lock
    results = made.run_jobs(*map(painted, range(12)))
    assert len(gateway.asked) == images
    assert made.run.ledger.budget.usd == Decimal(usd)
    assert gateway.seen[0] == 1
    assert sum(isinstance(each.error, OverBudgetError) for each in results) == 12 - images
    assert made.said == []


def test_requests_of_unknown_price_run_together_after_the_first_charge(bench):
    gateway = ChargingGateway(lambda _: "0.01", together=4)
    made = bench(gateway, budget={"images": None, "usd": 1}, concurrency=4)
    results = made.run_jobs(*map(painted, range(5)))
    assert [each.error for each in results] == [None] * 5
    assert gateway.seen == [1, 1, 2, 3, 4]


def test_each_kind_of_image_of_unknown_price_is_requested_alone_first(bench):
    costs = {STANDARD_SIZES[0]: "0.01", STANDARD_SIZES[1]: "0.90"}
    gateway = ChargingGateway(lambda asked: costs[asked.size])
    made = bench(gateway, budget={"images": None, "usd": 1}, concurrency=8)
    gateway.lock = lambda: made.scheduler._loop.unknown_price_lock
    made.run_jobs(*(painted(number, size) for size in costs for number in range(8)))
    assert made.run.ledger.budget.usd <= 1
    assert sum(Decimal(cost) == Decimal("0.90") for cost in _charges(made)) == 1


def _charges(made):
    return [each.cost_usd for each in made.stores.originals.records()]


def test_server_that_reports_no_charge_is_limited_by_images_alone(bench):
    gateway = ChargingGateway(lambda _: None, together=4, alone=2)
    made = bench(gateway, budget={"images": 6, "usd": 1}, concurrency=4)
    results = made.run_jobs(*map(painted, range(8)))
    assert gateway.seen == [1, 1, 1, 2, 3, 4]
    assert sum(each.error is None for each in results) == 6
    assert sum(isinstance(each.error, OverBudgetError) for each in results) == 2
    (said,) = made.said
    assert said == (
        "the price of acme/painter is unknown and the server reports no charge, so `budget.usd` "
        "cannot limit this run; limit it with `budget.images`"
    )


def test_one_response_without_a_charge_does_not_lift_the_limit(bench):
    charges = iter([None, *["0.30"] * 12])
    gateway = ChargingGateway(lambda _: next(charges))
    made = bench(gateway, budget={"images": None, "usd": 1}, concurrency=8)
    gateway.lock = lambda: made.scheduler._loop.unknown_price_lock
    made.run_jobs(*map(painted, range(12)))
    assert len(gateway.asked) == 4
    assert made.said == []


def test_requests_of_unknown_price_run_together_without_a_limit_in_dollars(bench):
    gateway = ChargingGateway(lambda _: None, together=4, alone=0)
    made = bench(gateway, budget={"images": None, "usd": None}, concurrency=4)
    made.run_jobs(*map(painted, range(4)))
    assert (gateway.seen, made.said) == ([1, 2, 3, 4], [])


def test_failed_request_of_unknown_price_makes_way_for_the_next(bench):
    def cost(asked):
        if asked.prompt == "prompt 0":
            raise RejectedRequestError("not accepted")
        return "0.01"

    gateway = ChargingGateway(cost)
    made = bench(gateway, budget={"images": None, "usd": 1}, concurrency=1)
    results = made.run_jobs(*map(painted, range(3)))
    assert [each.error is None for each in results] == [False, True, True]
    assert made.run.ledger.budget.usd == Decimal("0.02")


def test_waiting_request_of_unknown_price_is_not_sent_when_the_run_is_stopped(bench):
    async def stop(*_):
        made.scheduler._stop()

    made = bench(FakeGateway(stop), budget={"images": None, "usd": 1}, concurrency=8)
    results = made.run_jobs(*map(painted, range(4)))
    assert len(made.client.asked) == 1
    assert sum(isinstance(each.error, StoppedError) for each in results) == 3


def test_image_of_another_model_without_a_charge_has_the_price_of_that_model(bench):
    other = "openai/gpt-image-2"
    routing = {"gateway": {"routing": {"canonicalSlug": other}}}
    body = json.dumps(json.loads(BODY) | {"provider_metadata": routing}).encode()
    made = bench(FakeGateway(body=body))
    (result,) = made.run_jobs(job(request()))
    expected = price_usd(replace(request(), model=other))
    assert result.original.record.cost_usd == made.run.ledger.budget.usd == expected
    assert result.original.record.cost_is_estimate
