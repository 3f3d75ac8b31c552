"""Interrupted builds start no more requests and store the images in progress."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import EmulatorServer
from mkdocs_imagegen.jobs import scheduler
from tests.support import Site
from tests.waiting import MAX_WAIT_S, wait_until


class Gate:
    """Pause of an emulator that holds its first four responses until they are released."""

    def __init__(self) -> None:
        self.held = 0
        self.released = threading.Event()

    def __call__(self, seconds: float) -> None:
        self.held += 1
        if self.held <= 4:
            self.released.wait(MAX_WAIT_S)
        else:  # a build that has not handled the signal yet
            time.sleep(seconds)


@contextmanager
def serving(site: Site, emulator: Emulator) -> Iterator[Emulator]:
    """Serve an emulator for a site with twelve prompts, which requests four images at a time."""
    for number in range(12):
        site.write(f"page{number}.md", f"# Page\n\n```imagegen\nPrompt {number}\n```\n")
    with EmulatorServer(emulator) as server:
        site.options["gateway"] = {"url": server.url, "auth": "none"}
        site.options["concurrency"] = 4
        site.save()
        yield emulator


def test_images_in_progress_are_stored_when_build_is_interrupted(site: Site) -> None:
    gate = Gate()
    with serving(site, Emulator(latency_s=1.5, require_key=False, pause=gate)) as emulator:
        process = subprocess.Popen(
            [sys.executable, "-m", "mkdocs", "build"],
            cwd=site.folder,
            env=dict(os.environ),
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_until(lambda: gate.held >= 4 or process.poll() is not None)
        process.send_signal(signal.SIGINT)
        gate.released.set()
        _, stderr = process.communicate(timeout=MAX_WAIT_S)
    assert process.returncode != 0
    assert "Traceback" not in stderr
    stored = len(site.records)
    assert stored == emulator.bill.images
    assert 0 < stored < 12


IN_A_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has no SIGHUP")
def test_images_in_progress_are_stored_when_terminal_is_closed(site: Site) -> None:
    gate = Gate()
    with serving(site, Emulator(latency_s=1.5, require_key=False, pause=gate)) as emulator:
        terminal, end = os.openpty()
        process = subprocess.Popen(
            [sys.executable, "-c", IN_A_TERMINAL, "-m", "mkdocs", "build"],
            cwd=site.folder,
            start_new_session=True,
            stdin=end,
            stdout=end,
            stderr=end,
        )
        os.close(end)
        wait_until(lambda: gate.held >= 4 or process.poll() is not None)
        os.close(terminal)
        gate.released.set()
        process.wait(MAX_WAIT_S)
    assert process.returncode == 128 + signal.SIGHUP
    stored = len(site.records)
    assert stored == emulator.bill.images
    assert 0 < stored < 12


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="Windows cannot suspend a process")
def test_suspended_build_blocks_no_other_build(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "_CLAIM_GRACE_S", 1.0)
    site.write("index.md", "# Page\n\n```imagegen\nA red balloon\n```\n")
    emulator = Emulator(latency_s=1.5, require_key=False)
    with EmulatorServer(emulator) as server:
        site.options["gateway"] = {"url": server.url, "auth": "none", "timeout": 1}
        site.save()
        suspended = subprocess.Popen([sys.executable, "-m", "mkdocs", "build"], cwd=site.folder)
        try:
            journal = site.originals / "work/journal"
            wait_until(lambda: list(journal.glob("*.intent")))
            suspended.send_signal(signal.SIGSTOP)
            (warning,) = site.build(site_dir=str(site.folder / "other")).warnings
        finally:
            suspended.kill()
            suspended.wait()
    assert "another build has not finished the image within 2 s" in warning
    assert emulator.bill.images <= 1


SCRIPT = """
from mkdocs.commands.build import build
from mkdocs.config import load_config
build(load_config("mkdocs.yml"))
"""
HOOK = """
import time
from pathlib import Path

def on_env(env, **_):
    while not Path("requested").exists():
        time.sleep(0.01)
    Path("ended").touch()
    raise {error}
"""


@pytest.mark.parametrize("error", ["SystemExit(3)", "KeyboardInterrupt"])
def test_images_in_progress_are_stored_when_a_script_is_ended_by_another_hook(
    site: Site, error: str
) -> None:
    (site.folder / "hook.py").write_text(HOOK.format(error=error))
    site.config["hooks"] = ["hook.py"]

    def pause(_: float) -> None:
        (site.folder / "requested").touch()
        wait_until((site.folder / "ended").exists)

    with serving(site, Emulator(require_key=False, pause=pause)) as emulator:
        command = [sys.executable, "-c", SCRIPT]
        done = subprocess.run(command, cwd=site.folder, timeout=MAX_WAIT_S, check=False)
    assert done.returncode != 0
    assert 0 < emulator.bill.images < 12
    assert len(site.records) == emulator.bill.images
