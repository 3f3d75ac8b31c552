"""The command `emulator`: a local gateway emulator on a socket."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path

import click

from mkdocs_imagegen.cli.terminal import CommandError, print_note
from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import EmulatorServer


@click.command(
    epilog="""
\b
Examples:
  mkdocs-imagegen emulator
  mkdocs-imagegen emulator --latency 2 --fault retry-after --fault ok
  mkdocs-imagegen emulator --today 2026-12-02
"""
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="NUMBER",
    default=8787,
    show_default=True,
    help="Port to listen on; 0 for any free port",
)
@click.option(
    "--log", type=click.Path(path_type=Path), help="Log file with one line of JSON per request"
)
@click.option(
    "--latency",
    type=click.FloatRange(0),
    metavar="SECONDS",
    default=0.0,
    show_default=True,
    help="Seconds before each image",
)
@click.option(
    "--images-per-minute",
    type=click.FloatRange(0, min_open=True),
    metavar="NUMBER",
    help="Rate limit, of which five images may come at once; more get a 429 with Retry-After",
)
@click.option(
    "--fault",
    "faults",
    metavar="NAME",
    multiple=True,
    help="Fault of the next request; repeatable, and `ok` is none. Examples: retry-after, "
    "insufficient-funds, moderation-blocked, shut-down-410, internal-error, wrong-size, nan (a "
    "cost), reset (a connection). A part of a name prints the names with it",
)
@click.option(
    "--shut-down",
    metavar="MODEL",
    multiple=True,
    help="Model that was shut down, before its shutdown date too; repeatable",
)
@click.option(
    "--today",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="Day of the shutdown dates, such as 2026-12-02  [default: the real day]",
)
def emulator(  # noqa: PLR0913 - one argument for each option
    *,
    host: str,
    port: int,
    log: Path | None,
    latency: float,
    images_per_minute: float | None,
    faults: tuple[str, ...],
    shut_down: tuple[str, ...],
    today: datetime | None,
) -> None:
    """Run a local gateway emulator.

    It answers with labeled sketches, at no cost and without an API key. Set `gateway.url` of a site
    to http://127.0.0.1:8787/v1 and `gateway.auth` to `none`, or use any client of the OpenAI images
    API.
    """
    gateway = Emulator(
        plan=faults,
        latency_s=latency,
        per_minute=images_per_minute,
        require_key=False,
        shut_down=shut_down,
        today=(today or datetime.now(timezone.utc)).date(),
    )
    try:
        server = EmulatorServer(gateway, host=host, port=port, log=log)
    except OSError as error:
        fault = f"cannot listen on {host}:{port}: {error.strerror or error}"
        raise CommandError(f"{fault}; use another port with --port") from None
    with server, suppress(KeyboardInterrupt):
        print_note(f"emulator running at {server.url} (press Ctrl-C to stop)")
        server.wait()
