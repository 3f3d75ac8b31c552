"""Virtual environments with a site generator and the package, each made once per run of tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

ROOT = Path(__file__).parents[2]
_REQUIREMENT = re.compile(r"^Requires-Dist: ((?:(?!; extra\b)[^\n])+)$", re.MULTILINE)
_HOSTS = ("mkdocs", "properdocs", "zensical")

# Name of an environment, and its packages.
OLDEST = (
    "oldest",
    "mkdocs==1.6.0",
    "Markdown==3.8.1",
    "pymdown-extensions==10.2",
    "mkdocs-material==9.6.0",
)
NEWEST = ("newest", "mkdocs", "mkdocs-material", "properdocs==1.6.7", "properdocs-theme-mkdocs")
ALONE = ("alone", "properdocs==1.6.7", "properdocs-theme-mkdocs", "pymdown-extensions")
MATERIALX = ("materialx", "mkdocs-materialx==10.2.2", "properdocs==1.6.7")
TECHDOCS = ("techdocs", "mkdocs-techdocs-core==1.7.1")


@dataclass(frozen=True)
class Environment:
    """A virtual environment."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def run(
        self, module: str, *arguments: str, cwd: Path, environ: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a module, such as `mkdocs`, in a folder; no variable of the tests' tree is set."""
        clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return subprocess.run(
            [str(self.python), "-m", module, *arguments],
            cwd=cwd,
            env=clean | {"NO_MKDOCS_2_WARNING": "1"} | dict(environ or {}),
            capture_output=True,
            text=True,
            check=False,
        )


def create_environment(base: Path, name: str, *requirements: str) -> Environment:
    """Return an environment with the package and others, unless it was made before.

    Args:
        base: Folder of all environments.
        name: Name of the environment.
        requirements: Site generators, themes and plugins, as for pip.
    """
    base.mkdir(exist_ok=True)
    environment, is_ready = Environment(base / name), base / f"{name}.ready"
    with FileLock(base / f"{name}.lock"):
        if not is_ready.exists():
            wheel = _build_wheel(base)
            venv.create(environment.folder, clear=True)
            target = ("--python", str(environment.folder))
            _pip(*target, "install", "--no-compile", *_requirements(wheel), *requirements)
            _pip(*target, "install", "--no-compile", "--no-deps", str(wheel))
            is_ready.touch()
    return environment


def _requirements(wheel: Path) -> list[str]:
    """Return what the package needs apart from site generators."""
    metadata = f"{wheel.stem.rsplit('-', 3)[0]}.dist-info/METADATA"
    with zipfile.ZipFile(wheel) as file:
        found = _REQUIREMENT.findall(file.read(metadata).decode())
    return [each for each in found if not each.startswith(_HOSTS)]


def _build_wheel(base: Path) -> Path:
    """Build the wheel of the package, unless it was built before."""
    with FileLock(base / "wheel.lock"):
        if not list(base.glob("*.whl")):
            _pip("wheel", "--no-deps", "--wheel-dir", str(base), str(ROOT))
    return next(base.glob("*.whl"))


def _pip(*arguments: str) -> None:
    python = getattr(sys, "_base_executable", sys.executable)
    command = [python, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
