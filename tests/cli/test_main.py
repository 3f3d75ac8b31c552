"""The group of all commands: help, sections, errors, completion."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner

from mkdocs_imagegen.cli.main import main, summary_of
from tests.support import Site

SECTIONS = {
    "Start": ["plan", "generate", "check"],
    "Review": ["candidates", "gallery", "import"],
    "Maintain": ["lock", "verify", "prune"],
    "Models": ["models", "credits"],
    "Tools": ["schema", "emulator"],
}


def test_help_lists_commands_by_section(run_alone) -> None:
    lines = run_alone("--help", COLUMNS="80").lines
    listed = []
    for section, names in SECTIONS.items():
        start = lines.index(f"{section}:") + 1
        assert [line.split()[0] for line in lines[start : start + len(names)]] == names
        listed += names
    assert listed == list(main.commands)


@pytest.mark.slow
@pytest.mark.parametrize("name", main.commands)
def test_help_shows_the_whole_summary(run_alone, name: str) -> None:
    summary = summary_of(main.commands[name])
    assert len(summary) <= 60
    assert not summary.endswith(".")
    text = run_alone("--help", COLUMNS="80").stdout
    assert re.search(rf"^ +{name} +{summary}$", text, re.MULTILINE)


@pytest.mark.parametrize("name", main.commands)
def test_help_of_a_command_ends_with_examples(name: str) -> None:
    text = CliRunner().invoke(main, [name, "--help"]).stdout
    examples = text.partition("Examples:\n")[2].splitlines()
    assert examples
    assert all(line.startswith(f"    mkdocs-imagegen {name}") for line in examples)


@pytest.mark.parametrize("name", main.commands)
def test_help_of_a_command_is_for_all_site_generators(name: str) -> None:
    text = CliRunner().invoke(main, [name, "--help"]).stdout
    assert not re.search(r"\bmkdocs (build|serve)|mkdocs\.yml(?! or )", text)


@pytest.mark.parametrize("name", main.commands)
def test_options_have_help_without_a_period(name: str) -> None:
    for option in main.commands[name].params:
        if option.param_type_name == "option":
            assert option.help
            assert not option.help.endswith(".")


def test_shell_completes_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMP_WORDS", "mkdocs-imagegen ca")
    monkeypatch.setenv("COMP_CWORD", "1")
    monkeypatch.setenv("_MKDOCS_IMAGEGEN_COMPLETE", "bash_complete")
    output = CliRunner().invoke(main, prog_name="mkdocs-imagegen").stdout
    assert output.split() == ["plain,candidates"]


def test_error_has_its_hint_on_a_line_of_its_own(site: Site, run) -> None:
    site.write("index.md", "# Page\n")
    done = run("candidates", "nowhere.md:3", code=2)
    assert done.stdout == ""
    assert done.error == [
        'Error: no image at "nowhere.md:3"',
        "hint: run `mkdocs-imagegen plan` for all locations, or use 6 characters of a cache key",
    ]
