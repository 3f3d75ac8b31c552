"""Outages of a gateway during a build: charges without an image are few, and the build ends."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import EmulatorServer
from tests.soak.builds.fork_server import BuildForkServer, BuildProcess
from tests.soak.builds.sites import SiteState, site_of, write_prompts
from tests.soak.figures import Figure

PROMPTS = 300
CONCURRENCY = 8
MAX_WASTED = 20
_MAX_BUILD_S = 300.0
"""Limit of a build, which only one that hangs reaches."""

_TIMEOUT_S = 6.0
_DRIP_S = 3 * _TIMEOUT_S
_LATENCY_S = (0.005, 0.03)


@dataclass(frozen=True, slots=True)
class Outage:
    """Way in which a gateway fails.

    Attributes:
        name: Name of the outage.
        plan: Fault of each call.
        closes_after: Number of images after which the server closes; None if it stays open.
        is_permanent: True if no call can succeed after the first failure.
    """

    name: str
    plan: tuple[str, ...] = ()
    closes_after: int | None = None
    is_permanent: bool = False


def outages(rng: random.Random) -> list[Outage]:
    """Return one outage of each kind, from a random call on."""

    def later(fault: str) -> tuple[str, ...]:
        return ("ok",) * rng.randint(0, 90) + (fault,) * PROMPTS * 6

    kinds = ["lost", "cut", "late-bad-gateway", "hung-up", "late-timeout"]
    cuts = (rng.choice(kinds) if rng.random() < 0.34 else "ok" for _ in range(PROMPTS * 2))
    return [
        Outage("server closed", closes_after=rng.randint(10, 90)),
        Outage("connections refused", closes_after=0),
        Outage("500 after generating", later("late-error")),
        Outage("500 at once", later("internal-error")),
        Outage("no response", later("silence")),
        Outage("slow drip", later("drip")),
        Outage("34 % of calls cut", tuple(cuts)),
        Outage("half images", later("half-image")),
        Outage("402", ("ok",) * 50 + later("insufficient-funds")[-PROMPTS:], is_permanent=True),
        Outage("401", later("authentication"), is_permanent=True),
    ]


@dataclass(slots=True)
class Counts:
    """Worst run of one kind of outage; failures and hangs are totals."""

    wasted: int = 0
    after_permanent_error: int = 0
    unreported: int = 0
    failed: int = 0
    hung: int = 0
    slowest_s: float = 0.0


def soak(rounds: int, folder: Path) -> Sequence[Figure]:
    """Build a site during an outage of each kind."""
    counts: dict[str, Counts] = {}
    with BuildForkServer() as fork_server:
        for number in range(rounds):
            for outage in outages(random.Random(number)):  # noqa: S311 - not a secret
                site_folder = folder / f"{number}-{outage.name.replace(' ', '-')}"
                _run(outage, site_folder, fork_server, counts.setdefault(outage.name, Counts()))
    return [figure for name, each in counts.items() for figure in _figures(name, each)]


def _figures(name: str, counts: Counts) -> list[Figure]:
    return [
        Figure(f"{name}: charges without an image", counts.wasted, max_value=MAX_WASTED),
        Figure(f"{name}: charges not in the report", counts.unreported, max_value=0),
        Figure(
            f"{name}: calls after a permanent error",
            counts.after_permanent_error,
            max_value=CONCURRENCY,
        ),
        Figure(f"{name}: builds that failed", counts.failed, max_value=0),
        Figure(f"{name}: builds that did not end", counts.hung, max_value=0),
        Figure(f"{name}: slowest build in seconds", round(counts.slowest_s, 1)),
    ]


def _run(outage: Outage, folder: Path, fork_server: BuildForkServer, counts: Counts) -> None:
    emulator = Emulator(
        plan=outage.plan,
        require_key=False,
        pause=lambda _: time.sleep(random.uniform(*_LATENCY_S)),  # noqa: S311 - not a secret
    )
    server = EmulatorServer(emulator, slow_s=_DRIP_S)
    try:
        site = site_of(folder, server.url, concurrency=CONCURRENCY, timeout=_TIMEOUT_S)
        write_prompts(site, [f"{outage.name} {number}" for number in range(PROMPTS)])
        begun = time.monotonic()
        with _closing(server, emulator, outage.closes_after):
            _wait(fork_server.start(site.folder), counts)
        counts.slowest_s = max(counts.slowest_s, time.monotonic() - begun)
    finally:
        server.close()
    _count(outage, emulator, SiteState(site), counts)


def _wait(build: BuildProcess, counts: Counts) -> None:
    try:
        counts.failed += build.wait(_MAX_BUILD_S) != 0
    except TimeoutError:
        counts.hung += 1


def _count(outage: Outage, emulator: Emulator, state: SiteState, counts: Counts) -> None:
    wasted = emulator.bill.images - len(state.stored_prompts())
    counts.wasted = max(counts.wasted, wasted)
    report = state.site.parent / "report.json"
    reported = json.loads(report.read_text())["wasted_calls"] if report.exists() else 0
    counts.unreported = max(counts.unreported, wasted - reported)
    if outage.is_permanent:
        statuses = [entry.status for entry in emulator.log if entry.prompt]
        first = next((at for at, status in enumerate(statuses) if status >= 400), len(statuses))
        later = len(statuses) - first - 1
        counts.after_permanent_error = max(counts.after_permanent_error, later)


@contextmanager
def _closing(server: EmulatorServer, emulator: Emulator, after: int | None) -> Iterator[None]:
    """Close the server after a number of images; never if it is None."""
    ended = threading.Event()

    def close() -> None:
        while not ended.wait(0.005):
            if emulator.bill.images >= (after or 0):
                server.close()
                return

    thread = threading.Thread(target=close)
    if after is not None:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        if after is not None:
            thread.join()
