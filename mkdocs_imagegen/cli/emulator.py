"""The emulator as a server."""

from __future__ import annotations

from pathlib import Path

import click

from mkdocs_imagegen.errors import OptionError


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8787,
    show_default=True,
    help="Port to listen on; 0 for any.",
)
@click.option("--log", type=click.Path(path_type=Path), help="File for a JSON line per request.")
@click.option(
    "--latency",
    type=click.FloatRange(0),
    default=0.0,
    show_default=True,
    help="Seconds before each image.",
)
@click.option("--fault", "faults", multiple=True, help="Fault for the next request; repeatable.")
def emulator(
    host: str, port: int, log: Path | None, latency: float, faults: tuple[str, ...]
) -> None:
    """Run a gateway on this machine that answers with labelled sketches.

    Point a site at it with `gateway: {url: http://127.0.0.1:8787/v1, auth: none}`, or any client
    that speaks the OpenAI images API. No key is needed, nothing is charged, nothing leaves the
    machine.
    """
    from mkdocs_imagegen.emulator.protocol import Emulator  # noqa: PLC0415 - only where needed
    from mkdocs_imagegen.emulator.server import run_forever  # noqa: PLC0415

    try:
        answering = Emulator(plan=faults, latency_s=latency, require_key=False)
        run_forever(answering, host=host, port=port, log=log, started=_say_where)
    except OptionError as error:
        raise _CannotStartError(str(error)) from None
    except OSError as error:
        fault = f"nothing can listen at {host}:{port}: {error.strerror or error}"
        raise _CannotStartError(f"{fault}; name another port with --port") from None


class _CannotStartError(click.ClickException):
    exit_code = 2


def _say_where(url: str) -> None:
    click.echo(f"Sketches at {url} (Ctrl-C ends)", err=True)
