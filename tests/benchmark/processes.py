"""Costs of a program from start to end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TIMEOUT_S = 3600
ROOT = Path(__file__).parents[2]

_LAUNCHER = """
import json, os, resource, subprocess, sys, time
core, command = int(sys.argv[1]), sys.argv[2:]
if core >= 0:
    os.sched_setaffinity(0, {core})
begun = time.perf_counter()
done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr)
wall_s = time.perf_counter() - begun
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([done.returncode, used.ru_utime + used.ru_stime, used.ru_maxrss, wall_s]))
"""


class RunError(Exception):
    """Failure of a program that is measured."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Costs of one process and its children.

    Attributes:
        cpu_s: CPU seconds in user and system mode.
        peak_mib: Peak memory of the largest process.
        wall_s: Wall time in seconds.
    """

    cpu_s: float
    peak_mib: float
    wall_s: float


def cost_of(
    command: Sequence[str], folder: Path, core: int | None = None, checkout: Path = ROOT
) -> Cost:
    """Run a program from a small process: the peak memory of a child includes its parent's.

    Args:
        command: Program and arguments.
        folder: Working folder.
        core: Core to use; None for all.
        checkout: Folder of the repository whose plugin runs.

    Raises:
        RunError: If the program ends with an error.
    """
    launcher = [sys.executable, "-S", "-c", _LAUNCHER, str(-1 if core is None else core)]
    done = subprocess.run(
        [*launcher, *command],
        cwd=folder,
        env=environ(checkout),
        capture_output=True,
        text=True,
        check=True,
        timeout=TIMEOUT_S,
    )
    code, cpu_s, peak_kib, wall_s = json.loads(done.stdout.splitlines()[-1])
    if code != 0:
        raise RunError(f"{' '.join(command)} in {folder}: exit code {code}\n{done.stderr[-2000:]}")
    return Cost(cpu_s, peak_kib / 1024, wall_s)


def environ(checkout: Path = ROOT) -> dict[str, str]:
    """Return the environment without credentials, with a checkout first in the path.

    The seed of hashes is fixed: with another one, the same build takes other instructions.
    """
    clean = {name: value for name, value in os.environ.items() if not _is_secret(name)}
    clean.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package is compiled
    paths = os.pathsep.join([str(checkout), *_paths()])
    return clean | {"NO_MKDOCS_2_WARNING": "1", "PYTHONHASHSEED": "0", "PYTHONPATH": paths}


def _paths() -> list[str]:
    return [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]


def _is_secret(name: str) -> bool:
    return name.startswith(("AI_GATEWAY", "VERCEL", "OFFLINE"))


def mkdocs(*arguments: str) -> tuple[str, ...]:
    """Return a command of MkDocs."""
    return (sys.executable, "-m", "mkdocs", *arguments)


BUILD = mkdocs("build", "--quiet")


def ours(*arguments: str) -> tuple[str, ...]:
    """Return a command of mkdocs-imagegen."""
    return (sys.executable, "-m", "mkdocs_imagegen", *arguments)
