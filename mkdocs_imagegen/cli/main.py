"""The group of all commands."""

from __future__ import annotations

import io
import sys

import click

from mkdocs_imagegen import __version__
from mkdocs_imagegen.cli.candidates import candidates
from mkdocs_imagegen.cli.emulator import emulator
from mkdocs_imagegen.cli.gallery import gallery
from mkdocs_imagegen.cli.generate import generate
from mkdocs_imagegen.cli.models import credits_, models
from mkdocs_imagegen.cli.plan import check, plan
from mkdocs_imagegen.cli.schema import schema
from mkdocs_imagegen.cli.site import INTERRUPTED, logging_to_stderr
from mkdocs_imagegen.cli.verify import prune, verify

_EPILOG = """
\b
Exit codes: 0 all is well, 1 what was asked for is not so (an image is missing, a check failed),
2 the command or mkdocs.yml has a mistake or a server does not answer, 130 interrupted. `verify`
tells more; see its help.
\b
Completion: eval "$(_MKDOCS_IMAGEGEN_COMPLETE=bash_source mkdocs-imagegen)"
(or zsh_source, fish_source).
"""


class _Commands(click.Group):
    """Commands that end with 130 when they are interrupted, and print on every terminal."""

    def invoke(self, ctx: click.Context) -> object:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        try:
            with logging_to_stderr():
                return super().invoke(ctx)
        except KeyboardInterrupt:
            raise SystemExit(INTERRUPTED) from None


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]}, epilog=_EPILOG
)
@click.version_option(__version__, prog_name="mkdocs-imagegen")
def main() -> None:
    """Images from prompts, for MkDocs."""


for _command in (
    plan,
    check,
    generate,
    candidates,
    gallery,
    models,
    credits_,
    verify,
    prune,
    emulator,
    schema,
):
    main.add_command(_command)
