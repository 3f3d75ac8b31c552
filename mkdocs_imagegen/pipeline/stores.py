"""Where images are made: the books, the gateway, and the files of each."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from mkdocs_imagegen.derived.store import DerivedStore
from mkdocs_imagegen.imaging.derive import DryRunVariantBuilder, FileVariantBuilder, VariantBuilder
from mkdocs_imagegen.imaging.image import PageImage
from mkdocs_imagegen.imaging.variants import plan_variants
from mkdocs_imagegen.jobs.job import Job, JobKey, Result
from mkdocs_imagegen.layout import Layout
from mkdocs_imagegen.originals.record import Record
from mkdocs_imagegen.originals.store import OriginalStore
from mkdocs_imagegen.pipeline.context import BuildContext, Run
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import Settings
from mkdocs_imagegen.spending.ledger import Refusals

if TYPE_CHECKING:
    from concurrent.futures import Future

    from mkdocs_imagegen.gateway.client import OpenGateway
    from mkdocs_imagegen.gateway.wire import Attachments
    from mkdocs_imagegen.jobs.scheduler import Scheduler
    from mkdocs_imagegen.spending.storing import Stores


class Workshop:
    """Makes images, and the files that pages show of them.

    Args:
        settings: of the site, with the server that draws.
        run: what the builds of one run share.
        host: what the build finds around it.
        open_gateway: makes the client that draws; called if something is to be made.
    """

    def __init__(
        self, settings: Settings, run: Run, host: BuildContext, open_gateway: OpenGateway
    ) -> None:
        self.settings = settings
        quarantine = settings.cache_path / "quarantine"
        self.originals = OriginalStore(settings.originals_path, quarantine)
        self.refusals = Refusals(settings.originals_path)
        self.variant_builder = _variant_builder(settings, host)
        self._run = run
        self._open_gateway = open_gateway
        self._watcher = host.mode.watcher

    def find(self, record: Record, layout: Layout) -> PageImage | None:
        """What pages show of an original in a shape, if nothing has to be made for it."""
        variants, provenance = self.settings.variants, self.settings.provenance
        return self.variant_builder.find(plan_variants(record, layout, variants, provenance))

    def start(self, want: Job) -> Future[Result]:
        """Begin to make an image, or only its files; returns at once."""
        return self.scheduler.start(want)

    def join(self) -> Mapping[JobKey, Result]:
        """Every result; waits for all.

        Raises:
            KeyboardInterrupt: an interrupt came; what was in flight is kept.
            SystemExit: the same, of another signal.
        """
        return self.scheduler.join() if self._has_begun else {}

    def close(self) -> None:
        """Start nothing more, wait for what is in flight, keep it, and end."""
        if self._has_begun:
            self.scheduler.close()
        self.variant_builder.close()

    @property
    def _has_begun(self) -> bool:
        return "scheduler" in vars(self)

    def recover(self) -> None:
        """Store what earlier builds have paid for and not stored; never fails."""
        from mkdocs_imagegen.spending.recovery import recover_all  # noqa: PLC0415 - if ever

        recover_all(self._stores)

    @cached_property
    def scheduler(self) -> Scheduler:
        """What runs jobs; opened by the first one."""
        # A build in which all is there needs none of it, and it takes a while to import.
        from mkdocs_imagegen.jobs.scheduler import Scheduler  # noqa: PLC0415
        from mkdocs_imagegen.spending.purchase import Purchaser  # noqa: PLC0415

        settings, ledger = self.settings, self._run.ledger
        return Scheduler(
            settings,
            Purchaser(settings, self._stores, ledger, self._open_gateway, self._read_references),
            self.originals,
            self._derive,
            self._watcher.job_done if self._watcher else lambda _: None,
        )

    @property
    def _stores(self) -> Stores:
        from mkdocs_imagegen.spending.storing import open_stores  # noqa: PLC0415 - as above

        return open_stores(self.settings, self.originals)

    def _read_references(self, request: ImageRequest) -> Attachments:
        return self._run.reference_files.read(request)

    def _derive(self, record: Record, layout: Layout, content: bytes) -> PageImage:
        variants, provenance = self.settings.variants, self.settings.provenance
        return self.variant_builder.build(
            plan_variants(record, layout, variants, provenance), content
        )


@contextlib.contextmanager
def opened_scheduler(open_workshop: Callable[[], Workshop]) -> Iterator[Scheduler]:
    """Open a scheduler of its own, and close all that it works with."""
    workshop = open_workshop()
    try:
        yield workshop.scheduler
    finally:
        workshop.close()


def _variant_builder(settings: Settings, host: BuildContext) -> VariantBuilder:
    if not host.mode.shows:
        return DryRunVariantBuilder()
    return FileVariantBuilder(DerivedStore(settings.cache_path / "derived"), host.site)
