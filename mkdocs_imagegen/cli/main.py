"""The group of all commands, its help and its errors."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping, Sequence

import click

from mkdocs_imagegen import __version__
from mkdocs_imagegen.cli.candidates import candidates
from mkdocs_imagegen.cli.check import check
from mkdocs_imagegen.cli.credits import credits_
from mkdocs_imagegen.cli.emulator import emulator
from mkdocs_imagegen.cli.gallery import gallery
from mkdocs_imagegen.cli.generate import generate
from mkdocs_imagegen.cli.import_ import import_
from mkdocs_imagegen.cli.lock import lock
from mkdocs_imagegen.cli.models import models
from mkdocs_imagegen.cli.plan import plan
from mkdocs_imagegen.cli.prune import prune
from mkdocs_imagegen.cli.schema import schema
from mkdocs_imagegen.cli.terminal import CommandError, logging_to_stderr, print_note
from mkdocs_imagegen.cli.verify import verify
from mkdocs_imagegen.errors import ImagegenError

_INTERRUPTED = 130
_TERMINATED = 143

SECTIONS: Mapping[str, Sequence[click.Command]] = {
    "Start": (plan, generate, check),
    "Review": (candidates, gallery, import_),
    "Maintain": (lock, verify, prune),
    "Models": (models, credits_),
    "Tools": (schema, emulator),
}
"""Commands by use, in the order of help."""

_EPILOG = """
\b
Exit codes:
  0    success
  1    an image is missing, failed or invalid (generate, check, candidates, lock)
  2    the command or the configuration is invalid, or a server does not answer
  130  interrupted
  (verify has codes of its own)
\b
Completion:
  eval "$(_MKDOCS_IMAGEGEN_COMPLETE=bash_source mkdocs-imagegen)"
  (zsh_source or fish_source for other shells)
\b
Examples:
  mkdocs-imagegen plan
  mkdocs-imagegen generate
  mkdocs-imagegen plan --help
"""


class _Commands(click.Group):
    """The commands by section, in the order of use."""

    def invoke(self, ctx: click.Context) -> object:
        """Run a command.

        Errors of site generators and of the package end it with their text and exit code 2, and
        signals with exit code 130.
        """
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        try:
            with logging_to_stderr():
                return super().invoke(ctx)
        except click.UsageError:
            raise
        except click.ClickException as error:  # every exception of MkDocs and ProperDocs is one
            raise CommandError(error.format_message()) from None
        except ImagegenError as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            raise _interrupted() from None
        except SystemExit as error:
            raise _interrupted() if error.code == _TERMINATED else error from None

    def list_commands(self, _: click.Context) -> list[str]:
        """Return the names of the commands in the order of use, not of the alphabet."""
        return list(self.commands)

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections with a summary of each command."""
        width = max(map(len, self.commands))
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(
                    [(f"{each.name:{width}}", summary_of(each)) for each in commands]
                )


def _interrupted() -> SystemExit:
    print_note("interrupted; finished images are stored")
    return SystemExit(_INTERRUPTED)


def summary_of(command: click.Command) -> str:
    """Return the first line of a command's help, without its period."""
    return (command.help or "").partition("\n")[0].rstrip(".")


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]}, epilog=_EPILOG
)
@click.version_option(__version__, prog_name="mkdocs-imagegen")
def main() -> None:
    """Generate images from prompts in Markdown pages."""


for _section in SECTIONS.values():
    for _command in _section:
        main.add_command(_command)
