"""Commands in processes of their own, forked from a process that has imported everything.

`mkdocs build` spends most of a second on imports; a fork of a process that has finished them runs
the same command in the rest of the time. The fork server has no threads and builds no site itself.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, TracebackType

from tests.waiting import MAX_WAIT_S

_ROOT = Path(__file__).parents[3]
_LOG = "build.log"
_POLL_S = 0.005
BUILD = ("mkdocs", "build")
_NOTHING: Mapping[str, str] = MappingProxyType({})
_PROGRAMS = {
    "mkdocs": ("mkdocs.__main__", "cli"),
    "mkdocs-imagegen": ("mkdocs_imagegen.cli.main", "main"),
}
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
    *("anyio.from_thread", "filelock", "http.cookiejar"),
    "mkdocs_imagegen.cli.main",
]
"""Modules that a build imports; it imports all others itself."""


@dataclass(frozen=True, slots=True)
class BuildProcess:
    """Process that builds a site, or runs another command.

    Attributes:
        pid: Id of the process; stays its own until `poll` has returned an exit code.
        folder: Folder of the site.
    """

    pid: int
    folder: Path
    _server: BuildForkServer
    _log: str = _LOG

    @property
    def output(self) -> str:
        """Output of the build so far; ``""`` before it has opened its log."""
        log = self.folder / self._log
        return log.read_text("utf-8", "replace") if log.exists() else ""

    def send(self, number: int) -> None:
        """Send a signal; not after `poll` has returned an exit code."""
        os.kill(self.pid, number)

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal, or None while the build runs.

        The exit code is returned once.
        """
        return self._server.request(f"poll {self.pid}")

    def wait(self, timeout_s: float = MAX_WAIT_S) -> int:
        """Wait for the end of the build, and return its exit code.

        Raises:
            TimeoutError: If the build did not end in time; it is killed.
        """
        end = time.monotonic() + timeout_s
        while (code := self.poll()) is None:
            if time.monotonic() > end:
                self.send(signal.SIGKILL)
                raise TimeoutError(f"the build did not end within {timeout_s:g} s: {self.output}")
            time.sleep(_POLL_S)
        return code


class BuildForkServer:
    """Process that forks builds; a context manager that kills the builds that still run."""

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

    @property
    def pid(self) -> int:
        """Id of the process."""
        return self._process.pid

    def start(
        self,
        folder: Path,
        command: Sequence[str] = BUILD,
        environ: Mapping[str, str] = _NOTHING,
        log: str = _LOG,
    ) -> BuildProcess:
        """Run a command in a folder.

        Args:
            folder: Folder of the site.
            command: Program, ``mkdocs`` or ``mkdocs-imagegen``, and its arguments.
            environ: Environment variables to add.
            log: Name of the file for the output.
        """
        (folder / log).unlink(missing_ok=True)  # the output of the command before
        job = {"folder": str(folder), "command": command, "environ": dict(environ), "log": log}
        pid = self.request(f"start {json.dumps(job)}")
        assert pid is not None
        return BuildProcess(pid, folder, self, log)

    def request(self, line: str) -> int | None:
        """Send a line to the process, and return its response."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        response = self._process.stdout.readline().strip()
        return int(response) if response else None

    def __enter__(self) -> BuildForkServer:  # noqa: PYI034 - typing.Self came with Python 3.11
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate(timeout=MAX_WAIT_S)


def _main() -> None:
    for name in _IMPORTED:
        importlib.import_module(name)
    job = _serve()
    if job is not None:
        _run(**json.loads(job))


def _serve() -> str | None:
    """Serve requests until the input ends; in a fork, return the command to run."""
    running: set[int] = set()
    with _killing(running):
        while line := sys.stdin.readline():
            command, _, argument = line.rstrip("\n").partition(" ")
            if command == "poll":
                _respond(_poll(int(argument), running))
                continue
            pid = os.fork()
            if pid == 0:
                running.clear()
                return argument
            running.add(pid)
            _respond(pid)
    return None


def _respond(response: int | str) -> None:
    print(response, flush=True)  # noqa: T201 - the protocol between the processes


def _poll(pid: int, running: set[int]) -> int | str:
    ended, status = os.waitpid(pid, os.WNOHANG)
    if not ended:
        return ""
    running.discard(pid)
    return os.waitstatus_to_exitcode(status)


@contextmanager
def _killing(running: set[int]) -> Iterator[None]:
    try:
        yield
    finally:
        for pid in running:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _run(folder: str, command: list[str], environ: dict[str, str], log: str) -> None:
    """Run the command as a shell does; every exception ends the process."""
    os.setsid()
    os.chdir(folder)
    os.environ.update(environ)
    null, output = os.open(os.devnull, os.O_RDONLY), os.open(log, _NEW_FILE, 0o666)
    for source, target in ((null, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    module, name = _PROGRAMS[command[0]]
    getattr(importlib.import_module(module), name)(command[1:], prog_name=command[0])


_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC

if __name__ == "__main__":
    _main()
