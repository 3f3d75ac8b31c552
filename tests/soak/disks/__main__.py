"""``python -m tests.soak.disks ROUNDS FOLDER``: run every case, and print the counts as JSON."""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from pathlib import Path

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import EmulatorServer
from tests.soak.builds.fork_server import BuildForkServer
from tests.soak.disks.cases import run_all
from tests.soak.disks.workspace import Workspace

_KIBS = (0, 8, 12, 16, 28)
_MAX_KIB = 96
"""Free space for all files of these sites except those of MkDocs itself."""


def main() -> None:
    """Repeat every case; after the first round with random free space."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rounds", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--may-mount", action="store_true")
    arguments = parser.parse_args()
    os.environ["SOURCE_DATE_EPOCH"] = "1790000000"  # themes print the build's time
    os.environ["TMPDIR"] = str(arguments.folder)  # folder of images that the store does not accept
    rng = random.Random(20261123)  # noqa: S311 - repeatable
    emulator = Emulator(require_key=False)
    with BuildForkServer() as fork_server, EmulatorServer(emulator) as server:
        workspace = Workspace(arguments.folder, fork_server, server)
        for number in range(arguments.rounds):
            kibs = [4 * rng.randrange(_MAX_KIB // 4) for _ in _KIBS] if number else _KIBS
            run_all(workspace, kibs, may_mount=arguments.may_mount)
    json.dump(workspace.counts, sys.stdout)


if __name__ == "__main__":
    main()
