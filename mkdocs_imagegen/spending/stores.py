"""Everything that a build writes down about images."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from mkdocs_imagegen.originals.store import OriginalStore
from mkdocs_imagegen.settings import Settings
from mkdocs_imagegen.spending.finding import Finder
from mkdocs_imagegen.spending.moderation import Refusals

if TYPE_CHECKING:
    from mkdocs_imagegen.spending.claims import Claims
    from mkdocs_imagegen.spending.journal import Journal
    from mkdocs_imagegen.spending.recovery import Recovery
    from mkdocs_imagegen.spending.storing import Keeper


class Stores:
    """The books of a site. Those that only a purchase needs are opened, and imported, by it.

    Args:
        settings: of the site.
        remark: called with what was found of earlier builds.

    Attributes:
        store: the originals.
        finder: finds those that will do.
        refusals: by moderation.
    """

    def __init__(self, settings: Settings, remark: Callable[[str], None]) -> None:
        originals = settings.originals_path
        self.store = OriginalStore(originals, settings.cache_path / "quarantine")
        self.finder = Finder(self.store, settings)
        self.refusals = Refusals(originals)
        self._settings = settings
        self._remark = remark

    @cached_property
    def claims(self) -> Claims:
        """On images that are being asked for."""
        from mkdocs_imagegen.spending.claims import Claims  # noqa: PLC0415 - see the class

        # Beside the originals: builds that share those do not have to share a cache.
        return Claims(self._settings.originals_path / ".claims")

    @cached_property
    def journal(self) -> Journal:
        """Of calls."""
        from mkdocs_imagegen.spending.journal import Journal  # noqa: PLC0415 - see the class

        return Journal(self._settings.journal_path)

    @cached_property
    def keeper(self) -> Keeper:
        """Stores images."""
        from mkdocs_imagegen.spending.storing import Keeper  # noqa: PLC0415 - see the class

        return Keeper(self.store)

    @cached_property
    def recovery(self) -> Recovery:
        """Stores what earlier builds have left."""
        from mkdocs_imagegen.spending.recovery import Recovery  # noqa: PLC0415 - see the class

        follows_links = self._settings.gateway.accept_urls
        return Recovery(
            self.journal, self.claims, self.keeper, self.store, follows_links, self._remark
        )
