"""Interrupts at the worst moments: no hang, no new request, no lost image."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import EmulatorServer
from mkdocs_imagegen.errors import StoppedError, StoreError
from mkdocs_imagegen.event_loop import EventLoop
from mkdocs_imagegen.originals.store import OriginalStore
from mkdocs_imagegen.spending.journal import Journal
from tests.bench import FakeGateway, job, request
from tests.soak.builds.sites import SiteState, site_of, write_prompts
from tests.support import Site
from tests.waiting import MAX_WAIT_S, wait_until

AT_THE_PORTALS_START = """
import os, signal, time
import anyio.from_thread as portal
signal.signal(signal.SIGINT, signal.default_int_handler)
run = portal.run_eventloop
def interrupted(*given, **more):
    time.sleep(0.05)  # the main thread waits for this one by then
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.05)
    return run(*given, **more)
portal.run_eventloop = interrupted
from mkdocs.__main__ import cli
cli(["build", "-q"])
"""
SOON_AFTER = """
import os, signal, sys, threading
from mkdocs_imagegen.jobs.scheduler import Scheduler
signal.signal(signal.SIGINT, signal.default_int_handler)
start, timers = Scheduler.start, []
def started(self, job, *listener):
    if not timers:
        interrupt = lambda: os.kill(os.getpid(), signal.SIGINT)
        timers.append(threading.Timer({seconds}, interrupt))
        timers[0].start()
    return start(self, job, *listener)
Scheduler.start = started
from mkdocs.__main__ import cli
cli(["build", "-q"])
"""
INSIDE_A_WAIT = """
import asyncio, concurrent.futures._base as futures, os, signal, sys, time
from pathlib import Path
from tests.bench import Bench, FakeGateway, request, job
signal.signal(signal.SIGINT, signal.default_int_handler)
async def before(*_):
    await asyncio.sleep(0.3)
bench = Bench(Path(sys.argv[2]), FakeGateway(before), concurrency=2)
for number in range(4):
    bench.scheduler.start(job(request(number)))
while len(bench.client.asked) < 2:
    time.sleep(0.005)
enter = futures._AcquireFutures.__enter__
def interrupted(self):
    futures._AcquireFutures.__enter__ = enter
    enter(self)
    os.kill(os.getpid(), signal.SIGINT)
futures._AcquireFutures.__enter__ = interrupted
try:
    getattr(bench.scheduler, sys.argv[1])()
except KeyboardInterrupt:
    bench.scheduler.close()
    print(sorted(bench.client.asked) == bench.stored(), len(bench.stored()), bench.journal)
"""


@pytest.fixture
def usual_signals():
    """Signals as a terminal gives them, whatever has started the tests."""
    usual = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: signal.SIG_DFL,
        signal.SIGHUP: signal.SIG_DFL,
    }
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def ended(script: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=folder,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=MAX_WAIT_S,
    )


@pytest.mark.parametrize(
    "script",
    [
        AT_THE_PORTALS_START,
        SOON_AFTER.format(seconds=0.005),
        SOON_AFTER.format(seconds=0.06),
    ],
    ids=["in the portal", "soon after", "later"],
)
def test_interrupt_while_event_loop_starts_ends_the_build(tmp_path, script):
    emulator = Emulator(latency_s=0.3, require_key=False)
    with EmulatorServer(emulator) as server:
        site: Site = site_of(tmp_path / "site", server.url, concurrency=2)
        write_prompts(site, [f"prompt {number}" for number in range(6)])
        done = ended(script, folder=site.folder)
    left = SiteState(site)
    assert (done.returncode, done.stderr.strip()) == (1, "Aborted!")
    assert len(left.stored_prompts()) == emulator.bill.images < 6
    assert left.open_intents() == []


@pytest.mark.parametrize("wait", ["join", "close"])
def test_interrupt_inside_wait_leaves_no_lock_held(tmp_path, wait):
    done = ended(INSIDE_A_WAIT, wait, str(tmp_path), folder=Path(__file__).parents[2])
    assert (done.returncode, done.stdout) == (0, "True 2 []\n"), done.stderr


def test_no_request_is_sent_after_close(bench):
    async def slowly():
        await asyncio.sleep(0.3)
        return ()

    made = bench(FakeGateway(offers=slowly), concurrency=4)
    for number in range(4):
        made.scheduler.start(job(request(number)))
    wait_until(lambda: made.client.visits)
    made.scheduler.close()
    assert made.client.asked == []
    assert made.run.ledger.budget.images == 0


def test_no_request_is_sent_when_interrupted_during_journaling(bench, monkeypatch):
    made = bench()
    begin = Journal.begin

    def interrupted(journal, intent):
        begin(journal, intent)
        made.scheduler._stop()

    monkeypatch.setattr(Journal, "begin", interrupted)
    (result,) = made.run_jobs(job(request()))
    assert isinstance(result.error, StoppedError)
    assert (made.client.asked, made.journal) == ([], [])
    assert (made.run.ledger.budget.images, made.run.ledger.budget.failed) == (0, 0)


def test_alarm_is_logged_while_build_closes(bench, monkeypatch, tmp_path):
    def no_room(*_, **_more):
        raise StoreError("no room")

    async def slowly(*_):
        await asyncio.sleep(0.3)

    monkeypatch.setattr(OriginalStore, "put", no_room)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    made = bench(FakeGateway(slowly))
    made.scheduler.start(job(request()))
    wait_until(lambda: made.client.asked)
    made.scheduler.close()
    (told,) = (text for text in made.said if "no room" in text)
    assert "the image is in" in told
    assert "the next build stores it" in told


@pytest.mark.usefixtures("usual_signals")
def test_bar_is_removed_before_images_in_flight_are_waited_for(bench, monkeypatch):
    """The next signal would end the process at once, and leave the bar."""

    async def meanwhile(*_):
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(0.1)

    made, closed = bench(FakeGateway(meanwhile)), []
    drain = made.scheduler._drain
    monkeypatch.setattr(made.scheduler._progress, "close", lambda: closed.append("bar"))
    monkeypatch.setattr(made.scheduler, "_drain", lambda: (closed.append("scheduler"), drain()))
    made.scheduler.start(job(request()))
    with pytest.raises(KeyboardInterrupt):
        made.scheduler.join()
    assert closed == ["bar", "scheduler"]


@pytest.mark.usefixtures("usual_signals")
def test_interrupt_of_a_build_that_only_writes_files_waits_for_the_start_of_a_job(
    bench, monkeypatch
):
    before = bench()
    before.run_jobs(job(request()))
    original = before.stores.originals.find(request().key)
    made = bench()
    submit = EventLoop.submit

    def interrupted(*arguments):
        os.kill(os.getpid(), signal.SIGINT)
        return submit(*arguments)

    monkeypatch.setattr(EventLoop, "submit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        made.scheduler.start(job(request(), original=original))
    assert len(made.scheduler._tasks) == 1  # an interrupt inside could leave a lock held
    made.scheduler.close()


@pytest.mark.usefixtures("usual_signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ignored_signal_stays_ignored(bench, number):
    signal.signal(number, signal.SIG_IGN)

    async def meanwhile(*_):
        os.kill(os.getpid(), number)
        await asyncio.sleep(0.1)

    made = bench(FakeGateway(meanwhile))
    (result,) = made.run_jobs(job(request()))
    made.scheduler.close()
    assert result.error is None
    assert signal.getsignal(number) is signal.SIG_IGN


@pytest.mark.usefixtures("usual_signals")
def test_signal_handlers_are_restored_after_close(bench):
    made = bench()
    made.run_jobs(job(request()))
    assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    made.scheduler.close()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
