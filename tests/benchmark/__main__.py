"""The benchmark: ``python -m tests.benchmark [NAME ...]``.

Whole programs are run in rounds, in each of them every contestant once, one after the other, every
other round in the other order. A figure is the median of the ratios of the rounds, with an interval
of about 95 % from order statistics (see ``figures``). Beside it stands the same of two programs
that are equal, from the same rounds: where its interval does not hold 1, the machine was too noisy
to tell. CPU time is of the program and its children, in user and system mode; memory is the most
that one process had; wall time is used only where waiting is the point.

``pip install -e '.[bench]'`` installs what it needs; without a part of that, or without Chromium,
node or Valgrind, the rows that need it say so. All of it takes two hours or three; ``--pages 100
--pairs 6`` is a first look.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType

from tests.benchmark import (
    cold,
    growth,
    instructions,
    machine,
    pages,
    serve,
    small,
    variants,
)
from tests.benchmark.figures import Row, Verdict
from tests.benchmark.rounds import Bench
from tests.benchmark.table import as_dict, as_markdown, as_text

MODULES: tuple[ModuleType, ...] = (
    small,
    instructions,
    pages,
    variants,
    cold,
    serve,
    growth,
)
"""Each has the NAMES of its benchmarks, and ``measure``; what takes longest to tell comes last."""

NAMES = tuple(dict.fromkeys(name for module in MODULES for name in module.NAMES))


def run(
    bench: Bench, names: Collection[str], keep: Callable[[Sequence[Row]], object] = len
) -> list[Row]:
    """The rows of the named benchmarks; of what fails, a row that says so.

    Args:
        bench: how large they are.
        names: of the benchmarks.
        keep: called with the rows so far, whenever there are more: all of them take long.
    """
    rows: list[Row] = []
    for module in MODULES:
        wanted = [name for name in module.NAMES if name in names]
        for row in _measured(module, bench, wanted) if wanted else ():
            rows.append(row)
            keep(rows)
    return rows


def _measured(module: ModuleType, bench: Bench, wanted: Sequence[str]) -> Iterator[Row]:
    names = set(wanted)
    try:
        for row in module.measure(bench, wanted):
            names.discard(row.name)
            yield row
    except Exception as error:  # noqa: BLE001 - the figures of the others are still good
        bench.tell(f"{', '.join(wanted)}: {type(error).__name__}: {error}")
        note = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
        yield from (Row(name, "failed", "-", None, note=note) for name in sorted(names))


def progress() -> Callable[[str], None]:
    """Prints to stderr: over the line before on a terminal, else a line each."""
    begun, on_terminal = time.monotonic(), sys.stderr.isatty()

    def tell(text: str) -> None:
        line = f"{time.monotonic() - begun:6.0f} s  {text}"
        ends = ("\r\x1b[K", "") if on_terminal else ("", "\n")
        sys.stderr.write(f"{ends[0]}{line}{ends[1]}")
        sys.stderr.flush()

    return tell


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print the table; 1 where a goal is missed."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmark",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"all, or some of: {NAMES}")
    parser.add_argument("--pairs", type=int, default=20, help="rounds (20)")
    parser.add_argument("--pages", type=int, default=1000, help="of the larger sites (1000)")
    parser.add_argument("--jobs", type=int, default=1, help="rounds at once, a core each (1)")
    parser.add_argument("--npm", type=Path, help="the folder in which npm keeps packages")
    parser.add_argument("--json", type=Path, help="a file for every run")
    parser.add_argument("--markdown", type=Path, help="a file for the table of a page")
    given = parser.parse_args(arguments)
    if unknown := set(given.names) - set(NAMES):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}; there are {NAMES}")
    # What a shell starts in the background ignores interrupts, and so would what is started here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    facts = machine.described()
    with tempfile.TemporaryDirectory(prefix="mkdocs-imagegen-benchmark-") as folder:
        bench = Bench(Path(folder), given.pairs, given.pages, given.jobs, given.npm, progress())
        rows = run(bench, given.names or NAMES, lambda rows: _write(given, rows, facts))
    print(as_text(rows))  # noqa: T201 - it is what this is for
    return 1 if any(row.verdict is Verdict.MISSED for row in rows) else 0


def _write(given: argparse.Namespace, rows: Sequence[Row], facts: Mapping[str, str]) -> None:
    if given.json:
        given.json.write_text(json.dumps(as_dict(rows, facts), indent=1) + "\n")
    if given.markdown:
        given.markdown.write_text(as_markdown(rows, facts))


if __name__ == "__main__":
    sys.exit(main())
