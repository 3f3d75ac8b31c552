"""One payment for an image, however many builds want it: a lock on each that is being asked for.

The only module that locks files. The system frees the lock of a process that was killed.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from mkdocs_imagegen.errors import StoreError
from mkdocs_imagegen.files import cannot_store

_IGNORED = "*\n"
_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)


class Claims:
    """The claims on originals of one folder.

    Args:
        folder: where the lock files are while they are needed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextlib.contextmanager
    def claim(self, key: str) -> Iterator[bool]:
        """Whether nobody else, in this process or another, is asking for that image now.

        If so, nobody else can until the context is left; in any thread.

        Raises:
            StoreError: the folder takes no files.
        """
        # Costs 40 ms to import, and a build that makes nothing needs none of it.
        from filelock import FileLock, Timeout  # noqa: PLC0415

        path = self._folder / f"{key}.lock"
        # A lock that is a mere file would never be freed after a build that was killed.
        lock = FileLock(path, blocking=False, thread_local=False, fallback_to_soft=False)
        try:
            self._open()
            lock.acquire()
        except Timeout:
            yield False
            return
        except NotImplementedError:
            raise self._no_locks() from None
        except OSError as error:
            if error.errno in _NO_LOCKS:
                raise self._no_locks() from None
            raise cannot_store(self._folder, error) from None
        try:
            yield True
        finally:
            # Before the release: who has opened the file by then sees that it has no name.
            with contextlib.suppress(OSError):
                path.unlink()
            with contextlib.suppress(OSError):
                lock.release()  # if it cannot be, the end of the process does it

    def _no_locks(self) -> StoreError:
        hint = "move it to one that does; else two builds could pay for the same image"
        return StoreError(f"the file system of {self._folder} locks no files", hint=hint)

    def _open(self) -> None:
        if not self._folder.is_dir():
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / ".gitignore").write_text(_IGNORED)
