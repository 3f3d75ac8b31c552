"""Faults put into a child's calls of the system: by strace, or without one in Python."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.soak.crashes.operations import OPERATIONS, Ground
from tests.soak.crashes.stage import Stage

KILL = "kill"
_TIMEOUT_S = 30
_CALL = re.compile(r"^\d+ +(\w+)\(", re.MULTILINE)
_OF_FILES = re.compile(
    "f?open.*|close|p?read.*|p?write.*|f.*sync|f?truncate|rename.*|link.*|unlink.*|mkdir.*|rmdir|"
    "flock|fcntl|lseek|.*stat.*|getdents.*|f?chmod.*"
)
_PROMISING = "pwrite64"
"""The call by which a child tells what it has promised."""


@dataclass(frozen=True, slots=True)
class Point:
    """Where an operation is stopped, or told of a fault.

    Attributes:
        operation: its name.
        call: the name of a call.
        number: the how manieth of that name, from 1.
        how: ``kill``, or the name of an error.
    """

    operation: str
    call: str
    number: int
    how: str


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended.

    Attributes:
        code: its exit code, negative for a signal.
        acked: what was promised, by it and before it.
        reached: whether the point was.
    """

    code: int
    acked: set[str]
    reached: bool


class Straced:
    """Puts faults in with strace."""

    name = "strace"

    def __init__(self, stage: Stage, log: Path) -> None:
        self._stage, self._log = stage, log

    def works(self, folder: Path) -> bool:
        """Whether the kernel lets it trace."""
        try:
            self.calls("claim", folder)
        except PermissionError:
            return False
        return True

    def calls(self, operation: str, folder: Path) -> list[str]:
        """The names of the calls that an operation makes, in order."""
        self._run(operation, folder, [])
        made = _CALL.findall(self._log.read_text("utf-8", "replace"))
        return [name for name in made if _OF_FILES.fullmatch(name) and name != _PROMISING]

    def run(self, point: Point, folder: Path) -> Ended:
        """Run an operation into a fault."""
        what = "signal=SIGKILL" if point.how == KILL else f"error={point.how}"
        inject = ["-e", f"inject={point.call}:{what}:when={point.number}"]
        code, acked = self._run(point.operation, folder, inject)
        is_told = "(INJECTED)" in self._log.read_text("utf-8", "replace")
        is_killed = code == -signal.SIGKILL
        return Ended(code, acked, is_killed if point.how == KILL else is_told)

    def _run(self, operation: str, folder: Path, options: list[str]) -> tuple[int, set[str]]:
        ground, acked = _prepared(operation, folder)
        child = self._stage.fork(operation, folder)
        command = ["strace", "-f", "-p", str(child), "-o", str(self._log), *options]
        tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            assert tracer.stderr
            said = tracer.stderr.readline()  # it waits until the tracer is attached
        finally:
            code = self._stage.go(child)
            _, more = tracer.communicate(timeout=_TIMEOUT_S)
        if "not permitted" in said + more:
            raise PermissionError(said + more)
        assert "attached" in said, said + more
        return code, acked | _promised(ground)


class Simulated:
    """Puts faults into the functions of ``os``, where the kernel refuses ptrace."""

    name = "simulated in Python, since the kernel refuses ptrace"

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def calls(self, operation: str, folder: Path) -> list[str]:
        """The names of the functions that an operation calls, as often as it does."""
        _, words = self._run(operation, folder, "count")
        counts = (word.split("=") for word in words if "=" in word)
        return [name for name, count in counts for _ in range(int(count))]

    def run(self, point: Point, folder: Path) -> Ended:
        """Run an operation into a fault."""
        fault = f"{point.call}:{point.number}:{point.how}"
        code, words = self._run(point.operation, folder, fault)
        is_killed = code == -signal.SIGKILL
        return Ended(code, words, is_killed or point.how != KILL)

    def _run(self, operation: str, folder: Path, fault: str) -> tuple[int, set[str]]:
        ground, acked = _prepared(operation, folder)
        code = self._stage.go(self._stage.fork(operation, folder, fault))
        return code, acked | _promised(ground)


def points(operation: str, calls: Sequence[str], how: str) -> list[Point]:
    """Every call of an operation."""
    return [
        Point(operation, name, calls[: at + 1].count(name), how) for at, name in enumerate(calls)
    ]


def _prepared(operation: str, folder: Path) -> tuple[Ground, set[str]]:
    ground, acked = Ground(folder), set[str]()
    folder.mkdir()
    ground.acks.touch()
    OPERATIONS[operation].prepare(ground.stores(), acked.add)
    return ground, acked


def _promised(ground: Ground) -> set[str]:
    return set(ground.acks.read_text().split())
