"""Failures of one job affect that job alone."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import gc
import os
import threading
import time
import tracemalloc
import weakref

import anyio.to_thread
import pytest

from mkdocs_imagegen.errors import (
    InsufficientFundsError,
    RateLimitedError,
    StoreError,
    UnreachableError,
)
from mkdocs_imagegen.imaging import decode
from mkdocs_imagegen.imaging.decode import decode_image
from mkdocs_imagegen.jobs import scheduler
from tests.bench import PNG, FakeGateway, job, request
from tests.originals.support import flip, refuse
from tests.waiting import MAX_WAIT_S, wait_until

UNFORESEEN = [RuntimeError("unforeseen"), MemoryError("unforeseen"), KeyError("unforeseen")]


@pytest.mark.parametrize("error", UNFORESEEN)
def test_failed_derivation_affects_only_its_job(bench, error):
    def derive(_original, layout, _content):
        if layout == "broken":
            raise error
        return "files"

    made = bench(derive=derive)
    broken, other, next_one = made.run_jobs(
        job(request(), "broken"), job(request(), "other"), job(request(1))
    )
    assert "unforeseen" in str(broken.error)
    assert broken.was_generated  # and so is on the bill
    assert (other.error, next_one.error) == (None, None)
    assert sorted(made.client.asked) == ["prompt 0", "prompt 1"]


@pytest.mark.parametrize("error", UNFORESEEN)
def test_failed_request_affects_only_its_jobs_and_is_sent_once(bench, error):
    async def fails(asked, _keep):
        await asyncio.sleep(0.05)
        if asked == request():
            raise error

    made = bench(FakeGateway(fails))
    first, second, other = made.run_jobs(
        job(request(), "A"), job(request(), "B"), job(request(1), "A")
    )
    assert "unforeseen" in str(first.error)
    assert "unforeseen" in str(second.error)
    assert other.error is None
    assert sorted(made.client.asked) == ["prompt 0", "prompt 1"]
    assert made.purchaser.in_flight == 0
    assert made.stores.journal.open_keys() == [request().key]


def test_ended_job_is_started_again_and_its_result_is_shared(bench):
    async def fails_once(*_):
        if len(made.client.asked) == 1:
            raise UnreachableError("no connection")

    made = bench(FakeGateway(fails_once), max_wait=0)
    jobs = [job(request(), layout) for layout in "AB"]
    first, second = made.run_jobs(*jobs)
    assert str(first.error) == str(second.error) == "no connection"
    made.run.ledger.retry_free_failures()
    first, second = made.run_jobs(*jobs)
    assert (first.error, second.error) == (None, None)
    assert made.client.asked == ["prompt 0", "prompt 0"]


@pytest.mark.parametrize("error", UNFORESEEN)
def test_unreadable_original_affects_only_its_job(bench, monkeypatch, error):
    def read(_kept):
        raise error

    made = bench()
    made.run_jobs(job(request(), "before"))
    original = made.stores.originals.find(request().key)
    monkeypatch.setattr(made.stores.originals, "read", read)
    (after,) = made.run_jobs(job(request(), "after", original=original))
    assert "unforeseen" in str(after.error)


def test_job_waits_for_the_claim_of_another_build(bench, monkeypatch):
    monkeypatch.setattr(scheduler, "_CLAIM_INTERVAL_S", 0.02)
    monkeypatch.setattr(scheduler, "_CLAIM_MESSAGE_INTERVAL_S", 0.1)
    made = bench(timeout_s=0.05)
    with made.stores.claims.claim(request().key):
        for layout in "AB":
            made.scheduler.start(job(request(), layout))
        time.sleep(0.5)
        assert made.client.asked == []
        assert "waiting for images that another build is generating" in made.said
    first, second = made.run_jobs(job(request(), "A"), job(request(), "B"))
    assert (first.error, second.error, made.client.asked) == (None, None, ["prompt 0"])


def test_wait_for_the_claim_of_another_build_has_an_end(bench, monkeypatch):
    monkeypatch.setattr(scheduler, "_CLAIM_INTERVAL_S", 0.02)
    monkeypatch.setattr(scheduler, "_CLAIM_GRACE_S", 0.1)
    made = bench(timeout_s=0.05)
    with made.stores.claims.claim(request().key):
        first, second = made.run_jobs(job(request(), "A"), job(request(), "B"))
    assert str(first.error) == str(second.error)
    assert "another build has not finished the image within" in str(first.error)
    progress = made.scheduler._progress
    assert (progress.done, progress._files_total) == (2, 0)
    assert "or be suspended" in str(first.error)
    assert made.client.asked == []
    (again,) = made.run_jobs(job(request(), "A"))
    assert again.error is None


@pytest.mark.parametrize("interval_s", [0.0, 0.1])
def test_jobs_that_wait_for_claims_hold_up_no_other_job(bench, monkeypatch, interval_s):
    monkeypatch.setattr(scheduler, "_CLAIM_INTERVAL_S", interval_s)
    made = bench(concurrency=1)
    claimed = [request(number) for number in range(1 + 2 * (os.cpu_count() or 1))]
    with contextlib.ExitStack() as stack:
        for each in claimed:
            stack.enter_context(made.stores.claims.claim(each.key))
            made.scheduler.start(job(each))
        ended = threading.Event()
        made.scheduler.start(job(request(len(claimed))), lambda _: ended.set())
        assert ended.wait(MAX_WAIT_S)
        assert made.client.asked == [f"prompt {len(claimed)}"]
    results = made.scheduler.join().values()
    assert [each.error for each in results] == [None] * (len(claimed) + 1)


def test_jobs_that_wait_take_little_memory(bench):
    can_answer = threading.Event()

    async def waits(*_):
        await anyio.to_thread.run_sync(can_answer.wait)

    made = bench(FakeGateway(waits))
    jobs = [job(request(number)) for number in range(1200)]
    for each in jobs[:200]:
        made.scheduler.start(each)
    wait_until(lambda: made.client.asked)
    tracemalloc.start()
    for each in jobs[200:]:
        made.scheduler.start(each)
    grown_bytes = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    made.scheduler._stop()
    can_answer.set()
    assert grown_bytes / 1000 < 500  # a task takes 14 KB


def test_an_error_keeps_nothing_of_the_functions_that_raised_it(bench):
    left = []

    class Response:
        pass

    async def fails(*_):
        response = Response()
        left.append(weakref.ref(response))
        refuse_all(response)

    def refuse_all(response):
        try:
            response.missing  # noqa: B018 - raises an error whose frame holds the response
        except AttributeError as error:
            raise InsufficientFundsError("no credit") from error

    made = bench(FakeGateway(fails))
    (result,) = made.run_jobs(job(request()))
    gc.collect()
    assert isinstance(result.error, InsufficientFundsError)
    assert [each() for each in left] == [None] * len(left)
    assert left


def test_all_listeners_of_equal_jobs_get_the_result(bench):
    has_both, given = threading.Event(), []

    async def waits(*_):
        await anyio.to_thread.run_sync(has_both.wait)

    made = bench(FakeGateway(waits))
    for _ in range(2):
        made.scheduler.start(job(request()), given.append)
    has_both.set()
    (result,) = made.scheduler.join().values()
    assert given == [result, result]
    assert made.client.asked == ["prompt 0"]


def test_damaged_original_is_neither_shown_nor_generated_again(bench):
    before = bench()
    before.run_jobs(job(request()))
    original = before.stores.originals.find(request().key)
    flip(original.path)
    derived = []
    made = bench(derive=lambda _original, _shape, content: derived.append(content))
    (known,) = made.run_jobs(job(request(), "known", original=original))
    (unknown,) = made.run_jobs(job(request(), "unknown"))
    for result in (known, unknown):
        assert isinstance(result.error, StoreError)
        assert "is not generated again" in str(result.error)
    assert (made.client.asked, derived) == ([], [])


def test_original_damaged_between_two_layouts_is_not_shown(bench):
    derived = []
    made = bench(derive=lambda _original, _shape, content: derived.append(content))
    made.run_jobs(job(request(), "A"))
    original = made.stores.originals.find(request().key)
    flip(original.path)
    (result,) = made.run_jobs(job(request(), "B"))
    assert "is not generated again" in str(result.error)
    assert [image.pixels.tobytes() for image in derived] == [decode_image(PNG).pixels.tobytes()]
    assert original.path.exists()


def test_fitted_draft_stays_a_draft(bench):
    made = bench()
    made.run_jobs(job(request(), "before"))
    original = made.stores.originals.find(request().key)
    (result,) = made.run_jobs(job(request(), "after", original=original, is_draft=True))
    assert (result.is_draft, result.was_generated, result.error) == (True, False, None)


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_no_request_is_sent_when_file_system_has_no_locks(bench, monkeypatch, number):
    monkeypatch.setattr(fcntl, "flock", refuse(number))
    made = bench()
    (result,) = made.run_jobs(job(request()))
    assert isinstance(result.error, StoreError)
    assert "does not support file locks" in str(result.error)
    assert made.client.asked == []


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (errno.ENOENT, "another program, such as a second build, deleted the folder; build again"),
        (errno.ENOSPC, "free up disk space, then build again"),
    ],
)
def test_file_that_cannot_be_written_has_a_hint_for_its_cause(bench, number, hint):
    def derive(*_):
        raise OSError(number, "message", "site/assets/imagegen/a.avif")

    (result,) = bench(derive=derive).run_jobs(job(request()))
    assert "the files of the image could not be written" in str(result.error)
    assert result.error.hint == hint


def test_request_is_sent_while_encoders_use_all_processors(bench):
    is_last_sent, encoding = threading.Event(), threading.Semaphore(0)
    workers = os.cpu_count() or 1

    async def note(sent, _keep):
        if sent == request(workers):
            is_last_sent.set()

    def derive(*_):
        encoding.release()
        assert is_last_sent.wait(MAX_WAIT_S)
        return "files"

    made = bench(FakeGateway(note), derive=derive)
    for number in range(workers):
        made.scheduler.start(job(request(number)))
    for _ in range(workers):
        assert encoding.acquire(timeout=MAX_WAIT_S)
    made.scheduler.start(job(request(workers)))
    assert {each.image for each in made.scheduler.join().values()} == {"files"}


def test_stopped_run_does_not_wait_for_a_hold(bench):
    is_held, has_two = asyncio.Event(), asyncio.Event()

    async def refuses(*_):
        if len(made.client.asked) == 1:
            await has_two.wait()
            is_held.set()
            raise RateLimitedError("too many requests", retry_after_s=2 * MAX_WAIT_S)
        has_two.set()
        await is_held.wait()
        raise InsufficientFundsError("no credit")

    made, begun = bench(FakeGateway(refuses)), time.monotonic()
    results = made.run_jobs(*(job(request(number)) for number in range(9)))
    assert time.monotonic() - begun < MAX_WAIT_S
    assert {str(each.error) for each in results} == {"no credit"}
    assert made.purchaser.in_flight == 0
    assert made.run.ledger.budget.images == 0
    assert made.journal == []


def test_files_of_an_original_do_not_wait_for_a_hold(bench):
    is_derived = threading.Event()

    async def refuses(sent, _keep):
        if sent != request(0):
            raise RateLimitedError("too many requests", retry_after_s=2 * MAX_WAIT_S)

    def derive(_original, layout, _content):
        if layout == "late":
            is_derived.set()
        return "files"

    made = bench(FakeGateway(refuses), derive=derive, concurrency=1)
    (first,) = made.run_jobs(job(request(0)))
    for number in range(1, 40):
        made.scheduler.start(job(request(number)))
    made.scheduler.start(job(request(0), "late", original=first.original))
    assert is_derived.wait(MAX_WAIT_S)


def test_lost_connection_after_a_rate_limit_is_tried_again(bench):
    errors = iter([RateLimitedError("x", retry_after_s=0.01), UnreachableError("x")])

    async def fails_twice(*_):
        if error := next(errors, None):
            raise error

    made = bench(FakeGateway(fails_twice))
    (result,) = made.run_jobs(job(request()))
    assert result.error is None
    assert len(made.client.asked) == 3


def test_new_image_is_decoded_once_for_all_its_layouts(bench, monkeypatch):
    decoded, derived = [], []
    decode_bytes = decode._decode

    def counted(content):
        decoded.append(content)
        return decode_bytes(content)

    monkeypatch.setattr(decode, "_decode", counted)
    made = bench(derive=lambda _original, _layout, image: derived.append(image))
    made.run_jobs(job(request(), "A"), job(request(), "B"))
    assert decoded == [PNG]
    assert derived[0] is derived[1]


def test_decoded_image_is_released_after_its_files_are_written(bench):
    held = []
    made = bench(derive=lambda _original, _layout, image: held.append(weakref.ref(image.pixels)))
    made.run_jobs(job(request(), "A"), job(request(1), "A"))
    gc.collect()
    assert [each() for each in held] == [None, None]
