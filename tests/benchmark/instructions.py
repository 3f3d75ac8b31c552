"""Machine instructions that a program takes: the same on a machine that is busy."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.benchmark.figures import Goal, Row, median_of
from tests.benchmark.processes import BUILD, TIMEOUT_S, cost_of, environ
from tests.benchmark.rounds import Bench
from tests.benchmark.sites import add_plugin, site_of

NAMES = ("idle",)
_COUNTED = re.compile(r"([\d,]+)\s+instructions:u|I\s+refs:\s+([\d,]+)")


def counter() -> tuple[str, ...]:
    """The program that counts here, with its arguments; empty where there is none.

    `perf` asks the processor, which virtual machines often do not allow. Valgrind runs the program
    itself, some fifty times slower; its cachegrind counts as callgrind does, and is the faster.
    """
    if shutil.which("perf") and _count(("perf", "stat", "-e", "instructions:u"), ("true",)):
        return ("perf", "stat", "-e", "instructions:u")
    if shutil.which("valgrind"):
        quiet = ("--cache-sim=no", "--cachegrind-out-file=/dev/null")
        return ("valgrind", "--tool=cachegrind", *quiet)
    return ()


def instructions_of(counting: Sequence[str], command: Sequence[str], folder: Path) -> int:
    """How many instructions a program took.

    Raises:
        RuntimeError: nothing was counted.
    """
    counted = _count(counting, command, folder)
    if counted is None:
        raise RuntimeError(f"{' '.join(counting)} did not count {' '.join(command)}")
    return counted


def _count(
    counting: Sequence[str], command: Sequence[str], folder: Path | None = None
) -> int | None:
    done = subprocess.run(
        [*counting, *command],
        cwd=folder,
        env=environ() | {"PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
    )
    found = _COUNTED.search(done.stderr) if done.returncode == 0 else None
    return int((found[1] or found[2]).replace(",", "")) if found else None


def measure(bench: Bench, _names: Collection[str] = NAMES) -> list[Row]:
    """Both builds are counted once: the same build always takes nearly the same number."""
    counting, pages = counter(), bench.few
    figure, goal = f"{pages} pages without pictures, instructions", Goal(1.005)
    if not counting:
        note = "nothing counts instructions here: perf is not supported and valgrind not installed"
        return [Row("idle", figure, "plain", None, goal=goal, note=note)]
    plain = site_of(bench.folder / "counted plain", pages)
    ours = add_plugin(site_of(bench.folder / "counted ours", pages))
    for site in (plain, ours):
        cost_of(BUILD, site.folder)
    bench.tell(f"{pages} pages: counting instructions with {counting[0]}")
    with ThreadPoolExecutor(bench.jobs) as pool:
        folders = [plain.folder, ours.folder]
        counts = list(pool.map(lambda folder: instructions_of(counting, BUILD, folder), folders))
    note = f"instructions are counted with {counting[0]}, once, hash seed 0"
    value = median_of([counts[1] / counts[0]])
    runs = {"plain": counts[:1], "ours": counts[1:]}
    return [Row("idle", figure, "plain", value, goal=goal, runs=runs, note=note)]
