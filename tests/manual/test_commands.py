"""Commands in the manual are run as they are printed."""

from __future__ import annotations

import re
import shlex

import click
import pytest
from click.testing import CliRunner
from mkdocs.__main__ import cli as mkdocs
from PIL import Image

from mkdocs_imagegen.cli.main import main
from tests.manual.pages import ManualPage, pages
from tests.support import Site

PROGRAMS = {"mkdocs-imagegen": main, "mkdocs": mkdocs}
_ASSIGNMENT = re.compile(r"[A-Z_][A-Z0-9_]*=.*")
_SEPARATORS = {"&&", "||", "|", ";", ">", "2>"}
NOT_RUN = {"emulator", "serve", "gh-deploy", "new"}
"""Commands that run until they are interrupted, or that publish a site."""
FILES = ("tug.jpg", "tug-at-night.png")
"""Images that commands of the manual import."""

PAGE = """# Guide
```imagegen
A tug pulls a barge through ice.
```

```imagegen {#harbor}
A ferry leaves the harbor at dawn.
```
"""


def commands(page: ManualPage) -> list[str]:
    """Return the commands of a page, each without assignments, pipes and redirections."""
    text = "\n".join(b.text for b in page.blocks if b.language in {"console", "bash", "sh"})
    lines = re.sub(r"\\\n", " ", text).split("\n")
    typed = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    return [each for line in typed for each in _single_commands(line)]


def _single_commands(line: str) -> list[str]:
    found: list[list[str]] = [[]]
    for word in shlex.split(line, comments=True):
        if word in _SEPARATORS:
            found.append([])
        elif found[-1] or not _ASSIGNMENT.fullmatch(word):
            found[-1].append(word.strip("()"))
    ours = (words for words in found if words and words[0].rpartition("/")[2] in PROGRAMS)
    return [shlex.join([words[0].rpartition("/")[2], *words[1:]]) for words in ours]


COMMANDS = sorted({command for page in pages() for command in commands(page)})


@pytest.fixture
def sandbox(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    site.write("guide.md", PAGE)
    site.save()
    for name in FILES:
        Image.new("RGB", (48, 32)).save(site.folder / name)
    monkeypatch.chdir(site.folder)
    monkeypatch.setattr(click, "launch", lambda _: 0)
    return site


def check_syntax(command: str) -> tuple[str, ...]:
    """Parse a command, and return its words.

    Raises:
        click.UsageError: If the command or one of its options does not exist.
    """
    program, *words = shlex.split(command)
    group = PROGRAMS[program]
    with group.make_context(program, list(words), resilient_parsing=False) as context:
        name, found, rest = group.resolve_command(
            context, [*context._protected_args, *context.args]
        )
        if found is not None:
            for word in rest:
                names = {
                    each
                    for parameter in found.params
                    for each in parameter.opts + parameter.secondary_opts
                }
                if word.startswith("-") and word != "-" and not word[1:].isdigit():
                    option = word.partition("=")[0]
                    if option not in names | {"-h", "--help"}:
                        raise click.NoSuchOption(option)
    return (program, name or "", *rest)


@pytest.mark.parametrize("command", COMMANDS)
def test_command_and_its_options_exist(command) -> None:
    if not {"--help", "-h", "--version"} & {*shlex.split(command)}:
        check_syntax(command)


@pytest.mark.parametrize(
    "command", [each for each in COMMANDS if each.startswith("mkdocs-imagegen")]
)
@pytest.mark.usefixtures("sandbox")
def test_command_runs(command) -> None:
    words = shlex.split(command)[1:]
    if NOT_RUN & {*words[:1]} or {"-f", "--config-file"} & {*words}:
        return
    result = CliRunner().invoke(main, words)
    assert isinstance(result.exception, SystemExit | None), result.exc_info
    assert "Usage:" not in result.output or {"--help", "-h"} & {*words}, result.output


@pytest.mark.parametrize("command", ["mkdocs-imagegen paln", "mkdocs-imagegen plan --exlpain x"])
def test_a_wrong_command_is_found(command) -> None:
    with pytest.raises(click.UsageError):
        check_syntax(command)


def test_commands_are_read_from_a_page() -> None:
    lines = '$ A="1 2" mkdocs-imagegen plan --json | jq .usd\n3\n$ cd x && mkdocs build'
    text = f"```console\n{lines}\n```\n"
    assert commands(ManualPage("", text)) == ["mkdocs-imagegen plan --json", "mkdocs build"]
