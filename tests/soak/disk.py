"""Builds of real sites on full, read-only, restored and linked disks.

A round is every case once; from the second round on, the free space is random.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.soak.disks.file_systems import own_namespace
from tests.soak.disks.workspace import FAULTS
from tests.soak.figures import Figure

_ROOT = Path(__file__).parents[2]
_MAX_ROUND_S = 600


def soak(rounds: int, folder: Path) -> Sequence[Figure]:
    """Build in every case, and count the faults."""
    namespace = own_namespace()
    how = "" if namespace else " (simulated by RLIMIT_FSIZE: the kernel refuses mounts)"
    counts = _run(rounds, folder, namespace)
    return [
        Figure(f"builds on bad disks{how}", counts["builds"], min_value=rounds),
        Figure("images charged", counts["charged"], min_value=rounds),
        *(Figure(text, counts[name], max_value=0) for name, text in FAULTS.items()),
    ]


def _run(rounds: int, folder: Path, namespace: list[str] | None) -> Counter[str]:
    command = [*(namespace or []), sys.executable, "-m", "tests.soak.disks"]
    done = subprocess.run(
        [*command, str(rounds), str(folder), *(["--may-mount"] if namespace else [])],
        cwd=_ROOT,
        stdout=subprocess.PIPE,
        check=True,
        timeout=_MAX_ROUND_S * max(1, rounds),
    )
    return Counter(json.loads(done.stdout))
