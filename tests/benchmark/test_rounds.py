"""Order of rounds, costs of programs, and the gateway with prepared images."""

from __future__ import annotations

import os
import statistics
import sys
from pathlib import Path

import httpx
import pytest

from tests.benchmark import instructions
from tests.benchmark.figures import Verdict
from tests.benchmark.gateway import gateway, latencies, makespan_of
from tests.benchmark.processes import RunError, cost_of
from tests.benchmark.rounds import Bench, Contestant, run_rounds, values
from tests.tools import skip_or_fail

PYTHON = (sys.executable, "-S", "-c")


def quiet(_text: str) -> None:
    pass


def contestants(tmp_path: Path) -> list[Contestant]:
    """Return programs that append their name to a log in a shared folder."""
    shared = tmp_path / "shared"
    shared.mkdir()
    code = "import sys; open('log', 'a').write(sys.argv[1])"
    return [Contestant(name, shared, (*PYTHON, code, name)) for name in "ABC"]


def test_every_other_round_is_reversed(tmp_path: Path) -> None:
    three = contestants(tmp_path)
    rounds = run_rounds(Bench(tmp_path, pairs=3, tell=quiet), "title", three)
    assert (tmp_path / "shared/log").read_text() == "ABC" + "ABC" + "CBA" + "ABC"
    assert len(values(rounds, "B")) == 3


def test_rounds_on_two_cores_use_copies(tmp_path: Path) -> None:
    if len(os.sched_getaffinity(0)) < 2:
        skip_or_fail("this machine has one core")
    three = contestants(tmp_path)
    rounds = run_rounds(Bench(tmp_path, pairs=3, jobs=2, tell=quiet), "title", three)
    assert (tmp_path / "shared/log").read_text() == "ABC" + "ABC" + "CBA"
    assert (tmp_path / "shared.1/log").read_text() == "ABC" + "CBA"
    assert len(rounds) == 3


def test_files_of_an_earlier_run_are_removed(tmp_path: Path) -> None:
    (tmp_path / "a/site").mkdir(parents=True)
    code = "import os; os.mkdir('site')"  # fails if the folder exists
    contestant = Contestant("A", tmp_path / "a", (*PYTHON, code))
    run_rounds(Bench(tmp_path, pairs=2, tell=quiet), "title", [contestant])


def test_contestant_runs_the_plugin_of_its_checkout(tmp_path: Path) -> None:
    (tmp_path / "other/mkdocs_imagegen").mkdir(parents=True)
    (tmp_path / "other/mkdocs_imagegen/__init__.py").write_text("is_other = True\n")
    command = (*PYTHON, "import mkdocs_imagegen; mkdocs_imagegen.is_other")
    other = Contestant("other", tmp_path, command, checkout=tmp_path / "other")
    run_rounds(Bench(tmp_path, pairs=1, tell=quiet), "title", [other])
    with pytest.raises(RunError, match="is_other"):
        cost_of(command, tmp_path)


def test_costs_are_those_of_the_program(tmp_path: Path) -> None:
    nothing = cost_of((*PYTHON, "pass"), tmp_path)
    busy = cost_of((*PYTHON, "b = b'x' * 90_000_000\nfor i in range(9_000_000): pass"), tmp_path)
    assert busy.cpu_s > nothing.cpu_s + 0.02
    assert 60 < busy.peak_mib - nothing.peak_mib < 120
    waiting = cost_of((*PYTHON, "import time; time.sleep(0.5)"), tmp_path)
    assert waiting.wall_s > 0.5 > waiting.cpu_s


def test_failed_program_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"exit code 3(?s:.*)no luck"):
        cost_of((*PYTHON, "import sys; sys.stderr.write('no luck'); sys.exit(3)"), tmp_path)


def test_counts_are_compared() -> None:
    million = 10**6
    counted = {"plain": 15_000, "idle": 15_060, "ours": 15_720, "kroki": 15_750}
    counted |= {"complete": 15_800, "missing": 15_958, "one page": 1000, "start": 1046}
    counted = {name: number * million for name, number in counted.items()}
    rows = list(instructions.rows_of(counted, 100, instructions.NAMES))
    found = [(row.name, row.against, row.value and row.value.middle) for row in rows]
    assert found == [
        ("idle", "plain", 1.004),
        ("warm", "plain", 720),
        ("start", "plain", 46),
        ("missing", "complete", 1.01),
        ("peers", "plain", 1.048),
        ("peers", "plain", 1.05),
        ("peers", "kroki", 1.048 / 1.05),
    ]
    assert [row.verdict for row in rows if row.goal] == [Verdict.MET] * 5
    assert [row.goal.max_value for row in rows if row.unit == "M" and row.goal] == [750, 50]


@pytest.mark.slow
def test_instructions_are_counted(tmp_path: Path) -> None:
    counting = instructions.counter()
    if not counting:
        skip_or_fail("perf is not supported and valgrind is not installed")
    few, many = (
        instructions.instructions_of(counting, (*PYTHON, f"sum(range({number}))"), tmp_path)
        for number in (10, 1_000_000)
    )
    assert many > few + 1_000_000


def test_gateway_sends_different_images_after_the_given_latencies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("tests.benchmark.gateway.time.sleep", slept.append)
    with gateway(latencies_s=[2, 1]) as address, httpx.Client() as client:
        body = {"model": "openai/gpt-image-1-mini", "prompt": "a", "size": "1024x1024"}
        responses = [
            client.post(f"{address['url']}/images/generations", json=body).json() for _ in range(3)
        ]
    assert len({response["data"][0]["b64_json"] for response in responses}) == 3
    assert slept == [2, 1, 0]


def test_latencies_have_the_measured_distribution() -> None:
    drawn = latencies(4000, 2, seed=1)
    assert latencies(4000, 2, seed=1) == drawn != latencies(4000, 2, seed=2)
    assert statistics.median(drawn) == pytest.approx(2, rel=0.05)
    assert statistics.quantiles(drawn, n=20)[-1] == pytest.approx(2 * 46 / 18, rel=0.1)


def test_makespan_starts_each_task_as_soon_as_possible() -> None:
    assert makespan_of([3, 1, 1, 1, 5], 2) == 8
    assert makespan_of([1] * 32, 16) == 2
    assert makespan_of([2.5], 16) == 2.5
