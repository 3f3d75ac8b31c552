"""Storing is stopped, or told that the disk fails, at each of its calls of the system.

A round is one such point: first all of a put of the store, then those of everything else that is
written, again and again. After each a fresh instance finds the whole original or none, imports
what was promised, and the next purchase succeeds.
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

from tests.soak.crashes.operations import OPERATIONS, Ground, judge
from tests.soak.crashes.stage import REFUSED, Stage
from tests.soak.crashes.tracing import KILL, Ended, Point, Simulated, Straced, points
from tests.soak.figures import Figure

_HOWS = (KILL, "ENOSPC", "EIO")
_EXPECTED = (0, REFUSED, -signal.SIGKILL, -signal.SIGALRM)
_FAULTS = {
    "lost": "acknowledged and lost",
    "wrong": "wrong bytes or facts served",
    "next": "next purchases that did not succeed",
    "strange": "files left that are neither whole nor named as unfinished, or in quarantine",
}


def soak(rounds: int, folder: Path) -> Sequence[Figure]:
    """Stop at so many points, or at all of a put if those are more."""
    rescues = folder / "rescues"
    rescues.mkdir()
    counts: Counter[str] = Counter()
    with Stage(rescues) as stage:
        tracer = _tracer(stage, folder)
        first = _of_a_put(tracer, folder)
        later = islice(_of_the_others(tracer, folder), max(0, rounds - len(first)))
        for number, point in enumerate([*first, *later]):
            _stop_at(point, tracer, folder / str(number), counts)
    return _figures(counts, tracer.name, len(first))


def _figures(counts: Counter[str], tracer: str, first: int) -> list[Figure]:
    reached = sum(number for name, number in counts.items() if name.startswith("reached "))
    return [
        Figure(f"points of a put ({tracer})", counts["reached put"], least=max(10, first)),
        Figure("points of everything else", reached - counts["reached put"]),
        *(Figure(f"of them {how}", counts[f"how {how}"], least=1) for how in _HOWS),
        Figure("points not reached", counts["missed"], most=0),
        *(Figure(words, counts[name], most=0) for name, words in _FAULTS.items()),
        Figure("exceptions other than ours", counts["uncaught"], most=0),
        Figure("operations that hung", counts["hung"], most=0),
    ]


def _tracer(stage: Stage, folder: Path) -> Straced | Simulated:
    straced = Straced(stage, folder / "trace")
    return straced if straced.works(folder / "first") else Simulated(stage)


def _of_a_put(tracer: Straced | Simulated, folder: Path) -> list[Point]:
    calls = tracer.calls("put", folder / "put")
    return [point for how in _HOWS for point in points("put", calls, how)]


def _of_the_others(tracer: Straced | Simulated, folder: Path) -> Iterator[Point]:
    """All points of all operations in a random order, again and again."""
    chance = random.Random(20261123)  # noqa: S311 - the same order every time
    names = [name for name in OPERATIONS if name != "put"]
    calls = {name: tracer.calls(name, folder / name.replace(" ", "-")) for name in names}
    every = [each for how in _HOWS for name in names for each in points(name, calls[name], how)]
    for _ in count():
        yield from chance.sample(every, len(every))


def _stop_at(point: Point, tracer: Straced | Simulated, folder: Path, counts: Counter[str]) -> None:
    ended = tracer.run(point, folder)
    counts["missed"] += not ended.reached
    counts[f"reached {point.operation}"] += ended.reached
    counts[f"how {point.how}"] += ended.reached
    is_uncaught = ended.code not in _EXPECTED
    counts["uncaught"] += is_uncaught
    counts["hung"] += ended.code == -signal.SIGALRM
    faults = _judged(folder, ended)
    counts.update(faults)
    if any(faults.values()) or is_uncaught:
        print(f"{point}: {dict(+faults)}, {ended}", file=sys.stderr)  # noqa: T201 - says which
    shutil.rmtree(folder)


def _judged(folder: Path, ended: Ended) -> Counter[str]:
    ground = Ground(folder)
    try:
        return judge(ground, ended.acked)
    except Exception as error:  # noqa: BLE001 - that there is none is what is counted
        print(repr(error), file=sys.stderr)  # noqa: T201 - says which
        return Counter(uncaught=1)
