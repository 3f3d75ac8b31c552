"""Moving a broken cache out of the way, where several builds may find it broken at once."""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path

from mkdocs_imagegen.derived import errors

_CLAIM = "set-aside.claim"

Identity = tuple[int, int]
"""Which folder it is, whatever its name."""


def identity(folder: Path) -> Identity | None:
    """Which folder this is; None where there is none."""
    try:
        facts = folder.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return facts.st_dev, facts.st_ino


def set_aside(folder: Path, seen: Identity | None) -> Path | None:
    """Rename a folder and give its new place; None if another build has done it.

    Args:
        folder: its path.
        seen: which folder was there when it was found broken.

    Raises:
        OSError: it cannot be moved.
    """
    if not _claim(folder, seen):
        return None
    aside = folder.with_name(f"{folder.name}.broken-{secrets.token_hex(4)}")
    try:
        os.rename(folder, aside)  # noqa: PTH104 - as a whole
    except FileNotFoundError:  # who waited for us too long was quicker
        return None
    return aside


def _claim(folder: Path, seen: Identity | None) -> bool:
    """Whether it is for this build to move the folder; if not, another one has done it.

    The claim lies in the folder and moves with it, so it is only ever about this one folder.

    Raises:
        OSError: nothing can be written there.
    """
    claim = folder / _CLAIM
    until = time.monotonic() + errors.PATIENCE_S
    while identity(folder) == seen:
        try:
            claim.touch(exist_ok=False)
        except FileNotFoundError:
            return False
        except FileExistsError:
            if time.monotonic() > until:  # who made the claim was killed
                return True
            time.sleep(0.01)
        else:
            if identity(folder) == seen:
                return True
            claim.unlink(missing_ok=True)
    return False
