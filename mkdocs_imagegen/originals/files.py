"""Reading and writing files so that nothing is lost or half there."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from mkdocs_imagegen.errors import NewerVersionError, StoreError

NO_LINKS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""Opens no link, and waits for nobody at the other end of a pipe."""


def read_plain_file(path: Path, most_bytes: int) -> bytes:
    """The content of a regular file.

    Raises:
        OSError: there is none, or it cannot be read.
        ValueError: it is a link, a pipe or a folder, or larger than ``most_bytes``.
    """
    _refuse_unless_regular(os.lstat(path))
    descriptor = os.open(path, os.O_RDONLY | NO_LINKS)
    try:
        facts = os.fstat(descriptor)
        _refuse_unless_regular(facts)
        return _read(descriptor, facts.st_size, most_bytes)
    finally:
        os.close(descriptor)


def _refuse_unless_regular(facts: os.stat_result) -> None:
    if not stat.S_ISREG(facts.st_mode):
        raise ValueError("no regular file")


def _read(descriptor: int, size: int, most_bytes: int) -> bytes:
    # Asked for one byte more than there is: without it the file has ended, and what has grown since
    # is read to its end.
    content = os.read(descriptor, min(size, most_bytes) + 1)
    if len(content) != size:
        while more := os.read(descriptor, min(most_bytes + 1 - len(content), 2**20)):
            content += more
    if len(content) > most_bytes:
        raise ValueError(f"larger than {most_bytes} bytes")
    return content


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there as a whole, or as it was before.

    Raises:
        OSError: it cannot be written; nothing is left behind.
    """
    with _synced_beside(path, content) as temporary:
        os.replace(temporary, path)  # noqa: PTH105 - atomic on every system
        _sync_folder(path.parent)


def write_first(path: Path, content: bytes) -> bool:
    """Write a file only if there is none; whether this call did.

    Raises:
        OSError: it cannot be written; nothing is left behind.
    """
    with _synced_beside(path, content) as temporary:
        try:
            os.link(temporary, path)  # refuses to replace, unlike a rename
        except FileExistsError:
            return False
        except OSError:
            # A file system without hard links: the last of two writers wins there.
            os.replace(temporary, path)  # noqa: PTH105 - atomic on every system
        _sync_folder(path.parent)
        return True


def check_version(found: object, known: int) -> None:
    """Make sure that a file is of a version that we read.

    Raises:
        NewerVersionError: it may be whole, so nothing takes its place.
        ValueError: nobody wrote it so.
    """
    if type(found) is int and found > known:
        fault = "it was written by a newer version of mkdocs-imagegen"
        raise NewerVersionError(fault, hint="update; nothing is bought in its place")
    if found != known:
        raise ValueError("another version's")


def cannot_store(folder: Path, error: OSError) -> StoreError:
    """The error that tells of a folder that takes no files."""
    fault = f"pictures cannot be stored in {folder}: {error.strerror or error}"
    return StoreError(fault, hint="make room or correct the rights, then build again")


@contextlib.contextmanager
def _synced_beside(path: Path, content: bytes) -> Iterator[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _sync_folder(folder: Path) -> None:
    # Makes a rename survive a power cut; not every system lets a folder be opened.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
