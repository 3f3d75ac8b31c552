"""Interrupted builds: what was paid for is stored, and a second interrupt ends them at once.

A round is one build with one signal, one with two, and, now and then, one that fails by itself.
"""

from __future__ import annotations

import itertools
import random
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import serve
from tests.soak.builds.forks import Building, Forks
from tests.soak.builds.sites import (
    Bill,
    Latency,
    Left,
    is_whole,
    site_of,
    wait_for_call,
    write_prompts,
)
from tests.soak.figures import Figure
from tests.support import Site

PROMPTS = 12
MAX_END_S = 1.0
_CONCURRENCY = 4
_FAILS_ONE_IN = 5
_SANE = {signal.SIGINT: {0, 1, -signal.SIGINT}, signal.SIGTERM: {0, 143, -signal.SIGTERM}}
_QUICK_S = (0.1, 0.4)
_SLOW_S = (3.0, 4.0)
_DRAIN_S = 60.0
_ON_THE_LAST_PAGE = """
from mkdocs.exceptions import PluginError
def {event}(text, page, **_):
    if page.file.src_uri.startswith("z"):
        raise {error}
"""
_HOOKS = (
    _ON_THE_LAST_PAGE.format(event="on_page_markdown", error="RuntimeError('a hook failed')"),
    _ON_THE_LAST_PAGE.format(event="on_page_content", error="PluginError('a hook failed')"),
    _ON_THE_LAST_PAGE.format(event="on_page_content", error="SystemExit(3)"),
    _ON_THE_LAST_PAGE.format(event="on_post_page", error="RuntimeError('a hook failed')"),
    "def on_env(env, **_):\n    raise RuntimeError('a hook failed')",
)
"""Failures before, during and after the images are made."""


@dataclass(slots=True)
class Told:
    """What was seen of all builds."""

    while_asking: int = 0
    not_stored: int = 0
    odd_ends: int = 0
    traces: int = 0
    hung: int = 0
    leftovers: int = 0
    broken: int = 0
    second: int = 0
    slowest_end_s: float = 0.0
    not_written_down: int = 0
    in_flight: int = 0
    failures: int = 0
    not_stored_by_failures: int = 0


@dataclass(frozen=True, slots=True)
class Ground:
    """What builds run on."""

    folder: Path
    forks: Forks
    chance: random.Random
    told: Told


def soak(rounds: int, folder: Path) -> Sequence[Figure]:
    """Interrupt so many builds once, and as many twice; some fail without that."""
    told = Told()
    with Forks() as forks:
        ground = Ground(folder, forks, random.Random(0), told)  # noqa: S311 - no secret
        for number in range(rounds):
            _once(ground, f"once{number}")
            _twice(ground, f"twice{number}")
            if number % _FAILS_ONE_IN == 0:
                _failing(ground, f"failing{number}", _HOOKS[number // _FAILS_ONE_IN % len(_HOOKS)])
    return [
        Figure("first signals while images were asked for", told.while_asking, least=rounds / 2),
        Figure("images paid for and not stored", told.not_stored, most=0),
        Figure("odd exit codes", told.odd_ends, most=0),
        Figure("tracebacks", told.traces, most=0),
        Figure("builds that did not end", told.hung, most=0),
        Figure("calls left in the journal", told.leftovers, most=0),
        Figure("second signals while images were asked for", told.second, least=rounds / 2),
        Figure("slowest end after it, in s", round(told.slowest_end_s, 2), most=MAX_END_S),
        Figure("images lost by it", told.in_flight, most=told.second * _CONCURRENCY),
        Figure("of them, not in the journal", told.not_written_down, most=0),
        Figure("originals and images that are not whole", told.broken, most=0),
        Figure("builds that failed by a hook", told.failures, least=min(rounds, 1)),
        Figure("images paid for by them and not stored", told.not_stored_by_failures, most=0),
    ]


@dataclass(frozen=True, slots=True)
class Trial:
    """One site, and whoever draws for it."""

    site: Site
    bill: Bill
    left: Left
    latency: Latency

    def paid(self) -> set[str]:
        """The prompts of the images that were paid for, in the end."""
        self.latency.end()
        return set(self.bill.by_prompt())


@contextmanager
def _served(ground: Ground, name: str, latency_s: tuple[float, float]) -> Iterator[Trial]:
    latency = Latency(*latency_s)
    emulator = Emulator(require_key=False, pause=latency)
    bill = Bill(emulator)
    with serve(emulator) as server:
        site = site_of(ground.folder / name, server.url, concurrency=_CONCURRENCY)
        write_prompts(site, [f"{name} {number}" for number in range(PROMPTS)])
        yield Trial(site, bill, Left(site), latency)


def _once(ground: Ground, name: str) -> None:
    number = ground.chance.choice([signal.SIGINT, signal.SIGTERM])
    with _served(ground, name, _QUICK_S) as trial:
        left = trial.left
        build = ground.forks.start(trial.site.folder)
        _wait_until_it_builds(build)
        if ground.chance.random() < 0.8:
            wait_for_call(left, 30)
        time.sleep(ground.chance.uniform(0, 1.0))
        ground.told.while_asking += bool(left.begun())
        code = build.poll()
        if code is None:
            build.send(number)
            code = _ended(build, ground.told)
        ground.told.odd_ends += code not in _SANE[number]
        ground.told.traces += "Traceback" in build.said
        ground.told.not_stored += len(trial.paid() ^ left.prompts_stored())
        _judge(left, ground.told)
        ground.told.leftovers += len(left.begun()) + len(left.answered())


def _twice(ground: Ground, name: str) -> None:
    first, second = ground.chance.choices([signal.SIGINT, signal.SIGTERM], k=2)
    with _served(ground, name, _SLOW_S) as trial:
        left = trial.left
        build = ground.forks.start(trial.site.folder)
        wait_for_call(left, 30)
        time.sleep(ground.chance.uniform(0, 1.0))
        build.send(first)
        if first == second:
            _wait_until_taken(build)  # of equal signals at once the system delivers one
        time.sleep(ground.chance.uniform(0, 1.0))
        ground.told.second += bool(left.begun())
        build.send(second)
        sent = time.monotonic()
        code = _ended(build, ground.told)
        ground.told.slowest_end_s = max(ground.told.slowest_end_s, time.monotonic() - sent)
        ground.told.odd_ends += code != 130
        ground.told.traces += "Traceback" in build.said
        lost = trial.paid() - left.prompts_stored()
        ground.told.in_flight += len(lost)
        written = {intent.request.prompt for intent in left.begun()}
        ground.told.not_written_down += len(lost - written)
        _judge(left, ground.told)


def _failing(ground: Ground, name: str, hook: str) -> None:
    with _served(ground, name, _QUICK_S) as trial:
        left = trial.left
        trial.site.write("z.md", "# The last page\n")
        (trial.site.folder / "hook.py").write_text(hook + "\n")
        trial.site.config["hooks"] = ["hook.py"]
        trial.site.save()
        build = ground.forks.start(trial.site.folder)
        ground.told.failures += _ended(build, ground.told) != 0
        lost = trial.paid() ^ left.prompts_stored()
        ground.told.not_stored_by_failures += len(lost)
        _judge(left, ground.told)
        ground.told.leftovers += len(left.begun()) + len(left.answered())


def _wait_until_it_builds(build: Building) -> None:
    log = build.folder / "build.log"
    while not (log.exists() and log.stat().st_size):
        time.sleep(0.005)


def _wait_until_taken(build: Building) -> None:
    end = time.monotonic() + _DRAIN_S
    while "press Ctrl-C again" not in build.said and time.monotonic() < end:
        time.sleep(0.005)


def _ended(build: Building, told: Told) -> int:
    try:
        return build.wait(_DRAIN_S)
    except TimeoutError:
        told.hung += 1
        return -1


def _judge(left: Left, told: Told) -> None:
    """Whatever is there is whole: nothing is ever written in place."""
    told.broken += sum(not sha256 for sha256 in left.stored().values()) + left.quarantined()
    images = itertools.chain(left.site.rglob("*.jpg"), left.site.rglob("*.jpeg"))
    told.broken += sum(not is_whole(path) for path in images)
