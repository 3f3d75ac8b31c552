"""What people see: tables and progress on a terminal, plain lines elsewhere.

The only module that uses ``rich``.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import click

from mkdocs_imagegen.errors import NotGeneratedError, OverBudgetError
from mkdocs_imagegen.jobs.job import Result
from mkdocs_imagegen.report import format_usd

T = TypeVar("T")
_TELL_EVERY_S = 5.0
_LONG_S = 120.0
"""From so many seconds on people count in minutes."""


def say(text: str = "") -> None:
    """One line of what was asked for."""
    click.echo(text)


def tell(text: str) -> None:
    """One line beside what was asked for, on stderr."""
    click.echo(text, err=True)


def say_json(value: object) -> None:
    """What was asked for, as JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def say_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on a terminal; elsewhere a line for each row, its fields two spaces apart."""
    if not sys.stdout.isatty():
        for row in rows:
            say("  ".join(row))
        return
    from rich import box  # noqa: PLC0415 - only on a terminal
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(*titles, box=box.SIMPLE_HEAD, pad_edge=False)
    for column in table.columns[:-1]:
        column.no_wrap = True
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)


def show_in_browser(file: Path) -> None:
    """Open a page, where somebody sits in front of a terminal."""
    if sys.stdout.isatty():
        click.launch(str(file))


def counted(items: Iterable[T], total: int) -> Iterator[T]:
    """The same items; a terminal shows how many have come."""
    if not sys.stderr.isatty():
        yield from items
        return
    bar = _Bar()
    try:
        for number, item in enumerate(items, 1):
            bar.show(number, total, "")
            yield item
    finally:
        bar.stop()


class Progress:
    """Tells how far images have come; a context manager, and what a build tells it."""

    def __init__(self) -> None:
        self._total = self._done = self._asked = 0
        self._usd = Decimal(0)
        self._begun = self._told = time.monotonic()
        self._bar = _Bar() if sys.stderr.isatty() else None

    def __enter__(self) -> Progress:  # noqa: PYI034 - typing.Self came with Python 3.11
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def job_added(self) -> None:
        """Count one more image to generate."""
        self._total += 1
        self._show()

    def job_done(self, result: Result) -> None:
        """Count one result, with or without an image."""
        self._done += 1
        self._asked += not isinstance(result.error, (OverBudgetError, NotGeneratedError))
        if result.was_generated and result.original and result.original.record.cost_usd:
            self._usd += result.original.record.cost_usd
        self._show()

    def _show(self) -> None:
        now = time.monotonic()
        if self._bar is not None:
            self._bar.show(self._done, self._total, self._pace(now - self._begun))
        elif now - self._told > _TELL_EVERY_S:
            self._told = now
            tell(f"{self._done} of {self._total}, {self._pace(now - self._begun)}")

    def _pace(self, seconds: float) -> str:
        """How fast they come; what is over budget takes no time, and does not count."""
        paid = f"{format_usd(self._usd)} so far"
        if not self._asked:
            return paid
        each_s = seconds / self._asked
        left = _duration(max(0, self._total - self._done) * each_s)
        return f"{60 / max(each_s, 0.001):.0f} a minute, about {left} left, {paid}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < _LONG_S else f"{seconds / 60:.0f} min"


class _Bar:
    """A bar on a terminal."""

    def __init__(self) -> None:
        from rich import progress  # noqa: PLC0415 - only on a terminal
        from rich.console import Console  # noqa: PLC0415

        self._progress = progress.Progress(
            progress.TextColumn("images"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TimeElapsedColumn(),  # moves by itself
            progress.TextColumn("{task.fields[pace]}"),
            console=Console(stderr=True),
        )
        self._task = self._progress.add_task("", total=None, pace="")
        self._progress.start()

    def show(self, done: int, total: int, pace: str) -> None:
        """Move it."""
        self._progress.update(self._task, completed=done, total=total, pace=pace)

    def stop(self) -> None:
        """Leave the terminal as it was."""
        self._progress.stop()
