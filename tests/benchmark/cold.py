"""A first build, compared to the best schedule of the responses of the gateway."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Collection
from pathlib import Path

from tests.benchmark.figures import Goal, Row, median_of, ratios
from tests.benchmark.gateway import Latencies, gateway, makespan_of
from tests.benchmark.processes import BUILD, RunError, cost_of
from tests.benchmark.rounds import Bench
from tests.benchmark.sites import CONCURRENCY, add_plugin, prompt, site_of
from tests.support import ORIGINALS, Site

NAMES = ("cold",)
MEDIAN_S = 2.0
"""One ninth of the median of a real gateway."""

_MAX_RUNS, _PLAIN_PAIRS_A_RUN = 2, 3


def measure(bench: Bench, _names: Collection[str] = NAMES) -> list[Row]:
    """Measure wall time, with half as many images as the large sites have."""
    images, runs = max(1, bench.pages // 2), min(bench.pairs, _MAX_RUNS)
    plain = site_of(bench.folder / "cold plain", images)
    ours = site_of(bench.folder / "cold ours", images, prompt)
    add_plugin(ours)
    seconds: dict[str, list[float]] = {"plain": [], "plain again": [], "ours": [], "best": []}
    for number in range(runs):
        for _ in range(_PLAIN_PAIRS_A_RUN):
            for name in ("plain", "plain again"):
                seconds[name].append(cost_of(BUILD, plain.folder).wall_s)
        ours_s, best_s = _cold_build(ours, images, seed=number)
        seconds["ours"].append(ours_s)
        seconds["best"].append(best_s + statistics.median(seconds["plain"]))
        bench.tell(f"cold: run {number + 1} of {runs}, {ours_s:.1f} s, best {best_s:.1f} s + plain")
    note = (
        f"{runs} runs, {CONCURRENCY} calls at the same time, median latency {MEDIAN_S:g} s, "
        "log-normal; the best is the sum of a plain build and of a schedule in which each call "
        "starts as soon as one ends"
    )
    return [
        Row(
            "cold",
            f"{images} images generated, wall time",
            "responses + plain",
            median_of(ratios(seconds["ours"], seconds["best"])),
            median_of(ratios(seconds["plain again"], seconds["plain"])),
            Goal(1.05),
            runs=seconds,
            note=note,
        )
    ]


def _cold_build(site: Site, images: int, seed: int) -> tuple[float, float]:
    """Return the seconds of a first build, and of the best schedule of its responses."""
    _empty(site.folder)
    latencies = Latencies(MEDIAN_S, seed)
    with gateway(pause=latencies) as address:
        site.options["gateway"] = address
        site.save()
        seconds = cost_of(BUILD, site.folder).wall_s
    if len(latencies.drawn) != images:
        raise RunError(f"{len(latencies.drawn)} images were generated, not {images}")
    return seconds, makespan_of(latencies.drawn, CONCURRENCY)


def _empty(folder: Path) -> None:
    for name in ("site", ".cache", ORIGINALS):
        shutil.rmtree(folder / name, ignore_errors=True)
