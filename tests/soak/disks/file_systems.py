"""Small, full and read-only file systems: mounted, or simulated by a limit on file sizes.

Mounts are in a namespace of their own, which ends with the process.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.waiting import MAX_WAIT_S

_NAMESPACES = (["unshare", "-m"], ["unshare", "-rm"])
_PIECE = bytes(1024)
_TRIAL = "mount -t tmpfs none /mnt"


def own_namespace() -> list[str] | None:
    """Return a command prefix that allows mounts; None if the kernel refuses."""
    for namespace in _NAMESPACES if sys.platform == "linux" else ():
        tried = subprocess.run(
            [*namespace, "sh", "-c", _TRIAL], capture_output=True, timeout=MAX_WAIT_S, check=False
        )
        if tried.returncode == 0:
            return namespace
    return None


@contextmanager
def small(folder: Path, kib: int, inodes: int = 10_000) -> Iterator[Path]:
    """Mount a small disk on a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    _run("mount", "-t", "tmpfs", "-o", f"size={kib}k,nr_inodes={inodes}", "none", folder)
    try:
        yield folder
    finally:
        _run("umount", folder)


def more_inodes(disk: Path) -> None:
    """Allow more files on a disk."""
    _run("mount", "-o", "remount,nr_inodes=10000", disk)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Make a folder read-only."""
    _run("mount", "--bind", folder, folder)
    try:
        _run("mount", "-o", "remount,bind,ro", folder)
        yield
    finally:
        _run("umount", folder)


def fill(disk: Path, leave_kib: int) -> Path:
    """Fill a disk; return the file to delete for more free space."""
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
def limited_file_size(kib: int, pid: int) -> Iterator[None]:
    """Limit the size of all files of a process and its children."""
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE, (kib * 1024, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=MAX_WAIT_S)
