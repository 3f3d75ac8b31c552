"""Operations in processes of their own, forked from a process that has imported everything.

A child waits for a command, so that a tracer can be attached, and imports no module itself.
``python -m tests.soak.crashes.fork_server`` reads lines: the response to
``fork OPERATION\tFOLDER\tFAULT`` is the child's pid, to ``go PID`` its exit code after its end.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import signal
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from mkdocs_imagegen.errors import ImagegenError
from tests.soak.crashes.operations import OPERATIONS, Workspace, judge
from tests.waiting import MAX_WAIT_S

REFUSED, UNCAUGHT = 3, 4
"""Exit codes of a child whose operation raised an `ImagegenError`, or another error."""

_HUNG_S = 60
_ROOT = Path(__file__).parents[3]
_IN_PYTHON = ("open", "write", "fsync", "replace", "link", "unlink", "mkdir", "close")
"""Functions of ``os`` that fail in a child without a tracer."""


class OperationForkServer:
    """Process that forks children; a context manager that ends it.

    Args:
        rescues: Folder for images that the store does not accept.
    """

    def __init__(self, rescues: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            cwd=_ROOT,
            env=os.environ | {"TMPDIR": str(rescues)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def fork(self, operation: str, folder: Path, fault: str = "") -> int:
        """Fork a child that waits for `go`; return its pid."""
        return self._request(f"fork {operation}\t{folder}\t{fault}")

    def go(self, child: int) -> int:
        """Let a child run; return its exit code, negative for a signal: SIGALRM if it hung."""
        return self._request(f"go {child}")

    def _request(self, line: str) -> int:
        assert self._process.stdin
        assert self._process.stdout
        print(line, file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())

    def __enter__(self) -> OperationForkServer:  # noqa: PYI034 - typing.Self came with Python 3.11
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate(timeout=MAX_WAIT_S)


def _main() -> None:
    _warm_up()
    waiting: dict[int, int] = {}
    while line := sys.stdin.readline():
        command, _, argument = line.rstrip("\n").partition(" ")
        is_fork = command == "fork"
        response = _fork(argument, waiting) if is_fork else _go(int(argument), waiting)
        sys.stdout.write(f"{response}\n")
        sys.stdout.flush()


def _fork(arguments: str, waiting: dict[int, int]) -> int:
    started, go = os.pipe()
    is_ready, ready = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(go)
        signal.alarm(_HUNG_S)
        _wait_and_act(started, ready, *arguments.split("\t"))
    os.close(ready)
    os.read(is_ready, 1)
    os.close(is_ready)
    os.close(started)
    waiting[child] = go
    return child


def _go(child: int, waiting: dict[int, int]) -> int:
    os.close(waiting.pop(child))
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _wait_and_act(started: int, ready: int, operation: str, folder: str, fault: str) -> None:
    """Run an operation when the other end of a pipe is closed, and end the process."""
    workspace, code = Workspace(Path(folder)), 0
    stores, act = workspace.stores(), OPERATIONS[operation].act
    acks = os.open(workspace.acks, os.O_WRONLY | os.O_APPEND)
    os.write(ready, b".")
    select.select([started], [], [])
    with _failing(fault) as counts:
        try:
            act(stores, lambda promise: _ack(acks, promise))
        except ImagegenError:
            code = REFUSED
        except BaseException:  # noqa: BLE001 - counted as a fault
            traceback.print_exc()
            code = UNCAUGHT
    if counts:
        _ack(acks, " ".join(f"{name}={number}" for name, number in counts.items()))
    os._exit(code)


def _ack(acks: int, line: str) -> None:
    os.pwrite(acks, f"{line}\n".encode(), 0)  # appends; the only call that no fault strikes


class _failing:  # noqa: N801 - reads as a function after ``with``
    """Faults in functions of ``os``: ``NAME:N:kill`` or ``NAME:N:ENOSPC``; ``count`` for none."""

    def __init__(self, fault: str) -> None:
        self._fault = fault
        self.counts: Counter[str] = Counter()

    def __enter__(self) -> Counter[str]:
        for name in _IN_PYTHON if self._fault else ():
            setattr(os, name, self._counted(name, getattr(os, name)))
        if self._fault:
            fcntl.flock = self._counted("flock", fcntl.flock)
        return self.counts

    def __exit__(self, *_: object) -> None:
        self._fault = ""

    def _counted(self, name: str, real: Callable[..., object]) -> Callable[..., object]:
        def counted(*arguments: object, **more: object) -> object:
            self.counts[name] += 1
            at, _, how = self._fault.rpartition(":")
            if at == f"{name}:{self.counts[name]}":
                if how == "kill":
                    os.kill(os.getpid(), signal.SIGKILL)
                number = getattr(errno, how)
                raise OSError(number, os.strerror(number))
            return real(*arguments, **more)

        return counted


def _warm_up() -> None:
    """Run every operation once, so that a child imports no module."""
    for operation in OPERATIONS.values():
        with tempfile.TemporaryDirectory() as folder:
            workspace = Workspace(Path(folder))
            operation.prepare(workspace.stores(), lambda _: None)
            operation.act(workspace.stores(), lambda _: None)
            judge(workspace, set())


if __name__ == "__main__":
    _main()
