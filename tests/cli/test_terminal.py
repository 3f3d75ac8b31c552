"""Tables and a progress bar on a terminal, plain lines in a pipe."""

from __future__ import annotations

import re

import pytest

from mkdocs_imagegen.emulator.protocol import Emulator
from tests.cli.support import fence
from tests.support import Site

_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def emulator() -> Emulator:
    return Emulator(require_key=False, latency_s=0.3)


@pytest.fixture
def two(emulated: Site) -> Site:
    emulated.options["model"] = "openai/gpt-image-2"  # no shutdown changes its price
    emulated.write("index.md", f"# Page\n\n{fence('A ferry')}{fence('A crane')}")
    return emulated


@pytest.mark.usefixtures("two")
def test_terminal_gets_a_table(run_on_terminal) -> None:
    plan = run_on_terminal("plan").stdout
    assert re.search(r"Location +State +Price +Prompt", _ESCAPE.sub("", plan))
    generated = _ESCAPE.sub("", run_on_terminal("generate").stdout)
    assert "2 images: 2 sketches drawn" in generated


def test_terminal_gets_no_head_of_an_empty_table(site: Site, run_on_terminal) -> None:
    site.write("index.md", "# Page\n")
    for name, title in (("plan", "Location"), ("verify", "Fault"), ("prune", "Prompt")):
        assert title not in run_on_terminal(name).stdout


@pytest.mark.usefixtures("two")
def test_pipe_gets_plain_lines(run_alone) -> None:
    plan, generated = run_alone("plan"), run_alone("generate")
    for text in (plan.stdout, plan.stderr, generated.stdout, generated.stderr):
        assert "\x1b" not in text
        assert "━" not in text
    assert plan.lines[0] == 'docs/index.md:3  missing  $0.041  "A ferry"'
    assert generated.lines[0] == 'docs/index.md:3  generated  $0.041  "A ferry"'
    known = r"imagegen: the generated images are stored in |generated \d of \d images? "
    assert [each for each in generated.stderr.splitlines() if not re.match(known, each)] == []


@pytest.mark.usefixtures("two")
def test_json_is_equal_on_a_terminal(run_on_terminal, run_alone) -> None:
    on_terminal, in_pipe = run_on_terminal("plan", "--json"), run_alone("plan", "--json")
    assert on_terminal.stdout.split() == in_pipe.stdout.split()
