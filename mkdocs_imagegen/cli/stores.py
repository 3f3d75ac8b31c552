"""Originals of a site, for the commands that read them."""

from __future__ import annotations

from mkdocs_imagegen.originals.store import OriginalStore
from mkdocs_imagegen.settings import Settings


def store_of(settings: Settings) -> OriginalStore:
    """Return the originals of a site."""
    return OriginalStore(settings.originals_path, settings.cache_path / "quarantine")
