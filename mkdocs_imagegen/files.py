"""Bounded reads and atomic writes of files."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from mkdocs_imagegen.errors import ImagegenError, NotGeneratedError, StoreError, unexpected

NO_LINKS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""Flags that refuse symbolic links and do not block on a pipe."""
_STORAGE_HINTS = {
    **dict.fromkeys([errno.ENOSPC, errno.EDQUOT], "free up disk space, then build again"),
    **dict.fromkeys(
        [errno.EACCES, errno.EPERM, errno.EROFS], "check the permissions, then build again"
    ),
    errno.ENOENT: "another program, such as a second build, deleted the folder; build again",
    **dict.fromkeys([errno.EEXIST, errno.ENOTDIR], "move the file that has the name of a folder"),
}
_MAX_COPIED_BYTES = 64 * 1024 * 1024
_IS_WINDOWS = os.name == "nt"
_WAITS_S = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Waits for another program, such as a virus scanner, that has a file open on Windows."""


def read_plain_file(path: Path, max_bytes: int) -> bytes:
    """Return the content of a regular file of limited size.

    Raises:
        OSError: If the file is missing or cannot be read.
        ValueError: If the path is a link, a pipe or a folder, or the file is too large.
    """
    _check_regular(os.lstat(path))
    descriptor = os.open(path, os.O_RDONLY | NO_LINKS)
    try:
        facts = os.fstat(descriptor)
        _check_regular(facts)
        return _read(descriptor, facts.st_size, max_bytes)
    finally:
        os.close(descriptor)


def _check_regular(facts: os.stat_result) -> None:
    if not stat.S_ISREG(facts.st_mode):
        raise ValueError("not a regular file")


def _read(descriptor: int, size: int, max_bytes: int) -> bytes:
    # One byte more than the size: a short read proves the end of the file, and a file that has
    # grown since is read to its end.
    content = os.read(descriptor, min(size, max_bytes) + 1)
    if len(content) != size:
        while more := os.read(descriptor, min(max_bytes + 1 - len(content), 2**20)):
            content += more
    if len(content) > max_bytes:
        raise ValueError(f"larger than {max_bytes} bytes")
    return content


def write_atomic(path: Path, content: bytes | Iterable[bytes], *, sync: bool = True) -> None:
    """Write a file that other threads and processes see complete or as it was before.

    Any number of threads may write the same file at the same time; the last one wins. An
    existing file is replaced, never written into: it may be a hard link.

    Args:
        path: File to write.
        content: Bytes of the file, or its parts in order.
        sync: True to create a missing folder and to return only when file and name survive a
            power failure; False for content that can be generated again for free.

    Raises:
        OSError: If the file cannot be written; no temporary file is left behind.
    """
    if sync:
        path.parent.mkdir(parents=True, exist_ok=True)
    with _temporary_beside(path, content, sync=sync) as temporary:
        _rename(os.replace, temporary, path)  # atomic on every system
        if sync:
            _sync_folder(path.parent)


def write_first(path: Path, content: bytes) -> bool:
    """Return True if this call wrote the file, False if the file existed.

    Raises:
        OSError: If the file cannot be written; no temporary file is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _temporary_beside(path, content, sync=True) as temporary:
        try:
            os.link(temporary, path)  # refuses to replace, unlike a rename
        except FileExistsError:
            return False
        except OSError:
            # A file system without hard links may not say that the file exists. Of two writers at
            # the same instant, the last one wins there, except on Windows.
            if os.path.lexists(path):
                return False
            try:
                _rename(os.rename if _IS_WINDOWS else os.replace, temporary, path)
            except FileExistsError:
                return False
        _sync_folder(path.parent)
        return True


def link_or_copy(source: Path, target: Path) -> None:
    """Give a file a second name, or copy it if links are not supported; an existing target stays.

    Raises:
        OSError: If the target cannot be written.
        ValueError: If a file to copy is not a regular file, or is too large.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except FileExistsError:
        pass
    except OSError:
        write_first(target, read_plain_file(source, _MAX_COPIED_BYTES))


def cannot_store(folder: Path, error: OSError) -> StoreError:
    """Return the error for a folder that files cannot be written to."""
    fault = f"images cannot be stored in {folder} ({error.strerror or error})"
    return StoreError(fault, hint=storage_hint(error))


def as_imagegen_error(error: Exception) -> ImagegenError:
    """Return the error of one image for an exception of any kind, to be kept until the build ends.

    Its traceback is removed, since that would keep all local variables, such as a response.
    """
    if isinstance(error, ImagegenError):
        error.__cause__ = error.__context__ = None
        return error.with_traceback(None)
    if isinstance(error, (OSError, MemoryError)):
        fault = f"the files of the image could not be written: {error}"
        return StoreError(fault, hint=storage_hint(error))
    return unexpected(error, NotGeneratedError)


def storage_hint(error: Exception) -> str:
    """Return the next step after a failure to write files."""
    usual = "free up disk space or check the permissions, then build again"
    return _STORAGE_HINTS.get(getattr(error, "errno", None) or 0, usual)


@contextlib.contextmanager
def _temporary_beside(
    path: Path, content: bytes | Iterable[bytes], *, sync: bool
) -> Iterator[Path]:
    # A random name: with a fixed one, two writers would rename each other's temporary file.
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.writelines([content] if isinstance(content, bytes) else content)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        yield temporary
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _rename(rename: Callable[[Path, Path], None], source: Path, target: Path) -> None:
    """Rename a file; Windows refuses while any program has one of the two open."""
    for wait_s in _WAITS_S if _IS_WINDOWS else ():
        try:
            return rename(source, target)
        except PermissionError:
            time.sleep(wait_s)
    return rename(source, target)


def _sync_folder(folder: Path) -> None:
    # A rename survives a power failure only if the folder is synced; Windows opens no folder.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
