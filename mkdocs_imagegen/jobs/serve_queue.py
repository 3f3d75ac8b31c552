"""The queue of `mkdocs serve`: images that are generated while pages are written.

A build never waits for these images. A missing image is queued until its prompt has not changed
for a while; then it is generated in the background, and the pages are built again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING

from mkdocs_imagegen.causes import causes
from mkdocs_imagegen.errors import (
    Billing,
    DownloadError,
    GatewayError,
    ImagegenError,
    Location,
    NotGeneratedError,
    PendingError,
    StoppedError,
    StoreError,
    WithdrawnError,
    unexpected,
)
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.jobs.job import Job, JobKey, Result
from mkdocs_imagegen.jobs.signals import InterruptHandler
from mkdocs_imagegen.log import NOT_STRICT, log
from mkdocs_imagegen.option_parsers import SKETCH_MODEL, quote_value
from mkdocs_imagegen.originals.record import Record
from mkdocs_imagegen.report import ReportRow, State, format_cost, plural
from mkdocs_imagegen.spending.ledger import Ledger

if TYPE_CHECKING:
    from mkdocs_imagegen.jobs.scheduler import Scheduler

    OpenScheduler = Callable[[], AbstractContextManager[Scheduler]]

RETRY_AFTER_S = 30.0
"""Seconds after which a rebuild generates an image again after a failure that was not charged."""

_BATCH_INTERVAL_S = 2.0
"""Seconds between two rebuilds while images arrive."""

_REBUILD_RETRY_INTERVAL_S = 5.0
"""Seconds after which a rebuild is requested again if no build has begun."""

_MAX_REBUILD_REQUESTS = 3
"""Maximum number of rebuilds that are requested for one image that no build shows."""

_LOST = NotGeneratedError(
    "the image was generated and its original is missing now", hint="restart the server"
)
_Key = tuple[JobKey, str]


@dataclass(slots=True)
class _ServeJob:
    """A job that was started by the queue.

    Attributes:
        job: The job.
        future: Future of its result.
        ended_at: Time at which the queue noticed its end, in seconds; None before.
        is_logged: True if its error was logged.
        is_seen: True if a build has looked at the result, or no page needs it any more.
        rebuild_requests: Number of rebuilds that were requested for it.
    """

    job: Job
    future: Future[Result]
    ended_at: float | None = None
    is_logged: bool = False
    is_seen: bool = False
    rebuild_requests: int = 0

    @property
    def is_unseen(self) -> bool:
        """True if no page shows the result yet, and a rebuild may change that."""
        is_below_limit = self.rebuild_requests < _MAX_REBUILD_REQUESTS
        return self.ended_at is not None and not self.is_seen and is_below_limit

    @property
    def result(self) -> Result:
        """Result of the job; empty before its end."""
        return self.future.result() if self.future.done() else Result()

    @property
    def error(self) -> ImagegenError | None:
        """After the end: reason for a missing image; None if there is an image."""
        alarm = self.result.alarm
        return self.result.error or (NotGeneratedError(alarm) if alarm else None)

    @property
    def has_failed_at_no_cost(self) -> bool:
        """True if no image was generated or charged, and a retry may succeed."""
        error = self.result.error
        if isinstance(error, DownloadError):
            return True  # it was charged, but the journal has the response, so a retry is free
        if isinstance(error, GatewayError):
            return error.billing in {Billing.UNBILLED, Billing.PERMANENT}
        return isinstance(error, (NotGeneratedError, StoreError))

    @property
    def charged_record(self) -> Record | None:
        """Record of the image if it was generated and is not free; else None."""
        if not self.result.was_generated or self.result.original is None:
            return None
        record = self.result.original.record
        is_free = record.model == SKETCH_MODEL and not record.cost_usd
        return None if is_free else record

    @property
    def remarks(self) -> tuple[str, ...]:
        """After the end: messages about an image that was generated."""
        if (record := self.charged_record) is None:
            return self.result.remarks
        generated = f"generated in {self.result.seconds:.1f} s ({_cost([record])})"
        return (generated, *self.result.remarks)


class ServeQueue:
    """The queue of one `mkdocs serve`, with one background thread.

    Builds call `open`, `begin`, `pending_error`, `note` and `close`, all on one thread. The
    background thread starts jobs, logs their results and closes the scheduler. Attributes that
    both use are guarded by a lock.

    Args:
        ledger: Failures of the run.
        request_rebuild: Function that requests a rebuild of the pages, called on any thread; None
            if a rebuild shows no image on pages without other changes.
    """

    def __init__(self, ledger: Ledger, request_rebuild: Callable[[], None] | None) -> None:
        self._ledger = ledger
        self._request_rebuild = request_rebuild
        self._lock = threading.Lock()
        self._debounce_s = 0.0
        self._open_scheduler: OpenScheduler | None = None
        self._is_outdated = False
        self._pages: dict[str, Sequence[Job]] = {}
        self._seen_at: dict[_Key, float] = {}
        self._started: dict[_Key, _ServeJob] = {}
        self._is_building = False
        self._is_rebuild_requested = False
        self._rebuild_requested_at = 0.0
        # Used by the background thread alone.
        self._scheduler: Scheduler | None = None
        self._stack = ExitStack()
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()
        self._is_closing = False
        self._interrupts = InterruptHandler(self._stop)

    def open(self, open_scheduler: OpenScheduler, debounce_s: float) -> None:
        """Use another scheduler for new jobs, once the jobs of the current one have ended.

        Args:
            open_scheduler: Factory of the scheduler, called on the background thread.
            debounce_s: Seconds for which a prompt must not change before it is generated.
        """
        with self._lock:
            self._open_scheduler, self._debounce_s = open_scheduler, debounce_s
            self._is_outdated = True
            self._forget_free_failures(0.0)

    def begin(self, *, keeps_pages: bool) -> None:
        """Begin a rebuild; request no other one until `note` reports the missing images.

        Args:
            keeps_pages: True if unchanged pages are not built again.
        """
        with self._lock:
            missing = {_key(job) for job in self._missing()}
            self._seen_at = {key: at for key, at in self._seen_at.items() if key in missing}
            self._pages = dict(self._pages) if keeps_pages else {}
            self._is_building, self._is_rebuild_requested = True, False

    @property
    def is_generating(self) -> bool:
        """True if the queue has started a job that has not ended."""
        return any(each.ended_at is None for each in self._all())

    def has_started(self, job: Job) -> bool:
        """Return True if the queue has started the job."""
        with self._lock:
            return _key(job) in self._started

    def pending_error(self, job: Job) -> ImagegenError:
        """Return the reason why the image of a job is missing at the moment."""
        with self._lock:
            started = self._started.get(_key(job))
            if started is None:
                return self._debouncing()
            started.is_seen = started.ended_at is not None
            if not started.is_seen:
                return PendingError("this image is being generated", hint=self._appears())
            return started.error or _LOST

    def _debouncing(self) -> PendingError:
        hint = self._appears()
        if self._debounce_s >= 1:
            hint += f", at the earliest {self._debounce_s:g} s after the last change to its prompt"
        return PendingError("this image will be generated soon", hint=hint)

    def _appears(self) -> str:
        is_automatic = self._request_rebuild is not None
        return f"it appears here {'automatically' if is_automatic else 'after you save the page'}"

    def note(self, pages: Mapping[str, Sequence[Job]]) -> None:
        """End a rebuild with the jobs of missing images, by page."""
        with self._lock:
            self._pages |= pages
            self._is_building = False
            missing = {_key(job) for job in self._missing()}
            for key in missing:
                self._seen_at.setdefault(key, time.monotonic())
            for key, started in self._started.items():
                # Also before its end is noticed here: the build may have found the original.
                started.is_seen |= key not in missing
            # One that waits for its turn is not sent if its prompt was edited in the meantime.
            needed = {key for _, key in missing}
            self._ledger.withdrawn = frozenset(key for _, key in self._started) - needed
            self._forget_free_failures(RETRY_AFTER_S)
            if missing and not self._is_closing:
                self._start_thread()
        self._wake.set()

    def close(self) -> None:
        """Stop new requests, wait for the images in flight, and store them.

        Raises:
            KeyboardInterrupt: If SIGINT was received during the wait.
            SystemExit: If another signal was received during the wait.
        """
        with self._interrupts.closing():
            self._is_closing = True
            self._wake.set()
            if self._interrupts.received and any(not each.future.done() for each in self._all()):
                log.info(
                    "finishing images in progress; press Ctrl-C again to stop now and lose them"
                )
            while self._thread is not None and self._thread.is_alive():
                self._thread.join(1.0)  # without a timeout, signals would wait on some systems

    def _stop(self) -> None:
        # A signal handler calls this, and may have interrupted the holder of the lock.
        self._is_closing = True

    def _start_thread(self) -> None:
        self._interrupts.install()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="imagegen-queue", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while not self._is_closing:
            self._wake.clear()
            for job in self._due():
                self._start(job)
            self._note_ends()
            if not self.is_generating:
                self._become_idle()
            self._request_rebuild_if_unseen()
            self._wake.wait(self._seconds_to_wait())
        self._stack.close()
        self._note_ends()
        self._log_errors()
        if text := _total(self._all()):
            log.info("%s", text)

    def _due(self) -> list[Job]:
        """Return the jobs to start now; none while a scheduler with older settings is open."""
        with self._lock:
            if self._is_outdated and self._scheduler is not None:
                return []
            unchanged_since = time.monotonic() - self._debounce_s
            return [
                job
                for key, job in {_key(job): job for job in self._missing()}.items()
                if key not in self._started and self._seen_at[key] <= unchanged_since
            ]

    def _start(self, job: Job) -> None:
        future: Future[Result] = Future()
        try:
            self._opened_scheduler().start(job, future.set_result)
        except Exception as error:  # noqa: BLE001 - the page shows it; the thread has other jobs
            future.set_result(Result(error=unexpected(error, NotGeneratedError)))
        with self._lock:
            self._started[_key(job)] = _ServeJob(job, future)
        future.add_done_callback(lambda _: self._wake.set())

    def _opened_scheduler(self) -> Scheduler:
        if self._scheduler is None:
            with self._lock:
                open_scheduler, self._is_outdated = self._open_scheduler, False
            assert open_scheduler is not None  # noqa: S101 - `open` comes before the first `note`
            self._scheduler = self._stack.enter_context(open_scheduler())
        return self._scheduler

    def _note_ends(self) -> None:
        for each in self._all():
            if each.ended_at is None and each.future.done():
                if isinstance(each.error, WithdrawnError):
                    with self._lock:
                        # A page may need it again. A build may have forgotten it at this moment.
                        self._started.pop(_key(each.job), None)
                    continue
                for remark in each.remarks:
                    log.info("image prompt %s: %s", quote_value(each.job.request.prompt), remark)
                with self._lock:
                    each.ended_at = time.monotonic()

    def _become_idle(self) -> None:
        """Log errors, with the number of their images; hold no connection open for hours."""
        self._log_errors()
        if self._scheduler is not None:
            self._stack.close()
            self._scheduler = None
            self._wake.set()  # jobs may wait for a new scheduler

    def _request_rebuild_if_unseen(self) -> None:
        if self._request_rebuild is None:
            return
        with self._lock:
            unseen = [each for each in self._started.values() if each.is_unseen]
            if not unseen or self._is_building or self._seconds_to_rebuild() > 0:
                return
            self._is_rebuild_requested, self._rebuild_requested_at = True, time.monotonic()
            for each in unseen:
                each.rebuild_requests += 1
        self._request_rebuild()

    def _seconds_to_rebuild(self) -> float:
        all_ended = all(each.ended_at is not None for each in self._started.values())
        if not self._is_rebuild_requested and all_ended:
            return 0.0
        retry_s = _REBUILD_RETRY_INTERVAL_S
        interval_s = retry_s if self._is_rebuild_requested else _BATCH_INTERVAL_S
        return self._rebuild_requested_at + interval_s - time.monotonic()

    def _seconds_to_wait(self) -> float | None:
        """Return the time to the next action of the thread; None to wait until it is woken."""
        with self._lock:
            now = time.monotonic()
            new = (_key(job) for job in self._missing() if _key(job) not in self._started)
            waits = [self._seen_at[key] + self._debounce_s - now for key in new]
            if self._is_outdated and self._scheduler is not None:
                waits = []  # the last job of that scheduler wakes the thread
            can_request = self._request_rebuild is not None and not self._is_building
            if can_request and any(each.is_unseen for each in self._started.values()):
                waits.append(self._seconds_to_rebuild())
            return max(0.0, min(waits)) if waits else None

    def _forget_free_failures(self, after_s: float) -> None:
        """Allow failures to be generated again that were not charged, after a time."""
        ended_before = time.monotonic() - after_s
        again = [
            key
            for key, each in self._started.items()
            if each.has_failed_at_no_cost and (each.ended_at or 0.0) <= ended_before
        ]
        for key in again:
            del self._started[key]
        if again:
            self._ledger.retry_free_failures()

    def _log_errors(self) -> None:
        rows = [row for each in self._all() if not each.is_logged for row in self._rows_of(each)]
        for cause in causes(rows):
            log.warning("%s", cause.text, extra=NOT_STRICT | {"imagegen_once": cause.name})

    def _rows_of(self, ended: _ServeJob) -> list[ReportRow]:
        """Return a row for each page with the image if there is an error to log."""
        ended.is_logged = True
        error, request = ended.error, ended.job.request
        if error is None or (isinstance(error, StoppedError) and self._is_closing):
            return []
        with self._lock:
            jobs = self._pages.items()
            pages = [page for page, each in jobs if _key(ended.job) in map(_key, each)]
        return [
            ReportRow(
                Location(f"{page} {quote_value(request.prompt)}"),
                State.FAILED,
                request.key,
                model=request.model,
                error=error,
            )
            for page in pages or ["image prompt"]
        ]

    def _all(self) -> list[_ServeJob]:
        with self._lock:
            return list(self._started.values())

    def _missing(self) -> Iterator[Job]:
        return (job for jobs in self._pages.values() for job in jobs)


def _key(job: Job) -> _Key:
    # A draft takes the place of an image, and has a cache key of its own.
    return job.key, job.request.key


def _total(jobs: Iterable[_ServeJob]) -> str:
    """Return the cost of all jobs in words; ``""`` if they were free."""
    charged = [record for each in jobs if (record := each.charged_record)]
    if not charged:
        return ""
    return f"generated {plural(len(charged), 'image')} while serving ({_cost(charged)})"


def _cost(charged: list[Record]) -> str:
    is_estimate = any(each.cost_is_estimate for each in charged)
    return format_cost((each.cost_usd for each in charged), is_estimate=is_estimate)
