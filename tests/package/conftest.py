"""Distributions of the package, and environments that have them."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.manual.pages import ROOT

_ENVIRON = {name: os.environ[name] for name in os.environ if not name.startswith("PYTHON")}


@dataclass(frozen=True)
class Distributions:
    """Files to upload, and the folder of the unpacked source distribution."""

    wheel: Path
    sdist: Path
    source: Path


def run(
    *command: str | Path, cwd: Path | None = None, code: int = 0, environ: Mapping[str, str] = {}
) -> str:
    """Run a command outside the checkout, and return its output."""
    done = subprocess.run(
        [*map(str, command)],
        cwd=cwd,
        env=_ENVIRON | {"NO_MKDOCS_2_WARNING": "1"} | dict(environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == code, done.stdout
    return done.stdout


def build(source: Path, folder: Path, *options: str, epoch: int | None = None) -> list[Path]:
    """Build distributions with the build backend of this environment, and return their files."""
    command = (sys.executable, "-m", "build", "--no-isolation", *options)
    environ = {} if epoch is None else {"SOURCE_DATE_EPOCH": str(epoch)}
    run(*command, "-o", folder, source, environ=environ)
    return sorted(folder.iterdir())


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    """Build a source distribution, and a wheel from it, as `python -m build` does."""
    folder = tmp_path_factory.mktemp("distributions")
    wheel, sdist = build(ROOT, folder / "dist")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    return Distributions(wheel, sdist, folder / sdist.name.removesuffix(".tar.gz"))


class Environment:
    """A virtual environment of its own, filled from the package index that pip is set up for."""

    def __init__(self, folder: Path) -> None:
        run(sys.executable, "-m", "venv", "--without-pip", folder)
        self._bin = folder / ("Scripts" if os.name == "nt" else "bin")

    def install(self, *requirements: str | Path) -> None:
        pip = (sys.executable, "-m", "pip", "--python", self._bin / "python")
        run(*pip, "install", "--quiet", *requirements)

    def run(self, program: str, *arguments: str | Path, cwd: Path, code: int = 0) -> str:
        return run(self._bin / program, *arguments, cwd=cwd, code=code)


@pytest.fixture
def environment(tmp_path: Path, request: pytest.FixtureRequest) -> Environment:
    if not request.config.getoption("full"):
        pytest.skip("environments of distributions need --full")
    return Environment(tmp_path / "environment")
