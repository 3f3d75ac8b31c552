"""Prompts that moderation has refused, so that they are not asked again in each build."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict
from pathlib import Path

from mkdocs_imagegen.files import read_plain_file, write_atomic
from mkdocs_imagegen.frozen import dataclass

_MAX_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refusal.

    Attributes:
        model: the model that was asked.
        day: when, as ``2026-12-01``.
        said: what the server said.
    """

    model: str
    day: str
    said: str


class Refusals:
    """What was refused, by key, beside the originals.

    Args:
        folder: where the originals are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, key: str) -> Path:
        """The file that remembers it; without it, it is asked again."""
        return self._folder / key[:2] / f"{key}.refused.json"

    def find(self, key: str) -> Refusal | None:
        """The refusal of that request, if there was one."""
        try:
            fields = json.loads(read_plain_file(self.path(key), _MAX_BYTES))
            return Refusal(*(str(fields[name]) for name in ("model", "day", "said")))
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None

    def remember(self, key: str, refusal: Refusal) -> None:
        """Keep it, if the disk allows it; without it, only a question is asked twice."""
        text = json.dumps(asdict(refusal), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        with contextlib.suppress(OSError):
            write_atomic(self.path(key), text.encode("utf-8", "replace"))
