"""The benchmark: ``python -m tests.benchmark [NAME ...]``.

Programs run in rounds. In each round, every contestant runs once, one after the other; every other
round runs in the reverse order. A figure is the median of the ratios of the rounds, with an
interval of about 95 % from order statistics (see ``figures``). The control is the same figure for
two equal programs, from the same rounds: if its interval does not contain 1, the machine was too
noisy. CPU time is that of the program and its children, in user and system mode; memory is the peak
of the largest process; wall time is used only for waits.

``pip install -e '.[bench]'`` installs the dependencies. Without one of them, or without Chromium,
node or Valgrind, the rows that need it say so. All benchmarks take two to three hours;
``--pages 100 --pairs 6`` gives first figures.
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
    ci,
    cold,
    growth,
    instructions,
    machine,
    pages,
    readers,
    save,
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
    ci,
    cold,
    save,
    serve,
    readers,
    growth,
)
"""Modules with the NAMES of their benchmarks and a function ``measure``; the slowest are last."""

NAMES = tuple(dict.fromkeys(name for module in MODULES for name in module.NAMES))


def run(
    bench: Bench, names: Collection[str], keep: Callable[[Sequence[Row]], object] = len
) -> list[Row]:
    """Run benchmarks, and return their rows; a benchmark that fails gives a row that says so.

    Args:
        bench: Sizes of the benchmarks.
        names: Names of the benchmarks.
        keep: Function that is called with all rows so far after each row.
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
    except Exception as error:  # noqa: BLE001 - the other figures remain valid
        bench.tell(f"{', '.join(wanted)}: {type(error).__name__}: {error}")
        note = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
        yield from (Row(name, "failed", "-", None, note=note) for name in sorted(names))


def progress() -> Callable[[str], None]:
    """Return a function that prints to stderr; on a terminal, each line replaces the last."""
    begun, on_terminal = time.monotonic(), sys.stderr.isatty()

    def tell(text: str) -> None:
        line = f"{time.monotonic() - begun:6.0f} s  {text}"
        ends = ("\r\x1b[K", "") if on_terminal else ("", "\n")
        sys.stderr.write(f"{ends[0]}{line}{ends[1]}")
        sys.stderr.flush()

    return tell


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print the table; return 1 if a goal is missed."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmark",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = ", ".join(NAMES)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"benchmarks (all): {names}")
    parser.add_argument("--pairs", type=int, default=20, help="number of rounds (20)")
    parser.add_argument("--pages", type=int, default=1000, help="pages of the large sites (1000)")
    parser.add_argument("--jobs", type=int, default=1, help="parallel rounds, one per core (1)")
    parser.add_argument("--latency", type=float, default=6.0, help="median of cold in seconds (6)")
    parser.add_argument("--npm", type=Path, help="folder of npm packages")
    parser.add_argument("--against", type=Path, help="another checkout for ci, such as a worktree")
    parser.add_argument("--json", type=Path, help="file for all runs, as JSON")
    parser.add_argument("--markdown", type=Path, help="file for the table, as Markdown")
    given = parser.parse_args(arguments)
    if unknown := set(given.names) - set(NAMES):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}; choose from {names}")
    # A shell ignores interrupts in background jobs, and child processes would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    facts = machine.described()
    with tempfile.TemporaryDirectory(prefix="mkdocs-imagegen-benchmark-") as folder:
        sizes = (given.pairs, given.pages, given.jobs, given.latency)
        against = given.against and given.against.resolve()
        bench = Bench(Path(folder), *sizes, given.npm, against, progress())
        rows = run(bench, given.names or NAMES, lambda rows: _write(given, rows, facts))
    print(as_text(rows))  # noqa: T201 - the result
    return 1 if any(row.verdict is Verdict.MISSED for row in rows) else 0


def _write(given: argparse.Namespace, rows: Sequence[Row], facts: Mapping[str, str]) -> None:
    if given.json:
        given.json.write_text(json.dumps(as_dict(rows, facts), indent=1) + "\n")
    if given.markdown:
        given.markdown.write_text(as_markdown(rows, facts))


if __name__ == "__main__":
    sys.exit(main())
