"""Output of the commands: tables and progress on a terminal, plain lines elsewhere.

Tables use ``rich``, as does the bar in `mkdocs_imagegen.jobs.progress`.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import sys
from collections.abc import Generator, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import IO, Any, TypeVar

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mkdocs_imagegen.causes import causes
from mkdocs_imagegen.errors import escape_unseen
from mkdocs_imagegen.jobs.progress import Bar, can_draw
from mkdocs_imagegen.log import log
from mkdocs_imagegen.option_parsers import quote_value
from mkdocs_imagegen.report import ReportRow, State, format_cost

T = TypeVar("T")
_MAX_TABLE_ROWS = 1000
"""Rows of one table: all of its cells are in memory at once."""
_MARKUP = re.compile(r"[^\w ,/\"'().-]|_|(?<=www)\.", re.IGNORECASE)
"""Characters that have a meaning in Markdown, HTML, mentions or addresses."""


class CommandError(click.ClickException):
    """Error that ends a command: ``Error: PROBLEM`` on stderr, then ``hint: NEXT STEP``.

    Args:
        message: Problem and, after a semicolon, the next step.
    """

    exit_code = 2

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the error."""
        problem, _, hint = escape_unseen(self.format_message()).partition("; ")
        click.echo(f"Error: {problem}", file=file, err=True)
        if hint:
            click.echo(f"hint: {hint}", file=file, err=True)


@contextlib.contextmanager
def logging_to_stderr() -> Iterator[None]:
    """Write the messages of the plugin to stderr, and of site generators only errors."""
    hosts = [logging.getLogger(name) for name in ("mkdocs", "properdocs")]
    levels, level, handler = [each.level for each in hosts], log.level, logging.StreamHandler()
    for each in hosts:
        each.setLevel(logging.ERROR)
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    log.propagate = False
    try:
        yield
    finally:
        log.propagate = True
        log.removeHandler(handler)
        for each, before in zip(hosts, levels, strict=True):
            each.setLevel(before)
        log.setLevel(level)


def print_line(text: str = "") -> None:
    """Print a line of the result on stdout."""
    click.echo(escape_unseen(text))


def print_note(text: str) -> None:
    """Print a line about the work on stderr."""
    click.echo(escape_unseen(text), err=True)


def print_causes(rows: Iterable[ReportRow]) -> None:
    """Print the causes for which images are missing or invalid, in the words of the build."""
    for cause in causes(rows):
        print_note(cause.text)


def print_json(value: object) -> None:
    """Print the result as JSON; other encodings than UTF-8, as on Windows, get ASCII."""
    is_ascii = "utf" not in (sys.stdout.encoding or "").lower()
    print_line(json.dumps(value, indent=2, ensure_ascii=is_ascii))


def print_table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table, or several of many rows; without a terminal, lines of fields two spaces apart.

    The rows are printed as they come, so that they need not be in memory.
    """
    if not sys.stdout.isatty():
        for row in rows:
            print_line("  ".join(row))
        return
    left = iter(rows)
    while some := list(islice(left, _MAX_TABLE_ROWS)):
        table = Table(*titles, box=box.SIMPLE_HEAD, pad_edge=False)
        for column in table.columns[:-1]:
            column.no_wrap = True
        for row in some:
            table.add_row(*(Text(escape_unseen(cell)) for cell in row))
        Console().print(table)


def as_code(text: str) -> str:
    """Return text as code in Markdown, also in a table; the text cannot end the code.

    A code span would not do: in a table, a pipe ends it.
    """
    one_line = " ".join(escape_unseen(text).split())
    return f"<code>{_MARKUP.sub(lambda found: f'&#{ord(found[0])};', one_line)}</code>"


def print_rows(rows: Iterable[ReportRow]) -> None:
    """Print a table of locations with state, price and prompt."""
    titles = ("Location", "State", "Price", "Prompt")
    cells = ((str(row.location), row.state.word, _price(row), _prompt(row)) for row in rows)
    print_table(titles, cells)


def _price(row: ReportRow) -> str:
    """Return the price of a missing image, or the cost of a generated one."""
    if row.state is State.GENERATED:
        usd, is_estimate = row.cost_usd, row.cost_is_estimate
    elif row.state.is_missing:
        usd, is_estimate = Decimal(0) if row.is_sketch else row.price_usd, False
    else:
        return "-"
    return format_cost([usd], is_estimate=is_estimate)


def _prompt(row: ReportRow) -> str:
    return quote_value(row.title) if row.title else "; ".join(row.remarks)


def open_in_browser(file: Path) -> None:
    """Open a page in the browser if the command runs on a terminal."""
    if sys.stdout.isatty():
        click.launch(str(file))


def show_progress(items: Iterable[T], total: int) -> Generator[T, None, None]:
    """Yield the items; a terminal shows a progress bar."""
    bar = Bar() if can_draw() else None
    try:
        for number, item in enumerate(items, 1):
            if bar is not None:
                bar.show("images", number, total, "")
            yield item
    finally:
        if bar is not None:
            bar.stop()
