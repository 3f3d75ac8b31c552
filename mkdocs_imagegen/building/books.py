"""Everything that a build writes down about pictures, opened together."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mkdocs_imagegen.building.finding import Finder
from mkdocs_imagegen.building.keeping import Keeper
from mkdocs_imagegen.building.salvage import Salvager
from mkdocs_imagegen.originals.claims import Claims
from mkdocs_imagegen.originals.journal import Journal
from mkdocs_imagegen.originals.refusals import Refusals
from mkdocs_imagegen.originals.store import OriginalStore
from mkdocs_imagegen.settings import Settings


@dataclass(frozen=True, slots=True)
class Books:
    """What is written down about pictures.

    Attributes:
        store: the originals.
        finder: finds those that will do.
        claims: on pictures that are being asked for.
        journal: of calls.
        refusals: by moderation.
        keeper: stores pictures.
        salvager: stores what earlier builds have left.
    """

    store: OriginalStore
    finder: Finder
    claims: Claims
    journal: Journal
    refusals: Refusals
    keeper: Keeper
    salvager: Salvager


def open_books(
    settings: Settings, warn: Callable[[str], None], remark: Callable[[str], None]
) -> Books:
    """The books of a site.

    Args:
        settings: of the site.
        warn: called with a text when a stored picture is broken.
        remark: called with what was found of earlier builds.
    """
    originals = settings.originals_path
    store = OriginalStore(originals, settings.cache_path / "quarantine", warn)
    finder = Finder(store, settings)
    # Beside the originals: builds that share those do not have to share a cache.
    claims = Claims(originals / ".claims")
    journal = Journal(_journal_folder(settings))
    keeper = Keeper(store)
    follows_links = settings.gateway.accept_urls
    salvager = Salvager(journal, claims, keeper, store, follows_links, remark)
    return Books(store, finder, claims, journal, Refusals(originals), keeper, salvager)


def _journal_folder(settings: Settings) -> Path:
    """One for each folder of originals: their claims tell which of its calls are going on."""
    named = settings.originals_dir
    suffix = f"-{hashlib.sha256(named.encode()).hexdigest()[:8]}" if named else ""
    return settings.cache_path / f"journal{suffix}"
