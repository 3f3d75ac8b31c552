"""An interrupt stops what has not begun and keeps what is in flight."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import serve
from tests.support import Site


def test_what_is_in_flight_is_kept(site: Site) -> None:
    for number in range(12):
        site.write(f"page{number}.md", f"# Page\n\n```imagegen\nPrompt {number}\n```\n")
    emulator = Emulator(latency_s=1.5, require_key=False)
    with serve(emulator) as server:
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
        end = time.monotonic() + 20
        while emulator.bill.images == 0:
            assert time.monotonic() < end
            time.sleep(0.02)
            if process.poll() is not None:
                break
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode != 0
    assert "Traceback" not in said
    original = len(list(site.originals.rglob("*.json")))
    assert original == emulator.bill.images
    assert 0 < original < 12
