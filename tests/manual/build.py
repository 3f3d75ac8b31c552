"""A build of the manual."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from tests.manual.pages import ROOT

_WARNING = re.compile(r"(WARNING|ERROR)\b")


@dataclass(frozen=True)
class BuiltManual:
    """Built manual, and the warnings of its build."""

    site: Path
    warnings: str


def build_manual(folder: Path) -> BuiltManual:
    """Build the manual in a folder, unless another process of the tests has built it there."""
    log = folder / "build.log"
    with FileLock(folder.with_suffix(".lock")):
        if not log.exists():
            log.write_text(_build(folder))
    return BuiltManual(folder / "site", log.read_text())


def _build(folder: Path) -> str:
    """Build with the cache of the checkout if there is one, and return the warnings."""
    source = folder / "example_site"
    shutil.copytree(ROOT / "example_site", source)
    for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, folder)
    environ = {name: os.environ[name] for name in os.environ if not name.startswith("IMAGEGEN")}
    environ |= {"NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "-d", str(folder / "site")],
        cwd=source,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return "".join(f"{line}\n" for line in done.stderr.split("\n") if _WARNING.match(line))
