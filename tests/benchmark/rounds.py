"""Rounds: every contestant runs once, one after the other."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from tests.benchmark.processes import BUILD, ROOT, Cost, cost_of

Round = Mapping[str, Cost]
"""Costs of each contestant by name."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """Program that is measured.

    Attributes:
        name: Name of the contestant.
        folder: Working folder; rounds on other cores use copies.
        command: Program and arguments.
        fresh: Folders that are removed before each run.
        checkout: Folder of the repository whose plugin runs.
    """

    name: str
    folder: Path
    command: tuple[str, ...] = BUILD
    fresh: tuple[str, ...] = ("site",)
    checkout: Path = ROOT


@dataclass(frozen=True, slots=True)
class Bench:
    """Sizes of all benchmarks.

    Attributes:
        folder: Folder of all sites; empty at first.
        pairs: Number of rounds of each figure.
        pages: Number of pages of the large sites; the small sites have a tenth.
        jobs: Number of rounds at the same time, one per core.
        latency_s: Median latency of the gateway in `cold`; a third of a real one.
        npm: Folder of npm packages.
        against: Folder of another checkout, which `ci` is compared with.
        tell: Function that is called with the progress.
    """

    folder: Path
    pairs: int = 20
    pages: int = 1000
    jobs: int = 1
    latency_s: float = 6.0
    npm: Path | None = None
    against: Path | None = None
    tell: Callable[[str], None] = print

    @property
    def few(self) -> int:
        """Number of pages of the small sites."""
        return max(1, self.pages // 10)


def run_rounds(
    bench: Bench, title: str, contestants: Sequence[Contestant], *, pinned: bool = True
) -> list[Round]:
    """Run every contestant once per round; on each core, every other round in the reverse order.

    Each core first runs a round that is not counted, to fill caches.

    Args:
        bench: Number of rounds, and of rounds at the same time.
        title: Title for the progress.
        contestants: Contestants in the order of the first round.
        pinned: True to pin a round to one core; False to run alone on all cores.
    """
    cores = _cores(bench.jobs) if pinned else [None]
    numbers = [range(first, bench.pairs, len(cores)) for first in range(len(cores))]
    lanes = [_copies(contestants, lane) for lane in range(len(cores))]

    def run_lane(lane: int) -> list[tuple[int, Round]]:
        _run_one(lanes[lane], cores[lane])
        # An odd lane begins in the reverse order, so that a lane with one round more is balanced.
        turns = enumerate(numbers[lane], start=lane)
        return [
            (number, run_round(lane, number, is_reversed=turn % 2 == 1)) for turn, number in turns
        ]

    def run_round(lane: int, number: int, *, is_reversed: bool) -> Round:
        costs = _run_one(lanes[lane], cores[lane], is_reversed=is_reversed)
        bench.tell(f"{title}: round {number + 1} of {bench.pairs}, {_describe(costs)}")
        return costs

    with ThreadPoolExecutor(len(cores)) as pool:
        done = chain.from_iterable(pool.map(run_lane, range(len(cores))))
        return [costs for _, costs in sorted(done, key=lambda each: each[0])]


def values(rounds: Sequence[Round], name: str, field: str = "cpu_s") -> list[float]:
    """Return the values of one contestant in the order of the rounds."""
    return [getattr(costs[name], field) for costs in rounds]


def _cores(jobs: int) -> Sequence[int | None]:
    """Return the cores to use; None for each if the system cannot pin processes."""
    if not hasattr(os, "sched_getaffinity"):
        return [None] * jobs
    return sorted(os.sched_getaffinity(0), reverse=True)[:jobs]


def _copies(contestants: Sequence[Contestant], lane: int) -> list[Contestant]:
    """Return the contestants with folders of their own; the first lane uses no copies."""
    if lane == 0:
        return list(contestants)
    copied = {each.folder: _copy(each.folder, lane) for each in contestants}
    return [replace(each, folder=copied[each.folder]) for each in contestants]


def _copy(folder: Path, lane: int) -> Path:
    copy = folder.with_name(f"{folder.name}.{lane}")
    if not copy.exists():
        shutil.copytree(folder, copy)
    return copy


def _run_one(
    contestants: Sequence[Contestant], core: int | None, *, is_reversed: bool = False
) -> Round:
    order = list(reversed(contestants)) if is_reversed else list(contestants)
    costs = {}
    for each in order:
        for name in each.fresh:
            shutil.rmtree(each.folder / name, ignore_errors=True)
        costs[each.name] = cost_of(each.command, each.folder, core, each.checkout)
    return costs


def _describe(costs: Round) -> str:
    return ", ".join(f"{name} {cost.cpu_s:.2f} s" for name, cost in sorted(costs.items()))
