"""Builds under a rate limit: no image is given up, few requests are refused, no time is lost.

A round is one image.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import EmulatorServer
from mkdocs_imagegen.emulator.state import BURST, LogEntry
from tests.soak.builds.fork_server import BuildForkServer
from tests.soak.builds.sites import SiteState, site_of, write_prompts
from tests.soak.figures import Figure
from tests.waiting import wait_until

_FULL_ROUNDS = 60
_PER_MINUTE, _QUICK_PER_MINUTE = 30, 120
_FULL_TRIALS = tuple((processes, each) for processes in (1, 4) for each in (8, 32, 64))
_QUICK_TRIALS = ((1, 64), (4, 8))
_FULL_REFUSED, _QUICK_REFUSED = (9, 100, 500), (100,)
_MAX_WAIT_S, _QUICK_MAX_WAIT_S = 20, 2
_MAX_REFUSED_S = 80.0
_MAX_REQUESTS = 40
_MAX_LINES = 3
_OUTAGE_IMAGES, _OUTAGE_S = 20, 600.0
_MAX_BUILD_S = 600.0
_MAX_REFUSALS_PER_IMAGE = 2
_MAX_TIME_RATIO = 1.15


def soak(rounds: int, folder: Path) -> Sequence[Figure]:
    """Build sites under a rate limit, in one process and in four, and under one that never ends.

    Args:
        rounds: Number of images of each trial; less than 60 for a quick soak, without a bound on
            the time.
        folder: Empty folder.
    """
    is_full = rounds >= _FULL_ROUNDS
    figures: list[Figure] = []
    with BuildForkServer() as fork_server:
        for processes, concurrency in _FULL_TRIALS if is_full else _QUICK_TRIALS:
            limited = _Trial(folder / f"{processes}x{concurrency}", rounds, is_full=is_full)
            figures += limited.run(processes, concurrency, fork_server)
        for fault in ("rate-limit", "retry-after", "retry-after-503"):
            for images in _FULL_REFUSED if is_full else _QUICK_REFUSED:
                trial = folder / f"{fault}{images}"
                figures += _refused(trial, fault, images, fork_server, is_full=is_full)
        figures += _outage(folder / "outage", fork_server, is_full=is_full)
    return figures


class _Trial:
    """Builds that share the rate limit of an account.

    Args:
        folder: Empty folder.
        images: Number of images of all builds.
        is_full: True for 30 images a minute, and a bound on the time.
    """

    def __init__(self, folder: Path, images: int, *, is_full: bool) -> None:
        self._folder, self._images, self._is_full = folder, images, is_full
        self._per_minute = _PER_MINUTE if is_full else _QUICK_PER_MINUTE
        self._times: list[float] = []

    def run(
        self, processes: int, concurrency: int, fork_server: BuildForkServer
    ) -> Sequence[Figure]:
        emulator = Emulator(require_key=False, per_minute=self._per_minute)
        emulator.watch(self._note)
        with EmulatorServer(emulator) as server:
            sites = [
                site_of(self._folder / f"site{number}", server.url, concurrency=concurrency)
                for number in range(processes)
            ]
            for number, site in enumerate(sites):
                of_site = range(number, self._images, processes)
                write_prompts(site, [f"Prompt {each}" for each in of_site])
                site.save()
            builds = [fork_server.start(site.folder) for site in sites]
            failed = sum(build.wait(_MAX_BUILD_S) != 0 for build in builds)
        shown = sum(SiteState(site).count_shown() for site in sites)
        return self._figures(f"{processes} x {concurrency}:", failed, shown)

    def _note(self, entry: LogEntry) -> None:
        if entry.method == "POST":
            self._times.append(time.monotonic())

    def _figures(self, name: str, failed: int, shown: int) -> Sequence[Figure]:
        images, times = self._images, self._times
        ratio = (times[-1] - times[0]) * self._per_minute / 60 / (images - BURST)
        refusals = (len(times) - images) / images
        max_ratio = _MAX_TIME_RATIO if self._is_full else None  # a short run depends on the machine
        return [
            Figure(f"{name} builds that failed", failed, max_value=0),
            Figure(f"{name} images given up", images - shown, max_value=0),
            Figure(f"{name} refusals an image", round(refusals, 2), _MAX_REFUSALS_PER_IMAGE),
            Figure(f"{name} time over the shortest", round(ratio, 3), max_ratio),
        ]


def _refused(
    folder: Path, fault: str, images: int, fork_server: BuildForkServer, *, is_full: bool
) -> Sequence[Figure]:
    """Build a site whose server accepts no request."""
    emulator = Emulator(require_key=False, plan=[fault] * images * 20)
    with EmulatorServer(emulator) as server:
        site = site_of(folder, server.url, concurrency=8)
        site.options["max_wait"] = _MAX_WAIT_S if is_full else _QUICK_MAX_WAIT_S
        write_prompts(site, [f"Prompt {number}" for number in range(images)])
        site.save()
        begun = time.monotonic()
        build = fork_server.start(site.folder)
        failed = build.wait(_MAX_BUILD_S) != 0
        seconds = time.monotonic() - begun
    lines = [line for line in build.output.splitlines() if "imagegen" in line]
    name = f"{fault}, {images} images:"
    return [
        Figure(f"{name} builds that failed", failed, max_value=0),
        Figure(f"{name} requests", len(emulator.log), max_value=images * 2 + _MAX_REQUESTS),
        Figure(f"{name} lines", len(lines), max_value=_MAX_LINES),
        Figure(f"{name} seconds", round(seconds, 1), max_value=_MAX_REFUSED_S),
    ]


def _outage(folder: Path, fork_server: BuildForkServer, *, is_full: bool) -> Sequence[Figure]:
    """Run `generate` while the server is away for a while."""
    emulator = Emulator(require_key=False)
    with EmulatorServer(emulator) as server:
        url, port = server.url, urlsplit(server.url).port or 0
    site = site_of(folder, url, concurrency=8)
    site.options["max_wait"] = 900
    write_prompts(site, [f"Prompt {number}" for number in range(_OUTAGE_IMAGES)])
    site.save()
    command = fork_server.start(site.folder, ["mkdocs-imagegen", "generate"])
    wait_until(lambda: "no connection to the server" in command.output)
    time.sleep(_OUTAGE_S if is_full else 0)
    with EmulatorServer(emulator, port=port):
        failed = command.wait(_MAX_BUILD_S) != 0
    missing = _OUTAGE_IMAGES - len(SiteState(site).stored_prompts())
    return [
        Figure("outage: commands that failed", failed, max_value=0),
        Figure("outage: images given up", missing, max_value=0),
    ]
