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
_REQUIREMENT = re.compile(r"^Requires-Dist: ([^;\n]+)$", re.MULTILINE)
_HOSTS = ("mkdocs", "properdocs", "zensical")


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
    with FileLock(base / "environments.lock"):
        wheel = next(base.glob("*.whl"), None) or _build_wheel(base)
        environment = Environment(base / name)
        if not environment.folder.exists():
            venv.create(environment.folder)
            metadata = zipfile.ZipFile(wheel).read(
                f"{wheel.stem.rsplit('-', 3)[0]}.dist-info/METADATA"
            )
            own = [
                each
                for each in _REQUIREMENT.findall(metadata.decode())
                if not each.startswith(_HOSTS)
            ]
            target = ("--python", str(environment.folder))
            _pip(*target, "install", "--no-compile", *own, *requirements)
            _pip(*target, "install", "--no-compile", "--no-deps", str(wheel))
        return environment


def _build_wheel(base: Path) -> Path:
    _pip("wheel", "--no-deps", "--wheel-dir", str(base), str(ROOT))
    return next(base.glob("*.whl"))


def _pip(*arguments: str) -> None:
    python = getattr(sys, "_base_executable", sys.executable)
    command = [python, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
