"""Builds of real sites on full, read-only, restored and linked disks.

A round is every case once; from the second on the room that is left is random.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.soak.disks.ground import FAULTS
from tests.soak.disks.rooms import own_space
from tests.soak.figures import Figure

_ROOT = Path(__file__).parents[2]
_MAX_ROUND_S = 300


def soak(rounds: int, folder: Path) -> Sequence[Figure]:
    """Build in every case, so many times, and count what went wrong."""
    space = own_space()
    how = "" if space else " (pretended by RLIMIT_FSIZE: the kernel refuses mounts)"
    counts = _counted(rounds, folder, space)
    return [
        Figure(f"builds on bad disks{how}", counts["builds"], least=rounds),
        Figure("images billed", counts["billed"], least=rounds),
        *(Figure(words, counts[name], most=0) for name, words in FAULTS.items()),
        Figure("images bought again that a newer version had", counts["bought again"]),
    ]


def _counted(rounds: int, folder: Path, space: list[str] | None) -> Counter[str]:
    command = [*(space or []), sys.executable, "-m", "tests.soak.disks", str(rounds), str(folder)]
    done = subprocess.run(
        [*command, *(["--may-mount"] if space else [])],
        cwd=_ROOT,
        stdout=subprocess.PIPE,
        check=True,
        timeout=_MAX_ROUND_S * max(1, rounds),
    )
    return Counter(json.loads(done.stdout))
