"""Builds in processes of their own, forked from one that has imported everything.

`mkdocs build` spends most of a second on imports; a fork of a process that has done them runs the
same command in the rest of the time. The parent has no threads and builds nothing itself.
"""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

_ROOT = Path(__file__).parents[3]
_LOG = "build.log"
_POLL_S = 0.005
_IMPORTED = [
    *("mkdocs.__main__", "mkdocs.commands.build", "mkdocs.contrib.search", "mkdocs.themes.mkdocs"),
    *("pymdownx.superfences", "markdown.extensions.toc", "markdown.extensions.tables"),
    *("markdown.extensions.fenced_code", "markdown.extensions.attr_list"),
    *(
        "markdown.extensions.admonition",
        "mkdocs_imagegen.hosts.mkdocs.plugin",
        "mkdocs_imagegen.gateway.client",
    ),
    *("mkdocs_imagegen.imaging.derive", "mkdocs_imagegen.derived.strict_cache"),
    *("mkdocs_imagegen.imaging.encode", "PIL.JpegImagePlugin", "anyio._backends._asyncio"),
    *("anyio.from_thread", "filelock", "tenacity.asyncio", "http.cookiejar"),
]
"""What a build imports; what is not there is imported by the build itself."""


@dataclass(frozen=True, slots=True)
class Building:
    """A process that builds a site.

    Attributes:
        pid: of the process; nobody else's until the end of it was seen.
        folder: of the site.
    """

    pid: int
    folder: Path
    _forks: Forks

    @property
    def said(self) -> str:
        """What it printed so far."""
        return (self.folder / _LOG).read_text("utf-8", "replace")

    def send(self, number: int) -> None:
        """Send it a signal; before its end was seen."""
        os.kill(self.pid, number)

    def poll(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs. Once it ended, only once."""
        return self._forks.ask(f"poll {self.pid}")

    def wait(self, timeout_s: float) -> int:
        """Its exit code.

        Raises:
            TimeoutError: it did not end; it was killed.
        """
        end = time.monotonic() + timeout_s
        while (code := self.poll()) is None:
            if time.monotonic() > end:
                self.send(signal.SIGKILL)
                raise TimeoutError(f"the build did not end within {timeout_s:g} s: {self.said}")
            time.sleep(_POLL_S)
        return code


class Forks:
    """Starts builds; a context manager that ends whatever still runs."""

    def __init__(self) -> None:
        clean = {key: value for key, value in os.environ.items() if "GATEWAY" not in key}
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            cwd=_ROOT,
            env=clean | {"NO_MKDOCS_2_WARNING": "1", "PYTHONWARNINGS": "ignore"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, folder: Path) -> Building:
        """Run `mkdocs build` in a folder."""
        pid = self.ask(f"start {folder}")
        assert pid is not None
        return Building(pid, folder, self)

    def ask(self, words: str) -> int | None:
        """Say something to the parent of all builds, and take its answer."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{words}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().strip()
        return int(answer) if answer else None

    def __enter__(self) -> Forks:  # noqa: PYI034 - typing.Self came with Python 3.11
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate(timeout=30)


def _main() -> None:
    for name in _IMPORTED:
        importlib.import_module(name)
    folder = _forked()
    if folder is not None:
        _build(folder)


def _forked() -> str | None:
    """Obey until there is nothing more to do; in a child: the folder to build."""
    running: set[int] = set()
    with _ending(running):
        while line := sys.stdin.readline():
            word, _, rest = line.rstrip("\n").partition(" ")
            if word == "poll":
                _tell(_polled(int(rest), running))
                continue
            pid = os.fork()
            if pid == 0:
                running.clear()
                return rest
            running.add(pid)
            _tell(pid)
    return None


def _tell(answer: int | str) -> None:
    print(answer, flush=True)  # noqa: T201 - this is how it answers


def _polled(pid: int, running: set[int]) -> int | str:
    ended, status = os.waitpid(pid, os.WNOHANG)
    if not ended:
        return ""
    running.discard(pid)
    return os.waitstatus_to_exitcode(status)


@contextmanager
def _ending(running: set[int]) -> Iterator[None]:
    try:
        yield
    finally:
        for pid in running:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _build(folder: str) -> None:
    """The command line's own way; whatever it raises ends the process as it would there."""
    os.setsid()
    os.chdir(folder)
    nothing, log = os.open(os.devnull, os.O_RDONLY), os.open(_LOG, _FRESH, 0o666)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    importlib.import_module("mkdocs.__main__").cli(["build"])


_FRESH = os.O_WRONLY | os.O_CREAT | os.O_TRUNC

if __name__ == "__main__":
    _main()
