"""A first build, compared to the best schedule of the responses of the gateway.

The build has one page in a bare theme, so that MkDocs takes little of the time. The images are
sketches, which take less to encode than photographs: so encoding keeps about as much of two cores
busy as photographs do at the latency of a real gateway, which is three times as long.
"""

from __future__ import annotations

import shutil
import statistics
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from tests.benchmark.figures import Goal, Row, median_of, ratios
from tests.benchmark.gateway import gateway, latencies, makespan_of
from tests.benchmark.processes import cost_of
from tests.benchmark.rounds import Bench
from tests.benchmark.sites import CONCURRENCY, add_plugin, check_shown, prompt, site_of
from tests.benchmark.waits import Waits, p99, read_waits
from tests.support import ORIGINALS, Site

NAMES = ("cold",)
_SEED = 0
_MAX_RUNS = 2
_MAX_WAITS_MS = {"file work": {"mean": 25.0, "p99": 250.0}}
_AVERAGES: dict[str, Callable[[Sequence[float]], float]] = {"mean": statistics.mean, "p99": p99}


@dataclass(frozen=True, slots=True)
class _Build:
    """A first build: its wall time, its waits, and the number of its files."""

    wall_s: float
    waits: Waits
    files: int


def measure(bench: Bench, _names: Collection[str] = NAMES) -> list[Row]:
    """Measure wall time and waits, with half as many images as the large sites have pages."""
    images, runs = max(1, bench.pages // 2), min(bench.pairs, _MAX_RUNS)
    drawn = latencies(images, bench.latency_s, _SEED)
    best_s = makespan_of(drawn, CONCURRENCY)
    text = "\n".join(map(prompt, range(images)))
    site = add_plugin(site_of(bench.folder / "cold", 0, text=text, bare=True))
    builds = []
    for number in range(runs):
        bench.tell(f"cold: run {number + 1} of {runs}, at least {best_s:.1f} s")
        builds.append(_cold_build(site, drawn))
    return _rows(builds, images, best_s, bench.latency_s)


def _cold_build(site: Site, drawn: Sequence[float]) -> _Build:
    for name in ("site", ".cache", ORIGINALS):
        shutil.rmtree(site.folder / name, ignore_errors=True)
    path = site.folder / "waits.json"
    with gateway(latencies_s=drawn) as address:
        site.options["gateway"] = address
        site.save()
        command = (sys.executable, "-m", "tests.benchmark.waits", str(path), "build", "--quiet")
        cost = cost_of(command, site.folder)
    return _Build(cost.wall_s, read_waits(path), files=check_shown(site, len(drawn)))


def _rows(builds: Sequence[_Build], images: int, best_s: float, latency_s: float) -> list[Row]:
    note = (
        f"{CONCURRENCY} requests at the same time, log-normal latencies with a median of "
        f"{latency_s:g} s, drawn with seed {_SEED}; in the best schedule, each request starts as "
        "soon as another one ends"
    )

    def row(figure: str, values: Sequence[float], max_value: float | None, unit: str = "") -> Row:
        goal = None if max_value is None else Goal(max_value)
        runs = {"ours": values}
        return Row("cold", figure, "-", median_of(values), None, goal, unit, runs, note)

    walls = [each.wall_s for each in builds]
    rows = [
        Row(
            "cold", f"{images} images generated, wall time", "best schedule",
            median_of(ratios(walls, [best_s] * len(walls))), goal=Goal(1.02),
            runs={"ours": walls, "best": [best_s]}, note=note,
        )
    ]  # fmt: skip
    for kind in builds[0].waits.seconds:
        for name, average in _AVERAGES.items():
            values = [1000 * average(each.waits.seconds[kind]) for each in builds]
            max_ms = _MAX_WAITS_MS.get(kind, {}).get(name)
            rows.append(row(f"{kind}, {name} wait", values, max_ms, "ms"))
    decoded = [each.waits.decoded / images for each in builds]
    encoded = [each.waits.encoded / each.files for each in builds]
    rows.append(row("images decoded, per new image", decoded, 1.0))
    rows.append(row("files encoded, per file", encoded, 1.0))
    return rows
