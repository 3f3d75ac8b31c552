"""Builds killed at random moments: nothing stored is lost, nothing paid for is forgotten.

A round is one kill. Each build has prompts of its own beside those of the builds before it; after
a few kills one build is left alone, and everything is looked at.
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import serve
from tests.soak.builds.forks import Forks
from tests.soak.builds.sites import (
    Bill,
    Latency,
    Left,
    site_of,
    unlisted,
    wait_for_call,
    write_prompts,
)
from tests.soak.figures import Figure
from tests.support import Site

PROMPTS = 6
_CONCURRENCY = 3
_KILLS_IN_A_ROW = 4
_SETS_ON_A_SITE = 5
_LATENCY_S = (0.05, 0.3)
_MAX_S = 60.0
_ANY_MOMENT = 0.1
_ANY_MOMENT_S = 0.6
_SHORTER, _LONGER = 0.85, 1.05


@dataclass(slots=True)
class Told:
    """What was seen of all builds.

    Attributes:
        asking_s: within how many seconds of its first call a build is killed; follows the machine.
    """

    kills: int = 0
    while_asking: int = 0
    in_flight: int = 0
    answered: int = 0
    lost: int = 0
    answers_lost: int = 0
    broken: int = 0
    pages_broken: int = 0
    unlisted: int = 0
    listed: int = 0
    failed: int = 0
    not_shown: int = 0
    left_over: int = 0
    asking_s: float = 0.8


@dataclass(slots=True)
class Ground:
    """A site that is built again and again.

    Attributes:
        stored: every original that a build has stored, by key.
        prompts: those of all builds since the last that was left alone.
        answered: the keys of answers that such a build had not stored when it was killed.
    """

    site: Site
    left: Left
    bill: Bill
    forks: Forks
    chance: random.Random
    told: Told
    stored: dict[str, str] = field(default_factory=dict)
    prompts: list[str] = field(default_factory=list)
    answered: set[str] = field(default_factory=set)


def soak(rounds: int, folder: Path) -> Sequence[Figure]:
    """Kill so many builds."""
    told, chance = Told(), random.Random(0)  # noqa: S311 - no secret
    with Forks() as forks:
        number = 0
        while told.kills < rounds:
            _on_a_site(folder / f"site{number}", rounds, forks, chance, told)
            number += 1
    return [
        Figure("builds killed", told.kills, least=rounds),
        Figure("of them, while they asked", told.while_asking, least=0.6 * rounds),
        Figure("calls in flight at a kill", told.in_flight, least=min(rounds, 1)),
        Figure("answers not stored at a kill", told.answered),
        Figure("of them, lost", told.answers_lost, most=0),
        Figure("stored originals lost", told.lost, most=0),
        Figure("broken records and originals", told.broken, most=0),
        Figure("broken images in pages of the next build", told.pages_broken, most=0),
        Figure("images missing in pages of the next build", told.not_shown, most=0),
        Figure("next builds that failed", told.failed, most=0),
        Figure("payments listed as unknown", told.listed, most=told.in_flight),
        Figure("payments beyond one that are not listed", told.unlisted, most=0),
        Figure("calls left in the journal", told.left_over, most=0),
    ]


def _on_a_site(folder: Path, rounds: int, forks: Forks, chance: random.Random, told: Told) -> None:
    emulator = Emulator(require_key=False, pause=Latency(*_LATENCY_S))
    with serve(emulator) as server:
        site = site_of(folder, server.url, concurrency=_CONCURRENCY)
        ground = Ground(site, Left(site), Bill(emulator), forks, chance, told)
        for number in range(_SETS_ON_A_SITE):
            kills = min(_KILLS_IN_A_ROW, rounds - told.kills)
            for kill in range(kills):
                _kill(ground, f"{number}-{kill}")
            if kills:
                _build_whole(ground)
        told.listed += ground.left.unknown().total()
        told.unlisted += unlisted(ground.bill.by_prompt(), ground.left)


def _kill(ground: Ground, name: str) -> None:
    told, chance = ground.told, ground.chance
    ground.prompts += [f"Prompt {name}-{number}" for number in range(PROMPTS)]
    write_prompts(ground.site, ground.prompts)
    before = ground.left.calls()
    build = ground.forks.start(ground.site.folder)
    if chance.random() < _ANY_MOMENT:
        time.sleep(chance.uniform(0, _ANY_MOMENT_S))
    elif wait_for_call(ground.left, _MAX_S, before):
        time.sleep(chance.uniform(0, told.asking_s))
    build.send(signal.SIGKILL)
    build.wait(_MAX_S)
    told.kills += 1
    _look_at_calls(ground, before)
    _look_at_originals(ground)


def _look_at_calls(ground: Ground, before: Mapping[str, int]) -> None:
    """What the build that was just killed had begun and not ended."""
    told, answered = ground.told, ground.left.answered()
    begun = {key for key, since in ground.left.calls().items() if before.get(key) != since}
    told.in_flight += len(begun - answered)
    told.answered += len(begun & answered)
    ground.answered |= answered
    told.while_asking += bool(begun)
    told.asking_s *= _LONGER if begun else _SHORTER


def _look_at_originals(ground: Ground) -> None:
    told, stored = ground.told, ground.left.stored()
    told.lost += sum(stored.get(key) != sha256 for key, sha256 in ground.stored.items())
    told.broken += sum(not sha256 for sha256 in stored.values())
    ground.stored |= stored


def _build_whole(ground: Ground) -> None:
    told, left = ground.told, ground.left
    told.failed += ground.forks.start(ground.site.folder).wait(_MAX_S) != 0
    _look_at_originals(ground)
    told.answers_lost += len(ground.answered - set(ground.stored))
    told.broken += left.quarantined()
    told.pages_broken += left.broken_images()
    told.not_shown += abs(len(ground.prompts) - left.count_shown())
    told.left_over += len(left.calls()) + len(left.answered())
    ground.prompts, ground.answered = [], set()
