"""An interrupt stops what has not begun and keeps what is in flight."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import EmulatorServer
from tests.support import Site
from tests.waiting import MAX_WAIT_S, wait_until


def test_what_is_in_flight_is_kept(site: Site) -> None:
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
        _, said = process.communicate(timeout=MAX_WAIT_S)
    assert process.returncode != 0
    assert "Traceback" not in said
    original = len(list(site.originals.rglob("*.json")))
    assert original == emulator.bill.images
    assert 0 < original < 12
