"""Tables and a progress bar on a terminal, plain lines in a pipe."""

from __future__ import annotations

import re
import time

import pytest

from mkdocs_imagegen.cli import terminal
from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.errors import OverBudgetError
from mkdocs_imagegen.jobs.job import Result
from tests.cli.support import fence
from tests.support import Site

_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def emulator() -> Emulator:
    return Emulator(require_key=False, latency_s=0.3)


@pytest.fixture
def two(emulated: Site) -> Site:
    emulated.write("index.md", f"# Page\n\n{fence('A ferry')}{fence('A crane')}")
    return emulated


@pytest.mark.usefixtures("two")
def test_terminal_gets_a_table_and_a_bar(run_on_terminal) -> None:
    plan = run_on_terminal("plan").stdout
    assert re.search(r"Location +State +Price +Prompt", _ESCAPE.sub("", plan))
    generated = run_on_terminal("generate").stdout
    assert "\x1b[" in generated
    plain = _ESCAPE.sub("", generated)
    assert "━" in plain
    assert re.search(r"images .*2/2 [\d:]+ \d+/min, about 0 s left, \$0\.03 so far", plain)
    assert "2 images: 2 sketches drawn" in plain


@pytest.mark.usefixtures("two")
def test_dry_run_shows_no_bar(run_on_terminal) -> None:
    lines = _ESCAPE.sub("", run_on_terminal("generate", "--dry-run").stdout)
    assert "would generate 2 images" in lines
    assert not re.search(r"images .*0/|\d:\d\d:\d\d", lines)


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
    assert plan.lines[0] == 'docs/index.md:3  missing  $0.015  "A ferry"'
    assert generated.lines[0] == 'docs/index.md:3  generated  $0.015  "A ferry"'
    known = (
        r"imagegen: the generated images are stored in |.* on 2026-12-01"
        r"|generated \d of \d images? "
    )
    assert [each for each in generated.stderr.splitlines() if not re.match(known, each)] == []


@pytest.mark.usefixtures("two")
def test_json_is_equal_on_a_terminal(site: Site, run_on_terminal, run_alone) -> None:
    site.options["model"] = "openai/gpt-image-2"  # without the notice of a shutdown
    site.save()
    on_terminal, in_pipe = run_on_terminal("plan", "--json"), run_alone("plan", "--json")
    assert on_terminal.stdout.split() == in_pipe.stdout.split()


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock of the progress, in seconds; a test moves it."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_progress_in_a_pipe_is_a_line_now_and_then(
    now: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    progress = terminal.CommandProgress()
    for _ in range(4):
        progress.job_added()
    for second in (1.0, 6.0, 8.0, 12.0):
        now[0] = second
        progress.job_done(Result())
    progress.close()
    assert capsys.readouterr().err.splitlines() == [
        "generated 0 of 4 images (20/min, about 6 s left, $0.00 so far)",
        "generated 0 of 4 images (20/min, about 0 s left, $0.00 so far)",
    ]


def test_rate_leaves_out_images_over_budget(
    now: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    progress = terminal.CommandProgress()
    for _ in range(40):
        progress.job_added()
    for _ in range(20):
        progress.job_done(Result(error=OverBudgetError("over budget", None)))
    now[0] = 10.0
    progress.job_done(Result())
    assert capsys.readouterr().err == (
        "generated 0 of 40 images (6/min, about 3 min left, $0.00 so far)\n"
    )
