"""Every benchmark of our own at its smallest size: it ends, and its figures are no nonsense."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.benchmark.__main__ import NAMES, main, run
from tests.benchmark.figures import Row
from tests.benchmark.rounds import Bench

ROWS = {
    ("plan",): 2,
    ("start",): 1,
    ("response",): 1,
    ("idle", "warm", "warm100"): 2 + 2 + 3 + 3,
    ("growth",): 3 * 3 + 2,
    ("variants", "bytes"): 2 + 1,
    ("cold",): 1,
    ("serve",): 1,
}
OPTIONAL = {"serve", "bytes"}
"""What needs more than the suite has, and says so."""

SANE = {"": (0.001, 10), "ms": (-50, 1500), "KiB": (-100, 50_000), "MiB": (-10, 100)}


@pytest.fixture
def _no_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither node nor Chromium nor Valgrind: their rows have to say so."""
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)


@pytest.mark.slow
@pytest.mark.usefixtures("_no_tools")
@pytest.mark.parametrize("names", ROWS, ids="-".join)
def test_a_benchmark_measures(names: tuple[str, ...], tmp_path: Path) -> None:
    said: list[str] = []
    rows = run(Bench(tmp_path, pairs=1, pages=4, tell=said.append), names)
    assert len(rows) == ROWS[names], said
    assert {row.name for row in rows} == set(names)
    for row in rows:
        check(row)


def check(row: Row) -> None:
    if row.value is None:
        assert row.name in OPTIONAL or "instructions" in row.figure, row
        assert "not installed" in row.note
        return
    low, high = SANE[row.unit]
    if row.name == "growth":
        low = -high  # a difference of two builds, which may be less than their noise
    assert low < row.value.low <= row.value.middle <= row.value.high < high, row
    assert all(row.runs.values()), row
    assert row.value.count == 1


def test_each_benchmark_of_our_own_is_measured_here() -> None:
    assert {name for names in ROWS for name in names} == set(NAMES) - {"peers"}


def test_a_benchmark_that_does_not_exist_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["wram"])
    assert "no such benchmark: wram" in capsys.readouterr().err
