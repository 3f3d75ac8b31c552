"""The command line on real sites: in this process, in processes, on a pseudo-terminal."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mkdocs_imagegen.cli.main import main
from mkdocs_imagegen.emulator.protocol import Emulator
from tests.support import Site

MAX_S = 60


@dataclass
class Ran:
    """What one command said, and how it ended."""

    code: int
    said: str
    told: str

    @property
    def json(self) -> Any:
        return json.loads(self.said)

    @property
    def lines(self) -> list[str]:
        return self.said.splitlines()


@pytest.fixture
def run(site: Site) -> Callable[..., Ran]:
    """Runs a command on the site, in this process: ``run("plan", "--json")``."""

    def run(name: str, *arguments: str, code: int = 0) -> Ran:
        given = [name, "--config-file", str(site.save()), *map(str, arguments)]
        done = _runner().invoke(main, given)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == code, done.output
        return Ran(done.exit_code, done.stdout, done.stderr)

    return run


def _runner() -> CliRunner:
    """Keeps stderr apart, as click does by itself from 8.2 on."""
    keeps_apart = "mix_stderr" not in inspect.signature(CliRunner).parameters
    return CliRunner() if keeps_apart else CliRunner(mix_stderr=False)


def fence(prompt: str, **options: object) -> str:
    """An image prompt as it stands in a page."""
    head = [f"{name}: {value}" for name, value in options.items()]
    lines = ["```imagegen", *head, *(["---"] if head else []), prompt, "```"]
    return "\n".join(lines) + "\n\n"


def environ_of(more: Mapping[str, str]) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AI_GATE")}
    return clean | {"NO_MKDOCS_2_WARNING": "1", "COLUMNS": "100", "TERM": "xterm"} | dict(more)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "mkdocs_imagegen", *arguments]


def interrupted(site: Site, emulator: Emulator, *arguments: str) -> tuple[int, str]:
    """How a command ends, and what it says, that is interrupted after its first image."""
    site.save()
    process = subprocess.Popen(
        command(*arguments),
        cwd=site.folder,
        env=environ_of({}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        end = time.monotonic() + MAX_S
        while emulator.bill.images == 0 and process.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=MAX_S)
    finally:
        process.kill()
        process.wait()
    return process.returncode, said


@pytest.fixture
def run_alone(site: Site) -> Callable[..., Ran]:
    """Runs a command in a process of its own, in the site's folder."""

    def run(*arguments: str, code: int = 0, **environ: str) -> Ran:
        site.save()
        done = subprocess.run(
            command(*arguments),
            cwd=site.folder,
            env=environ_of(environ),
            capture_output=True,
            text=True,
            check=False,
            timeout=MAX_S,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def run_on_terminal(site: Site) -> Callable[..., Ran]:
    """Runs a command on a pseudo-terminal, where output and errors come together."""

    def run(*arguments: str, code: int = 0, **environ: str) -> Ran:
        site.save()
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            command(*arguments),
            cwd=site.folder,
            env=environ_of(environ),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        try:
            said = _read_all(ours, time.monotonic() + MAX_S)
            assert process.wait(10) == code, said
        finally:
            process.kill()
            process.wait()
            os.close(ours)
        return Ran(code, said, "")

    return run


def _read_all(terminal: int, end: float) -> str:
    """Everything that is written until the other side is closed."""
    taken = b""
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 0.2)[0]:
            continue
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # how Linux says that nobody holds the other side any more
            break
        if not chunk:
            break
        taken += chunk
    return taken.decode()


@pytest.fixture
def snapshot(site: Site) -> Callable[[], dict[str, str]]:
    """Every file below the site's folder, by its hash."""

    def taken() -> dict[str, str]:
        files = (path for path in sorted(site.folder.rglob("*")) if path.is_file())
        return {str(path.relative_to(site.folder)): _hash(path) for path in files}

    return taken


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def emulator() -> Emulator:
    return Emulator(require_key=False)


@pytest.fixture
def drawn(site: Site, gateway_url: str) -> Site:
    """A site whose images an emulator on a socket draws, without a key."""
    site.options["gateway"] = {"url": gateway_url, "auth": "none"}
    return site
