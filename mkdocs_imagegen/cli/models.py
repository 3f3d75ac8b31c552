"""The command `models`: image models of the gateway, and their prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import anyio
import click

from mkdocs_imagegen.cli.site import SIMULATED, as_json, ask_gateway, config_file
from mkdocs_imagegen.cli.terminal import print_json, print_line, print_note, print_table
from mkdocs_imagegen.errors import GatewayError
from mkdocs_imagegen.gateway.offers import Health, Offer, endpoints_path, read_health
from mkdocs_imagegen.hosts.look import settings_of
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import Settings
from mkdocs_imagegen.spending.model_choice import ModelChoice

if TYPE_CHECKING:
    from mkdocs_imagegen.gateway.client import Gateway

_MAX_REQUESTS = 8

_Healths = Mapping[str, Health]
"""Health of models by name; models of unknown health are left out."""


@click.command(
    epilog="""
\b
Examples:
  mkdocs-imagegen models
  mkdocs-imagegen models --health
  mkdocs-imagegen models --json | jq -r '.models[] | select(.ends == null) | .model'
"""
)
@config_file
@click.option("--health", is_flag=True, help="Include uptime and latency (one request per model)")
@as_json
def models(config_file: str | None, *, health: bool, as_json: bool) -> None:
    """List image models and prices.

    Prices are US dollars for one image of the configured size and quality; * marks the configured
    model. The AI Gateway needs no API key for this. If the site draws sketches,
    the list and the prices are simulated.
    """
    settings = settings_of(config_file)

    async def ask(gateway: Gateway) -> tuple[Sequence[Offer], _Healths | None]:
        offers = await gateway.fetch_offers()
        return offers, await _read_healths(gateway, offers) if health else None

    offers, healths = ask_gateway(settings, ask)
    if as_json:
        print_json({"models": [_as_dict(offer, healths, settings) for offer in offers]})
        return
    if settings.gateway.is_sketch:
        print_note(SIMULATED)
    titles = ("", "Model", "Price", "Shutdown", *(("Uptime", "Latency") if health else ()))
    print_table(titles, [_cells(offer, healths, settings) for offer in offers])
    if settings.effective_model not in {offer.model for offer in offers}:
        _tell_absence(settings)


def _tell_absence(settings: Settings) -> None:
    """Name the replacement of a model that the server does not list, or the next step."""
    choice = ModelChoice.from_cache(settings, is_estimate=True)
    if choice.is_shut_down(settings.model):
        choice.log_change(ImageRequest(settings.model, "", settings.size, settings.quality))
        return
    is_complete = settings.gateway.is_vercel
    hint = "set `model` to one of these" if is_complete else "the server may accept it anyway"
    print_line(f"{settings.effective_model}, the configured model, is not listed; {hint}")


async def _read_healths(gateway: Gateway, offers: Sequence[Offer]) -> _Healths:
    healths: dict[str, Health] = {}
    limit = anyio.CapacityLimiter(_MAX_REQUESTS)

    async def read(model: str) -> None:
        async with limit:
            with suppress(GatewayError):
                healths[model] = read_health(await gateway.fetch(endpoints_path(model)))

    async with anyio.create_task_group() as tasks:
        for offer in offers:
            tasks.start_soon(read, offer.model)
    return healths


def _request(offer: Offer, settings: Settings) -> ImageRequest:
    return ImageRequest(offer.model, "", settings.size, settings.quality)


def _cells(offer: Offer, healths: _Healths | None, settings: Settings) -> tuple[str, ...]:
    usd = offer.price_usd(_request(offer, settings))
    mark = "*" if offer.model == settings.effective_model else " "
    price = f"${usd.normalize():f}" if usd is not None else offer.price_text or "price unknown"
    cells = (mark, offer.model, price, offer.shutdown_date or "-")
    if healths is None:
        return cells
    health = healths.get(offer.model, Health(None, None, 0))
    return (*cells, _or_unknown(health.uptime_percent, " %"), _or_unknown(health.latency_ms, " ms"))


def _or_unknown(number: float | None, unit: str) -> str:
    return "?" if number is None else f"{number:g}{unit}"


def _as_dict(offer: Offer, healths: _Healths | None, settings: Settings) -> dict[str, object]:
    usd = offer.price_usd(_request(offer, settings))
    listed: dict[str, object] = {
        "model": offer.model,
        "usd": None if usd is None else str(usd),
        "price": offer.price_text,
        "ends": offer.shutdown_date,
        "in_use": offer.model == settings.effective_model,
    }
    if healths is None:
        return listed
    health = healths.get(offer.model)
    return listed | {
        "uptime_percent": health.uptime_percent if health else None,
        "latency_ms": health.latency_ms if health else None,
        "providers": health.providers if health else None,
    }
