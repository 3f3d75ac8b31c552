"""Interrupted builds start no more requests and store the images in progress."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import EmulatorServer
from tests.support import Site
from tests.waiting import MAX_WAIT_S, wait_until


def test_images_in_progress_are_stored_when_build_is_interrupted(site: Site) -> None:
    for number in range(12):
        site.write(f"page{number}.md", f"# Page\n\n```imagegen\nPrompt {number}\n```\n")
    emulator = Emulator(latency_s=1.5, require_key=False)
    with EmulatorServer(emulator) as server:
        site.options["gateway"] = {"url": server.url, "auth": "none"}
        site.options["concurrency"] = 4
        site.save()
        process = subprocess.Popen(
            [sys.executable, "-m", "mkdocs", "build"],
            cwd=site.folder,
            env=dict(os.environ),
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_until(lambda: emulator.bill.images or process.poll() is not None)
        process.send_signal(signal.SIGINT)
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
    for number in range(12):
        site.write(f"page{number}.md", f"# Page\n\n```imagegen\nPrompt {number}\n```\n")
    emulator = Emulator(latency_s=1.5, require_key=False)
    with EmulatorServer(emulator) as server:
        site.options["gateway"] = {"url": server.url, "auth": "none"}
        site.options["concurrency"] = 4
        site.save()
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
        wait_until(lambda: emulator.bill.images or process.poll() is not None)
        os.close(terminal)
        process.wait(MAX_WAIT_S)
    assert process.returncode == 128 + signal.SIGHUP
    stored = len(site.records)
    assert stored == emulator.bill.images
    assert 0 < stored < 12
