"""Progress of the images that a run generates."""

from __future__ import annotations

import time
from decimal import Decimal

from mkdocs_imagegen.errors import NotGeneratedError
from mkdocs_imagegen.jobs.job import Result
from mkdocs_imagegen.log import log
from mkdocs_imagegen.report import format_cost, plural

_LOG_INTERVAL_S = 10.0
_HOLD_SHOWN_S = 60.0
"""Time for which the progress shows that the server accepted no request."""

_MAX_SECONDS_S = 120.0
"""Longest time that is written in seconds; a longer one is written in minutes."""


class Progress:
    """The progress of a run, in words; here as a line of the log every ten seconds.

    Methods are called on any thread.

    Attributes:
        total: Number of images to generate.
        done: Number of images that were generated, or failed.
    """

    def __init__(self) -> None:
        self.total = self.done = 0
        self._requested = 0
        self._costs: list[Decimal | None] = []
        self._hold, self._held_at = "", 0.0
        self._shown = 0
        self._begun = self._shown_at = time.monotonic()

    def job_added(self) -> None:
        """Count one more image to generate."""
        self.total += 1
        self.show()

    def job_done(self, result: Result) -> None:
        """Count one result, with or without an image."""
        self.done += 1
        # An image over budget takes no time, so it does not count for the rate.
        self._requested += not isinstance(result.error, NotGeneratedError)
        if result.was_generated and result.original:
            self._costs.append(result.original.record.cost_usd)
        self.show()

    def job_held(self, reason: str) -> None:
        """Note why the server did not accept a request, which is sent again later."""
        is_first = not self._hold
        self._hold, self._held_at = f"{reason}, ", time.monotonic()
        if is_first:
            self.write_line()
        else:
            self.show()

    def show(self) -> None:
        """Show the progress if more images were generated, and if it is time."""
        if len(self._costs) > self._shown and self.is_due(_LOG_INTERVAL_S):
            self.write_line()

    def write_line(self) -> None:
        """Show the progress now."""
        self._shown = len(self._costs)
        # The queue of `mkdocs serve` counts no images.
        log.info("%s", self.line if self.total else self._hold.removesuffix(", "))

    def is_due(self, interval_s: float) -> bool:
        """Return True once after each interval."""
        now = time.monotonic()
        is_due = now - self._shown_at > interval_s
        self._shown_at = now if is_due else self._shown_at
        return is_due

    @property
    def line(self) -> str:
        """Number of images, rate, time left and cost."""
        return f"generated {len(self._costs)} of {plural(self.total, 'image')} ({self.rate})"

    @property
    def rate(self) -> str:
        """Rate, time left and cost."""
        now = time.monotonic()
        hold = self._hold if now - self._held_at < _HOLD_SHOWN_S else ""
        cost = f"{format_cost(self._costs)} so far"
        if not self._requested:
            return hold + cost
        each_s = (now - self._begun) / self._requested
        left = _duration(max(0, self.total - self.done) * each_s)
        return f"{hold}{60 / max(each_s, 0.001):.0f}/min, about {left} left, {cost}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < _MAX_SECONDS_S else f"{seconds / 60:.0f} min"
