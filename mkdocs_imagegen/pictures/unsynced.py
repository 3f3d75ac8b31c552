"""Writing files that may be lost, but are never half there."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path


def write_unsynced(path: Path, content: bytes) -> None:
    """Write a file that appears as a whole; not synced, since it can be made again.

    Raises:
        OSError: it cannot be written; nothing is left behind.
    """
    temporary = path.with_name(f"{secrets.token_hex(14)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(content)
        os.replace(temporary, path)  # noqa: PTH105 - atomic on every system
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
