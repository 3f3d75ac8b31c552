"""The move of a broken cache out of the way, if several builds may find it broken at once."""

from __future__ import annotations

import contextlib
import secrets
import time
from pathlib import Path

_CLAIM = "set-aside.claim"
CLAIM_TIMEOUT_S = 3.0
"""Wait for the claim of another build; after it, that build counts as killed."""

FolderId = tuple[int, int]
"""Device and inode, which stay the same when the folder is renamed."""


def folder_id(folder: Path) -> FolderId | None:
    """Return the identity of a folder, or None if it does not exist."""
    try:
        facts = folder.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return facts.st_dev, facts.st_ino


def quarantine(folder: Path, broken: FolderId | None) -> Path | None:
    """Rename a folder and return its new path, or None if another build has done it.

    Args:
        folder: Path of the cache.
        broken: Identity of the folder at this path when it was found broken.

    Raises:
        OSError: If the folder cannot be renamed.
    """
    if not _claim(folder, broken):
        return None
    target = folder.with_name(f"{folder.name}.broken-{secrets.token_hex(4)}")
    try:
        folder.rename(target)
    except FileNotFoundError:  # another build waited for this one longer than the timeout
        return None
    except OSError:  # Windows renames no folder while a program has one of its files open
        with contextlib.suppress(OSError):
            (folder / _CLAIM).unlink()
        raise
    return target


def _claim(folder: Path, broken: FolderId | None) -> bool:
    """Return True if this build has to move the folder; else another one has moved it.

    The claim is a file in the folder and moves with it, so it is valid for this folder alone.

    Raises:
        OSError: If the folder cannot be written to.
    """
    claim = folder / _CLAIM
    until = time.monotonic() + CLAIM_TIMEOUT_S
    while folder_id(folder) == broken:
        try:
            claim.touch(exist_ok=False)
        except FileNotFoundError:
            return False
        except FileExistsError:
            if time.monotonic() > until:
                return True
            time.sleep(0.01)
        else:
            if folder_id(folder) == broken:
                return True
            claim.unlink(missing_ok=True)
    return False
