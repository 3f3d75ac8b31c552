"""File systems that are small, full or read-only: mounted, or as far as possible pretended.

Mounts are made in a name space of their own, which ends with the process.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SPACES = (["unshare", "-m"], ["unshare", "-rm"])
_PIECE = bytes(1024)
_TRIAL = "mount -t tmpfs none /mnt"


def own_space() -> list[str] | None:
    """The command that runs another one where it may mount; None where the kernel refuses."""
    for space in _SPACES if sys.platform == "linux" else ():
        tried = subprocess.run(
            [*space, "sh", "-c", _TRIAL], capture_output=True, timeout=30, check=False
        )
        if tried.returncode == 0:
            return space
    return None


@contextmanager
def small(folder: Path, kib: int, inodes: int = 10_000) -> Iterator[Path]:
    """A disk of its own in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    _run("mount", "-t", "tmpfs", "-o", f"size={kib}k,nr_inodes={inodes}", "none", folder)
    try:
        yield folder
    finally:
        _run("umount", folder)


def more_inodes(disk: Path) -> None:
    """Let a disk take as many files as anybody needs."""
    _run("mount", "-o", "remount,nr_inodes=10000", disk)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """A folder that takes no writes."""
    _run("mount", "--bind", folder, folder)
    try:
        _run("mount", "-o", "remount,bind,ro", folder)
        yield
    finally:
        _run("umount", folder)


def fill(disk: Path, leave_kib: int) -> Path:
    """Leave so much room; the file to delete for more."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(_PIECE)
        except OSError:
            pass
        file.truncate(max(0, file.tell() - leave_kib * 1024))
    return ballast


@contextmanager
def no_file_beyond(kib: int, pid: int) -> Iterator[None]:
    """No file of a process, nor of those it starts, grows beyond a size."""
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE, (kib * 1024, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=30)
