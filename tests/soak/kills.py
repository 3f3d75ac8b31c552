"""Builds killed at random moments: no original is lost, and no charge is forgotten.

A round is one kill. Each build has its own prompts and those of the builds before it. After a few
kills, one build runs to its end, and all files are checked.
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import EmulatorServer
from tests.soak.builds.fork_server import BuildForkServer, BuildProcess
from tests.soak.builds.sites import (
    ChargedImages,
    Latency,
    SiteState,
    count_unlisted,
    site_of,
    wait_for_call,
    write_prompts,
)
from tests.soak.figures import Figure
from tests.support import Site
from tests.waiting import wait_until

PROMPTS = 6
_CONCURRENCY = 3
_KILLS_PER_SET = 4
_SETS_PER_SITE = 5
_LATENCY_S = (0.05, 0.3)
_AT_ANY_MOMENT = 0.1
"""Share of kills that may come before the first call and after the last."""

_ANY_MOMENT_S, _MAX_DELAY_S = 0.6, 0.2


@dataclass(slots=True)
class Counts:
    """Counts of all builds."""

    kills: int = 0
    during_calls: int = 0
    in_flight: int = 0
    unstored_answers: int = 0
    lost: int = 0
    lost_answers: int = 0
    broken: int = 0
    broken_files: int = 0
    unlisted: int = 0
    listed: int = 0
    failed: int = 0
    not_shown: int = 0
    open_calls: int = 0


@dataclass(slots=True)
class Workspace:
    """Site that is built again and again.

    Attributes:
        stored: SHA-256 of every original that a build has stored, by key.
        prompts: Prompts of all builds since the last complete one.
        answered: Keys of answers that a killed build had not stored.
    """

    site: Site
    state: SiteState
    charges: ChargedImages
    fork_server: BuildForkServer
    rng: random.Random
    counts: Counts
    stored: dict[str, str] = field(default_factory=dict)
    prompts: list[str] = field(default_factory=list)
    answered: set[str] = field(default_factory=set)


def soak(rounds: int, folder: Path) -> Sequence[Figure]:
    """Kill builds."""
    counts, rng = Counts(), random.Random(0)  # noqa: S311 - not a secret
    with BuildForkServer() as fork_server:
        number = 0
        while counts.kills < rounds:
            _kill_on_site(folder / f"site{number}", rounds, fork_server, rng, counts)
            number += 1
    return [
        Figure("builds killed", counts.kills, min_value=rounds),
        Figure("kills during calls", counts.during_calls, min_value=0.6 * rounds),
        Figure("calls in flight at a kill", counts.in_flight, min_value=min(rounds, 1)),
        Figure("answers not stored at a kill", counts.unstored_answers),
        Figure("answers lost", counts.lost_answers, max_value=0),
        Figure("originals lost", counts.lost, max_value=0),
        Figure("damaged originals", counts.broken, max_value=0),
        Figure("broken images in the pages of a complete build", counts.broken_files, max_value=0),
        Figure("missing images in the pages of a complete build", counts.not_shown, max_value=0),
        Figure("complete builds that failed", counts.failed, max_value=0),
        Figure("charges listed as unknown", counts.listed, max_value=counts.in_flight),
        Figure("charges beyond one that are not listed", counts.unlisted, max_value=0),
        Figure("calls in the journal of a complete build", counts.open_calls, max_value=0),
    ]


def _kill_on_site(
    folder: Path, rounds: int, fork_server: BuildForkServer, rng: random.Random, counts: Counts
) -> None:
    emulator = Emulator(require_key=False, pause=Latency(*_LATENCY_S))
    with EmulatorServer(emulator) as server:
        site = site_of(folder, server.url, concurrency=_CONCURRENCY)
        charges = ChargedImages(emulator)
        workspace = Workspace(site, SiteState(site), charges, fork_server, rng, counts)
        for number in range(_SETS_PER_SITE):
            kills = min(_KILLS_PER_SET, rounds - counts.kills)
            for kill in range(kills):
                _kill(workspace, f"{number}-{kill}")
            if kills:
                _complete(workspace)
        counts.listed += workspace.state.unknown().total()
        counts.unlisted += count_unlisted(charges.by_prompt(), workspace.state)


def _kill(workspace: Workspace, name: str) -> None:
    counts = workspace.counts
    workspace.prompts += [f"Prompt {name}-{number}" for number in range(PROMPTS)]
    write_prompts(workspace.site, workspace.prompts)
    before = workspace.state.open_calls()
    sent = workspace.charges.count_sent()
    build = workspace.fork_server.start(workspace.site.folder)
    _wait_for_moment(workspace, build, before, sent)
    build.send(signal.SIGKILL)
    build.wait()
    counts.kills += 1
    _count_calls(workspace, before)
    _count_originals(workspace)


def _wait_for_moment(
    workspace: Workspace, build: BuildProcess, before: Mapping[str, int], sent: int
) -> None:
    """Wait for a random number of responses, so that a slow machine makes no difference."""
    rng = workspace.rng
    if rng.random() < _AT_ANY_MOMENT:
        time.sleep(rng.uniform(0, _ANY_MOMENT_S))
    elif wait_for_call(workspace.state, before):
        responses = sent + rng.randrange(PROMPTS)
        wait_until(lambda: workspace.charges.count_sent() >= responses, lambda: build.output)
        time.sleep(rng.uniform(0, _MAX_DELAY_S))


def _count_calls(workspace: Workspace, before: Mapping[str, int]) -> None:
    """Count the calls that the killed build had begun and not ended."""
    counts, answered = workspace.counts, workspace.state.journaled_answers()
    calls = workspace.state.open_calls()
    begun = {key for key, since in calls.items() if before.get(key) != since}
    counts.in_flight += len(begun - answered)
    counts.unstored_answers += len(begun & answered)
    workspace.answered |= answered
    counts.during_calls += bool(begun)


def _count_originals(workspace: Workspace) -> None:
    counts, stored = workspace.counts, workspace.state.stored()
    counts.lost += sum(stored.get(key) != sha256 for key, sha256 in workspace.stored.items())
    counts.broken += sum(not sha256 for sha256 in stored.values())
    workspace.stored |= stored


def _complete(workspace: Workspace) -> None:
    """Let one build run to its end, and check all files."""
    counts, state = workspace.counts, workspace.state
    counts.failed += workspace.fork_server.start(workspace.site.folder).wait() != 0
    _count_originals(workspace)
    counts.broken += state.count_quarantined()
    counts.lost_answers += len(workspace.answered - set(workspace.stored))
    counts.broken_files += state.count_broken_files()
    counts.not_shown += abs(len(workspace.prompts) - state.count_shown())
    counts.open_calls += len(state.open_calls()) + len(state.journaled_answers())
    workspace.prompts, workspace.answered = [], set()
