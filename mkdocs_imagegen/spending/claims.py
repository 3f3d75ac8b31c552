"""Claims: the exclusive right to generate one cache key, held by one build at a time.

The only module that locks files. The system releases the locks of a process that was killed.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from mkdocs_imagegen.errors import StoreError
from mkdocs_imagegen.files import cannot_store
from mkdocs_imagegen.originals.folders import create_work_folder

_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)


class Claims:
    """The claims on the cache keys of one originals folder.

    Args:
        folder: Folder of the lock files; it is created by the first claim.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextlib.contextmanager
    def claim(self, key: str) -> Iterator[bool]:
        """Claim a cache key until the block ends, against other processes and other threads.

        Yields:
            True if the key is claimed; False if another build has claimed it.

        Raises:
            StoreError: If the folder cannot be written or its file system locks no files.
        """
        # Importing filelock takes 40 ms, and a build that generates no image does not need it.
        from filelock import FileLock, Timeout  # noqa: PLC0415

        path = self._folder / f"{key}.lock"
        # The fallback is a file that a killed build would leave locked for ever.
        lock = FileLock(path, blocking=False, thread_local=False, fallback_to_soft=False)
        try:
            self._create_folder()
            lock.acquire()
        except Timeout:
            yield False
            return
        except NotImplementedError:
            raise self._no_locks() from None
        except OSError as error:
            if error.errno in _NO_LOCKS:
                raise self._no_locks() from None
            # A killed build of another user leaves a lock file that this user cannot open.
            raise cannot_store(path if path.exists() else self._folder, error) from None
        try:
            yield True
        finally:
            # Unlink before releasing, so that a process that already opened the file notices.
            with contextlib.suppress(OSError):
                path.unlink()
            with contextlib.suppress(OSError):
                lock.release()  # on failure, the end of the process releases it

    def _no_locks(self) -> StoreError:
        fault = f"the file system of {self._folder} does not support file locks"
        hint = "use another one, or two builds could generate the same image"
        return StoreError(fault, hint=hint)

    def _create_folder(self) -> None:
        if not self._folder.is_dir():
            create_work_folder(self._folder.parent)
            self._folder.mkdir(exist_ok=True)
