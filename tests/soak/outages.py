"""A gateway's bad days in the middle of a build: how much is paid for nothing, and for how long."""

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
from mkdocs_imagegen.emulator.server import EmulatorServer, serve
from tests.soak.builds.forks import Building, Forks
from tests.soak.builds.sites import Left, site_of, write_prompts
from tests.soak.figures import Figure

PROMPTS = 300
CONCURRENCY = 8
MAX_WASTED = 20
MAX_RUN_S = 60.0
_HUNG_S = 100.0
_TIMEOUT_S = 3.0
_DRIP_S = 9.0
_LATENCY_S = (0.005, 0.03)


@dataclass(frozen=True, slots=True)
class Outage:
    """A way in which a gateway fails.

    Attributes:
        name: in words.
        plan: the fault of each call.
        gone: whether the server goes away, and from which call on; None: it stays.
        is_permanent: whether no call can succeed after the first that fails.
    """

    name: str
    plan: tuple[str, ...] = ()
    gone: int | None = None
    is_permanent: bool = False


def outages(chance: random.Random) -> list[Outage]:
    """One of each, beginning at a random call."""

    def later(fault: str) -> tuple[str, ...]:
        return ("ok",) * chance.randint(0, 90) + (fault,) * PROMPTS * 6

    kinds = ["lost", "cut", "late-bad-gateway", "hung-up", "late-timeout"]
    cuts = (chance.choice(kinds) if chance.random() < 0.34 else "ok" for _ in range(PROMPTS * 2))
    return [
        Outage("server gone", gone=chance.randint(10, 90)),
        Outage("connections refused", gone=0),
        Outage("500 after computing", later("late-error")),
        Outage("500 at once", later("internal-error")),
        Outage("no answer", later("silence")),
        Outage("slow drip", later("drip")),
        Outage("34 % of calls cut", tuple(cuts)),
        Outage("images that are none", later("half-image")),
        Outage("402", ("ok",) * 50 + later("insufficient-funds")[-PROMPTS:], is_permanent=True),
        Outage("401", later("authentication"), is_permanent=True),
    ]


@dataclass(slots=True)
class Told:
    """The worst of the runs of one kind of outage; failures and hangs are counted."""

    wasted: int = 0
    after_the_first: int = 0
    untold: int = 0
    failed: int = 0
    hung: int = 0
    slowest_s: float = 0.0


def soak(rounds: int, folder: Path) -> Sequence[Figure]:
    """Build a site during an outage of each kind, so many times."""
    told: dict[str, Told] = {}
    with Forks() as forks:
        for number in range(rounds):
            for outage in outages(random.Random(number)):  # noqa: S311 - no secret
                location = folder / f"{number}-{outage.name.replace(' ', '-')}"
                _run(outage, location, forks, told.setdefault(outage.name, Told()))
    return [figure for name, seen in told.items() for figure in _figures(name, seen)]


def _figures(name: str, told: Told) -> list[Figure]:
    return [
        Figure(f"{name}: most paid for nothing in a run", told.wasted, most=MAX_WASTED),
        Figure(f"{name}: of it, not told in the report", told.untold, most=0),
        Figure(f"{name}: calls after a permanent error", told.after_the_first, most=CONCURRENCY),
        Figure(f"{name}: builds that did not stand", told.failed, most=0),
        Figure(f"{name}: builds that did not end", told.hung, most=0),
        Figure(f"{name}: slowest build in seconds", round(told.slowest_s, 1), most=MAX_RUN_S),
    ]


def _run(outage: Outage, location: Path, forks: Forks, told: Told) -> None:
    emulator = Emulator(
        plan=outage.plan,
        require_key=False,
        pause=lambda _: time.sleep(random.uniform(*_LATENCY_S)),  # noqa: S311 - no secret
    )
    server = serve(emulator, slow_s=_DRIP_S)
    try:
        site = site_of(location, server.url, concurrency=CONCURRENCY, timeout=_TIMEOUT_S)
        write_prompts(site, [f"{outage.name} {number}" for number in range(PROMPTS)])
        begun = time.monotonic()
        with _going(server, emulator, outage.gone):
            _wait(forks.start(site.folder), told)
        told.slowest_s = max(told.slowest_s, time.monotonic() - begun)
    finally:
        server.close()
    _judge(outage, emulator, Left(site), told)


def _wait(build: Building, told: Told) -> None:
    try:
        told.failed += build.wait(_HUNG_S) != 0
    except TimeoutError:
        told.hung += 1


def _judge(outage: Outage, emulator: Emulator, left: Left, told: Told) -> None:
    wasted = emulator.bill.images - len(left.prompts_stored())
    told.wasted = max(told.wasted, wasted)
    report = left.site.parent / "report.json"
    said = json.loads(report.read_text())["wasted_calls"] if report.exists() else 0
    told.untold = max(told.untold, wasted - said)
    if outage.is_permanent:
        statuses = [seen.status for seen in emulator.log if seen.prompt]
        first = next((at for at, status in enumerate(statuses) if status >= 400), len(statuses))
        told.after_the_first = max(told.after_the_first, len(statuses) - first - 1)


@contextmanager
def _going(server: EmulatorServer, emulator: Emulator, gone: int | None) -> Iterator[None]:
    """The server goes away with that call, if it does."""
    over = threading.Event()

    def go() -> None:
        while not over.wait(0.005):
            if emulator.bill.images >= (gone or 0):
                server.close()
                return

    thread = threading.Thread(target=go)
    if gone is not None:
        thread.start()
    try:
        yield
    finally:
        over.set()
        if gone is not None:
            thread.join()
