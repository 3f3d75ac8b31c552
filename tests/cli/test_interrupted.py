"""`generate` that is ended from outside: what it says, where, and what the next one tells."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from mkdocs_imagegen.emulator.protocol import Emulator
from tests.cli.conftest import MAX_S, Ran, command, environ_of, fence
from tests.soak.builds.sites import SiteState
from tests.support import Site


@pytest.fixture
def emulator() -> Emulator:
    return Emulator(latency_s=1.0, require_key=False)


@pytest.fixture
def paged(drawn: Site) -> Site:
    drawn.write("index.md", "".join(fence(f"Prompt {number}") for number in range(6)))
    drawn.options["concurrency"] = 2
    drawn.save()
    return drawn


@contextmanager
def asking(site: Site, emulator: Emulator) -> Iterator[subprocess.Popen[str]]:
    """A `generate` that has two calls in flight."""
    process = subprocess.Popen(
        command("generate"),
        cwd=site.folder,
        env=environ_of({}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        end = time.monotonic() + MAX_S
        while emulator.bill.images < 2:
            assert time.monotonic() < end
            assert process.poll() is None
            time.sleep(0.01)
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_signal_to_end_keeps_what_was_paid_for_and_says_so(
    paged: Site, emulator: Emulator
) -> None:
    with asking(paged, emulator) as process:
        process.send_signal(signal.SIGTERM)
        said, told = process.communicate(timeout=MAX_S)
    assert (process.returncode, said) == (130, ""), told
    assert "finishing 2 images in progress (up to" in told
    assert "s); press Ctrl-C again to stop now and lose them" in told
    assert told.endswith("interrupted; what was paid for is stored\n")
    assert len(SiteState(paged).stored_prompts()) == emulator.bill.images == 2
    assert SiteState(paged).open_intents() == []


def test_what_a_killed_one_asked_for_is_told_by_the_next(
    paged: Site, emulator: Emulator, run_alone: Callable[..., Ran]
) -> None:
    with asking(paged, emulator) as process:
        lost = {intent.request.prompt for intent in SiteState(paged).open_intents()}
        process.kill()
        process.communicate(timeout=MAX_S)
    told = run_alone("generate", "--budget-images", "0", code=1).told
    for prompt in lost:
        assert f'an earlier build was stopped while it generated "{prompt}"' in told
    assert told.count("may have been charged (listed in") == 2
    assert set(SiteState(paged).unknown()) == lost
