"""The author's desk: images that are made beside a server, while pages are written.

A build never waits for them. What a page lacks waits here until its prompt has rested for a
while, is made in the background, and then the pages are built again. One thread starts images,
tells of them and closes what they were made with; builds only ask and note.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future

from mkdocs_imagegen.errors import ImagegenError, NotGeneratedError, PendingError, StoppedError
from mkdocs_imagegen.jobs.job import Job, JobKey, Result
from mkdocs_imagegen.jobs.serve_job import ServeJob, sum_of
from mkdocs_imagegen.jobs.signals import InterruptHandler
from mkdocs_imagegen.options import quote_value
from mkdocs_imagegen.pipeline.stores import Workshop
from mkdocs_imagegen.spending.run import Run

TRY_AGAIN_S = 30.0
"""Seconds after which what failed for nothing is asked for again, if the pages are built again."""

_TOGETHER_S = 2.0
"""Within so many seconds pages are built again once, however many images come."""

_KNOCKS_AGAIN_S = 5.0
"""Seconds after which pages should be built again once more, if no build has begun."""

_IS_MADE = PendingError("this image is being made", hint="it appears here by itself")
_GONE = NotGeneratedError(
    "it was made, and is not in the store any more", hint="start `mkdocs serve` again"
)
_Key = tuple[JobKey, str]


class ServeQueue:
    """Wants that wait, and images in the making; owned by one run of a server.

    Args:
        run: remembers what failed.
        changed: called when pages should be built again; from any thread.
        warn: called with what went wrong; from any thread.
        say: called with what is worth knowing; from any thread.
    """

    def __init__(
        self,
        run: Run,
        changed: Callable[[], None],
        warn: Callable[[str], None],
        say: Callable[[str], None],
    ) -> None:
        self._run = run
        self._changed = changed
        self._warn = warn
        self._say = say
        self._lock = threading.Lock()
        self._rest_s = 0.0
        self._open_workshop: Callable[[], Workshop] | None = None
        self._is_outdated = False
        self._pages: dict[str, Sequence[Job]] = {}
        self._seen_at: dict[_Key, float] = {}
        self._works: dict[_Key, ServeJob] = {}
        self._is_building = False
        self._is_awaited = False
        self._knocked_at = 0.0
        # Of the thread alone.
        self._workshop: Workshop | None = None
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()
        self._is_closing = False
        self._interrupts = InterruptHandler(self._start_nothing_more)

    def open(self, open_workshop: Callable[[], Workshop], rest_s: float) -> None:
        """Make images there from now on; what is in the making elsewhere comes first.

        Args:
            open_workshop: opens it; called in another thread.
            rest_s: seconds for which a prompt must not change before it is made.
        """
        with self._lock:
            self._open_workshop, self._rest_s = open_workshop, rest_s
            self._is_outdated = True
            self._try_again(0.0)

    def begin(self, *, keeps_pages: bool) -> None:
        """Take in that the pages are built again: nothing starts until they tell what they lack.

        Args:
            keeps_pages: whether those that did not change are not built.
        """
        with self._lock:
            lacking = {_key(want) for want in self._wants()}
            self._seen_at = {key: at for key, at in self._seen_at.items() if key in lacking}
            self._pages = dict(self._pages) if keeps_pages else {}
            self._is_building, self._is_awaited = True, False

    def state(self, want: Job) -> ImagegenError:
        """What the page says in the place of an image that is not there yet."""
        with self._lock:
            work = self._works.get(_key(want))
            if work is None:
                return _resting(self._rest_s)
            work.is_seen = work.ended_at is not None
            if not work.is_seen:
                return _IS_MADE
            return work.fault or _GONE

    def note(self, pages: Mapping[str, Sequence[Job]]) -> None:
        """Take in what pages lack; a page that is built again replaces what it lacked."""
        with self._lock:
            self._pages |= pages
            self._is_building = False
            lacking = {_key(want) for want in self._wants()}
            for key in lacking:
                self._seen_at.setdefault(key, time.monotonic())
            for key, work in self._works.items():
                # Also before its end was noticed here: a build may find it in the store.
                work.is_seen |= key not in lacking
            self._try_again(TRY_AGAIN_S)
            if lacking and not self._is_closing:
                self._start_thread()
        self._wake.set()

    def close(self) -> None:
        """Start nothing more; wait for what is in the making, and keep it.

        Raises:
            KeyboardInterrupt: the first interrupt came while this waited.
            SystemExit: the same, of another signal.
        """
        with self._interrupts.ending():
            self._is_closing = True
            self._wake.set()
            if self._interrupts.came and any(not each.future.done() for each in self._all()):
                self._say("interrupt again to leave at once and lose what is being made")
            while self._thread is not None and self._thread.is_alive():
                self._thread.join(1.0)  # without a limit, signals would wait on some systems

    def _start_nothing_more(self) -> None:
        # Called by a signal's handler, which may have interrupted whoever holds the lock.
        self._is_closing = True

    def _start_thread(self) -> None:
        self._interrupts.install()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="imagegen-desk", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while not self._is_closing:
            self._wake.clear()
            for want in self._rested():
                self._start(want)
            self._note_ends()
            self._close_idle()
            self._knock()
            self._wake.wait(self._seconds_to_wait())
        if self._workshop is not None:
            self._workshop.close()
        self._note_ends()
        if text := sum_of(self._all()):
            self._say(text)

    def _rested(self) -> list[Job]:
        """What has rested, if there is a place to make it with the settings as they are."""
        with self._lock:
            if self._is_outdated and self._workshop is not None:
                return []
            rested_since = time.monotonic() - self._rest_s
            return [
                want
                for key, want in {_key(want): want for want in self._wants()}.items()
                if key not in self._works and self._seen_at[key] <= rested_since
            ]

    def _start(self, want: Job) -> None:
        future: Future[Result]
        try:
            future = self._opened().start(want)
        except Exception as error:  # noqa: BLE001 - told in its place; the thread has others to make
            future = Future()
            future.set_exception(error)
        with self._lock:
            self._works[_key(want)] = ServeJob(want, future)
        future.add_done_callback(lambda _: self._wake.set())

    def _opened(self) -> Workshop:
        if self._workshop is None:
            with self._lock:
                open_workshop, self._is_outdated = self._open_workshop, False
            assert open_workshop is not None  # noqa: S101 - nothing is noted before it is opened
            self._workshop = open_workshop()
        return self._workshop

    def _note_ends(self) -> None:
        for work in self._all():
            if work.ended_at is None and work.future.done():
                self._tell(work)
                with self._lock:
                    work.ended_at = time.monotonic()

    def _close_idle(self) -> None:
        """Hold nothing open for hours: no connection, no cache, no answer of long ago."""
        if self._workshop is not None and all(each.ended_at is not None for each in self._all()):
            self._workshop.close()
            self._workshop = None
            self._wake.set()  # some may wait for a new one

    def _knock(self) -> None:
        """Have the pages built again if they do not show what has come."""
        with self._lock:
            unseen = [each for each in self._works.values() if each.is_unseen]
            if not unseen or self._is_building or self._seconds_to_knock() > 0:
                return
            self._is_awaited, self._knocked_at = True, time.monotonic()
            for work in unseen:
                work.knocks += 1
        self._changed()

    def _seconds_to_knock(self) -> float:
        if not self._is_awaited and all(each.ended_at is not None for each in self._works.values()):
            return 0.0
        pause_s = _KNOCKS_AGAIN_S if self._is_awaited else _TOGETHER_S
        return self._knocked_at + pause_s - time.monotonic()

    def _seconds_to_wait(self) -> float | None:
        """Until there is something to do without being woken; None for never."""
        with self._lock:
            now = time.monotonic()
            new = (_key(want) for want in self._wants() if _key(want) not in self._works)
            waits = [self._seen_at[key] + self._rest_s - now for key in new]
            if self._is_outdated and self._workshop is not None:
                waits = []  # whoever ends there wakes us
            if not self._is_building and any(each.is_unseen for each in self._works.values()):
                waits.append(self._seconds_to_knock())
            return max(0.0, min(waits)) if waits else None

    def _try_again(self, after_s: float) -> None:
        """Let be asked again what failed for nothing so many seconds ago."""
        ended_before = time.monotonic() - after_s
        again = [
            key
            for key, work in self._works.items()
            if work.failed_for_nothing and (work.ended_at or 0.0) <= ended_before
        ]
        for key in again:
            del self._works[key]
        if again:
            self._run.retry_free_failures()

    def _tell(self, work: ServeJob) -> None:
        fault = work.fault
        if isinstance(fault, StoppedError) and self._is_closing:
            return
        named = f"image prompt {quote_value(work.want.request.prompt)}"
        if fault is not None and self._run.says_first(f"{named}: {fault}"):
            self._warn(f"{named}: {fault}")
        for remark in work.remarks:
            self._say(f"{named}: {remark}")

    def _all(self) -> list[ServeJob]:
        with self._lock:
            return list(self._works.values())

    def _wants(self) -> Iterator[Job]:
        return (want for wants in self._pages.values() for want in wants)


def _key(want: Job) -> _Key:
    # A draft is wanted in the place of an image, and has a key of its own.
    return want.key, want.request.key


def _resting(rest_s: float) -> PendingError:
    if rest_s < 1:
        return PendingError("this image is made soon", hint="it appears here by itself")
    hint = f"it is made after {rest_s:g} s without a change, and appears here by itself"
    return PendingError("waiting for the prompt to rest", hint=hint)
