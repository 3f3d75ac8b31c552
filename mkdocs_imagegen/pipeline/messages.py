"""What a build says of its images while it runs, and how loud."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mkdocs_imagegen.errors import Location, OptionError
from mkdocs_imagegen.gateway.models import check_request
from mkdocs_imagegen.options import SKETCH_MODEL
from mkdocs_imagegen.pipeline.outcome import Outcome
from mkdocs_imagegen.report import State
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import Settings

Say = Callable[[str], None]


class Messages:
    """Says what the site wants to hear.

    Args:
        settings: of the site.
        is_serving: whether pages are served while they are written.
        warn: called with each warning.
        remark: called with what is worth knowing and no reason to worry.
    """

    def __init__(self, settings: Settings, *, is_serving: bool, warn: Say, remark: Say) -> None:
        self._settings = settings
        self._is_serving = is_serving
        self.warn = warn
        self._remark = remark
        self._told_of_sketches: set[str] = set()

    def tell(self, outcome: Outcome, location: Callable[[], Location]) -> None:
        """Say what became of one image on a page, if it is worth saying.

        Args:
            outcome: what became of it.
            location: finds where it stands, which reads the page's source again.
        """
        if outcome.error and (say := self._loudness(outcome)):
            say(f"{location()}: image prompt: {outcome.error}")
        for result in outcome.results:
            for remark in result.remarks if result.was_generated else ():
                self._remark(f"{location()}: image prompt: {remark}")
            if result.alarm:
                self.warn(f"{location()}: image prompt: {result.alarm}")

    def tell_of_sketch(self, request: ImageRequest, location: Callable[[], Location]) -> None:
        """Say, once for each fault, that the model which is set would refuse it."""
        if request.model != SKETCH_MODEL:
            return
        try:
            asked = replace(request, model=self._settings.model)
            check_request(asked, self._settings.gateway.output_format)
        except OptionError as error:
            if str(error) not in self._told_of_sketches:
                self._told_of_sketches.add(str(error))
                self._remark(f"{location()}: image prompt: a sketch is shown, but {error}")

    def _loudness(self, outcome: Outcome) -> Say | None:
        if outcome.state is State.INVALID:
            return self.warn
        wants_warnings = self._settings.on_missing == "warn" and self._settings.enabled
        if outcome.state in (State.MISSING, State.OVER_BUDGET):
            # While serving, missing images are the rule; the summary counts them.
            return self.warn if wants_warnings and not self._is_serving else None
        return self.warn if wants_warnings else self._remark
