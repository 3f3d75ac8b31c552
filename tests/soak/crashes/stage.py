"""Operations in processes of their own, forked from one that has imported everything.

A child waits until it is told to go, so that a tracer can be attached, and sees nothing of the
imports. ``python -m tests.soak.crashes.stage`` obeys lines: ``fork OPERATION\tFOLDER\tFAULT``
answers with the child's number, ``go NUMBER`` with its exit code once it has ended.
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
from tests.soak.crashes.operations import OPERATIONS, Ground, judge

REFUSED, UNCAUGHT = 3, 4
"""Exit codes of a child whose operation raised our error, or another one."""

_HUNG_S = 20
_ROOT = Path(__file__).parents[3]
_IN_PYTHON = ("open", "write", "fsync", "replace", "link", "unlink", "mkdir", "close")
"""Functions of ``os`` that fail in children that no tracer can be attached to."""


class Stage:
    """Starts children; a context manager that ends the process that forks them."""

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
        """A child that waits; its number."""
        return self._ask(f"fork {operation}\t{folder}\t{fault}")

    def go(self, child: int) -> int:
        """Its exit code, negative for a signal: SIGALRM if it hung."""
        return self._ask(f"go {child}")

    def _ask(self, words: str) -> int:
        assert self._process.stdin
        assert self._process.stdout
        print(words, file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())

    def __enter__(self) -> Stage:  # noqa: PYI034 - typing.Self came with Python 3.11
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate(timeout=30)


def _main() -> None:
    _warm_up()
    waiting: dict[int, int] = {}
    while line := sys.stdin.readline():
        word, _, rest = line.rstrip("\n").partition(" ")
        answer = _forked(rest, waiting) if word == "fork" else _gone(int(rest), waiting)
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


def _forked(words: str, waiting: dict[int, int]) -> int:
    started, go = os.pipe()
    is_ready, ready = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(go)
        signal.alarm(_HUNG_S)
        _wait_and_act(started, ready, *words.split("\t"))
    os.close(ready)
    os.read(is_ready, 1)
    os.close(is_ready)
    os.close(started)
    waiting[child] = go
    return child


def _gone(child: int, waiting: dict[int, int]) -> int:
    os.close(waiting.pop(child))
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _wait_and_act(started: int, ready: int, operation: str, folder: str, fault: str) -> None:
    """Act once the other end of a pipe is closed, and end."""
    ground, code = Ground(Path(folder)), 0
    stores, act = ground.stores(), OPERATIONS[operation].act
    acks = os.open(ground.acks, os.O_WRONLY | os.O_APPEND)
    os.write(ready, b".")
    select.select([started], [], [])
    with _failing(fault) as counts:
        try:
            act(stores, lambda word: _ack(acks, word))
        except ImagegenError:
            code = REFUSED
        except BaseException:  # noqa: BLE001 - that there is none is what is counted
            traceback.print_exc()
            code = UNCAUGHT
    if counts:
        _ack(acks, " ".join(f"{name}={number}" for name, number in counts.items()))
    os._exit(code)


def _ack(acks: int, word: str) -> None:
    os.pwrite(acks, f"{word}\n".encode(), 0)  # appended; no call that is ever made to fail


class _failing:  # noqa: N801 - reads as a function after ``with``
    """Functions of ``os`` fail: at ``NAME:N:kill`` or ``NAME:N:ENOSPC``; ``count`` only counts."""

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
    """Do everything once, so that a child imports nothing."""
    for operation in OPERATIONS.values():
        with tempfile.TemporaryDirectory() as folder:
            ground = Ground(Path(folder))
            operation.prepare(ground.stores(), lambda _: None)
            operation.act(ground.stores(), lambda _: None)
            judge(ground, set())


if __name__ == "__main__":
    _main()
