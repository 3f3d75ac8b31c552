"""Reference of the commands, for the manual."""

from __future__ import annotations

import re
from collections.abc import Iterator
from inspect import cleandoc

import click

from mkdocs_imagegen.cli.main import SECTIONS, summary_of

_PROGRAM = "mkdocs-imagegen"


def command_table() -> Iterator[str]:
    """Yield a table of all commands by use."""
    yield from ("| Command | Use | Description |", "|---|---|---|")
    for title, commands in SECTIONS.items():
        for command in commands:
            yield f"| [`{command.name}`](#{command.name}) | {title} | {summary_of(command)} |"


def command_headings() -> Iterator[str]:
    """Yield a heading with usage, description, options and examples for each command."""
    for commands in SECTIONS.values():
        for command in commands:
            yield from _command(command)


def _command(command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=f"{_PROGRAM} {command.name}")
    pieces = " ".join(command.collect_usage_pieces(context))
    yield f"\n## `{command.name}` {{ #{command.name} }}\n"
    yield f"``` {{ .text .usage }}\n{_PROGRAM} {command.name} {pieces}\n```\n"
    yield f"{cleandoc(command.help or '')}\n"
    options = [
        each for each in command.params if isinstance(each, click.Option) and not each.hidden
    ]
    default = " Default |" if any(each.show_default for each in options) else ""
    yield from (f"| Option |{default} Description |", f"|---|{'---|' if default else ''}---|")
    for option in options:
        yield _option(option, context, default)
    yield from _epilog(command.epilog or "")


def _option(option: click.Option, context: click.Context, column: str) -> str:
    names = ", ".join(f"`{name}`" for name in option.opts)
    value = "" if option.is_flag else f" {_metavar(option, context)}"
    default = f" `{option.default}` |" if option.show_default else column and " |"
    return f"| {names}{value} |{default} {option.help} |"


def _metavar(option: click.Option, context: click.Context) -> str:
    if isinstance(option.type, click.IntRange):
        least, most = option.type.min, option.type.max
        return f"integer from {least}" + ("" if most is None else f" to {most}")
    if isinstance(option.type, click.FloatRange):
        return f"number from {option.type.min:g}"
    del context
    return option.metavar or option.type.name.upper()


def _epilog(epilog: str) -> Iterator[str]:
    """Yield the parts of an epilog: a line that ends with a colon, and indented lines."""
    for part in re.split(r"\n?\x08\n", f"\n{epilog.strip()}"):
        title, _, lines = part.strip("\n").partition("\n")
        body = re.sub(r"^  ", "", lines, flags=re.MULTILINE).strip()
        if title == "Examples:":
            console = re.sub(r"^", "$ ", body, flags=re.MULTILINE)
            yield f"\n```console\n{console}\n```\n"
        elif body:
            yield f"\n{title}\n\n```yaml\n{body}\n```\n"
