"""Values of the derived store, each with a seal by which damage is noticed."""

from __future__ import annotations

import hashlib
from pathlib import Path

from mkdocs_imagegen.derived.errors import MAX_VALUE_BYTES
from mkdocs_imagegen.derived.stat_index import Stamp
from mkdocs_imagegen.files import read_plain_file
from mkdocs_imagegen.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Value:
    """A verified value, the file that has it, and what that looked like before it was read."""

    content: bytes
    path: Path
    stamp: Stamp


def read_value(key: str, path: Path, seal: object) -> Value | None:
    """The value in a file; None if there is none, or if its seal is another one."""
    try:
        facts = path.lstat()
        size = facts.st_size  # a limit far above it makes reading twice as slow
        content = read_plain_file(path, min(size, MAX_VALUE_BYTES))
    except (OSError, ValueError):
        return None
    stamp = Stamp("/".join(path.parts[-3:]), size, facts.st_mtime_ns)
    return Value(content, path, stamp) if seal == seal_of(key, content) else None


def seal_of(key: str, content: bytes) -> str:
    """A hash of both: a damaged index can lead from one key to the value of another."""
    seal = hashlib.sha256(key.encode())
    seal.update(content)
    return seal.hexdigest()
