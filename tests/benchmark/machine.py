"""Machine and versions of a benchmark."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tests.benchmark.processes import ROOT

_PACKAGES = (
    "mkdocs",
    "mkdocs-material",
    "pillow",
    "mkdocs-kroki-plugin",
    "mkdocs_puml",
    "playwright",
)


def described() -> dict[str, str]:
    """Return machine, versions, commit and date."""
    facts = {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        "commit": _output_of("git", "-C", str(ROOT), "describe", "--always", "--dirty"),
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": _memory(),
        "kernel": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "node": _output_of("node", "--version"),
    }
    facts |= {name: _version(name) for name in _PACKAGES}
    return {name: value for name, value in facts.items() if value}


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def _memory() -> str:
    try:
        pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return ""
    return f"{pages * size / 2**30:.0f} GiB"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _output_of(*command: str) -> str:
    if not shutil.which(command[0]):
        return ""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    return done.stdout.strip()
