"""The store of a site, for commands that look into it."""

from __future__ import annotations

from mkdocs_imagegen.cli.terminal import tell
from mkdocs_imagegen.originals.store import OriginalStore
from mkdocs_imagegen.settings import Settings


def store_of(settings: Settings) -> OriginalStore:
    """The store; what is broken in it is told on stderr."""
    return OriginalStore(settings.originals_path, settings.cache_path / "quarantine", tell)
