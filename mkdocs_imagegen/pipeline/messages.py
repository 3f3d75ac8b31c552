"""Messages about the images of a build, and their level."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from mkdocs_imagegen.causes import causes, list_locations
from mkdocs_imagegen.errors import Location, OptionError
from mkdocs_imagegen.gateway.models import check_request
from mkdocs_imagegen.log import NOT_STRICT, log
from mkdocs_imagegen.option_parsers import SKETCH_MODEL
from mkdocs_imagegen.pipeline.context import BuildContext
from mkdocs_imagegen.pipeline.outcome import Outcome
from mkdocs_imagegen.report import ReportRow, State
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import Settings

Locate = Callable[[], Location]
"""Finds the location of an image, which reads the source of the page again."""


def log_causes(
    context: BuildContext, outcomes: Iterable[tuple[Outcome, Callable[[], Sequence[ReportRow]]]]
) -> None:
    """Log the causes for which images are missing, each once per run, and invalid directives.

    Args:
        context: Context of the build.
        outcomes: Outcome of each directive, and a function that returns its rows.
    """
    lacking: dict[tuple[int, bool], list[ReportRow]] = {}
    for outcome, rows_of in outcomes:
        level = _level(context, outcome.state)
        if outcome.error and level is not None:
            is_strict = not (context.is_serving and outcome.state is State.MISSING)
            lacking.setdefault((level, is_strict), []).extend(rows_of())
    for (level, is_strict), rows in lacking.items():
        for cause in causes(rows):
            extra = {"imagegen_once": cause.name} | ({} if is_strict else NOT_STRICT)
            log.log(level, "%s", cause.text, extra=extra)


def log_remarks(outcomes: Iterable[tuple[Outcome, Locate]]) -> None:
    """Log the remarks and alarms of generated images; a text of several images once."""
    found: dict[tuple[int, str], list[str]] = {}
    for outcome, locate in outcomes:
        for result in outcome.results:
            remarks = result.remarks if result.was_generated else ()
            texts = [(logging.INFO, each) for each in remarks]
            for each in [*texts, *([(logging.WARNING, result.alarm)] if result.alarm else [])]:
                found.setdefault(each, []).append(str(locate()))
    for (level, text), locations in found.items():
        log.log(level, "%s: image prompt: %s", list_locations(locations), text)


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
    """Return the level of an error; None if the summary alone counts it, or it ends the build."""
    settings = context.settings
    if state is State.INVALID:
        return logging.WARNING
    if state in (State.MISSING, State.OVER_BUDGET) and context.is_serving:
        # Under `mkdocs serve` missing images are the rule.
        is_surprise = settings.serve == "generate" and not context.permission.is_granted
        return logging.WARNING if is_surprise and settings.enabled else None
    if settings.on_missing == "warn" and settings.enabled:
        return logging.WARNING
    is_silent = state in (State.MISSING, State.OVER_BUDGET) or settings.on_missing == "error"
    return None if is_silent and not context.is_serving else logging.INFO
