"""The site of a command: its images, its settings, its originals and its gateway."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

import anyio
import click

from mkdocs_imagegen.cli.terminal import CommandError, print_note
from mkdocs_imagegen.errors import GatewayError, OverBudgetError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.hosts.mkdocs import look as host
from mkdocs_imagegen.hosts.mkdocs.build import credential_for, open_gateway
from mkdocs_imagegen.log import log
from mkdocs_imagegen.originals.store import OriginalStore
from mkdocs_imagegen.pipeline.context import BuildMode
from mkdocs_imagegen.report import ReportRow, State, deduplicate, format_usd, plural
from mkdocs_imagegen.settings import Settings
from mkdocs_imagegen.settings.budget import BudgetSettings
from mkdocs_imagegen.spending.budget import Budget

if TYPE_CHECKING:
    from mkdocs_imagegen.gateway.client import Gateway

T = TypeVar("T")

INTERRUPTED = 130
_TERMINATED = 143
_NO_LIMIT = BudgetSettings(images=None, usd=None)
_LOOK_ONLY = BuildMode(generate=False, publish=False)

config_file = click.option(
    "-f",
    "--config-file",
    type=click.Path(exists=True, dir_okay=False),
    help="Configuration file of the site; by default mkdocs.yml in this folder",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON")


def look(
    config_file: str | None,
    mode: BuildMode = _LOOK_ONLY,
    change: host.Change | None = None,
    pages: Sequence[str] = (),
) -> host.SiteView:
    """Build a site into a temporary folder and return its images.

    Args:
        config_file: Configuration file of the site; None for the one in the current folder.
        mode: Work of the build, which publishes no files; by default it generates no images.
        change: Changes the settings as the command's options require.
        pages: Paths or globs of the pages to generate images for; empty for all.

    Raises:
        CommandError: If the site cannot be built.
        SystemExit: If the build was interrupted; finished images are stored.
    """
    with _as_command():
        return host.look(config_file, mode, change, pages)


def settings_of(config_file: str | None) -> Settings:
    """Return the settings of a site without building it.

    Raises:
        CommandError: If the configuration is invalid.
    """
    with _as_command():
        return host.settings_of(config_file)


def store_of(settings: Settings) -> OriginalStore:
    """Return the originals of a site."""
    return OriginalStore(settings.originals_path, settings.cache_path / "quarantine")


def ask_gateway(settings: Settings, ask: Callable[[Gateway], Awaitable[T]]) -> T:
    """Open the gateway of a site, and return the result of a function that reads from it.

    Raises:
        GatewayError: If the gateway does not answer, or with an error.
    """

    async def once() -> T | GatewayError:
        try:
            gateway = open_gateway(settings, credential_for(settings)[0], anyio.sleep)
            try:
                return await ask(gateway)
            finally:
                await gateway.aclose()
        except GatewayError as error:
            return error.with_traceback(None)

    answer = anyio.run(once)
    if isinstance(answer, GatewayError):
        raise answer
    return answer


@dataclass(frozen=True, slots=True)
class Estimate:
    """Images that a build would generate, and their cost.

    Attributes:
        rows: All locations; state `over budget` if the budget is too small for an image.
        images: Number of images.
        usd: Estimated cost in US dollars.
        unpriced: Number of images of unknown price.
    """

    rows: list[ReportRow]
    images: int
    usd: Decimal
    unpriced: int

    def __str__(self) -> str:
        known = format_usd(self.usd, is_estimate=True) if self.usd else ""
        unknown = f"{self.unpriced} of unknown price" if self.unpriced else ""
        cost = ", ".join(filter(None, [known, unknown])) or "at no cost"
        return f"{plural(self.images, 'image')} ({cost})"


def estimate_build(site: host.SiteView) -> Estimate:
    """Return the missing images that a build would generate, in the order of the pages."""
    budget, over = Budget(), set()
    is_free = site.context.settings.gateway.is_sketch
    limit = _NO_LIMIT if is_free else site.context.settings.budget
    unpriced = 0
    for row in deduplicate(site.rows):
        if row.state is not State.MISSING:
            continue
        try:
            for usd in row.missing_usd:
                budget.reserve(limit, usd)
                unpriced += usd is None and not is_free
        except OverBudgetError:
            over.add(row.key)
    rows = [replace(row, state=State.OVER_BUDGET) if row.key in over else row for row in site.rows]
    return Estimate(rows, budget.images, budget.usd, unpriced)


def interrupted() -> SystemExit:
    """Say that the command was interrupted, and return the exception that ends it."""
    print_note("interrupted; finished images are stored")
    return SystemExit(INTERRUPTED)


@contextlib.contextmanager
def _as_command() -> Iterator[None]:
    """Keep stdout for the result of the command, and raise errors of MkDocs as its own."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except click.ClickException as error:  # every exception of MkDocs is one
        raise CommandError(error.format_message()) from None
    except KeyboardInterrupt:
        raise interrupted() from None
    except SystemExit as error:
        raise interrupted() if error.code == _TERMINATED else error from None


@contextlib.contextmanager
def logging_to_stderr() -> Iterator[None]:
    """Write the messages of the plugin to stderr, and of MkDocs only errors."""
    mkdocs = logging.getLogger("mkdocs")
    levels, handler = (mkdocs.level, log.level), logging.StreamHandler()
    mkdocs.setLevel(logging.ERROR)
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    log.propagate = False
    try:
        yield
    finally:
        log.propagate = True
        log.removeHandler(handler)
        mkdocs.setLevel(levels[0])
        log.setLevel(levels[1])
