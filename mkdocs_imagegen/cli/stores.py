"""The store of a site, for commands that look into it."""

from __future__ import annotations

import click

from mkdocs_imagegen.originals.store import OriginalStore
from mkdocs_imagegen.settings import Settings


def store_of(settings: Settings) -> OriginalStore:
    """The store; what is broken in it is told on stderr."""

    def warn(text: str) -> None:
        click.echo(text, err=True)

    return OriginalStore(settings.originals_path, settings.cache_path / "quarantine", warn)
