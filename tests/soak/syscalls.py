"""Writes that are killed, or fail, at each of their system calls.

A round is one system call: first all of those that store an original, then those of all other
operations, again and again. After each, a new process finds the intact original or no original,
recovers all promised images, and the next purchase succeeds.
"""

from __future__ import annotations

import random
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count, islice
from pathlib import Path

from tests.soak.crashes.fork_server import REFUSED, OperationForkServer
from tests.soak.crashes.operations import OPERATIONS, Workspace, judge
from tests.soak.crashes.tracing import KILL, Ended, Point, Simulated, Straced, points
from tests.soak.figures import Figure

_HOWS = (KILL, "ENOSPC", "EIO")
_EXPECTED = (0, REFUSED, -signal.SIGKILL, -signal.SIGALRM)
_FAULTS = {
    "lost": "promised and lost",
    "wrong": "wrong images or records read",
    "next": "next purchases that did not succeed",
    "strange": "strange files: neither complete nor named as temporary, or in quarantine",
}


def soak(rounds: int, folder: Path) -> Sequence[Figure]:
    """Stop at this number of calls, or at all calls of a put if these are more."""
    rescues = folder / "rescues"
    rescues.mkdir()
    counts: Counter[str] = Counter()
    with OperationForkServer(rescues) as fork_server:
        tracer = _tracer(fork_server, folder)
        first = _of_a_put(tracer, folder)
        later = islice(_of_the_others(tracer, folder), max(0, rounds - len(first)))
        for number, point in enumerate([*first, *later]):
            _stop_at(point, tracer, folder / str(number), counts)
    return _figures(counts, tracer.name, len(first))


def _figures(counts: Counter[str], tracer: str, first: int) -> list[Figure]:
    reached = sum(number for name, number in counts.items() if name.startswith("reached "))
    return [
        Figure(
            f"system calls of a put ({tracer})", counts["reached put"], min_value=max(10, first)
        ),
        Figure("system calls of other operations", reached - counts["reached put"]),
        *(Figure(f"system calls with {how}", counts[f"how {how}"], min_value=1) for how in _HOWS),
        Figure("system calls not reached", counts["missed"], max_value=0),
        *(Figure(words, counts[name], max_value=0) for name, words in _FAULTS.items()),
        Figure("other exceptions than ImagegenError", counts["uncaught"], max_value=0),
        Figure("operations that hung", counts["hung"], max_value=0),
    ]


def _tracer(fork_server: OperationForkServer, folder: Path) -> Straced | Simulated:
    straced = Straced(fork_server, folder / "trace")
    return straced if straced.works(folder / "first") else Simulated(fork_server)


def _of_a_put(tracer: Straced | Simulated, folder: Path) -> list[Point]:
    calls = tracer.calls("put", folder / "put")
    return [point for how in _HOWS for point in points("put", calls, how)]


def _of_the_others(tracer: Straced | Simulated, folder: Path) -> Iterator[Point]:
    """Yield all points of all other operations in a random order, again and again."""
    rng = random.Random(20261123)  # noqa: S311 - the same order every time
    names = [name for name in OPERATIONS if name != "put"]
    calls = {name: tracer.calls(name, folder / name.replace(" ", "-")) for name in names}
    every = [each for how in _HOWS for name in names for each in points(name, calls[name], how)]
    for _ in count():
        yield from rng.sample(every, len(every))


def _stop_at(point: Point, tracer: Straced | Simulated, folder: Path, counts: Counter[str]) -> None:
    ended = tracer.run(point, folder)
    counts["missed"] += not ended.reached
    counts[f"reached {point.operation}"] += ended.reached
    counts[f"how {point.how}"] += ended.reached
    is_uncaught = ended.code not in _EXPECTED
    counts["uncaught"] += is_uncaught
    counts["hung"] += ended.code == -signal.SIGALRM
    faults = _count_faults(folder, ended)
    counts.update(faults)
    if any(faults.values()) or is_uncaught:
        print(f"{point}: {dict(+faults)}, {ended}", file=sys.stderr)  # noqa: T201 - details of a fault
    shutil.rmtree(folder)


def _count_faults(folder: Path, ended: Ended) -> Counter[str]:
    workspace = Workspace(folder)
    try:
        return judge(workspace, ended.acked)
    except Exception as error:  # noqa: BLE001 - counted as a fault
        print(repr(error), file=sys.stderr)  # noqa: T201 - details of a fault
        return Counter(uncaught=1)
