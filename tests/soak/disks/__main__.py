"""``python -m tests.soak.disks ROUNDS FOLDER``: every case, where it may mount; prints counts."""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from pathlib import Path

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import serve
from tests.soak.builds.forks import Forks
from tests.soak.disks.cases import once
from tests.soak.disks.ground import Ground

_KIBS = (0, 8, 12, 16, 28)
_MAX_KIB = 96
"""Room in which everything of these sites but the host's own files can be written."""


def main() -> None:
    """Repeat every case; after the first round with room that is random."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rounds", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--may-mount", action="store_true")
    arguments = parser.parse_args()
    os.environ["SOURCE_DATE_EPOCH"] = "1790000000"  # themes print the build's time
    os.environ["TMPDIR"] = str(arguments.folder)  # where images go that the store does not take
    chance = random.Random(20261123)  # noqa: S311 - the same every time
    emulator = Emulator(require_key=False)
    with Forks() as forks, serve(emulator) as server:
        ground = Ground(arguments.folder, forks, server)
        for number in range(arguments.rounds):
            kibs = [4 * chance.randrange(_MAX_KIB // 4) for _ in _KIBS] if number else _KIBS
            once(ground, kibs, may_mount=arguments.may_mount)
    json.dump(ground.counts, sys.stdout)


if __name__ == "__main__":
    main()
