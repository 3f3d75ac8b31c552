"""The lookup of images: an original in the store, a job that generates one, or an error."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from mkdocs_imagegen.derived.store import DerivedStore
from mkdocs_imagegen.directives.directive import Directive
from mkdocs_imagegen.errors import (
    ImagegenError,
    ModelShutDownError,
    NotGeneratedError,
    NotSelectedError,
    OptionError,
    StoreError,
)
from mkdocs_imagegen.gateway.models import check_request
from mkdocs_imagegen.imaging.decode import inspect_image
from mkdocs_imagegen.imaging.derive import DryRunVariantBuilder, FileVariantBuilder, VariantBuilder
from mkdocs_imagegen.imaging.variants import plan_variants
from mkdocs_imagegen.jobs.job import Job, JobKey, Result
from mkdocs_imagegen.log import log
from mkdocs_imagegen.option_parsers import quote_value
from mkdocs_imagegen.originals.folders import earlier_folders, note_use
from mkdocs_imagegen.originals.judge import Original
from mkdocs_imagegen.originals.store import OriginalStore
from mkdocs_imagegen.pipeline.context import BuildContext
from mkdocs_imagegen.report import plural
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import Settings
from mkdocs_imagegen.spending.ledger import Attempts

if TYPE_CHECKING:
    from mkdocs_imagegen.imaging.image import PageImage
    from mkdocs_imagegen.imaging.variants import VariantPlan
    from mkdocs_imagegen.jobs.scheduler import Scheduler
    from mkdocs_imagegen.originals.record import Record
    from mkdocs_imagegen.page_layout import Layout
    from mkdocs_imagegen.spending.replacement import ModelChoice

_NOT_SELECTED = "it is on a page that was not selected"
_NEW_FOLDER = (
    "the generated images are stored in %s; commit the folder, or ignore it in git and cache it in "
    "CI, so that no image is charged twice"
)
_MAX_LISTED = 3
TOO_LATE = "it was added to a page after the build generated its images"


class Lookup:
    """The images of one build by request; used by the thread of the build alone.

    Args:
        context: Context of the build.

    Attributes:
        originals: Store of originals.
        builder: Builder of the files that pages show.
        generation_s: Time from the first job to the join.
        queued: Jobs that the queue of `mkdocs serve` runs after this build.
    """

    def __init__(self, context: BuildContext) -> None:
        self._settings = context.generation_settings
        self.originals = open_originals(self._settings, can_write=context.mode.writes)
        self.builder = open_builder(context)
        self.generation_s = 0.0
        self.queued: dict[JobKey, Job] = {}
        self._context = context
        if context.mode.again or context.mode.retry_refused:
            ledger = context.run.ledger
            ledger.again, ledger.retries_refused = context.mode.again, context.mode.retry_refused
        self._attempts = Attempts(self.originals.places)
        self._sketch_server = self._settings.gateway.sketch_server
        self._has_drafts = context.serve_queue is not None and self._settings.draft.is_set
        self._results: dict[JobKey, Result] = {}
        self._deferred: dict[JobKey, tuple[ImageRequest, Directive, bool]] = {}
        self._is_deferring = True
        self._observed: set[str] = set()
        self._first_job_at: float | None = None
        self._is_joined = False
        self._scheduler: Scheduler | None = None

    def look_up(self, directive: Directive, uri: str | None = None) -> None:
        """Look up the images of a directive, and start a job for each that is missing.

        A request that may have an original is deferred to the join: between the pages of a build
        the same work takes three times as long, since the processor caches hold other data.

        Args:
            directive: Directive that a page shows.
            uri: Source of the page; None for a directive that was looked up before.
        """
        mode = self._context.mode
        can_generate = uri is None or mode.includes(uri)
        for request in directive.requests:
            key = _key(request, directive)
            known = self._results.get(key)
            can_generate = request.key in mode.again if mode.again else can_generate
            was_not_selected = known is not None and isinstance(known.error, NotSelectedError)
            if known is not None and not (was_not_selected and can_generate and uri is not None):
                continue
            if self._is_deferring and self._may_have(request):
                before = self._deferred.get(key)
                # One page for which images are generated is enough.
                is_allowed = can_generate or bool(before and before[2])
                self._deferred[key] = (request, directive, is_allowed)
            else:
                self._resolve(request, directive, can_generate=can_generate)

    def results(self, directive: Directive) -> tuple[Result, ...] | None:
        """Return the result of each request after the join; None if no page shows the directive."""
        keys = (_key(request, directive) for request in directive.requests)
        known = [self._results.get(key) for key in keys]
        every = tuple(result for result in known if result is not None)
        return every if len(every) == len(known) else None

    def queued_jobs(self, directive: Directive) -> list[Job]:
        """Return the jobs of a directive that the queue of `mkdocs serve` runs."""
        keys = (_key(request, directive) for request in directive.requests)
        return [self.queued[key] for key in keys if key in self.queued]

    def settle(self) -> None:
        """Look up the deferred requests, and wait for all jobs so far.

        Raises:
            KeyboardInterrupt: If SIGINT was received; images in flight are stored.
            SystemExit: If another signal was received; images in flight are stored.
        """
        self._is_deferring = False  # references are looked up in turn from now on
        deferred, self._deferred = self._deferred, {}
        for request, directive, can_generate in deferred.values():
            self._resolve(request, directive, can_generate=can_generate)
        if self._scheduler is not None:
            self._results |= self._scheduler.join()

    def join(self) -> None:
        """Wait for all jobs; no other job starts after it."""
        self.settle()
        self.builder.release_index()  # not after each round of references
        self._log_originals()
        if self._first_job_at is not None:
            self.generation_s = time.monotonic() - self._first_job_at
        self._is_joined = True

    def _log_originals(self) -> None:
        """Log what the build found in the folders of originals, and note their use."""
        store = self.originals
        if not self._context.mode.writes:
            return  # a look at the site
        for folder, count in store.adopted.items():
            log.info("adopted %s from %s", plural(count, "original"), folder)
        defects = list((store.defects | self.builder.defects).values())
        if defects:
            shown = ", ".join(f"{each.path}: {each.text}" for each in defects[:_MAX_LISTED])
            more = f", {len(defects) - _MAX_LISTED} more" if len(defects) > _MAX_LISTED else ""
            text = "%s damaged (%s%s); the images are used; run `mkdocs-imagegen verify --repair`"
            log.warning(text, plural(len(defects), "file is", "files are"), shown, more)
        if store.is_new:
            log.info(_NEW_FOLDER, self._settings.originals_dir or store.folder)
        note_use(self._settings)

    def recover(self) -> None:
        """Store the responses that interrupted builds have left; never fails."""
        from mkdocs_imagegen.spending import recovery, storing  # noqa: PLC0415 - rarely needed

        for folder in (None, *self.originals.places[1:]):
            recovery.recover_all(storing.open_stores(self._settings, self.originals, folder))

    def close(self) -> None:
        """Start no more jobs, wait for the images in flight, and close the stores."""
        with contextlib.closing(self.builder):
            if self._scheduler is not None:
                self._scheduler.close()

    def _may_have(self, request: ImageRequest) -> bool:
        is_enabled = self._settings.enabled
        return is_enabled and self.originals.may_have(request, self._sketch_server)

    def _resolve(self, request: ImageRequest, directive: Directive, *, can_generate: bool) -> None:
        key, original = _key(request, directive), None
        try:
            if self._settings.enabled:
                mode = self._context.mode
                if request.key not in mode.again:
                    original = self.originals.find_exact(request, self._sketch_server)
                if original is None and request.key not in mode.again:
                    is_exact = directive.is_exact or mode.upgrade
                    original = self.originals.find_by_subject(request, is_exact=is_exact)
                if original is None and self._has_drafts:
                    request = self._settings.draft.of(request)
                    original = self.originals.find_exact(request, self._sketch_server)
        except StoreError as error:
            self._results[key] = Result(error=error)
            return
        image = None
        if original is not None:
            image = self.builder.find(_plan(self._settings, original.record, directive.layout))
        if image is not None:
            self._results[key] = Result(original, image, is_draft=request.is_draft)
        else:
            job = Job(key, request, original, request.is_draft, directive.exact_options)
            self._add(job, can_generate=can_generate)

    def _add(self, job: Job, *, can_generate: bool) -> None:
        """Start a job, unless its image may not be generated."""
        error = None
        if job.original is None:
            error = self._refusal(job, can_generate=can_generate)
        if error is not None:
            self._results[job.key] = Result(error=error)
        elif self._is_joined:
            late = NotGeneratedError(TOO_LATE)
            self._results[job.key] = Result(error=late)
            log.warning("image prompt %s: %s", quote_value(job.request.prompt), late)
        else:
            self._start(job)

    def _start(self, job: Job) -> None:
        serve_queue = self._context.serve_queue
        if serve_queue is not None and job.original is None:
            self._results[job.key] = Result(error=serve_queue.pending_error(job))
            self.queued[job.key] = job
            return
        self._first_job_at = self._first_job_at or time.monotonic()
        self._results[job.key] = Result()
        if self._scheduler is None:
            self._scheduler = open_scheduler(self._context, self.originals, self.builder)
        self._scheduler.start(job)
        self._notify_observer(job)

    def _notify_observer(self, job: Job) -> None:
        observer = self._context.mode.observer
        if observer and job.original is None and job.request.key not in self._observed:
            self._observed.add(job.request.key)
            observer.job_added()

    @cached_property
    def _models(self) -> ModelChoice:
        from mkdocs_imagegen.spending.replacement import ModelChoice  # noqa: PLC0415 - if missing

        is_estimate = not self._context.mode.generate
        return ModelChoice.from_cache(self._settings, is_estimate=is_estimate)

    def _refusal(self, job: Job, *, can_generate: bool) -> ImagegenError | None:
        """Return the reason for which this build does not generate an image, if there is one."""
        mode, permission, request = self._context.mode, self._context.permission, job.request
        try:
            check_request(request, self._settings.gateway.output_format)
            if request.references:
                self._context.run.reference_files.check(request)
        except OptionError as error:
            return error
        gateway, ledger = self._settings.gateway, self._context.run.ledger
        try:
            if not mode.generate:
                self._models.log_change(request, job.exact_options)
            model = self._models.sent_for(request, job.exact_options).model
            obstacle = ledger.obstacle(self._attempts, request.key, model, gateway)
        except (StoreError, ModelShutDownError) as error:
            return error
        if obstacle is not None:
            return obstacle
        if not can_generate:
            return NotSelectedError(_NOT_SELECTED)
        if not mode.generate:
            return NotGeneratedError("this command generates no images")
        return None if permission.is_granted else NotGeneratedError(permission.refusal)


def open_originals(settings: Settings, *, can_write: bool = False) -> OriginalStore:
    """Return the store of a site's originals.

    Args:
        settings: Settings of the site.
        can_write: True if originals of other folders are adopted, and lost records written again.
    """
    return OriginalStore(
        settings.originals_path,
        inspect_image,
        cache=settings.cache_path,
        earlier=earlier_folders(settings),
        can_write=can_write,
    )


def open_builder(context: BuildContext) -> VariantBuilder:
    """Return the builder of the files that pages show, which writes no file in a dry run."""
    if not context.mode.publish:
        return DryRunVariantBuilder()
    return FileVariantBuilder(DerivedStore(context.settings.cache_path / "derived"), context.site)


def open_scheduler(
    context: BuildContext, originals: OriginalStore, builder: VariantBuilder
) -> Scheduler:
    """Return a scheduler of jobs; its imports are late, since most builds find all images.

    Args:
        context: Context of the build.
        originals: Store of originals.
        builder: Builder of the files that pages show.
    """
    from mkdocs_imagegen.jobs.scheduler import Scheduler  # noqa: PLC0415
    from mkdocs_imagegen.spending import purchase, storing  # noqa: PLC0415

    settings, run, observer = context.generation_settings, context.run, context.mode.observer

    def derive(original: Original, layout: Layout, content: bytes) -> PageImage:
        return builder.build(original, content, lambda record: _plan(settings, record, layout))

    stores, open_gateway = storing.open_stores(settings, originals), context.open_gateway
    references = run.reference_files.read
    purchaser = purchase.Purchaser(settings, stores, run.ledger, open_gateway, references)
    on_result = observer.job_done if observer else lambda _: None
    return Scheduler(settings, purchaser, originals, derive, on_result)


@contextlib.contextmanager
def scheduler_of_server(context: BuildContext) -> Iterator[Scheduler]:
    """Open a scheduler for the queue of `mkdocs serve`; close it and its stores at the end.

    MkDocs empties the folder of the site in each build, so its files come from builds alone.

    Args:
        context: Context of a build.
    """
    context = replace(context, site=None)
    with contextlib.closing(open_builder(context)) as builder:
        originals = open_originals(context.generation_settings, can_write=True)
        with contextlib.closing(open_scheduler(context, originals, builder)) as scheduler:
            yield scheduler


def _plan(settings: Settings, record: Record, layout: Layout) -> VariantPlan:
    return plan_variants(record, layout, settings.variants, settings.provenance)


def _key(request: ImageRequest, directive: Directive) -> JobKey:
    return (request.key, directive.layout, directive.is_exact)
