"""Where pictures are made: the books, the gateway, and the files of each."""

from __future__ import annotations

from collections.abc import Callable

from mkdocs_imagegen.building.around import Host
from mkdocs_imagegen.building.books import open_books
from mkdocs_imagegen.building.buying import Buyer
from mkdocs_imagegen.building.making import Maker
from mkdocs_imagegen.building.market import Market
from mkdocs_imagegen.building.run import Run
from mkdocs_imagegen.building.wanted import Derives, OpenGateway
from mkdocs_imagegen.originals.record import Original
from mkdocs_imagegen.pictures.derive import Deriver, Describer
from mkdocs_imagegen.pictures.derived import DerivedStore
from mkdocs_imagegen.pictures.picture import Picture
from mkdocs_imagegen.pictures.variants import plan
from mkdocs_imagegen.settings import Settings
from mkdocs_imagegen.shapes import Shape


class Workshop:
    """Makes pictures, and the files that pages show of them.

    Args:
        settings: of the site.
        run: what the builds of one run share.
        host: what the build finds around it.
        open_gateway: makes the client that draws; called if something is to be made.
        warn: called with each warning.
        remark: called with what is worth knowing and no reason to worry.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - one argument for each thing a front door brings
        self,
        settings: Settings,
        run: Run,
        host: Host,
        open_gateway: OpenGateway,
        warn: Callable[[str], None],
        remark: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self.books = open_books(settings, warn, remark)
        self.deriver = _deriver(settings, host, warn, remark)
        offers = settings.cache_path / "offers.json"
        # As a warning it would fail every strict build that makes a picture.
        announce = remark if host.is_strict else warn
        market = Market(offers, settings.gateway.url, run, announce)
        self.maker = Maker(
            Buyer(settings, run, self.books, market, open_gateway),
            self.books.store.read,
            self._derive,
            settings.concurrency,
            settings.gateway.timeout,
            remark,
            host.errand.watcher.ended if host.errand.watcher else lambda _: None,
        )

    def find(self, original: Original, shape: Shape) -> Picture | None:
        """What pages show of an original in a shape, if nothing has to be made for it."""
        variants, provenance = self._settings.variants, self._settings.provenance
        return self.deriver.find(plan(original, shape, variants, provenance))

    def close(self) -> None:
        """Start nothing more, wait for what is in flight, keep it, and end."""
        self.maker.close()
        self.deriver.close()

    def _derive(self, original: Original, shape: Shape, content: bytes) -> Picture:
        variants, provenance = self._settings.variants, self._settings.provenance
        return self.deriver.make(plan(original, shape, variants, provenance), content)


def _deriver(
    settings: Settings, host: Host, warn: Callable[[str], None], remark: Callable[[str], None]
) -> Derives:
    if not host.errand.shows:
        return Describer()
    store = DerivedStore(settings.cache_path / "derived", warn, remark=remark)
    return Deriver(store, host.site)
