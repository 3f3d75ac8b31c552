"""Random scenarios against a gateway whose bill is the judge: nothing is lost or charged twice.

A round is one scenario: edits of pages and options, moved and deleted folders, damage, faults of
the gateway, kills, builds at the same time, and commands. ``python -m tests.soak.chaos SEED``
repeats one and prints its steps.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

from mkdocs_imagegen.emulator.server import EmulatorServer
from tests.soak.builds.fork_server import BuildForkServer
from tests.soak.figures import Figure
from tests.soak.scenarios.gateway import BillingGateway, drawing_quickly
from tests.soak.scenarios.steps import begin, finish, random_step
from tests.soak.scenarios.world import World

_STEPS = (10, 22)
_ENVIRON = {"SOURCE_DATE_EPOCH": "1790000000"}


def soak(rounds: int, folder: Path) -> Sequence[Figure]:
    """Run scenarios."""
    first = int(os.environ.get("CHAOS_FIRST_SEED", "0"))
    charges = steps = failed = 0
    violations: list[str] = []
    with patch.dict(os.environ, _ENVIRON), BuildForkServer() as fork_server, drawing_quickly():
        for seed in range(first, first + rounds):
            world = run(seed, folder / str(seed), fork_server)
            charges += world.gateway.bill.images
            steps += len(world.log)
            violations += world.violations
            failed += bool(world.violations)
            if world.violations:
                _print([f"seed {seed}:", *world.log])
            shutil.rmtree(folder / str(seed))
    return [
        Figure("scenarios", rounds, min_value=1),
        Figure("first seed", first),
        Figure("steps and processes", steps, min_value=10 * rounds),
        Figure("charges", charges, min_value=rounds),
        Figure("scenarios with a violation", failed, max_value=0),
        Figure("violations", len(violations), max_value=0),
    ]


def run(seed: int, folder: Path, fork_server: BuildForkServer) -> World:
    """Run one scenario."""
    rng, gateway = random.Random(seed), BillingGateway()  # noqa: S311 - repeatable
    with EmulatorServer(gateway, slow_s=0.2) as server:
        world = World(folder, fork_server, gateway, server.url, rng)
        try:
            begin(world)
            for _ in range(rng.randint(*_STEPS)):
                random_step(world)
            finish(world)
        except Exception:  # noqa: BLE001 - counted as a violation
            world.expect(False, traceback.format_exc())
    return world


def _print(lines: Sequence[str]) -> None:
    print("\n".join(lines), file=sys.stderr, flush=True)  # noqa: T201 - details of a violation


def main() -> None:
    """Repeat the scenarios of some seeds."""
    with patch.dict(os.environ, _ENVIRON), BuildForkServer() as fork_server, drawing_quickly():
        for seed in map(int, sys.argv[1:]):
            folder = Path(tempfile.mkdtemp(prefix=f"chaos-{seed}-"))
            world = run(seed, folder / "world", fork_server)
            _print([f"seed {seed} in {folder}:", *world.log])


if __name__ == "__main__":
    main()
