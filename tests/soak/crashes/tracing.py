"""Faults in the system calls of a child: by strace, or in Python without it."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.soak.crashes.fork_server import OperationForkServer
from tests.soak.crashes.operations import OPERATIONS, Workspace
from tests.waiting import MAX_WAIT_S

KILL = "kill"
_CALL = re.compile(r"^\d+ +(\w+)\(", re.MULTILINE)
_OF_FILES = re.compile(
    "f?open.*|close|p?read.*|p?write.*|f.*sync|f?truncate|rename.*|link.*|unlink.*|mkdir.*|rmdir|"
    "flock|fcntl|lseek|.*stat.*|getdents.*|f?chmod.*"
)
_PROMISING = "pwrite64"
"""System call with which a child records a promise."""


@dataclass(frozen=True, slots=True)
class Point:
    """System call at which an operation is killed or fails.

    Attributes:
        operation: Name of the operation.
        call: Name of the system call.
        number: Number of the call among those of its name, from 1.
        how: ``kill``, or the name of an error.
    """

    operation: str
    call: str
    number: int
    how: str


@dataclass(frozen=True, slots=True)
class Ended:
    """End of a child.

    Attributes:
        code: Exit code, negative for a signal.
        acked: Promises of the child and of the operation before it.
        reached: True if the child made the system call.
    """

    code: int
    acked: set[str]
    reached: bool


class Straced:
    """Tracer that injects faults with strace."""

    name = "strace"

    def __init__(self, fork_server: OperationForkServer, log: Path) -> None:
        self._server, self._log = fork_server, log

    def works(self, folder: Path) -> bool:
        """Return True if the kernel allows tracing."""
        try:
            self.calls("claim", folder)
        except PermissionError:
            return False
        return True

    def calls(self, operation: str, folder: Path) -> list[str]:
        """Return the names of the system calls of an operation, in order."""
        self._run(operation, folder, [])
        made = _CALL.findall(self._log.read_text("utf-8", "replace"))
        return [name for name in made if _OF_FILES.fullmatch(name) and name != _PROMISING]

    def run(self, point: Point, folder: Path) -> Ended:
        """Run an operation with a fault."""
        what = "signal=SIGKILL" if point.how == KILL else f"error={point.how}"
        inject = ["-e", f"inject={point.call}:{what}:when={point.number}"]
        code, acked = self._run(point.operation, folder, inject)
        is_injected = "(INJECTED)" in self._log.read_text("utf-8", "replace")
        is_killed = code == -signal.SIGKILL
        return Ended(code, acked, is_killed if point.how == KILL else is_injected)

    def _run(self, operation: str, folder: Path, options: list[str]) -> tuple[int, set[str]]:
        workspace, acked = _prepared(operation, folder)
        child = self._server.fork(operation, folder)
        command = ["strace", "-f", "-p", str(child), "-o", str(self._log), *options]
        tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            assert tracer.stderr
            output = tracer.stderr.readline()  # waits until the tracer is attached
        finally:
            code = self._server.go(child)
            _, more = tracer.communicate(timeout=MAX_WAIT_S)
        if "not permitted" in output + more:
            raise PermissionError(output + more)
        assert "attached" in output, output + more
        return code, acked | _promised(workspace)


class Simulated:
    """Tracer that replaces functions of ``os``, if the kernel refuses ptrace."""

    name = "simulated in Python, since the kernel refuses ptrace"

    def __init__(self, fork_server: OperationForkServer) -> None:
        self._server = fork_server

    def calls(self, operation: str, folder: Path) -> list[str]:
        """Return the names of the functions that an operation calls, once per call."""
        _, lines = self._run(operation, folder, "count")
        counts = (line.split("=") for line in lines if "=" in line)
        return [name for name, count in counts for _ in range(int(count))]

    def run(self, point: Point, folder: Path) -> Ended:
        """Run an operation with a fault."""
        fault = f"{point.call}:{point.number}:{point.how}"
        code, acked = self._run(point.operation, folder, fault)
        is_killed = code == -signal.SIGKILL
        return Ended(code, acked, is_killed or point.how != KILL)

    def _run(self, operation: str, folder: Path, fault: str) -> tuple[int, set[str]]:
        workspace, acked = _prepared(operation, folder)
        code = self._server.go(self._server.fork(operation, folder, fault))
        return code, acked | _promised(workspace)


def points(operation: str, calls: Sequence[str], how: str) -> list[Point]:
    """Return one point for each call of an operation."""
    return [
        Point(operation, name, calls[: at + 1].count(name), how) for at, name in enumerate(calls)
    ]


def _prepared(operation: str, folder: Path) -> tuple[Workspace, set[str]]:
    workspace, acked = Workspace(folder), set[str]()
    folder.mkdir()
    workspace.acks.touch()
    OPERATIONS[operation].prepare(workspace.stores(), acked.add)
    return workspace, acked


def _promised(workspace: Workspace) -> set[str]:
    return set(workspace.acks.read_text().split())
