"""`mkdocs serve`: never loops, never waits, never spends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from mkdocs_imagegen.emulator.protocol import Emulator
from tests.support import Site

FENCE = "```imagegen\nA red balloon\n```\n"
HOOK = """\
from pathlib import Path

def on_post_build(config):
    with Path(__file__).with_name("builds.log").open("a") as file:
        file.write("built\\n")
"""


@dataclass
class Serving:
    """A server in a process of its own, and what it has said."""

    process: subprocess.Popen[bytes]
    log: Path

    def builds(self) -> int:
        """Counted by a hook: MkDocs drops a line of its log that repeats another."""
        path = self.log.with_name("builds.log")
        return len(path.read_text().splitlines()) if path.exists() else 0

    def wait_for_builds(self, number: int, seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while self.builds() < number:
            assert time.monotonic() < end, self.log.read_text()
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)


@contextmanager
def serving(site: Site, *arguments: str) -> Iterator[Serving]:
    log = site.folder / "serve.log"
    site.config["dev_addr"] = "127.0.0.1:0"
    site.config["site_url"] = ""
    site.config["hooks"] = ["hook.py"]
    (site.folder / "hook.py").write_text(HOOK)
    site.save()
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "mkdocs", "serve", "--livereload", *arguments],
            cwd=site.folder,
            env=os.environ | {"TEST_KEY": "a-key"},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
        try:
            yield Serving(process, log)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=20)


@pytest.mark.parametrize("arguments", [(), ("--clean",)])
def test_serving_spends_nothing_and_rests(
    site: Site, gateway_url: str, emulator: Emulator, arguments: tuple[str, ...]
) -> None:
    site.options["gateway"] = {"url": gateway_url, "key_env": "TEST_KEY"}
    site.write("index.md", f"# Page\n\n{FENCE}")
    with serving(site, *arguments) as server:
        server.wait_for_builds(1)
        time.sleep(1.5)
        assert server.builds() == 1
        site.write("index.md", f"# Page\n\nChanged\n\n{FENCE}")
        server.wait_for_builds(2)
        time.sleep(1.5)
        assert server.builds() == 2
        assert list(emulator.log) == []
        assert "Traceback" not in server.log.read_text()


def test_sketches_cost_nothing_and_are_drawn_while_serving(site: Site) -> None:
    site.write("index.md", f"# Page\n\n{FENCE}")
    with serving(site) as server:
        server.wait_for_builds(1)
        site.write("index.md", "# Page\n\n```imagegen\nA blue balloon\n```\n")
        server.wait_for_builds(2)
        time.sleep(1)
        assert server.builds() == 2
    assert len(list(site.originals.rglob("*.webp"))) == 2


def test_a_mistake_while_serving_shows_in_full_and_the_server_lives(site: Site) -> None:
    site.write("index.md", "# Page\n")
    with serving(site) as server:
        server.wait_for_builds(1)
        site.write("index.md", "# Page\n\n![A dog](imagegen:){ widht=3 }\n")
        server.wait_for_builds(2)
        assert server.process.poll() is None
        assert "did you mean" in server.log.read_text()
