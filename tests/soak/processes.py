"""Builds of the same prompts at the same time with one folder: each image is charged once.

A round is one kill. The first builds run to their end. In every further set of builds, some are
killed at random moments and started again.
"""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import EmulatorServer
from tests.soak.builds.fork_server import BuildForkServer, BuildProcess
from tests.soak.builds.sites import (
    ChargedImages,
    SiteState,
    count_unlisted,
    site_of,
    wait_for_call,
    write_prompts,
)
from tests.soak.figures import Figure
from tests.support import Site

PROCESSES = 8
PROMPTS = 100
_CONCURRENCY = 8
_KILLS_PER_SET = 5
_LATENCY_S = (0.1, 0.6)
_MAX_DELAY_S = 0.5
_MAX_BUILDS_S = 240.0
"""Limit of one set of builds: eight of them share the machine."""


@dataclass(slots=True)
class Counts:
    """Counts of all sets of builds."""

    prompts_without_kills: int = 0
    charged_without_kills: int = 0
    killed: int = 0
    charged: int = 0
    unlisted: int = 0
    listed: int = 0
    not_stored: int = 0
    not_shown: int = 0
    failed: int = 0
    open_calls: int = 0
    locks: int = 0


def soak(rounds: int, folder: Path) -> Sequence[Figure]:
    """Build eight sites at the same time, and kill some of the builds."""
    counts, rng = Counts(), random.Random(0)  # noqa: S311 - not a secret
    sets = [0] + [_KILLS_PER_SET] * (rounds // _KILLS_PER_SET) + [rounds % _KILLS_PER_SET]
    with BuildForkServer() as fork_server:
        for number, kills in enumerate(sets):
            if kills or number == 0:
                _build_set(folder / str(number), kills, fork_server, rng, counts)
    prompts = counts.prompts_without_kills
    return [
        Figure("builds at the same time", PROCESSES),
        Figure("prompts of builds without kills", prompts),
        Figure(
            "images charged for them",
            counts.charged_without_kills,
            max_value=prompts,
            min_value=prompts,
        ),
        Figure("builds killed during calls", counts.killed, min_value=rounds),
        Figure("images charged in sets with kills", counts.charged),
        Figure("charges listed as unknown", counts.listed, max_value=counts.killed * _CONCURRENCY),
        Figure("charges beyond one that are not listed", counts.unlisted, max_value=0),
        Figure("charged images not stored", counts.not_stored, max_value=0),
        Figure("images missing in a site", counts.not_shown, max_value=0),
        Figure("builds that failed", counts.failed, max_value=0),
        Figure("calls left in the journal", counts.open_calls, max_value=0),
        Figure("claim files of builds without kills", counts.locks, max_value=0),
    ]


def _build_set(
    folder: Path, kills: int, fork_server: BuildForkServer, rng: random.Random, counts: Counts
) -> None:
    emulator = Emulator(require_key=False, pause=lambda _: time.sleep(rng.uniform(*_LATENCY_S)))
    charges = ChargedImages(emulator)
    with EmulatorServer(emulator) as server:
        sites = [_site(folder / f"site{number}", server.url) for number in range(PROCESSES)]
        builds = [fork_server.start(site.folder) for site in sites]
        counts.killed += _kill(builds, kills, SiteState(sites[0]), rng, fork_server)
        for build in builds:
            counts.failed += build.wait(_MAX_BUILDS_S) != 0
        _count(sites, charges.by_prompt(), kills, counts)


def _site(folder: Path, url: str) -> Site:
    site = site_of(folder, url, concurrency=_CONCURRENCY)
    site.options["originals_dir"] = "../shared"
    site.save()
    write_prompts(site, [f"Prompt {number}" for number in range(PROMPTS)])
    return site


def _kill(
    builds: list[BuildProcess],
    kills: int,
    state: SiteState,
    rng: random.Random,
    fork_server: BuildForkServer,
) -> int:
    """Kill builds and start them again; return the number of kills during calls."""
    killed = 0
    for _ in range(kills):
        if not wait_for_call(state):
            break
        time.sleep(rng.uniform(0, _MAX_DELAY_S))
        number = rng.randrange(len(builds))
        if builds[number].poll() is None:
            killed += bool(state.open_intents())
            builds[number].send(signal.SIGKILL)
            builds[number].wait()
        builds[number] = fork_server.start(builds[number].folder)
    return killed


def _count(sites: Sequence[Site], charges: Counter[str], kills: int, counts: Counts) -> None:
    state = SiteState(sites[0])
    counts.unlisted += count_unlisted(charges, state)
    counts.listed += state.unknown().total()
    counts.not_stored += len(set(charges) - state.stored_prompts())
    counts.not_shown += sum(PROMPTS - SiteState(site).count_shown() for site in sites)
    counts.open_calls += len(state.open_intents()) + len(state.journaled_answers())
    if kills:
        counts.charged += charges.total()
    else:
        counts.locks += len(list(state.originals.glob("work/claims/*.lock")))
        counts.prompts_without_kills += PROMPTS
        counts.charged_without_kills += charges.total()
