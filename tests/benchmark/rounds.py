"""Rounds in which every contestant runs once, one after the other."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from tests.benchmark.processes import BUILD, Cost, cost_of

Round = Mapping[str, Cost]
"""What each contestant cost, by its name."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """A program that is measured.

    Attributes:
        name: what its costs are found under.
        folder: where it runs; rounds on another core run in copies.
        command: the program and its arguments.
        fresh: what is removed before each run, below its folder.
    """

    name: str
    folder: Path
    command: tuple[str, ...] = BUILD
    fresh: tuple[str, ...] = ("site",)


@dataclass(frozen=True, slots=True)
class Bench:
    """What all benchmarks share.

    Attributes:
        folder: for their sites; empty at first.
        pairs: rounds, for each of the figures.
        pages: of the larger sites; the smaller have a tenth of them.
        jobs: rounds at the same time, each on a core of its own.
        npm: a folder in which npm keeps packages.
        tell: told what is being done.
    """

    folder: Path
    pairs: int = 20
    pages: int = 1000
    jobs: int = 1
    npm: Path | None = None
    tell: Callable[[str], None] = print

    @property
    def few(self) -> int:
        """Pages of the smaller sites."""
        return max(1, self.pages // 10)


def run_rounds(
    bench: Bench, title: str, contestants: Sequence[Contestant], *, pinned: bool = True
) -> list[Round]:
    """Run every contestant once a round; every other round in the other order.

    Each core first runs a round that does not count, which fills caches.

    Args:
        bench: how many rounds, and how many at the same time.
        title: what the rounds are for.
        contestants: in the order of the even rounds.
        pinned: whether a round keeps to one core; else it may use all, and runs alone.
    """
    cores = _cores(bench.jobs) if pinned else [None]
    numbers = [range(first, bench.pairs, len(cores)) for first in range(len(cores))]
    lanes = [_copies(contestants, lane) for lane in range(len(cores))]

    def run_lane(lane: int) -> list[tuple[int, Round]]:
        _run_one(lanes[lane], 0, cores[lane])
        return [(number, told(lane, number)) for number in numbers[lane]]

    def told(lane: int, number: int) -> Round:
        costs = _run_one(lanes[lane], number, cores[lane])
        bench.tell(f"{title}: round {number + 1} of {bench.pairs}, {_in_words(costs)}")
        return costs

    with ThreadPoolExecutor(len(cores)) as pool:
        done = chain.from_iterable(pool.map(run_lane, range(len(cores))))
        return [costs for _, costs in sorted(done, key=lambda each: each[0])]


def values(rounds: Sequence[Round], name: str, what: str = "cpu_s") -> list[float]:
    """One contestant's figures, in the order of the rounds."""
    return [getattr(costs[name], what) for costs in rounds]


def _cores(jobs: int) -> Sequence[int | None]:
    """So many of the cores there are; where cores cannot be chosen, a None for each."""
    if not hasattr(os, "sched_getaffinity"):
        return [None] * jobs
    return sorted(os.sched_getaffinity(0), reverse=True)[:jobs]


def _copies(contestants: Sequence[Contestant], lane: int) -> list[Contestant]:
    """The same in folders of their own; the first lane has the originals."""
    if lane == 0:
        return list(contestants)
    copied = {each.folder: _copy(each.folder, lane) for each in contestants}
    return [replace(each, folder=copied[each.folder]) for each in contestants]


def _copy(folder: Path, lane: int) -> Path:
    copy = folder.with_name(f"{folder.name}.{lane}")
    if not copy.exists():
        shutil.copytree(folder, copy)
    return copy


def _run_one(contestants: Sequence[Contestant], number: int, core: int | None) -> Round:
    order = list(contestants) if number % 2 == 0 else list(reversed(contestants))
    costs = {}
    for each in order:
        for name in each.fresh:
            shutil.rmtree(each.folder / name, ignore_errors=True)
        costs[each.name] = cost_of(each.command, each.folder, core)
    return costs


def _in_words(costs: Round) -> str:
    return ", ".join(f"{name} {cost.cpu_s:.2f} s" for name, cost in sorted(costs.items()))
