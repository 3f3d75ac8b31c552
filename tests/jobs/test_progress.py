"""Progress of the images that a run generates."""

from __future__ import annotations

import io
import logging
import re
import sys
import time
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest

from mkdocs_imagegen.errors import OverBudgetError, RateLimitedError
from mkdocs_imagegen.jobs.job import Result
from mkdocs_imagegen.jobs.progress import Progress
from mkdocs_imagegen.log import log
from tests.bench import LogTexts
from tests.cli.support import run_in_terminal
from tests.paid import PaidEmulator, PaidSite


@pytest.fixture
def clock(monkeypatch):
    """Time in seconds, in a list of one number."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def logged():
    texts = LogTexts()
    yield texts.texts
    texts.close()


@pytest.fixture
def generated():
    """Result of an image that cost a cent."""
    record = SimpleNamespace(cost_usd=Decimal("0.01"))
    return Result(original=SimpleNamespace(record=record), was_generated=True)


def test_line_is_logged_every_ten_seconds(clock, logged, generated):
    progress = Progress()
    for _ in range(50):
        progress.job_added()
    for _ in range(15):
        clock[0] += 2
        progress.job_done(generated)
    assert logged == [
        "generated 6 of 50 images (30/min, about 88 s left, $0.06 so far)",
        "generated 12 of 50 images (30/min, about 76 s left, $0.12 so far)",
    ]


def test_first_hold_is_logged_at_once(clock, logged, generated):
    progress = Progress()
    progress.job_added()
    progress.job_held("rate limited by the server")
    assert logged == ["generated 0 of 1 image (rate limited by the server, $0.00 so far)"]
    clock[0] += 61
    progress.job_done(generated)
    assert logged[1:] == ["generated 1 of 1 image (1/min, about 0 s left, $0.01 so far)"]


def test_hold_without_a_new_image_is_logged_once(clock, logged):
    progress = Progress()
    for _ in range(9):
        progress.job_added()
    for _ in range(20):
        clock[0] += 11
        progress.job_held("no connection to the server")
    progress.job_done(Result(error=RateLimitedError("x")))
    progress.job_done(Result(error=OverBudgetError("x", None)))
    assert len(logged) == 1


def test_queue_of_the_server_logs_a_hold(logged):
    progress = Progress(counts=False)
    progress.files_added()
    progress.files_done()
    progress.job_held("no connection to the server")
    assert logged == ["no connection to the server"]


def test_long_build_logs_its_progress(
    paid_site: PaidSite, paid: PaidEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mkdocs_imagegen.jobs.progress._LOG_INTERVAL_S", 0.0)
    paid_site.write_prompts("One", "Two", "Three")
    lines = [text for text in paid_site.build().infos if "generated 2 of 3 images (" in text]
    assert len(lines) == 1
    assert "$0." in lines[0]
    assert paid.bill.images == 3


def test_rate_leaves_out_images_over_budget(clock, logged, generated):
    progress = Progress()
    for _ in range(40):
        progress.job_added()
    for _ in range(20):
        progress.job_done(Result(error=OverBudgetError("over budget", None)))
    clock[0] += 11
    progress.job_done(generated)
    assert logged == ["generated 1 of 40 images (5/min, about 3 min left, $0.01 so far)"]


def test_files_of_known_images_are_counted(clock, logged):
    progress = Progress()
    for _ in range(40):
        progress.files_added()
    for _ in range(8):
        clock[0] += 2
        progress.files_done()
    assert logged == ["encoded the files of 6 of 40 images (30/min, about 68 s left)"]


def test_files_that_are_left_are_counted_after_the_images(clock, logged, generated):
    progress = Progress()
    for _ in range(2):
        progress.job_added()
        progress.files_added()
    for _ in range(2):
        progress.job_done(generated)
    clock[0] += 20
    progress.files_done()
    assert logged == ["encoded the files of 1 of 2 images (3/min, about 20 s left)"]


def test_images_that_failed_have_no_files_to_count(clock, logged, generated):
    progress = Progress()
    for _ in range(3):
        progress.job_added()
        progress.files_added()
    for _ in range(2):
        progress.job_done(Result(error=RateLimitedError("x")))
        progress.files_done(has_image=False)
    progress.job_done(generated)
    clock[0] += 20
    progress.show()
    assert logged[-1] == "encoded the files of 0 of 1 image"


_SHOW_AT_ONCE = """
import mkdocs_imagegen.jobs.progress as progress, mkdocs_imagegen.jobs.scheduler as scheduler
progress._BAR_AFTER_S, scheduler._WAIT_STEP_S = 0.0, 0.001
from mkdocs.__main__ import cli
cli()
"""


_ONE_BAR = """
import io, logging, os, sys
from mkdocs_imagegen.cli.terminal import logging_to_stderr, show_progress
from mkdocs_imagegen.log import log
with logging_to_stderr():
    sys.stdout = piped = io.StringIO()
    for number in show_progress([1, 2], 2):
        log.warning("git add %s", "folder/" * 30)
        print("a result")
        if sys.argv[1:]:
            os._exit(0)
    log.warning("after %d", len(piped.getvalue()))
"""


def shown_on_terminal(folder: Path, *arguments: str, term: str = "xterm") -> str:
    """Show a bar on a pseudo-terminal of 80 columns; return the output with control codes."""
    environ = {"COLUMNS": "80", "TERM": term, "PYTHONPATH": str(Path(__file__).parents[2])}
    program = [sys.executable, "-c", _ONE_BAR, *arguments]
    code, output = run_in_terminal(folder, program, environ)
    assert code == 0, output
    return output


def test_bar_is_removed_and_breaks_no_line_of_the_log(tmp_path: Path) -> None:
    output = shown_on_terminal(tmp_path)
    assert "━" in output
    assert f"git add {'folder/' * 30}\r\n" in output
    _, _, end = output.rpartition("━")
    assert re.search(r"\x1b\[1A\x1b\[2Kimagegen: after 18\r\n$", end)


def test_killed_process_leaves_the_cursor_visible(tmp_path: Path) -> None:
    output = shown_on_terminal(tmp_path, "killed")
    assert re.findall(r"\x1b\[\?25[hl]", output)[-1] == "\x1b[?25h"


def test_dumb_terminal_gets_no_bar(tmp_path: Path) -> None:
    output = shown_on_terminal(tmp_path, term="dumb")
    assert "━" not in output
    assert "\x1b" not in output
    assert f"git add {'folder/' * 30}\r\n" in output


@pytest.mark.parametrize(("term", "has_bar"), [("xterm", True), ("dumb", False)])
def test_build_has_a_bar_where_it_can_be_drawn(term: str, monkeypatch, clock, *, has_bar) -> None:
    monkeypatch.setattr("sys.stderr", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setenv("TERM", term)
    progress = Progress()
    clock[0] += 6
    monkeypatch.setattr(log, "level", logging.INFO)
    assert progress._can_have_bar is has_bar


@pytest.mark.parametrize("is_closed", [True, False])
def test_long_build_needs_no_stderr(monkeypatch, clock, *, is_closed) -> None:
    """A build in a service has none."""
    stderr = io.StringIO()
    stderr.close()
    monkeypatch.setattr("sys.stderr", stderr if is_closed else None)
    progress = Progress()
    clock[0] += 6
    monkeypatch.setattr(log, "level", logging.INFO)
    progress.wait()
    progress.close()


def build_on_terminal(site: PaidSite, *arguments: str) -> str:
    """Build on a pseudo-terminal of 80 columns; return what it shows, without control codes."""
    site.save()
    program = [sys.executable, "-c", _SHOW_AT_ONCE, "build", *arguments]
    code, output = run_in_terminal(site.folder, program, {"COLUMNS": "80", "TERM": "xterm"})
    assert code == 0, output
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output)


def test_build_shows_a_bar_on_a_terminal(paid_site: PaidSite) -> None:
    paid_site.write_prompts("One", "Two", "Three")
    output = build_on_terminal(paid_site)
    assert re.search(r"generated +\d/3 +━+ ", output)
    shown = output.splitlines()[-1]
    assert "Documentation built" in shown  # nothing is left of the bar, and the log goes on
    (paid_site.folder / ".cache").rename(paid_site.folder / "away")
    assert re.search(r"encoded +\d/3 +━+ ", build_on_terminal(paid_site))


def test_quiet_build_shows_no_bar(paid_site: PaidSite) -> None:
    paid_site.write_prompts("One", "Two", "Three")
    assert "━" not in build_on_terminal(paid_site, "-q")
