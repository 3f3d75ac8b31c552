"""Where images are made: the books, the gateway, and the files of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from mkdocs_imagegen.derived.store import DerivedStore
from mkdocs_imagegen.imaging.derive import DryRunVariantBuilder, FileVariantBuilder, VariantBuilder
from mkdocs_imagegen.imaging.image import PageImage
from mkdocs_imagegen.imaging.variants import plan_variants
from mkdocs_imagegen.jobs.job import Job, JobKey, Result
from mkdocs_imagegen.layout import Layout
from mkdocs_imagegen.originals.record import Record
from mkdocs_imagegen.pipeline.context import BuildContext
from mkdocs_imagegen.settings import Settings
from mkdocs_imagegen.spending.run import Run
from mkdocs_imagegen.spending.stores import Stores

if TYPE_CHECKING:
    from concurrent.futures import Future

    from mkdocs_imagegen.gateway.client import OpenGateway
    from mkdocs_imagegen.jobs.scheduler import Scheduler


class Workshop:
    """Makes images, and the files that pages show of them.

    Args:
        settings: of the site, with the server that draws.
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
        host: BuildContext,
        open_gateway: OpenGateway,
        warn: Callable[[str], None],
        remark: Callable[[str], None],
    ) -> None:
        self.settings = settings
        self.stores = Stores(settings, remark)
        self.variant_builder = _variant_builder(settings, host)
        self._run = run
        self._open_gateway = open_gateway
        # As a warning it would fail every strict build that makes an image.
        self._announce = remark if host.is_strict else warn
        self._remark = remark
        self._watcher = host.mode.watcher
        self._has_begun = False

    def find(self, record: Record, layout: Layout) -> PageImage | None:
        """What pages show of an original in a shape, if nothing has to be made for it."""
        variants, provenance = self.settings.variants, self.settings.provenance
        return self.variant_builder.find(plan_variants(record, layout, variants, provenance))

    def start(self, want: Job) -> Future[Result]:
        """Begin to make an image, or only its files; returns at once."""
        self._has_begun = True
        return self._maker.start(want)

    def join(self) -> Mapping[JobKey, Result]:
        """Every result; waits for all.

        Raises:
            KeyboardInterrupt: an interrupt came; what was in flight is kept.
            SystemExit: the same, of another signal.
        """
        return self._maker.join() if self._has_begun else {}

    def close(self) -> None:
        """Start nothing more, wait for what is in flight, keep it, and end."""
        if self._has_begun:
            self._maker.close()
        self.variant_builder.close()

    @cached_property
    def _maker(self) -> Scheduler:
        # A build in which all is there needs none of it, and it takes a while to import.
        from mkdocs_imagegen.jobs.scheduler import Scheduler  # noqa: PLC0415
        from mkdocs_imagegen.spending.prices import PriceList  # noqa: PLC0415
        from mkdocs_imagegen.spending.purchase import Purchaser  # noqa: PLC0415

        settings = self.settings
        offers = settings.cache_path / "offers.json"
        price_list = PriceList(offers, settings.gateway.url, self._run, self._announce)
        return Scheduler(
            Purchaser(settings, self._run, self.stores, price_list, self._open_gateway),
            self.stores.store.read,
            self._derive,
            settings.concurrency,
            settings.gateway.timeout,
            self._remark,
            self._watcher.ended if self._watcher else lambda _: None,
        )

    def _derive(self, record: Record, layout: Layout, content: bytes) -> PageImage:
        variants, provenance = self.settings.variants, self.settings.provenance
        return self.variant_builder.build(
            plan_variants(record, layout, variants, provenance), content
        )


def _variant_builder(settings: Settings, host: BuildContext) -> VariantBuilder:
    if not host.mode.shows:
        return DryRunVariantBuilder()
    return FileVariantBuilder(DerivedStore(settings.cache_path / "derived"), host.site)
