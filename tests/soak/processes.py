"""Many builds of the same prompts at once, with one cache: each image is paid for once.

A round is a kill. The first builds are left alone; then, in every further set of builds, some are
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
from mkdocs_imagegen.emulator.server import serve
from tests.soak.builds.forks import Building, Forks
from tests.soak.builds.sites import Bill, Left, site_of, unlisted, wait_for_call, write_prompts
from tests.soak.figures import Figure
from tests.support import Site

PROCESSES = 8
PROMPTS = 100
_CONCURRENCY = 8
_KILLS_IN_A_SET = 5
_LATENCY_S = (0.1, 0.6)
_MAX_S = 120.0


@dataclass(slots=True)
class Told:
    """What was seen of all sets of builds."""

    in_peace: int = 0
    billed_in_peace: int = 0
    killed: int = 0
    billed: int = 0
    unlisted: int = 0
    listed: int = 0
    not_stored: int = 0
    not_shown: int = 0
    failed: int = 0
    left_over: int = 0
    locks: int = 0


def soak(rounds: int, folder: Path) -> Sequence[Figure]:
    """Build eight sites at once, and kill so many of the builds."""
    told, chance = Told(), random.Random(0)  # noqa: S311 - no secret
    sets = [0] + [_KILLS_IN_A_SET] * (rounds // _KILLS_IN_A_SET) + [rounds % _KILLS_IN_A_SET]
    with Forks() as forks:
        for number, kills in enumerate(sets):
            if kills or number == 0:
                _build_together(folder / str(number), kills, forks, chance, told)
    return [
        Figure("builds at once", PROCESSES),
        Figure("prompts of all builds that were left alone", told.in_peace),
        Figure(
            "images paid for by them",
            told.billed_in_peace,
            most=told.in_peace,
            least=told.in_peace,
        ),
        Figure("builds killed while they asked", told.killed, least=rounds),
        Figure("images paid for where builds were killed", told.billed),
        Figure("payments listed as unknown", told.listed, most=told.killed * _CONCURRENCY),
        Figure("payments beyond one that are not listed", told.unlisted, most=0),
        Figure("images paid for and not stored", told.not_stored, most=0),
        Figure("images missing in a site", told.not_shown, most=0),
        Figure("builds that failed", told.failed, most=0),
        Figure("calls left in the journal", told.left_over, most=0),
        Figure("locks left behind by builds that were left alone", told.locks, most=0),
    ]


def _build_together(
    folder: Path, kills: int, forks: Forks, chance: random.Random, told: Told
) -> None:
    emulator = Emulator(require_key=False, pause=lambda _: time.sleep(chance.uniform(*_LATENCY_S)))
    bill = Bill(emulator)
    with serve(emulator) as server:
        sites = [_site(folder / f"site{number}", server.url) for number in range(PROCESSES)]
        builds = [forks.start(site.folder) for site in sites]
        told.killed += _kill(builds, kills, Left(sites[0]), chance, forks)
        for build in builds:
            told.failed += build.wait(_MAX_S) != 0
        _judge(sites, bill.by_prompt(), kills, told)


def _site(folder: Path, url: str) -> Site:
    site = site_of(folder, url, concurrency=_CONCURRENCY)
    site.options["cache_dir"] = "../shared"
    site.save()
    write_prompts(site, [f"Prompt {number}" for number in range(PROMPTS)])
    return site


def _kill(
    builds: list[Building], kills: int, left: Left, chance: random.Random, forks: Forks
) -> int:
    """Kill builds and start them again; how many were killed while calls were going on."""
    killed = 0
    for _ in range(kills):
        if not wait_for_call(left, 30):
            break
        time.sleep(chance.uniform(0, 0.5))
        number = chance.randrange(len(builds))
        if builds[number].poll() is None:
            killed += bool(left.begun())
            builds[number].send(signal.SIGKILL)
            builds[number].wait(30)
        builds[number] = forks.start(builds[number].folder)
    return killed


def _judge(sites: Sequence[Site], bill: Counter[str], kills: int, told: Told) -> None:
    left = Left(sites[0])
    told.unlisted += unlisted(bill, left)
    told.listed += left.unknown().total()
    told.not_stored += len(set(bill) - left.prompts_stored())
    told.not_shown += sum(PROMPTS - Left(site).count_shown() for site in sites)
    told.left_over += len(left.begun()) + len(left.answered())
    if kills:
        told.billed += bill.total()
    else:
        told.locks += len(list(left.store.folder.glob(".claims/*.lock")))
        told.in_peace += PROMPTS
        told.billed_in_peace += bill.total()
