"""The queue of `mkdocs serve`, with a scheduler that a test controls."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import anyio
import anyio.to_thread
import pytest

from mkdocs_imagegen.errors import (
    AuthenticationError,
    ImagegenError,
    InvalidResponseError,
    ModerationError,
    NotGeneratedError,
    OutcomeUnknownError,
    OverBudgetError,
    RateLimitedError,
    StoreError,
    UnreachableError,
)
from mkdocs_imagegen.event_loop import EventLoop
from mkdocs_imagegen.jobs import serve_queue
from mkdocs_imagegen.jobs.job import Job, Result
from mkdocs_imagegen.jobs.serve_queue import ServeQueue
from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.page_layout import Layout
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.spending.ledger import Ledger
from tests.bench import Bench as RealBench
from tests.bench import FakeGateway, LogTexts
from tests.waiting import wait_until


class FakeScheduler:
    """Notes what is started; ends it when a test says so."""

    def __init__(self) -> None:
        self.futures: list[Future[Result]] = []
        self.is_closed = False

    def start(self, _: Job, listener: Callable[[Result], None]) -> None:
        self.futures.append(Future())
        self.futures[-1].add_done_callback(lambda future: listener(future.result()))


class Bench:
    """A desk and what it did."""

    def __init__(self) -> None:
        self.schedulers: list[FakeScheduler] = []
        self.changes = 0
        self.logged = LogTexts()
        self.queue = ServeQueue(Ledger(), self._change)
        self.open()

    def open(self) -> None:
        self.queue.open(self._opened, 0.05)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[Any]:
        self.schedulers.append(FakeScheduler())
        yield self.schedulers[-1]
        self.schedulers[-1].is_closed = True

    def _change(self) -> None:
        self.changes += 1

    @property
    def started(self) -> list[Future[Result]]:
        return [each for scheduler in self.schedulers for each in scheduler.futures]

    def build(self, *jobs: Job) -> list[ImagegenError]:
        self.queue.begin(keeps_pages=False)
        states = [self.queue.pending_error(each) for each in jobs]
        self.queue.note({"index.md": jobs})
        return states


def job(prompt: str) -> Job:
    request = ImageRequest("a/model", prompt, Size(30, 20))
    return Job((request.key, Layout(request.size), frozenset()), request, None)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.queue.close()
    bench.logged.close()
    assert not any(each.name == "imagegen-queue" for each in threading.enumerate())


def fail(bench: Bench, error: ImagegenError) -> None:
    """Build a page with one prompt, and let its making fail."""
    bench.build(job("A"))
    wait_until(lambda: bench.started)
    bench.started[-1].set_result(Result(error=error))
    wait_until(lambda: bench.changes)


FREE = [UnreachableError, AuthenticationError, NotGeneratedError, StoreError]
FINAL = [ModerationError, OutcomeUnknownError, InvalidResponseError]


@pytest.mark.parametrize("kind", [*FREE, *FINAL])
def test_free_failure_is_retried_after_interval(bench, monkeypatch, kind) -> None:
    fail(bench, kind("it failed"))
    assert [str(each) for each in bench.build(job("A"))] == ["it failed"]
    time.sleep(0.2)
    assert len(bench.started) == 1
    monkeypatch.setattr(serve_queue, "RETRY_AFTER_S", 0.0)
    bench.build(job("A"))
    if kind in FREE:
        wait_until(lambda: len(bench.started) == 2)
    time.sleep(0.2)
    assert len(bench.started) == (2 if kind in FREE else 1)


def test_free_failure_is_retried_at_once_when_settings_change(bench) -> None:
    fail(bench, OverBudgetError("too dear", None))
    bench.open()
    bench.build(job("A"))
    wait_until(lambda: len(bench.started) == 2)


def test_idle_scheduler_is_closed(bench) -> None:
    fail(bench, NotGeneratedError("it failed"))
    wait_until(lambda: bench.schedulers[0].is_closed)
    bench.build(job("B"))
    wait_until(lambda: len(bench.schedulers) == 2)
    assert not bench.schedulers[1].is_closed


def test_new_settings_wait_for_jobs_of_old_settings(bench) -> None:
    """One place to make images at a time, so that a budget is counted in one thread."""
    bench.build(job("A"))
    wait_until(lambda: bench.started)
    bench.open()
    bench.build(job("A"), job("B"))
    time.sleep(0.2)
    assert len(bench.schedulers) == 1
    bench.started[0].set_result(Result())
    wait_until(lambda: len(bench.started) == 2)
    assert len(bench.schedulers) == 2


def test_unexpected_error_is_shown_and_queue_continues(bench) -> None:
    def open_scheduler() -> contextlib.AbstractContextManager[Any]:
        raise ValueError("a bug")

    bench.queue.open(open_scheduler, 0.0)
    bench.build(job("A"))
    wait_until(lambda: bench.changes)
    assert "ValueError: a bug" in str(bench.build(job("A"))[0])
    assert any("ValueError: a bug" in each for each in bench.logged.texts)
    bench.open()
    bench.build(job("B"))
    wait_until(lambda: bench.started)


def test_image_that_no_build_finds_is_not_generated_again(bench) -> None:
    bench.build(job("A"))
    wait_until(lambda: bench.started)
    bench.started[0].set_result(Result())
    wait_until(lambda: bench.changes == 1)
    assert "its original is missing now" in str(bench.build(job("A"))[0])
    time.sleep(0.3)
    assert (bench.changes, len(bench.started)) == (1, 1)


def test_rebuild_is_requested_three_times_when_no_build_begins(bench, monkeypatch) -> None:
    """An image that no page can take in must not have the pages built for ever."""
    monkeypatch.setattr(serve_queue, "_REBUILD_RETRY_INTERVAL_S", 0.01)
    bench.build(job("A"))
    wait_until(lambda: bench.started)
    bench.started[0].set_result(Result())
    wait_until(lambda: bench.changes == 3)
    time.sleep(0.3)
    assert bench.changes == 3


def test_rebuild_is_requested_when_image_arrives_during_build(bench) -> None:
    bench.build(job("A"))
    wait_until(lambda: bench.started)
    bench.queue.begin(keeps_pages=False)
    bench.queue.pending_error(job("A"))
    bench.started[0].set_result(Result())
    time.sleep(0.2)
    assert bench.changes == 0
    bench.queue.note({"index.md": [job("A")]})
    wait_until(lambda: bench.changes == 1)


def test_rebuild_is_not_requested_when_build_already_shows_image(bench) -> None:
    bench.build(job("A"))
    wait_until(lambda: bench.started)
    bench.build()
    bench.started[0].set_result(Result())
    time.sleep(0.2)
    assert bench.changes == 0


@pytest.mark.parametrize("comes_in_a_build", [False, True])
def test_rebuild_is_requested_when_removed_prompt_returns(bench, comes_in_a_build) -> None:
    bench.build(job("A"))
    wait_until(lambda: bench.started)
    bench.build()
    bench.queue.begin(keeps_pages=False)
    assert "appears here automatically" in str(bench.queue.pending_error(job("A")))
    if comes_in_a_build:
        bench.started[0].set_result(Result())
        time.sleep(0.2)
    bench.queue.note({"index.md": [job("A")]})
    if not comes_in_a_build:
        bench.started[0].set_result(Result())
    wait_until(lambda: bench.changes == 1)


def test_queue_waits_for_a_save_when_no_rebuild_can_show_the_image(bench, monkeypatch) -> None:
    bench.queue = ServeQueue(Ledger(), None)
    bench.open()
    waits = []
    seconds_to_wait = bench.queue._seconds_to_wait
    monkeypatch.setattr(
        bench.queue, "_seconds_to_wait", lambda: waits.append(seconds_to_wait()) or waits[-1]
    )
    hint = "it appears here after you save the page"
    assert hint in str(bench.build(job("A"))[0])
    wait_until(lambda: bench.started)
    assert hint in str(bench.build(job("A"))[0])
    bench.started[0].set_result(Result(error=NotGeneratedError("it failed")))
    wait_until(lambda: bench.logged.texts)
    wait_until(lambda: waits[-1] is None)
    assert bench.changes == 0
    assert len(waits) < 10
    bench.queue.begin(keeps_pages=True)
    assert str(bench.queue.pending_error(job("A"))) == "it failed"
    bench.queue.note({"index.md": [job("A")]})


def test_alarm_is_shown_and_logged(bench) -> None:
    bench.build(job("A"))
    wait_until(lambda: bench.started)
    bench.started[0].set_result(Result(alarm="it is in /tmp/x"))
    wait_until(lambda: bench.changes)
    assert [str(each) for each in bench.build(job("A"))] == ["it is in /tmp/x"]
    assert any("it is in /tmp/x" in each for each in bench.logged.texts)


def test_close_counts_the_image_in_flight(tmp_path, monkeypatch) -> None:
    async def wait_for_close(*_: object) -> None:
        await anyio.to_thread.run_sync(is_closing.wait)

    def stop(loop: EventLoop) -> None:
        real_stop(loop)
        is_closing.set()

    is_closing, real_stop = threading.Event(), EventLoop.stop
    monkeypatch.setattr(EventLoop, "stop", stop)
    made = RealBench(tmp_path, FakeGateway(wait_for_close))
    queue = ServeQueue(made.run.ledger, None)
    queue.open(lambda: contextlib.closing(made.scheduler), 0.0)
    queue.note({"index.md": [job("A")]})
    wait_until(lambda: made.client.asked)
    queue.close()
    made.close()
    assert made.stored() == ["A"]
    assert made.said[-1].startswith("generated 1 image while serving (")


def test_image_that_waits_for_a_rate_limit_is_withdrawn_with_its_prompt(tmp_path) -> None:
    """An image that no page needs any more is not sent; one that returns is."""

    async def refuse(*_: object) -> None:
        if not is_accepting.is_set():
            raise RateLimitedError("too many requests", retry_after_s=0.2)

    is_accepting = threading.Event()
    made = RealBench(tmp_path, FakeGateway(refuse))
    queue = ServeQueue(made.run.ledger, None)
    queue.open(lambda: contextlib.closing(made.scheduler), 0.0)
    queue.note({"index.md": [job("A"), job("B")]})
    wait_until(lambda: set(made.client.asked) == {"A", "B"})
    queue.note({"index.md": [job("B"), job("C")]})
    wait_until(lambda: not queue.has_started(job("A")))
    refused = len(made.client.asked)
    is_accepting.set()
    wait_until(lambda: made.stored() == ["B", "C"])
    assert "A" not in made.client.asked[refused:]
    queue.note({"index.md": [job("A")]})
    wait_until(lambda: made.stored() == ["A", "B", "C"])
    queue.close()
    made.close()
    assert [each for each in made.said if "no page" in each] == []


def test_closed_queue_starts_no_job(bench) -> None:
    bench.queue.close()
    bench.build(job("A"))
    time.sleep(0.2)
    assert bench.started == []
