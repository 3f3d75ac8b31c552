"""The author's desk: pictures that are made beside a server, while pages are written.

A build never waits for them. What a page lacks waits here until its prompt has rested for a
while, is made in the background, and then the pages are built again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial

from mkdocs_imagegen.building.wanted import Result, Want, WantKey
from mkdocs_imagegen.building.workshop import Workshop
from mkdocs_imagegen.errors import ImagegenError, StoppedError, WaitingError
from mkdocs_imagegen.values import shown

_SHOW_EVERY_S = 2.0
_RESTS = WaitingError("This picture will be made soon", hint="it appears here by itself")


class Desk:
    """Wants that wait, and pictures in the making; owned by one run of a server.

    Args:
        rest_s: seconds for which a prompt must not change before it is made.
        changed: called when pages should be built again; from any thread.
        warn: called with what went wrong.
    """

    def __init__(
        self, rest_s: float, changed: Callable[[], None], warn: Callable[[str], None]
    ) -> None:
        self._rest_s = rest_s
        self._changed = changed
        self._warn = warn
        self._lock = threading.Lock()
        self._pages: dict[str, Sequence[Want]] = {}
        self._seen_at: dict[WantKey, float] = {}
        self._started: dict[WantKey, Future[Result]] = {}
        self._timer: threading.Timer | None = None
        self._workshops: list[Workshop] = []
        self._changed_at = 0.0

    def state(self, key: WantKey) -> ImagegenError:
        """What the page says in the place of a picture that is not there yet."""
        future = self._started.get(key)
        if future is None or not future.done():
            return _RESTS
        return future.result().error or _RESTS

    def open(self, workshop: Workshop) -> None:
        """Make pictures there from now on; what is in the making elsewhere goes on."""
        self._workshops.append(workshop)

    def note(self, pages: Mapping[str, Sequence[Want]]) -> None:
        """Take in what pages lack; a page that is built again replaces what it lacked."""
        with self._lock:
            self._pages |= pages
            lacking = {want.key for wants in self._pages.values() for want in wants}
            now = time.monotonic()
            self._seen_at = {key: self._seen_at.get(key, now) for key in lacking}
            self._set_timer(now)

    def close(self) -> None:
        """Start nothing more; wait for what is in the making, and keep it."""
        with self._lock:
            self._pages = {}
            if self._timer is not None:
                self._timer.cancel()
        for workshop in self._workshops:
            workshop.close()

    def _set_timer(self, now: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        due = [seen + self._rest_s for key, seen in self._seen_at.items() if self._is_new(key)]
        if due:
            self._timer = threading.Timer(max(0.0, min(due) - now), self._start_rested)
            self._timer.daemon = True
            self._timer.start()

    def _is_new(self, key: WantKey) -> bool:
        return key not in self._started

    def _start_rested(self) -> None:
        with self._lock:
            now = time.monotonic()
            wants = {want.key: want for each in self._pages.values() for want in each}
            for key, want in wants.items():
                if self._is_new(key) and now - self._seen_at[key] >= self._rest_s:
                    self._started[key] = self._workshops[-1].maker.start(want)
                    self._started[key].add_done_callback(partial(self._end, want))
            self._set_timer(now)

    def _end(self, want: Want, future: Future[Result]) -> None:
        error = future.result().error
        if isinstance(error, StoppedError):
            return
        if error is not None:
            self._warn(f"image prompt {shown(want.request.prompt)}: {error}")
        # Many that come together are shown together.
        is_last = all(each.done() for each in list(self._started.values()))
        if is_last or time.monotonic() - self._changed_at > _SHOW_EVERY_S:
            self._changed_at = time.monotonic()
            self._changed()
