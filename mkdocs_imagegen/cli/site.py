"""The site of a command: its configuration file, its gateway, and the estimate of its images."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

import anyio
import click

from mkdocs_imagegen.errors import GatewayError, OverBudgetError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.hosts.gateway import gateway_factory
from mkdocs_imagegen.hosts.mkdocs.look import SiteView
from mkdocs_imagegen.report import ReportRow, State, deduplicate, format_usd, plural
from mkdocs_imagegen.settings import Settings
from mkdocs_imagegen.settings.budget import BudgetSettings
from mkdocs_imagegen.spending.budget import Budget

if TYPE_CHECKING:
    from mkdocs_imagegen.gateway.client import Gateway

T = TypeVar("T")

_NO_LIMIT = BudgetSettings(images=None, usd=None)

config_file = click.option(
    "-f",
    "--config-file",
    type=click.Path(exists=True, dir_okay=False),
    help="Configuration file of the site; by default mkdocs.yml in this folder",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON")


def ask_gateway(settings: Settings, ask: Callable[[Gateway], Awaitable[T]]) -> T:
    """Open the gateway of a site, and return the result of a function that reads from it.

    Raises:
        GatewayError: If the gateway does not answer, or with an error.
    """

    async def once() -> T | GatewayError:
        try:
            gateway = gateway_factory(settings)(anyio.sleep)
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
        rows: All locations of all images; state `over budget` if the budget is too small.
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


def estimate_build(site: SiteView) -> Estimate:
    """Return the missing images that a build would generate, in the order of the pages."""
    budget, over = Budget(), set()
    is_free = site.context.settings.gateway.is_sketch
    limit = _NO_LIMIT if is_free else site.context.settings.budget
    unpriced = 0
    for row in deduplicate(site.rows):
        if row.state is not State.MISSING:
            continue
        try:
            budget.reserve(limit, row.price_usd)
            unpriced += row.price_usd is None and not is_free
        except OverBudgetError:
            over.add(row.key)
    rows = [
        replace(row, state=State.OVER_BUDGET)
        if row.state is State.MISSING and row.key in over
        else row
        for row in site.rows
    ]
    return Estimate(rows, budget.images, budget.usd, unpriced)
