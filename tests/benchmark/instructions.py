"""Machine instructions of a program, which do not depend on the load of the machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from mkdocs_imagegen.originals.record import serialize_record
from mkdocs_imagegen.settings import DEFAULT_ORIGINALS_DIR
from tests.benchmark import peers
from tests.benchmark.comparing import PLAIN
from tests.benchmark.figures import Goal, Row, median_of
from tests.benchmark.processes import BUILD, TIMEOUT_S, cost_of, environ
from tests.benchmark.rounds import Bench
from tests.benchmark.sites import add_plugin, fill, prompt, site_of
from tests.originals.support import key_of, record
from tests.support import Site

NAMES = ("idle", "warm", "start", "missing", "peers")
FIXED_M, PER_IMAGE_M, START_M = 200.0, 5.5, 50.0
"""Goals in millions of instructions: of a build, for each of its images, and without images."""

_PAGES = 100
_OTHER_RECORDS = 200  # for each page
_COUNTED = re.compile(r"([\d,]+)\s+instructions:u|I\s+refs:\s+([\d,]+)")


def counter() -> tuple[str, ...]:
    """Return the command that counts instructions; empty if there is none.

    `perf` reads counters of the processor, which virtual machines often forbid. Valgrind simulates
    the program about fifty times slower; its cachegrind counts like callgrind and is faster.
    """
    if shutil.which("perf") and _count(("perf", "stat", "-e", "instructions:u"), ("true",)):
        return ("perf", "stat", "-e", "instructions:u")
    if shutil.which("valgrind"):
        quiet = ("--cache-sim=no", "--cachegrind-out-file=/dev/null")
        return ("valgrind", "--tool=cachegrind", *quiet)
    return ()


def instructions_of(counting: Sequence[str], command: Sequence[str], folder: Path) -> int:
    """Return the number of instructions of a program.

    Raises:
        RuntimeError: If the counter printed no number.
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
        env=environ(),
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
    )
    found = _COUNTED.search(done.stderr) if done.returncode == 0 else None
    return int((found[1] or found[2]).replace(",", "")) if found else None


def measure(bench: Bench, names: Collection[str] = NAMES) -> list[Row]:
    """Count each build once: equal builds take nearly equal numbers of instructions."""
    counting, pages = counter(), min(_PAGES, bench.pages)
    if not counting:
        note = "instructions are not counted: perf is not supported and valgrind is not installed"
        return [Row(name, "instructions", PLAIN, None, note=note) for name in names]
    with ExitStack() as stack:
        sites = _sites(bench.folder / "counted", pages, names, stack)
        bench.tell(f"{pages} pages: counting instructions with {counting[0]}")
        with ThreadPoolExecutor(bench.jobs) as pool:
            folders = [site.folder for site in sites.values()]
            counts = pool.map(lambda folder: instructions_of(counting, BUILD, folder), folders)
            counted = dict(zip(sites, counts, strict=True))
    note = (
        f"instructions are counted with {counting[0]}, once, with hash seed 0, without the kernel"
    )
    return [replace(row, note=note) for row in rows_of(counted, pages, names)]


def _sites(folder: Path, pages: int, names: Collection[str], stack: ExitStack) -> dict[str, Site]:
    """Create the sites, and build each once."""
    sites = {}
    if {"idle", "warm", "peers"}.intersection(names):
        sites[PLAIN] = site_of(folder / "plain", pages)
    if "idle" in names:
        sites["idle"] = add_plugin(site_of(folder / "idle", pages))
    if "start" in names:
        sites["one page"] = site_of(folder / "one page", 0, bare=True)
        sites["start"] = add_plugin(site_of(folder / "start", 0, bare=True))
    for site in sites.values():
        cost_of(BUILD, site.folder)
    if {"warm", "peers"}.intersection(names):
        sites["ours"] = add_plugin(site_of(folder / "ours", pages, prompt))
        fill(sites["ours"], pages)
    if "missing" in names:
        for name in ("complete", "missing"):
            sites[name] = add_plugin(site_of(folder / name, pages, prompt))
            fill(sites[name], pages)
            _add_records(sites[name].folder / DEFAULT_ORIGINALS_DIR, pages * _OTHER_RECORDS)
        sites["missing"].write("index.md", f"# Home\n\n{prompt(pages)}")
        cost_of(BUILD, sites["missing"].folder)
    if "peers" in names:
        server = stack.enter_context(peers.diagram_server())
        for name in peers.installed():
            sites[name] = peers.site_with(name, folder / name, pages, server)
    return sites


def _add_records(originals: Path, number: int) -> None:
    """Add records of other subjects, as a folder has them that was filled long ago."""
    for name in map(str, range(number)):
        other = record(name, subject=key_of(f"subject of {name}"))
        path = originals / other.key[:2] / f"{other.key}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(serialize_record(other))
    for subfolder in originals.glob("??"):
        os.utime(subfolder, (0, 0))


def rows_of(counted: Mapping[str, int], pages: int, names: Collection[str]) -> Iterator[Row]:
    """Yield the rows for counts by contestant."""
    if "idle" in names:
        yield _row(counted, "idle", f"{pages} pages without images", "idle", Goal(1.005))
    if "warm" in names:
        label, goal = f"{pages} pages and images, all reused", Goal(FIXED_M + PER_IMAGE_M * pages)
        yield _extra_row(counted, "warm", label, "ours", PLAIN, goal)
    if "start" in names:
        label = "one page without images"
        yield _extra_row(counted, "start", label, "start", "one page", Goal(START_M))
    if "missing" in names:
        label = f"one image missing among {pages * _OTHER_RECORDS:,} records, second build"
        yield _row(counted, "missing", label, "missing", Goal(1.02), against="complete")
    if "peers" in names:
        present = [name for name in peers.NAMES if name in counted]
        for name in ("ours", *present):
            yield _row(counted, "peers", f"{pages} pages, one image each, {name}", name)
        for name in present:
            label = f"{pages} pages, one image each"
            yield _row(counted, "peers", label, "ours", Goal(1.0), against=name)


def _row(  # noqa: PLR0913, PLR0917 - one argument per column
    counted: Mapping[str, int],
    name: str,
    figure: str,
    ours: str,
    goal: Goal | None = None,
    against: str = PLAIN,
) -> Row:
    value = median_of([counted[ours] / counted[against]])
    runs = {each: [float(counted[each])] for each in (ours, against)}
    return Row(name, f"{figure}, instructions", against, value, goal=goal, runs=runs)


def _extra_row(  # noqa: PLR0913, PLR0917 - one argument per column
    counted: Mapping[str, int], name: str, figure: str, ours: str, against: str, goal: Goal
) -> Row:
    """Return the difference of two contestants in millions of instructions."""
    row = _row(counted, name, figure, ours, goal, against)
    value = median_of([(counted[ours] - counted[against]) / 1e6])
    figure = f"{figure}, extra instructions"
    return replace(row, figure=figure, against=PLAIN, value=value, unit="M")
