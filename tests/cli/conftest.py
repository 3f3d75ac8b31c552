"""Commands on real sites: in this process, in their own, on a pseudo-terminal."""

from __future__ import annotations

import hashlib
import inspect
import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mkdocs_imagegen.cli.main import main
from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.option_parsers import SKETCH_MODEL
from tests.cli.support import MAX_S, command, environ_of, fence, run_in_terminal
from tests.support import Site


@dataclass
class Ran:
    """Exit code and output of one command."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)

    @property
    def lines(self) -> list[str]:
        return self.stdout.splitlines()

    @property
    def error(self) -> list[str]:
        """The lines from ``Error:`` on."""
        lines = self.stderr.splitlines()
        start = next(number for number, line in enumerate(lines) if line.startswith("Error: "))
        return lines[start:]


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
    """Runs a command on a pseudo-terminal, where stdout and stderr are one."""

    def run(*arguments: str, code: int = 0, **environ: str) -> Ran:
        site.save()
        done, output = run_in_terminal(site.folder, command(*arguments), environ)
        assert done == code, output
        return Ran(code, output, "")

    return run


@pytest.fixture
def snapshot(site: Site) -> Callable[[], dict[str, str]]:
    """Returns the hash of every file in the site's folder."""

    def take() -> dict[str, str]:
        files = (path for path in sorted(site.folder.rglob("*")) if path.is_file())
        return {str(path.relative_to(site.folder)): _hash(path) for path in files}

    return take


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def emulator() -> Emulator:
    return Emulator(require_key=False)


@pytest.fixture
def emulated(site: Site, gateway_url: str) -> Site:
    """A site whose gateway is an emulator on a socket that needs no API key."""
    site.options["gateway"] = {"url": gateway_url, "auth": "none"}
    return site


@pytest.fixture
def small(emulated: Site) -> Site:
    """A site whose two images are small and free."""
    emulated.options["model"], emulated.options["size"] = SKETCH_MODEL, "400x200"
    emulated.write("index.md", f"# Page\n\n{fence('A ferry')}{fence('A crane', take=2)}")
    return emulated
