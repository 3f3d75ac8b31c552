"""Interrupted builds: charged images are stored, and a second signal ends the build at once.

A round is one build with one signal, one with two and, now and then, one that fails in a hook.
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
from mkdocs_imagegen.emulator.server import EmulatorServer
from tests.soak.builds.fork_server import BuildForkServer, BuildProcess
from tests.soak.builds.sites import (
    ChargedImages,
    Latency,
    SiteState,
    is_intact,
    site_of,
    wait_for_call,
    write_prompts,
)
from tests.soak.figures import Figure
from tests.support import Site
from tests.waiting import MAX_WAIT_S, wait_until

PROMPTS = 12
_CONCURRENCY = 4
_FAILS_ONE_IN = 5
_EXIT_CODES = {
    signal.SIGINT: {0, 1, -signal.SIGINT},
    signal.SIGTERM: {0, 143, -signal.SIGTERM},
    signal.SIGHUP: {0, 129, -signal.SIGHUP},
}
_LATENCY_S = (0.1, 0.4)
_MAX_DELAY_S = 0.2
_TIMEOUT_S = 10 * MAX_WAIT_S
"""Timeout of one call: longer than every wait, so that only a signal ends a call early."""

_ON_LAST_PAGE = """
from mkdocs.exceptions import PluginError
def {event}(text, page, **_):
    if page.file.src_uri.startswith("z"):
        raise {error}
"""
_HOOKS = (
    _ON_LAST_PAGE.format(event="on_page_markdown", error="RuntimeError('a hook failed')"),
    _ON_LAST_PAGE.format(event="on_page_content", error="PluginError('a hook failed')"),
    _ON_LAST_PAGE.format(event="on_page_content", error="SystemExit(3)"),
    _ON_LAST_PAGE.format(event="on_post_page", error="RuntimeError('a hook failed')"),
    "def on_env(env, **_):\n    raise RuntimeError('a hook failed')",
)
"""Failures before, during and after the generation of images."""


@dataclass(slots=True)
class Counts:
    """Counts of all builds."""

    during_calls: int = 0
    not_stored: int = 0
    odd_exit_codes: int = 0
    tracebacks: int = 0
    hung: int = 0
    open_calls: int = 0
    broken: int = 0
    second: int = 0
    slowest_exit_s: float = 0.0
    lost: int = 0
    not_in_journal: int = 0
    failures: int = 0
    not_stored_by_failures: int = 0


@dataclass(frozen=True, slots=True)
class Workspace:
    """Folder, fork server and counts of all builds."""

    folder: Path
    fork_server: BuildForkServer
    rng: random.Random
    counts: Counts


def soak(rounds: int, folder: Path) -> Sequence[Figure]:
    """Interrupt builds once and twice, and let some fail."""
    counts = Counts()
    with BuildForkServer() as fork_server:
        rng = random.Random(0)  # noqa: S311 - not a secret
        workspace = Workspace(folder, fork_server, rng, counts)
        for number in range(rounds):
            _interrupt_once(workspace, f"once{number}")
            _interrupt_twice(workspace, f"twice{number}")
            if number % _FAILS_ONE_IN == 0:
                hook = _HOOKS[number // _FAILS_ONE_IN % len(_HOOKS)]
                _fail(workspace, f"failing{number}", hook)
    return [
        Figure("first signals during calls", counts.during_calls, min_value=rounds / 2),
        Figure("charged images not stored", counts.not_stored, max_value=0),
        Figure("odd exit codes", counts.odd_exit_codes, max_value=0),
        Figure("tracebacks", counts.tracebacks, max_value=0),
        Figure("builds that did not end", counts.hung, max_value=0),
        Figure("calls left in the journal", counts.open_calls, max_value=0),
        Figure("second signals during calls", counts.second, min_value=rounds / 2),
        Figure("slowest exit after a second signal in seconds", round(counts.slowest_exit_s, 2)),
        Figure(
            "images lost by a second signal", counts.lost, max_value=counts.second * _CONCURRENCY
        ),
        Figure("lost images not in the journal", counts.not_in_journal, max_value=0),
        Figure("damaged originals and images", counts.broken, max_value=0),
        Figure("builds that failed in a hook", counts.failures, min_value=min(rounds, 1)),
        Figure("images charged by them and not stored", counts.not_stored_by_failures, max_value=0),
    ]


@dataclass(frozen=True, slots=True)
class Trial:
    """One site, and its gateway."""

    site: Site
    charges: ChargedImages
    state: SiteState
    latency: Latency

    def charged(self) -> set[str]:
        """Return the prompts of all charged images, after the last response."""
        self.latency.end()
        return set(self.charges.by_prompt())


@contextmanager
def _serving(workspace: Workspace, name: str, responses: int | None = None) -> Iterator[Trial]:
    """Create a site with a gateway that sends this number of responses, then only at its end."""
    latency = Latency(*_LATENCY_S, responses)
    emulator = Emulator(require_key=False, pause=latency)
    charges = ChargedImages(emulator)
    with EmulatorServer(emulator) as server:
        site = site_of(
            workspace.folder / name, server.url, concurrency=_CONCURRENCY, timeout=_TIMEOUT_S
        )
        write_prompts(site, [f"{name} {number}" for number in range(PROMPTS)])
        try:
            yield Trial(site, charges, SiteState(site), latency)
        finally:
            latency.end()


def _interrupt_once(workspace: Workspace, name: str) -> None:
    rng, counts = workspace.rng, workspace.counts
    number = rng.choice([*_EXIT_CODES])
    with _serving(workspace, name) as trial:
        state = trial.state
        build = workspace.fork_server.start(trial.site.folder)
        wait_until(lambda: _has_output(build))
        if rng.random() < 0.8:
            wait_for_call(state)
            _wait_for_responses(trial, build, rng.randrange(PROMPTS))
        time.sleep(rng.uniform(0, _MAX_DELAY_S))
        counts.during_calls += bool(state.open_intents())
        code = build.poll()
        if code is None:
            build.send(number)
            code = _wait_for_end(build, counts)
        counts.odd_exit_codes += code not in _EXIT_CODES[number]
        counts.tracebacks += "Traceback" in build.output
        counts.not_stored += len(trial.charged() ^ state.stored_prompts())
        _count_broken(state, counts)
        counts.open_calls += len(state.open_intents()) + len(state.journaled_answers())


def _interrupt_twice(workspace: Workspace, name: str) -> None:
    rng, counts = workspace.rng, workspace.counts
    first, second = rng.choices([*_EXIT_CODES], k=2)
    responses = rng.randrange(PROMPTS - _CONCURRENCY)
    with _serving(workspace, name, responses) as trial:
        state = trial.state
        build = workspace.fork_server.start(trial.site.folder)
        _wait_for_responses(trial, build, responses)
        wait_until(state.open_intents)
        time.sleep(rng.uniform(0, _MAX_DELAY_S))
        build.send(first)
        # The system merges two equal signals that are pending, so the first must be handled.
        wait_until(lambda: "again to" in build.output, lambda: build.output)
        time.sleep(rng.uniform(0, _MAX_DELAY_S))
        counts.second += bool(state.open_intents())
        build.send(second)
        sent = time.monotonic()
        code = _wait_for_end(build, counts)
        counts.slowest_exit_s = max(counts.slowest_exit_s, time.monotonic() - sent)
        counts.odd_exit_codes += code != 130
        counts.tracebacks += "Traceback" in build.output
        lost = trial.charged() - state.stored_prompts()
        counts.lost += len(lost)
        journaled = {intent.request.prompt for intent in state.open_intents()}
        counts.not_in_journal += len(lost - journaled)
        _count_broken(state, counts)


def _fail(workspace: Workspace, name: str, hook: str) -> None:
    counts = workspace.counts
    with _serving(workspace, name) as trial:
        state = trial.state
        trial.site.write("z.md", "# The last page\n")
        (trial.site.folder / "hook.py").write_text(hook + "\n")
        trial.site.config["hooks"] = ["hook.py"]
        trial.site.save()
        build = workspace.fork_server.start(trial.site.folder)
        counts.failures += _wait_for_end(build, counts) != 0
        counts.not_stored_by_failures += len(trial.charged() ^ state.stored_prompts())
        _count_broken(state, counts)
        counts.open_calls += len(state.open_intents()) + len(state.journaled_answers())


def _has_output(build: BuildProcess) -> bool:
    log = build.folder / "build.log"
    return log.exists() and log.stat().st_size > 0


def _wait_for_responses(trial: Trial, build: BuildProcess, number: int) -> None:
    wait_until(lambda: trial.charges.count_sent() >= number, lambda: build.output)


def _wait_for_end(build: BuildProcess, counts: Counts) -> int:
    try:
        return build.wait()
    except TimeoutError:
        counts.hung += 1
        return -1


def _count_broken(state: SiteState, counts: Counts) -> None:
    """Count damaged files: no file is ever written in place."""
    counts.broken += sum(not sha256 for sha256 in state.stored().values())
    counts.broken += state.count_quarantined()
    images = itertools.chain(state.site.rglob("*.jpg"), state.site.rglob("*.jpeg"))
    counts.broken += sum(not is_intact(path) for path in images)
