"""The command `credits`: the balance of the gateway account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mkdocs_imagegen.cli.site import SIMULATED, as_json, ask_gateway, config_file
from mkdocs_imagegen.cli.terminal import CommandError, print_json, print_line, print_note
from mkdocs_imagegen.gateway.credentials import missing_credential
from mkdocs_imagegen.gateway.offers import CREDITS_PATH, Credits, read_credits
from mkdocs_imagegen.hosts.gateway import credential_for
from mkdocs_imagegen.hosts.look import settings_of
from mkdocs_imagegen.report import format_usd
from mkdocs_imagegen.settings import Settings

if TYPE_CHECKING:
    from mkdocs_imagegen.gateway.client import Gateway


@click.command(
    "credits",
    epilog="""
\b
Examples:
  mkdocs-imagegen credits
  mkdocs-imagegen credits --json | jq -r .balance_usd
""",
)
@config_file
@as_json
def credits_(*, config_file: str | None, as_json: bool) -> None:
    """Show the AI Gateway balance.

    Needs an API key. If the site draws sketches, the balance is simulated.
    """
    settings = settings_of(config_file)
    _require_credential(settings)
    balance = ask_gateway(settings, _read)
    used = balance.used_usd
    if as_json:
        used_usd = None if used is None else str(used)
        print_json({"balance_usd": str(balance.balance_usd), "used_usd": used_usd})
    else:
        if settings.gateway.is_sketch:
            print_note(SIMULATED)
        more = "" if used is None else f", {format_usd(used)} used"
        print_line(f"{format_usd(balance.balance_usd)} left{more}")


async def _read(gateway: Gateway) -> Credits:
    return read_credits(await gateway.fetch(CREDITS_PATH))


def _require_credential(settings: Settings) -> None:
    if settings.gateway.auth == "none" or settings.gateway.is_sketch:
        return
    credential, problem = credential_for(settings)
    if credential is None:
        raise CommandError(problem or str(missing_credential(settings.gateway)))
