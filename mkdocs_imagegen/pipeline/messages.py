"""Messages about the images of a build, and their level."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from mkdocs_imagegen.errors import Location, OptionError
from mkdocs_imagegen.gateway.models import check_request
from mkdocs_imagegen.log import log
from mkdocs_imagegen.option_parsers import SKETCH_MODEL
from mkdocs_imagegen.pipeline.context import BuildContext
from mkdocs_imagegen.pipeline.outcome import Outcome
from mkdocs_imagegen.report import State
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import Settings


def log_outcome(context: BuildContext, outcome: Outcome, location: Callable[[], Location]) -> None:
    """Log the errors and remarks of one image on a page.

    Args:
        context: Context of the build.
        outcome: Outcome of the directive.
        location: Function that finds the location, which reads the source of the page again.
    """
    level = _level(context, outcome.state)
    if outcome.error and level is not None:
        log.log(level, "%s: image prompt: %s", location(), outcome.error)
    for result in outcome.results:
        for remark in result.remarks if result.was_generated else ():
            log.info("%s: image prompt: %s", location(), remark)
        if result.alarm:
            log.warning("%s: image prompt: %s", location(), result.alarm)


def unsupported_by_model(settings: Settings, request: ImageRequest) -> str:
    """Return the reason for which the configured model rejects the request of a sketch, or ``""``.

    The gateway emulator draws every size, so a site of sketches would hide the mistake.
    """
    if request.model == SKETCH_MODEL:
        try:
            check_request(replace(request, model=settings.model), settings.gateway.output_format)
        except OptionError as error:
            return str(error)
    return ""


def _level(context: BuildContext, state: State) -> int | None:
    """Return the level of an error; None if the summary alone counts it."""
    if state is State.INVALID:
        return logging.WARNING
    is_warning = context.settings.on_missing == "warn" and context.settings.enabled
    if state in (State.MISSING, State.OVER_BUDGET):
        # Under `mkdocs serve` missing images are the rule.
        return logging.WARNING if is_warning and not context.is_serving else None
    return logging.WARNING if is_warning else logging.INFO
