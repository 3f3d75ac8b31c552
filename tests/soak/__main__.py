"""Soaks: ``python -m tests.soak NAME --rounds N``.

Each module of this folder with a function ``soak`` is one; the tests beside it run it at a small
size. The exit code is 1 where a figure is out of its bounds.
"""
# ruff: noqa: T201 - printing is what this is for

from __future__ import annotations

import argparse
import importlib
import logging
import sys
import tempfile
import time
from pathlib import Path

from mkdocs_imagegen.log import log

_NO_SOAKS = ("__main__", "figures")


def names() -> list[str]:
    """The soaks there are."""
    modules = sorted(path.stem for path in Path(__file__).parent.glob("*.py"))
    return [name for name in modules if name not in _NO_SOAKS and not name.startswith("test_")]


def main() -> int:
    """Run one soak, and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=names())
    parser.add_argument("--rounds", type=int, default=100)
    arguments = parser.parse_args()
    module = importlib.import_module(f"tests.soak.{arguments.name}")
    # The figures count damaged originals; a line for each of thousands would hide them.
    log.addHandler(logging.NullHandler())
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        figures = module.soak(arguments.rounds, Path(folder))
    for figure in figures:
        print(f"{'' if figure.holds else 'FAILED  '}{figure}")
    print(f"{arguments.rounds} rounds in {time.monotonic() - begun:.0f} s")
    return 0 if figures and all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
