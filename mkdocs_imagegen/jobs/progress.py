"""Progress of a run: a bar on a terminal, a line of the log now and then elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from mkdocs_imagegen.errors import NotGeneratedError
from mkdocs_imagegen.jobs.job import Result
from mkdocs_imagegen.log import log
from mkdocs_imagegen.report import format_cost, plural

if TYPE_CHECKING:
    from rich.console import Console

_BAR_AFTER_S = 5.0
_LOG_INTERVAL_S = 10.0
_HOLD_SHOWN_S = 60.0
"""Time for which the progress shows that the server accepted no request."""

_MAX_SECONDS_S = 120.0
"""Longest time that is written in seconds; a longer one is written in minutes."""

_BAR_WIDTH = 16
"""Characters of the bar, so that count, rate and cost fit into 80 columns."""


class Progress:
    """The progress of a run: first of the images to generate, then of the files to write.

    Methods are called on any thread.

    Args:
        counts: False for the queue of `mkdocs serve`, which only tells why it waits.

    Attributes:
        total: Number of images to generate.
        done: Number of images that were generated, or failed.
    """

    def __init__(self, *, counts: bool = True) -> None:
        self.total = self.done = 0
        self._counts = counts
        self._files_total = self._files_done = 0
        self._requested = 0
        self._costs: list[Decimal | None] = []
        self._hold, self._held_at = "", 0.0
        self._shown = 0
        self._begun = self._shown_at = time.monotonic()
        self._bar: Bar | None = None

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

    def files_added(self) -> None:
        """Count one more image whose files are written."""
        self._files_total += 1

    def files_done(self, *, has_image: bool = True) -> None:
        """Count an image whose files are complete, or failed; leave out one without an original."""
        self._files_done += has_image
        self._files_total -= not has_image
        self.show()

    def job_held(self, reason: str) -> None:
        """Note why the server did not accept a request, which is sent again later."""
        is_first = not self._hold
        self._hold, self._held_at = f"{reason}, ", time.monotonic()
        if is_first and self._bar is None:
            self._log()
        else:
            self.show()

    def show(self) -> None:
        """Show the progress if it is time."""
        bar = self._bar
        if bar is not None and self._is_generating:
            bar.show("generated", len(self._costs), self.total, self._rate)
        elif bar is not None:
            bar.show("encoded", self._files_done, self._files_total, self._files_left)
        elif self._counts and self._advanced > self._shown and self._is_due():
            self._log()

    def wait(self) -> None:
        """Show the progress while the host waits for the run, as a bar if it takes long."""
        if self._bar is None and self._can_have_bar:
            self._bar = Bar()
        self.show()

    def close(self) -> None:
        """Remove the bar."""
        bar, self._bar = self._bar, None
        if bar is not None:
            bar.stop()

    @property
    def _can_have_bar(self) -> bool:
        is_long = time.monotonic() - self._begun > _BAR_AFTER_S
        return self._counts and is_long and log.isEnabledFor(logging.INFO) and can_draw()

    def _log(self) -> None:
        self._shown = self._advanced
        log.info("%s", self.line if self._counts else self._hold.removesuffix(", "))

    def _is_due(self) -> bool:
        """Return True once after each interval."""
        now = time.monotonic()
        is_due = now - self._shown_at > _LOG_INTERVAL_S
        self._shown_at = now if is_due else self._shown_at
        return is_due

    @property
    def _is_generating(self) -> bool:
        is_last = self._files_done == self._files_total
        return self.done < self.total or (self.total > 0 and is_last)

    @property
    def _advanced(self) -> int:
        """Number of images that were generated, or whose files were written."""
        return len(self._costs) if self._is_generating else self.done + self._files_done

    @property
    def line(self) -> str:
        """Number of images, rate, time left and cost."""
        if self._is_generating:
            return f"generated {len(self._costs)} of {plural(self.total, 'image')} ({self._rate})"
        count = plural(self._files_total, "image")
        left = f" ({self._files_left})" if self._files_left else ""
        return f"encoded the files of {self._files_done} of {count}{left}"

    @property
    def _rate(self) -> str:
        hold = self._hold if time.monotonic() - self._held_at < _HOLD_SHOWN_S else ""
        pace = self._pace(self._requested, self.total - self.done)
        return f"{hold}{pace}{', ' if pace else ''}{format_cost(self._costs)} so far"

    @property
    def _files_left(self) -> str:
        return self._pace(self._files_done, self._files_total - self._files_done)

    def _pace(self, done: int, left: int) -> str:
        """Return the rate and the time left; an empty text if nothing is done."""
        if not done:
            return ""
        each_s = (time.monotonic() - self._begun) / done
        return f"{60 / max(each_s, 0.001):.0f}/min, about {_duration(max(0, left) * each_s)} left"


class Bar:
    """A progress bar on stderr, removed at its end; messages of the log appear above it."""

    def __init__(self) -> None:
        # Take 50 ms to import, which a short build saves.
        from rich import progress  # noqa: PLC0415
        from rich.console import Console  # noqa: PLC0415

        self._progress = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.MofNCompleteColumn(),
            progress.BarColumn(_BAR_WIDTH),
            progress.TextColumn("{task.fields[rate]}"),
            console=Console(stderr=True),
            transient=True,
            redirect_stdout=False,  # it may be a file
        )
        self._task = self._progress.add_task("", total=None, rate="")
        self._stream = sys.stderr
        self._progress.start()
        self._progress.console.show_cursor()  # a killed process could not show it again
        self._redirected = [each for each in _log_handlers() if each.stream is self._stream]
        for each in self._redirected:
            each.setStream(_LinesAboveBar(self._progress.console))

    def show(self, what: str, done: int, total: int, rate: str) -> None:
        """Update the bar."""
        self._progress.update(self._task, description=what, completed=done, total=total, rate=rate)

    def stop(self) -> None:
        """Remove the bar."""
        try:
            self._progress.stop()
        finally:
            for each in self._redirected:
                each.setStream(self._stream)


class _LinesAboveBar:
    """A stream of log messages; unlike that of ``rich``, it breaks no line, such as a command."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def write(self, text: str) -> None:
        """Write a message with its newline."""
        from rich.text import Text  # noqa: PLC0415 - as above

        self._console.print(Text.from_ansi(text.removesuffix("\n")), soft_wrap=True)


def can_draw() -> bool:
    """Return True if stderr is a terminal that can show a bar."""
    try:
        is_terminal = sys.stderr.isatty()
    except (AttributeError, ValueError):  # there is no stderr, as in a service, or it is closed
        return False
    if not is_terminal:
        return False
    from rich.console import Console  # noqa: PLC0415 - as above

    return Console(stderr=True).is_interactive


def _log_handlers() -> Iterator[logging.StreamHandler[Any]]:
    """Yield the handlers to which a message of the plugin goes."""
    logger: logging.Logger | None = log
    while logger is not None:
        yield from (each for each in logger.handlers if isinstance(each, logging.StreamHandler))
        logger = logger.parent if logger.propagate else None


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < _MAX_SECONDS_S else f"{seconds / 60:.0f} min"
