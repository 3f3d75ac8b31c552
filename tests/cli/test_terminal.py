"""A terminal gets tables and a bar; a pipe gets plain lines."""

from __future__ import annotations

import re

import pytest

from mkdocs_imagegen.cli import terminal
from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.errors import OverBudgetError
from mkdocs_imagegen.jobs.job import Result
from tests.cli.conftest import fence
from tests.support import Site

_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def emulator() -> Emulator:
    return Emulator(require_key=False, latency_s=0.3)


@pytest.fixture
def two(drawn: Site) -> Site:
    drawn.write("index.md", f"# Page\n\n{fence('A ferry')}{fence('A crane')}")
    return drawn


@pytest.mark.usefixtures("two")
def test_a_terminal_gets_a_table_and_a_bar(run_on_terminal) -> None:
    planned = run_on_terminal("plan").said
    assert re.search(r"Place +State +Price +Prompt", _ESCAPE.sub("", planned))
    made = run_on_terminal("generate").said
    assert "\x1b[" in made
    plain = _ESCAPE.sub("", made)
    assert "━" in plain
    assert re.search(r"images .*2/2 [\d:]+ \d+ a minute, about 0 s left, \$0\.03 so far", plain)
    assert "2 sketches drawn" in plain


@pytest.mark.usefixtures("two")
def test_a_pipe_gets_plain_lines(run_alone) -> None:
    planned, made = run_alone("plan"), run_alone("generate")
    for text in (planned.said, planned.told, made.said, made.told):
        assert "\x1b" not in text
        assert "━" not in text
    assert planned.lines[0] == 'docs/index.md:3  missing  $0.015  "A ferry"'
    assert made.lines[0] == 'docs/index.md:3  made  $0.015  "A ferry"'
    assert [line for line in made.told.splitlines() if "shut down on" not in line] == []


@pytest.mark.usefixtures("two")
def test_json_is_the_same_on_a_terminal(run_on_terminal, run_alone) -> None:
    assert (
        run_on_terminal("plan", "--json").said.split() == run_alone("plan", "--json").said.split()
    )


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that progress is told by, in seconds; a test moves it."""
    now = [0.0]
    monkeypatch.setattr(terminal.time, "monotonic", lambda: now[0])
    return now


def test_a_long_run_in_a_pipe_says_now_and_then_how_far_it_is(
    now: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with terminal.Progress() as progress:
        for _ in range(4):
            progress.job_added()
        for second in (1.0, 6.0, 8.0, 12.0):
            now[0] = second
            progress.job_done(Result())
    told = capsys.readouterr().err.splitlines()
    assert told == [
        "2 of 4, 20 a minute, about 6 s left, $0.00 so far",
        "4 of 4, 20 a minute, about 0 s left, $0.00 so far",
    ]


def test_what_is_over_budget_tells_nothing_of_the_pace(
    now: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with terminal.Progress() as progress:
        for _ in range(40):
            progress.job_added()
        for _ in range(20):
            progress.job_done(Result(error=OverBudgetError("too dear", None)))
        now[0] = 10.0
        progress.job_done(Result())
    assert capsys.readouterr().err == "21 of 40, 6 a minute, about 3 min left, $0.00 so far\n"
