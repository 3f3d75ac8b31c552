"""Soaks: ``python -m tests.soak NAME --rounds N``.

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

_OTHER_MODULES = ("__main__", "figures")


def names() -> list[str]:
    """Return the names of all soaks."""
    modules = sorted(path.stem for path in Path(__file__).parent.glob("*.py"))
    return [name for name in modules if name not in _OTHER_MODULES and not name.startswith("test_")]


def main() -> int:
    """Run one soak, and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=names(), help="name of the soak")
    parser.add_argument("--rounds", type=int, default=100, help="number of trials (100)")
    arguments = parser.parse_args()
    module = importlib.import_module(f"tests.soak.{arguments.name}")
    # The figures count damaged originals; one line per warning would hide the figures.
    log.addHandler(logging.NullHandler())
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        figures = module.soak(arguments.rounds, Path(folder))
    for figure in figures:
        print(f"{'' if figure.is_within_bounds else 'FAILED  '}{figure}")
    print(f"{arguments.rounds} rounds in {time.monotonic() - begun:.0f} s")
    return 0 if figures and all(figure.is_within_bounds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
