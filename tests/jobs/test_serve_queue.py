"""The queue of `mkdocs serve`, with a scheduler that a test controls."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from mkdocs_imagegen.errors import (
    AuthenticationError,
    ImagegenError,
    InvalidResponseError,
    ModerationError,
    NotGeneratedError,
    OutcomeUnknownError,
    OverBudgetError,
    StoreError,
    UnreachableError,
)
from mkdocs_imagegen.jobs import serve_queue
from mkdocs_imagegen.jobs.job import Job, Result
from mkdocs_imagegen.jobs.serve_queue import ServeQueue
from mkdocs_imagegen.layout import Layout
from mkdocs_imagegen.options import Size
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.spending.ledger import Ledger
from tests.bench import LogTexts


class FakeScheduler:
    """Notes what is started; ends it when a test says so."""

    def __init__(self) -> None:
        self.futures: list[Future[Result]] = []
        self.is_closed = False

    def start(self, _: Job) -> Future[Result]:
        self.futures.append(Future())
        return self.futures[-1]


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

    def build(self, *wants: Job) -> list[ImagegenError]:
        self.queue.begin(keeps_pages=False)
        states = [self.queue.pending_error(want) for want in wants]
        self.queue.note({"index.md": wants})
        return states


def want(prompt: str) -> Job:
    request = ImageRequest("a/model", prompt, Size(30, 20))
    return Job((request.key, Layout(request.size), False), request, None, can_generate=True)


def wait_until(is_so: Callable[[], object]) -> None:
    end = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.queue.close()
    bench.logged.close()
    assert not any(each.name == "imagegen-queue" for each in threading.enumerate())


def fail(bench: Bench, error: Exception) -> None:
    """Build a page with one prompt, and let its making fail."""
    bench.build(want("A"))
    wait_until(lambda: bench.started)
    bench.started[-1].set_result(Result(error=error)) if isinstance(
        error, ImagegenError
    ) else bench.started[-1].set_exception(error)
    wait_until(lambda: bench.changes)


FREE = [UnreachableError, AuthenticationError, NotGeneratedError, StoreError]
FINAL = [ModerationError, OutcomeUnknownError, InvalidResponseError]


@pytest.mark.parametrize("kind", [*FREE, *FINAL])
def test_what_failed_for_nothing_is_tried_again_after_a_while(bench, monkeypatch, kind) -> None:
    fail(bench, kind("it failed"))
    assert [str(each) for each in bench.build(want("A"))] == ["it failed"]
    time.sleep(0.2)
    assert len(bench.started) == 1
    monkeypatch.setattr(serve_queue, "RETRY_AFTER_S", 0.0)
    bench.build(want("A"))
    time.sleep(0.2)
    assert len(bench.started) == (2 if kind in FREE else 1)


def test_changed_settings_try_again_at_once(bench) -> None:
    fail(bench, OverBudgetError("too dear", None))
    bench.open()
    bench.build(want("A"))
    wait_until(lambda: len(bench.started) == 2)


def test_nothing_is_held_open_while_nothing_is_made(bench) -> None:
    fail(bench, NotGeneratedError("it failed"))
    wait_until(lambda: bench.schedulers[0].is_closed)
    bench.build(want("B"))
    wait_until(lambda: len(bench.schedulers) == 2)
    assert not bench.schedulers[1].is_closed


def test_other_settings_wait_until_the_last_have_ended(bench) -> None:
    """One place to make images at a time, so that a budget is counted in one thread."""
    bench.build(want("A"))
    wait_until(lambda: bench.started)
    bench.open()
    bench.build(want("A"), want("B"))
    time.sleep(0.2)
    assert len(bench.schedulers) == 1
    bench.started[0].set_result(Result())
    wait_until(lambda: len(bench.schedulers) == 2)
    assert len(bench.started) == 2


def test_a_fault_that_nobody_foresaw_is_shown_and_ends_nothing(bench) -> None:
    fail(bench, ValueError("a bug"))
    assert "ValueError: a bug" in str(bench.build(want("A"))[0])
    assert any("ValueError: a bug" in each for each in bench.logged.texts)
    bench.build(want("B"))
    wait_until(lambda: len(bench.started) == 2)


def test_a_image_that_no_build_finds_is_not_asked_for_again(bench) -> None:
    bench.build(want("A"))
    wait_until(lambda: bench.started)
    bench.started[0].set_result(Result())
    wait_until(lambda: bench.changes == 1)
    assert "not in the store any more" in str(bench.build(want("A"))[0])
    time.sleep(0.3)
    assert (bench.changes, len(bench.started)) == (1, 1)


def test_rebuild_is_requested_three_times_when_no_build_begins(bench, monkeypatch) -> None:
    """An image that no page can take in must not have the pages built for ever."""
    monkeypatch.setattr(serve_queue, "_REBUILD_RETRY_INTERVAL_S", 0.01)
    bench.build(want("A"))
    wait_until(lambda: bench.started)
    bench.started[0].set_result(Result())
    wait_until(lambda: bench.changes == 3)
    time.sleep(0.3)
    assert bench.changes == 3


def test_what_came_while_pages_were_built_has_them_built_once_more(bench) -> None:
    bench.build(want("A"))
    wait_until(lambda: bench.started)
    bench.queue.begin(keeps_pages=False)
    bench.queue.pending_error(want("A"))
    bench.started[0].set_result(Result())
    time.sleep(0.2)
    assert bench.changes == 0
    bench.queue.note({"index.md": [want("A")]})
    wait_until(lambda: bench.changes == 1)


def test_what_a_build_found_before_its_end_was_noticed_builds_nothing_again(bench) -> None:
    bench.build(want("A"))
    wait_until(lambda: bench.started)
    bench.build()
    bench.started[0].set_result(Result())
    time.sleep(0.2)
    assert bench.changes == 0


@pytest.mark.parametrize("comes_in_a_build", [False, True])
def test_what_was_away_while_it_was_made_is_shown_when_it_is_back(bench, comes_in_a_build) -> None:
    bench.build(want("A"))
    wait_until(lambda: bench.started)
    bench.build()
    bench.queue.begin(keeps_pages=False)
    assert "appears here by itself" in str(bench.queue.pending_error(want("A")))
    if comes_in_a_build:
        bench.started[0].set_result(Result())
        time.sleep(0.2)
    bench.queue.note({"index.md": [want("A")]})
    if not comes_in_a_build:
        bench.started[0].set_result(Result())
    wait_until(lambda: bench.changes == 1)


def test_an_alarm_is_shown_and_told(bench) -> None:
    bench.build(want("A"))
    wait_until(lambda: bench.started)
    bench.started[0].set_result(Result(alarm="it is in /tmp/x"))
    wait_until(lambda: bench.changes)
    assert [str(each) for each in bench.build(want("A"))] == ["it is in /tmp/x"]
    assert any("it is in /tmp/x" in each for each in bench.logged.texts)


def test_nothing_is_noted_after_the_end(bench) -> None:
    bench.queue.close()
    bench.build(want("A"))
    time.sleep(0.2)
    assert bench.started == []
