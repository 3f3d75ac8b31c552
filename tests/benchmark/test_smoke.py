"""Every benchmark at its smallest size ends with plausible figures."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.benchmark.__main__ import NAMES, main, run
from tests.benchmark.figures import Row
from tests.benchmark.processes import ROOT
from tests.benchmark.rounds import Bench

ROWS = {
    ("plan",): 2,
    ("start",): 1 + 1,
    ("response",): 1,
    ("idle", "warm"): 3 + 3,
    ("missing",): 1,
    ("growth",): 3 * 3 + 2,
    ("variants", "bytes"): 2 + 1,
    ("ci",): 1 + 2,
    ("cold",): 1 + 3 * 2 + 2,
    ("save",): 1,
    ("serve",): 1,
    ("readers",): 4 + 2,
}
OPTIONAL = {"serve", "bytes", "readers"}
"""Benchmarks that need programs which may be missing."""

MAX_DIFFERENCES = {"s": 20, "ms": 10_000, "KiB": 50_000, "MiB": 100}
MIN_RATIO, MAX_RATIO = 0.001, 20


@pytest.fixture
def _no_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide node, Chromium and Valgrind."""
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("_no_tools")
@pytest.mark.parametrize("names", ROWS, ids="-".join)
def test_benchmark_gives_plausible_figures(names: tuple[str, ...], tmp_path: Path) -> None:
    progress: list[str] = []
    bench = Bench(tmp_path, pairs=1, pages=4, latency_s=1, against=ROOT, tell=progress.append)
    rows = run(bench, names)
    assert len(rows) == ROWS[names], progress
    assert {row.name for row in rows} == set(names)
    for row in rows:
        check(row)


def check(row: Row) -> None:
    if row.value is None:
        assert row.name in OPTIONAL or "instructions" in row.figure, row
        assert "not installed" in row.note
        return
    high = MAX_DIFFERENCES.get(row.unit, MAX_RATIO)
    # The difference of two builds can be smaller than their noise.
    low = -high if row.unit or row.name == "growth" else MIN_RATIO
    assert low < row.value.low <= row.value.middle <= row.value.high < high, row
    assert all(row.runs.values()), row
    assert row.value.count == 1


def test_all_benchmarks_but_peers_are_tested() -> None:
    assert {name for names in ROWS for name in names} == set(NAMES) - {"peers"}


def test_unknown_benchmark_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["wram"])
    assert "no such benchmark: wram" in capsys.readouterr().err
