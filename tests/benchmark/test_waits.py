"""Waits that a build records."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import anyio
import pytest
from PIL import Image

from mkdocs_imagegen.event_loop import _FILE_WORKERS, EventLoop
from tests.benchmark.gateway import gateway
from tests.benchmark.processes import cost_of
from tests.benchmark.sites import check_shown
from tests.benchmark.waits import Waits, p99, read_waits
from tests.support import QUICK, Site
from tests.waiting import wait_until

HELD_S = 0.05


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Waits:
    """Return the recorded waits of this process."""
    for name in ("file_work", "pixel_work", "turn"):
        monkeypatch.setattr(EventLoop, name, getattr(EventLoop, name))
    monkeypatch.setattr(Image, "open", Image.open)
    monkeypatch.setattr(Image.Image, "save", Image.Image.save)
    waits = Waits()
    waits.record()
    return waits


def test_wait_for_a_worker_ends_when_the_work_begins(recorded: Waits) -> None:
    loop, is_free, begun = EventLoop(1, 0.0), threading.Event(), list[float]()

    def hold() -> None:
        begun.append(0)
        is_free.wait()

    async def hold_all_workers() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(_FILE_WORKERS + 1):
                group.start_soon(loop.file_work, hold)

    done = loop.submit(hold_all_workers)
    wait_until(lambda: len(begun) == _FILE_WORKERS)
    is_free.wait(HELD_S)
    is_free.set()
    done.result()
    loop.close()
    waits_s = sorted(recorded.seconds["file work"])
    assert len(waits_s) == _FILE_WORKERS + 1
    assert waits_s[-1] >= HELD_S
    assert recorded.seconds["pixel work"] == []


def test_waits_of_a_build_are_written(tmp_path: Path) -> None:
    site, path = Site(tmp_path / "site"), tmp_path / "waits.json"
    site.write("index.md", "![A boat](imagegen:)\n\n![A heron](imagegen:)\n")
    with gateway() as address:
        site.options.update(gateway=address, variants=QUICK)
        site.save()
        cost_of((sys.executable, "-m", "tests.benchmark.waits", str(path), "build"), site.folder)
    waits = read_waits(path)
    assert waits.encoded == check_shown(site, 2)
    assert waits.decoded >= 2
    assert [len(each) >= 2 for each in waits.seconds.values()] == [True] * 3
    assert min(map(min, waits.seconds.values())) >= 0


def test_99th_percentile_is_a_measured_value() -> None:
    assert p99([3.0]) == 3
    assert p99(list(range(1, 101))) == 99
    assert p99(list(range(1000, 0, -1))) == 990
