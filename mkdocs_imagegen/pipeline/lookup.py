"""Each image that is shown: found, or started, or known to stay away."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from mkdocs_imagegen.directives.directive import Directive
from mkdocs_imagegen.errors import (
    EarlierRefusalError,
    ImagegenError,
    NotGeneratedError,
    NotSelectedError,
    OptionError,
    StoreError,
)
from mkdocs_imagegen.gateway.models import check_request
from mkdocs_imagegen.imaging.image import PageImage
from mkdocs_imagegen.jobs.job import Job, JobKey, Result
from mkdocs_imagegen.options import quote_value
from mkdocs_imagegen.originals.store import Original
from mkdocs_imagegen.pipeline.context import BuildContext, Run
from mkdocs_imagegen.pipeline.stores import Workshop
from mkdocs_imagegen.request import ImageRequest

if TYPE_CHECKING:
    from mkdocs_imagegen.imaging.placeholder import Placeholder


class Lookup:
    """The images of one build.

    Args:
        workshop: where they are found and made.
        run: what the builds of one run share.
        host: what the build finds around it.
        warn: called with each warning.
    """

    def __init__(
        self, workshop: Workshop, run: Run, host: BuildContext, warn: Callable[[str], None]
    ) -> None:
        self.generation_s = 0.0
        self.waiting: dict[JobKey, Job] = {}
        """What is made beside the server, after this build."""
        self._settings = workshop.settings
        self._host = host
        self._warn = warn
        self._workshop = workshop
        self._originals = workshop.originals
        self._sketch_server = self._settings.gateway.sketch_server
        self._run = run
        self._has_drafts = host.serve_queue is not None and self._settings.draft.is_set
        self._results: dict[JobKey, Result] = {}
        self._put_off: dict[JobKey, tuple[ImageRequest, Directive, bool]] = {}
        self._puts_off = True
        self._wanted: set[str] = set()
        self._begun: float | None = None
        self._joined = False

    def look_up(self, directive: Directive, uri: str | None = None) -> None:
        """Look up the images of a directive that a page shows; start what has to be made.

        Args:
            directive: what the author wrote.
            uri: the page's source; None for one that was looked up before.
        """
        can_generate = uri is None or self._host.mode.wants(uri)
        for request in directive.requests:
            known = self._results.get(_key(request, directive))
            was_left_out = known is not None and isinstance(known.error, NotSelectedError)
            if known is None or (was_left_out and can_generate and uri is not None):
                self._begin(request, directive, can_generate=can_generate)

    def results(self, directive: Directive) -> tuple[Result, ...] | None:
        """What became of each request of a directive, after the join; None if no page shows it."""
        keys = (_key(request, directive) for request in directive.requests)
        known = [self._results.get(key) for key in keys]
        every = tuple(result for result in known if result is not None)
        return every if len(every) == len(known) else None

    def waiting_of(self, directive: Directive) -> list[Job]:
        """Those images of a directive that are made beside the server."""
        keys = (_key(request, directive) for request in directive.requests)
        return [self.waiting[key] for key in keys if key in self.waiting]

    def placeholder(self, placeholder: Placeholder) -> PageImage:
        """The stand-in's image, its file in the site."""
        return self._workshop.variant_builder.add_placeholder(placeholder)

    def settle(self) -> None:
        """Look at everything that is there, and wait for what was started so far."""
        self._puts_off = False  # what follows others is asked for in turn from now on
        put_off, self._put_off = self._put_off, {}
        for request, directive, can_generate in put_off.values():
            self._want(request, directive, can_generate=can_generate)
        self._results |= self._workshop.join()

    def join(self) -> None:
        """Wait for everything that was started; nothing more is made."""
        self.settle()
        # Once: images that follow others are looked up in rounds, and each needs the index.
        self._workshop.variant_builder.release_index()
        if self._begun is not None:
            self.generation_s = time.monotonic() - self._begun
        self._joined = True

    def recover(self) -> None:
        """Store what earlier builds have paid for and not stored; never fails."""
        self._workshop.recover()

    def has_originals(self) -> bool:
        """Whether anything is in the store."""
        return not self._originals.is_empty()

    def close(self) -> None:
        """Start nothing more, wait for what is in flight, keep it, and end."""
        self._workshop.close()

    def _begin(self, request: ImageRequest, directive: Directive, *, can_generate: bool) -> None:
        """Start at once what has to be made; what is there is looked at with all others.

        Between the pages of a build the same work takes three times as long, since the processor
        has other things at hand.
        """
        if not (self._puts_off and self._may_have(request)):
            self._want(request, directive, can_generate=can_generate)
            return
        key = _key(request, directive)
        before = self._put_off.get(key)
        # Of several pages that show it, one that may have it made is enough.
        self._put_off[key] = (request, directive, can_generate or bool(before and before[2]))

    def _want(self, request: ImageRequest, directive: Directive, *, can_generate: bool) -> None:
        key = _key(request, directive)
        is_exact = directive.is_exact or self._host.mode.upgrades
        try:
            original = self._find(request, is_exact=is_exact)
            if original is None and self._has_drafts:
                request = self._settings.draft.of(request)
                original = self._find(request, is_exact=True)
        except StoreError as error:
            self._results[key] = Result(error=error)
            return
        image = self._workshop.find(original.record, directive.layout) if original else None
        if image is not None:
            self._results[key] = Result(original, image, is_draft=request.is_draft)
            return
        refusal = self._refusal(request, can_generate=can_generate)
        if original is None and refusal is not None:
            self._results[key] = Result(error=refusal)
        elif self._joined:
            fault = NotGeneratedError("it came into a page after the build had made its images")
            self._results[key] = Result(error=fault)
            self._warn(f"image prompt {quote_value(request.prompt)}: {fault}")
        else:
            self._start(Job(key, request, original, refusal is None, request.is_draft))

    def _may_have(self, request: ImageRequest) -> bool:
        is_enabled = self._settings.enabled
        return is_enabled and self._originals.may_have(request, self._sketch_server)

    def _find(self, request: ImageRequest, *, is_exact: bool) -> Original | None:
        """Return the original of a request; unless it must be exact, else one of its subject.

        Raises:
            StoreError: If something is there and cannot be read.
        """
        if not self._settings.enabled:
            return None
        original = self._originals.find_exact(request, self._sketch_server)
        if original is not None or is_exact:
            return original
        return self._originals.find_by_subject(request.subject_key, request.model)

    def _start(self, want: Job) -> None:
        serve_queue = self._host.serve_queue
        if serve_queue is not None and want.original is None:
            self._results[want.key] = Result(error=serve_queue.pending_error(want))
            self.waiting[want.key] = want
            return
        if serve_queue is not None:
            want = replace(
                want, can_generate=False
            )  # what is broken is bought by the desk, if at all
        self._begun = self._begun or time.monotonic()
        self._results[want.key] = Result()
        self._workshop.start(want)
        self._tell_watcher(want.request, want.original)

    def _tell_watcher(self, request: ImageRequest, original: Original | None) -> None:
        watcher = self._host.mode.watcher
        if watcher and original is None and request.key not in self._wanted:
            self._wanted.add(request.key)
            watcher.job_added()

    def _refusal(self, request: ImageRequest, *, can_generate: bool) -> ImagegenError | None:
        """Why this request is not made in this build, if it is not."""
        try:
            check_request(request, self._settings.gateway.output_format)
            if request.references:
                self._run.reference_files.check(request)
        except OptionError as error:
            return error
        refused = self._workshop.refusals.find(request.key)
        if refused is not None and not self._host.mode.retries_refused:
            path = self._workshop.refusals.path(request.key)
            hint = f"reword it, set another `take`, or delete {path}"
            fault = f"{refused.said} on {refused.day} ({refused.model})"
            return EarlierRefusalError(fault, hint=hint)
        if not can_generate:
            return NotSelectedError("it stands on a page that was not named")
        permission = self._host.permission
        return None if permission.is_granted else NotGeneratedError(permission.refusal)


def _key(request: ImageRequest, directive: Directive) -> JobKey:
    return (request.key, directive.layout, directive.is_exact)
