"""Messages about the images of a build, and their level."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from mkdocs_imagegen.directives.directive import Directive, ParsedDirective
from mkdocs_imagegen.errors import Location, OptionError
from mkdocs_imagegen.gateway.models import check_request, suggest_model
from mkdocs_imagegen.log import NOT_STRICT, log
from mkdocs_imagegen.option_parsers import SKETCH_MODEL, quote_value
from mkdocs_imagegen.pipeline.context import BuildContext
from mkdocs_imagegen.pipeline.outcome import Outcome
from mkdocs_imagegen.report import State, plural
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import Settings

Locate = Callable[[], Location]
"""Finds the location of an image, which reads the source of the page again."""


def log_outcomes(context: BuildContext, outcomes: Iterable[tuple[Outcome, Locate]]) -> None:
    """Log the errors and remarks of the images on pages; an error of several images only once.

    Args:
        context: Context of the build.
        outcomes: Outcome and location of each directive.
    """
    affected: dict[tuple[int, str, Locate | None], list[Locate]] = {}
    for outcome, locate in outcomes:
        level = _level(context, outcome.state)
        if outcome.error and level is not None:
            # Each invalid directive has to be corrected.
            own = locate if outcome.state is State.INVALID else None
            affected.setdefault((level, outcome.error, own), []).append(locate)
        for result in outcome.results:
            for remark in result.remarks if result.was_generated else ():
                log.info("%s: image prompt: %s", locate(), remark)
            if result.alarm:
                log.warning("%s: image prompt: %s", locate(), result.alarm)
    for (level, error, _), (locate, *others) in affected.items():
        more = f" and {plural(len(others), 'more location')}" if others else ""
        log.log(level, "%s%s: image prompt: %s", locate(), more, error)


def log_model_mistakes(
    context: BuildContext, outcomes: Sequence[tuple[ParsedDirective | None, Outcome, Locate]]
) -> None:
    """Log mistakes in models that no error of a request shows, mainly while sketches are drawn.

    Args:
        context: Context of the build.
        outcomes: Directive with its outcome and its location.
    """
    settings, logged = context.settings, set[str]()
    named: dict[str, Locate] = {}
    for found, outcome, locate in outcomes:
        if not isinstance(found, Directive):
            continue
        if "did you mean" not in outcome.error:
            named.setdefault(found.own_model or "", locate)
        error, model = "", found.own_model or settings.model
        if context.mode.generate and outcome.image:
            error = unsupported_by_model(settings, found.request, model)
        if error and error not in logged:
            logged.add(error)
            log.info("%s: image prompt: a sketch is shown, but %s", locate(), error)
    if named and (settings.gateway.is_vercel or settings.gateway.is_sketch):
        _log_unknown_models(settings, named)


def _log_unknown_models(settings: Settings, named: Mapping[str, Locate]) -> None:
    """Log each model ID that looks misspelled, once per run."""
    name = settings.config_file.name if settings.config_file else "mkdocs.yml"
    config: Locate = partial(Location, name)
    own = (settings.model, settings.draft.model or "", *settings.fallback_models)
    for model, location in {**dict.fromkeys(own, config), **named}.items():
        if suggestion := suggest_model(model):
            once = {"imagegen_once": f"unknown model {model}"}
            text = "%s: %s is not a known model ID; did you mean %s?"
            names = quote_value(model), quote_value(suggestion)
            log.warning(text, location(), *names, extra=NOT_STRICT | once)


def unsupported_by_model(settings: Settings, request: ImageRequest, model: str) -> str:
    """Return the reason for which a model rejects the request of a sketch, or ``""``.

    The gateway emulator draws every size, so a site of sketches would hide the mistake.

    Args:
        settings: Settings of the site.
        request: Request for the sketch.
        model: Model that is configured.
    """
    if request.model == SKETCH_MODEL:
        try:
            check_request(replace(request, model=model), settings.gateway.output_format)
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
