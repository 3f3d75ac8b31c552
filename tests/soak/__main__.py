"""Soaks: ``python -m tests.soak NAME --rounds N``, or ``all`` for every soak at its full size.

A soak is a module of this folder with a function ``soak``. The tests next to it run it at a small
size. The exit code is 1 if a figure is out of its bounds.
"""
# ruff: noqa: T201 - a soak prints its figures

from __future__ import annotations

import argparse
import importlib
import logging
import sys
import tempfile
import time
from pathlib import Path

from mkdocs_imagegen.log import log

FULL_ROUNDS = {
    "canary": 60,
    "chaos": 200,
    "corruption": 100_000,
    "disk": 10,
    "faults": 5_000,
    "injection": 300,
    "interrupts": 200,
    "kills": 1_000,
    "limits": 60,
    "malformed": 50_000,
    "offline": 10,
    "outages": 10,
    "processes": 40,
    "syscalls": 2_000,
}
"""Rounds of each soak at full size; the manual's page on reliability shows them."""


def main() -> int:
    """Run one soak or all of them, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=["all", *FULL_ROUNDS], help="name of the soak")
    parser.add_argument("--rounds", type=int, help="number of trials (default: the full size)")
    arguments = parser.parse_args()
    names = FULL_ROUNDS if arguments.name == "all" else [arguments.name]
    # The figures count damaged originals; one line per warning would hide the figures.
    log.addHandler(logging.NullHandler())
    passed = [run(name, arguments.rounds or FULL_ROUNDS[name]) for name in names]
    return 0 if all(passed) else 1


def run(name: str, rounds: int) -> bool:
    """Run a soak, and print its figures; return True if all are within their bounds."""
    module = importlib.import_module(f"tests.soak.{name}")
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        figures = module.soak(rounds, Path(folder))
    print(f"{name}:")
    for figure in figures:
        print(f"  {'' if figure.is_within_bounds else 'FAILED  '}{figure}")
    print(f"  {rounds} rounds in {time.monotonic() - begun:.0f} s", flush=True)
    return bool(figures) and all(figure.is_within_bounds for figure in figures)


if __name__ == "__main__":
    sys.exit(main())
