"""`models` and `credits`: what the server offers, and what is left to spend."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

import click

from mkdocs_imagegen.cli.site import SiteError, as_json, config_file, settings_of
from mkdocs_imagegen.cli.terminal import say, say_json, say_table
from mkdocs_imagegen.errors import GatewayError
from mkdocs_imagegen.gateway.credentials import missing_credential
from mkdocs_imagegen.gateway.offers import (
    CREDITS_PATH,
    Credits,
    Health,
    Offer,
    endpoints_path,
    read_credits,
    read_health,
)
from mkdocs_imagegen.gateway_opening import credential_for, open_gateway
from mkdocs_imagegen.report import format_usd
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import Settings

if TYPE_CHECKING:
    from mkdocs_imagegen.gateway.client import Gateway

T = TypeVar("T")
_AT_ONCE = 8
_NO_HEALTH: Mapping[str, Health] = {}


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
@click.option("--health", is_flag=True, help="Also ask how each has done of late: a call for each.")
@as_json
def models(config_file: str | None, *, health: bool, as_json: bool) -> None:
    """List the image models that the server offers; * marks the one in use.

    Prices are for an image of the size and quality that mkdocs.yml sets, in dollars. No key is
    needed where the server asks for none.
    """
    settings = settings_of(config_file)

    async def ask(gateway: Gateway) -> tuple[Sequence[Offer], Mapping[str, Health]]:
        offers = await gateway.fetch_offers()
        return offers, await _health(gateway, offers) if health else _NO_HEALTH

    offers, told = _asked(settings, ask)
    if as_json:
        say_json({"models": [_as_dict(offer, told, settings) for offer in offers]})
        return
    titles = ("", "Model", "A image", "Until", *(("Uptime", "Latency") if health else ()))
    say_table(titles, [_row(offer, told, settings) for offer in offers])
    if settings.effective_model not in {offer.model for offer in offers}:
        say(f"{settings.effective_model}, which mkdocs.yml sets, is not among them")


@click.command(
    "credits",
    epilog="""
\b
Example, in a script that makes many images:
  mkdocs-imagegen credits --json | jq -r .balance_usd
""",
)
@config_file
@as_json
def credits_(config_file: str | None, as_json: bool) -> None:  # noqa: FBT001 - how click calls it
    """Show what is left to spend; needs the key."""
    settings = settings_of(config_file)
    if settings.gateway.auth != "none":
        _refuse_without_key(settings)

    async def ask(gateway: Gateway) -> Credits:
        return read_credits(await gateway.fetch(CREDITS_PATH))

    found = _asked(settings, ask)
    used = found.used_usd
    if as_json:
        told = None if used is None else str(used)
        say_json({"balance_usd": str(found.balance_usd), "used_usd": told})
    else:
        say(
            f"{format_usd(found.balance_usd)} left" + (f", {format_usd(used)} used" if used else "")
        )


def _refuse_without_key(settings: Settings) -> None:
    credential, problem = credential_for(settings)
    if credential is None and not settings.gateway.is_sketch:
        raise SiteError(problem or str(missing_credential(settings.gateway)))


def _asked(settings: Settings, ask: Callable[[Gateway], Awaitable[T]]) -> T:
    """What the server answers.

    Raises:
        SiteError: it does not.
    """
    import anyio  # noqa: PLC0415 - only where something is asked

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
        raise SiteError(str(answer))
    return answer


async def _health(gateway: Gateway, offers: Sequence[Offer]) -> Mapping[str, Health]:
    """How each model does; a server that does not tell is left out."""
    import anyio  # noqa: PLC0415 - only where something is asked

    found: dict[str, Health] = {}
    limit = anyio.CapacityLimiter(_AT_ONCE)

    async def ask(model: str) -> None:
        async with limit:
            with suppress(GatewayError):
                found[model] = read_health(await gateway.fetch(endpoints_path(model)))

    async with anyio.create_task_group() as tasks:
        for offer in offers:
            tasks.start_soon(ask, offer.model)
    return found


def _request(offer: Offer, settings: Settings) -> ImageRequest:
    return ImageRequest(offer.model, "", settings.size, settings.quality)


def _row(offer: Offer, told: Mapping[str, Health], settings: Settings) -> tuple[str, ...]:
    usd = offer.price_usd(_request(offer, settings))
    mark = "*" if offer.model == settings.effective_model else " "
    price = f"${usd.normalize():f}" if usd is not None else offer.price_text or "?"
    row = (mark, offer.model, price, offer.shutdown_date or "-")
    if told is _NO_HEALTH:
        return row
    health = told.get(offer.model, Health(None, None, 0))
    return (*row, _or_unknown(health.uptime_percent, " %"), _or_unknown(health.latency_ms, " ms"))


def _or_unknown(number: float | None, unit: str) -> str:
    return "?" if number is None else f"{number:g}{unit}"


def _as_dict(offer: Offer, told: Mapping[str, Health], settings: Settings) -> dict[str, object]:
    usd = offer.price_usd(_request(offer, settings))
    health = told.get(offer.model)
    listed: dict[str, object] = {
        "model": offer.model,
        "usd": None if usd is None else str(usd),
        "price": offer.price_text,
        "ends": offer.shutdown_date,
        "in_use": offer.model == settings.effective_model,
    }
    if told is _NO_HEALTH:
        return listed
    return listed | {
        "uptime_percent": health.uptime_percent if health else None,
        "latency_ms": health.latency_ms if health else None,
        "providers": health.providers if health else None,
    }
