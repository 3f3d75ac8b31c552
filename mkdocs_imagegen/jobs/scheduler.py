"""The scheduler of jobs: concurrent, equal requests once, joined, and never cut off half way."""

from __future__ import annotations

import atexit
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from dataclasses import replace
from typing import NamedTuple

import anyio

from mkdocs_imagegen.errors import (
    ModelUnavailableError,
    NotGeneratedError,
)
from mkdocs_imagegen.event_loop import PIXEL_WORKERS, EventLoop
from mkdocs_imagegen.files import as_imagegen_error
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.imaging.decode import DecodedImage, ImageInput
from mkdocs_imagegen.imaging.image import PageImage
from mkdocs_imagegen.jobs.job import Job, JobKey, Result
from mkdocs_imagegen.jobs.progress import Progress
from mkdocs_imagegen.jobs.signals import InterruptHandler
from mkdocs_imagegen.log import log
from mkdocs_imagegen.originals.judge import Original
from mkdocs_imagegen.originals.store import OriginalStore
from mkdocs_imagegen.page_layout import Layout
from mkdocs_imagegen.report import plural
from mkdocs_imagegen.settings import Settings
from mkdocs_imagegen.spending.purchase import ClaimedElsewhereError, Purchaser

_CLAIM_INTERVAL_S = 0.5
"""Seconds between two attempts to claim an image that another build is generating."""

_CLAIM_GRACE_S = 120.0
"""Time beyond the timeout of a request for which the claim of another build is waited for."""

_DRAIN_MESSAGE_INTERVAL_S = 10.0
_CLAIM_MESSAGE_INTERVAL_S = 30.0
_WAIT_STEP_S = 0.5


class _Turn(NamedTuple):
    """A job, and the times at which it is attempted next, and for the last time."""

    job: Job
    next_at: float = 0.0
    last_at: float | None = None


class _Queue:
    """Jobs that wait, in order, for a few tasks that run one after another.

    A task takes 14 KB of memory, so that a job that waits has none.

    Args:
        max_tasks: Maximum number of tasks.
    """

    def __init__(self, max_tasks: int) -> None:
        self._max_tasks = max_tasks
        self._tasks = 0
        self._lock = threading.Lock()
        self._next: deque[_Turn] = deque()
        self._later: deque[_Turn] = deque()

    def add(self, job: Job) -> bool:
        """Add a job; return True if the caller has to start another task."""
        with self._lock:
            self._next.append(_Turn(job))
            needs_task = self._tasks < self._max_tasks
            self._tasks += needs_task
            return needs_task

    def add_again(self, turn: _Turn) -> None:
        """Add a job that was attempted, for the task that calls this, or another one."""
        self._later.append(turn)

    def take(self) -> _Turn | None:
        """Return the next job; None if the task that calls this has to end.

        A job that was attempted goes to the end when its time comes, or if there is no other.
        """
        with self._lock:
            while self._later and self._later[0].next_at <= time.monotonic():
                self._next.append(self._later.popleft())
            if turns := self._next or self._later:
                return turns.popleft()
            self._tasks -= 1
            return None


@dataclass(slots=True)
class _Order:
    """One request, shared by its jobs; after its end without a result if another build has it.

    It holds its decoded image until the first job has derived the files, so that the image is not
    decoded again. A task has one job, and their number bounds memory.
    """

    exact_options: frozenset[str]
    in_flight: anyio.Event | None
    result: Result | None = None
    decoded: DecodedImage | None = None

    def is_refused(self, job: Job) -> bool:
        """Return True if its model is refused, and one may replace it that a job accepts."""
        error = self.result.error if self.result else None
        is_refused = isinstance(error, ModelUnavailableError)
        return is_refused and not self.exact_options <= job.exact_options


class Scheduler:
    """A runner of jobs in the background: each original once, then the files of each job.

    `start`, `join` and `close` are called by one thread; the private coroutines run on the thread
    of the event loop. A request's slot is free before its image is decoded: holding it made a
    cold build 1.35 times as long as the gateway needs.

    Args:
        settings: Settings of the site.
        purchaser: Source of originals that are missing.
        originals: Store of originals.
        derive: Function that writes the files of an original in one layout, from its bytes or its
            decoded image.
        progress: Progress of the jobs.
    """

    def __init__(
        self,
        settings: Settings,
        purchaser: Purchaser,
        originals: OriginalStore,
        derive: Callable[[Original, Layout, ImageInput], PageImage],
        progress: Progress,
    ) -> None:
        self._settings = settings
        self._purchaser = purchaser
        self._originals = originals
        self._derive = derive
        self._progress = progress
        self._lock = threading.Lock()
        self._results: dict[JobKey, Result] = {}
        self._running: dict[JobKey, list[Callable[[Result], None]]] = {}
        self._orders: dict[str, _Order] = {}
        self._tasks: list[Future[None]] = []
        # Images that wait for an encoder are held in memory.
        self._requests = _Queue(settings.concurrency + 2 * PIXEL_WORKERS)
        # Files of an original never wait for requests.
        self._files = _Queue(2 * PIXEL_WORKERS)
        self._claim_message_at = 0.0
        self._loop: EventLoop | None = None
        self._interrupts = InterruptHandler(self._stop)

    def start(self, job: Job, listener: Callable[[Result], None] | None = None) -> None:
        """Start a job, unless an equal one is running.

        Args:
            job: Job to start.
            listener: Function that is called with the result, on any thread.
        """
        with self._interrupts.deferred():
            self._interrupts.install()
            self._loop = loop = self._loop or self._open_loop()
            with self._lock:
                is_running = job.key in self._running
                if not is_running:
                    self._forget(job)
                listeners = self._running.setdefault(job.key, [])
                if listener is not None:
                    listeners.append(listener)
            if not is_running:
                self._progress.files_added()
                queue = self._requests if job.original is None else self._files
                if queue.add(job):
                    running = [each for each in self._tasks if not each.done()]
                    self._tasks = [*running, loop.submit(self._run, queue, loop)]

    def join(self) -> dict[JobKey, Result]:
        """Wait for all jobs and return their results.

        Raises:
            KeyboardInterrupt: If SIGINT was received; images in flight are stored.
            SystemExit: If another signal was received; images in flight are stored.
        """
        with self._interrupts.deferred():
            # In short steps: on some systems a signal is only handled after a wait has ended.
            while self._interrupts.received is None and self._is_busy(_WAIT_STEP_S):
                self._progress.wait()
            if self._interrupts.received is not None:
                self._progress.close()  # the next signal ends the process at once
                self.close()
            for task in self._tasks:
                task.result()  # no error of a job ends a task
            return dict(self._results)

    def close(self) -> None:
        """Stop new requests, wait for the images in flight, and end the event loop.

        Raises:
            KeyboardInterrupt: If SIGINT was received during the wait.
            SystemExit: If another signal was received during the wait.
        """
        with self._interrupts.closing():
            loop, self._loop = self._loop, None
            if loop is not None:
                atexit.unregister(self.close)
                loop.stop()
                loop.wake()
                self._drain()
                try:
                    loop.call(self._purchaser.aclose)
                finally:
                    loop.close()

    def _open_loop(self) -> EventLoop:
        # A script that calls the build of MkDocs may end by SystemExit, and then no hook is called.
        atexit.register(self.close)
        return EventLoop(self._settings.concurrency, self._settings.max_wait)

    def _forget(self, job: Job) -> None:
        """Forget an ended job and its request, which the queue of `mkdocs serve` repeats."""
        if self._results.pop(job.key, None) is not None:
            order = self._orders.get(job.request.key)
            if order is not None and order.in_flight is None:
                del self._orders[job.request.key]

    def _is_busy(self, timeout_s: float) -> bool:
        return bool(wait_for(self._tasks, timeout_s).not_done)

    def _stop(self) -> None:
        if self._loop is not None:
            self._loop.stop()

    def _drain(self) -> None:
        begun, logged_at = time.monotonic(), 0.0
        while self._is_busy(_WAIT_STEP_S if logged_at else 0.0):
            now = time.monotonic()
            if now - logged_at > _DRAIN_MESSAGE_INTERVAL_S:
                logged_at = now
                self._log_drain(self._settings.gateway.timeout - (now - begun))

    def _log_drain(self, left_s: float) -> None:
        if count := self._purchaser.in_flight:
            text = f"finishing {plural(count, 'image')} in progress (up to {max(left_s, 0):.0f} s)"
            hint = "; press Ctrl-C again to stop now and lose them"
            log.info("%s%s", text, hint if self._interrupts.received else "")

    async def _run(self, queue: _Queue, loop: EventLoop) -> None:
        while (turn := queue.take()) is not None:
            try:
                result = await self._result_of(turn, queue, loop)
            except Exception as error:  # noqa: BLE001 - one image's fault is not the build's
                result = Result(error=as_imagegen_error(error))
            if result is not None:
                self._end(turn.job, result)

    async def _result_of(self, turn: _Turn, queue: _Queue, loop: EventLoop) -> Result | None:
        """Return the result of a job; None if it waits for another build, and is attempted again.

        Raises:
            StoppedError: If the loop is closing.
        """
        try:
            if turn.next_at:
                await loop.pause(turn.next_at - time.monotonic())
            return await self._attempt(turn.job, loop)
        except ClaimedElsewhereError:
            self._log_claim()
        now = time.monotonic()
        last_at = turn.last_at or now + self._max_claim_wait_s
        if now > last_at:
            result = Result(error=self._claim_error())
            self._progress.job_done(result)
            return result
        queue.add_again(_Turn(turn.job, now + _CLAIM_INTERVAL_S, last_at))
        return None

    def _end(self, job: Job, result: Result) -> None:
        with self._lock:
            self._results[job.key] = result
            listeners = self._running.pop(job.key)
        self._progress.files_done(has_image=result.original is not None)
        for each in listeners:
            each(result)

    @property
    def _max_claim_wait_s(self) -> float:
        # A process that was stopped keeps it for ever.
        return self._settings.gateway.timeout + _CLAIM_GRACE_S

    def _claim_error(self) -> NotGeneratedError:
        fault = f"another build has not finished the image within {self._max_claim_wait_s:.0f} s"
        hint = "build again later; that build may wait for a rate limit, or be suspended"
        return NotGeneratedError(fault, hint=hint)

    def _log_claim(self) -> None:
        # The holder of a claim is alive: the system releases the claims of an ended process.
        if time.monotonic() - self._claim_message_at > _CLAIM_MESSAGE_INTERVAL_S:
            if self._claim_message_at:
                log.info("waiting for images that another build is generating")
            self._claim_message_at = time.monotonic()

    async def _attempt(self, job: Job, loop: EventLoop) -> Result:
        if job.original is not None:
            result = Result(job.original, is_draft=job.is_draft)
            return await self._with_files(result, job.layout, loop)
        order, result = await self._obtain(job, loop)
        try:
            return await self._with_files(result, job.layout, loop, order.decoded)
        finally:
            order.decoded = None

    async def _with_files(
        self, result: Result, layout: Layout, loop: EventLoop, decoded: DecodedImage | None = None
    ) -> Result:
        if not loop.is_closing:
            return await loop.pixel_work(self._derived, result, layout, decoded)
        if result.alarm:
            log.info("%s", result.alarm)  # the build is over, and shows no image
        return result

    async def _obtain(self, job: Job, loop: EventLoop) -> tuple[_Order, Result]:
        """Return a request and its result; it is sent once for all jobs that share it.

        If its model is refused, a job whose directive accepts another model sends it again.

        Raises:
            ClaimedElsewhereError: If another build is generating the image.
        """
        key = job.request.key
        order = self._orders.get(key)
        if order is None or order.is_refused(job):
            is_over = anyio.Event()
            order = self._orders[key] = _Order(job.exact_options, is_over)
            try:
                await self._purchase(order, job, loop)
            except BaseException:
                del self._orders[key]
                raise
            finally:
                order.in_flight = None
                is_over.set()
        if order.in_flight is not None:
            await order.in_flight.wait()
        if order.result is None:
            raise ClaimedElsewhereError
        return await self._obtain(job, loop) if order.is_refused(job) else (order, order.result)

    async def _purchase(self, order: _Order, job: Job, loop: EventLoop) -> None:
        try:
            got = await self._purchaser.obtain(job.request, loop, job.exact_options)
        except ClaimedElsewhereError:
            raise
        except Exception as error:  # noqa: BLE001 - without a result, other jobs would pay again
            result = Result(error=as_imagegen_error(error))
        else:
            order.decoded = got.decoded
            result = Result(
                got.original,
                was_generated=got.was_generated,
                seconds=got.seconds,
                remarks=got.remarks,
                alarm=got.alarm,
            )
        order.result = result
        self._progress.job_done(result)

    def _derived(self, result: Result, layout: Layout, decoded: DecodedImage | None) -> Result:
        original = result.original
        if original is None:
            return result
        try:
            if decoded is not None:
                image = self._derive(original, layout, decoded)
            else:
                original, content = self._originals.read(original)
                image = self._derive(original, layout, content)
        except Exception as error:  # noqa: BLE001 - the cost and the alarm are reported all the same
            return replace(result, error=as_imagegen_error(error))
        return replace(result, original=original, image=image)
