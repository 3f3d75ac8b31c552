"""Builds that reuse all images, compared to plain builds and to other plugins."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from tests.benchmark import peers
from tests.benchmark.comparing import AGAIN, PLAIN, ratio_row
from tests.benchmark.figures import Goal, Row
from tests.benchmark.processes import RunError
from tests.benchmark.rounds import Bench, Contestant, Round, run_rounds
from tests.benchmark.sites import add_plugin, fill, prompt, site_of

NAMES = ("idle", "warm", "peers")
_PEERS_NOTE = (
    "all caches are warm; each plugin has one diagram or card per page; kroki uses POST, because "
    "with GET it writes only a URL and caches no image"
)


def measure(bench: Bench, names: Collection[str]) -> Iterator[Row]:
    """Measure the large sites, then small ones with other plugins."""
    for pages, wanted in ((bench.pages, set(names)), (bench.few, {"peers"}.intersection(names))):
        if wanted:
            yield from _rows_of(_run(bench, pages, wanted), pages, wanted)


def _run(bench: Bench, pages: int, wanted: set[str]) -> list[Round]:
    folder = bench.folder / f"sites{pages}"
    bench.tell(f"{pages} pages: sites for {', '.join(sorted(wanted))}")
    plain = site_of(folder / "plain", pages).folder
    contestants = [Contestant(PLAIN, plain), Contestant(AGAIN, plain)]
    if "idle" in wanted:
        idle = add_plugin(site_of(folder / "idle", pages))
        contestants.append(Contestant("idle", idle.folder))
    if wanted != {"idle"}:
        ours = add_plugin(site_of(folder / "ours", pages, prompt))
        fill(ours, pages)
        contestants.append(Contestant("ours", ours.folder))
    with ExitStack() as stack:
        if "peers" in wanted:
            server = stack.enter_context(peers.diagram_server())
            contestants += _peers_of(bench, folder, pages, server)
        return run_rounds(bench, f"{pages} pages", contestants)


def _peers_of(bench: Bench, folder: Path, pages: int, server: str) -> list[Contestant]:
    """Return the installed plugins; one that fails is left out."""

    def fill_cache(name: str) -> Contestant | None:
        bench.tell(f"{pages} pages: filling the cache of {name}")
        try:
            site = peers.site_with(name, folder / name, pages, server)
        except RunError as error:
            bench.tell(f"{name} is left out: {error}")
            return None
        return Contestant(name, site.folder)

    with ThreadPoolExecutor(bench.jobs) as pool:
        return [each for each in pool.map(fill_cache, peers.installed()) if each]


def _rows_of(rounds: Sequence[Round], pages: int, wanted: Collection[str]) -> list[Row]:
    rows = []
    if "idle" in wanted:
        rows += _idle(rounds, pages)
    if "warm" in wanted:
        rows += _warm(rounds, pages)
    if "peers" in wanted:
        rows += _peers(rounds, pages)
    return rows


def _idle(rounds: Sequence[Round], pages: int) -> list[Row]:
    figure = f"{pages} pages without images"
    return [
        ratio_row(rounds, "idle", f"{figure}, CPU", "idle"),
        ratio_row(rounds, "idle", f"{figure}, memory", "idle", field="peak_mib"),
    ]


def _warm(rounds: Sequence[Round], pages: int) -> list[Row]:
    figure = f"{pages} pages and images, all reused"
    return [
        ratio_row(rounds, "warm", f"{figure}, CPU", "ours"),
        ratio_row(rounds, "warm", f"{figure}, memory", "ours", field="peak_mib"),
    ]


def _peers(rounds: Sequence[Round], pages: int) -> list[Row]:
    present = [name for name in peers.NAMES if name in rounds[0]]
    missing = ", ".join(name for name in peers.NAMES if name not in present)
    note = f"{_PEERS_NOTE}; left out: {missing or 'none'}"
    rows = []
    for name in ("ours", *present):
        figure = f"{pages} pages, one image each, {name}, CPU"
        rows.append(ratio_row(rounds, "peers", figure, name, label="plain", note=note))
    for name in present:
        figure = f"{pages} pages, one image each, CPU"
        rows.append(ratio_row(rounds, "peers", figure, "ours", against=name, goal=Goal(1.0)))
    return rows
