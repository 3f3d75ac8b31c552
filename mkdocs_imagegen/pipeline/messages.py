"""Messages about the images of a build, and their level."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs_imagegen.causes import causes, list_locations
from mkdocs_imagegen.directives.directive import Directive, ParsedDirective
from mkdocs_imagegen.errors import Location, OptionError
from mkdocs_imagegen.gateway.models import KNOWN_MODELS, check_request, suggest_model
from mkdocs_imagegen.git import is_tracked
from mkdocs_imagegen.log import NOT_STRICT, log
from mkdocs_imagegen.option_parsers import SKETCH_MODEL, quote_value
from mkdocs_imagegen.pipeline.context import BuildContext
from mkdocs_imagegen.pipeline.outcome import Outcome
from mkdocs_imagegen.report import ReportRow, State, deduplicate, format_cost, plural
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import AUTO, DEFAULT_ORIGINALS_DIR, Settings

if TYPE_CHECKING:
    from mkdocs_imagegen.imaging.derive import VariantBuilder
    from mkdocs_imagegen.jobs.job import Result
    from mkdocs_imagegen.originals.store import OriginalStore

_NOT_TRACKED = (
    "%s (%s) generated into %s, which git does not track, so the next run on another machine would "
    "generate them again; commit the folder, or keep it in the cache of CI"
)

_NEW_FOLDER = (
    "the generated images are stored in %s; commit the folder, or ignore it in git and cache it in "
    "CI, so that no image is charged twice"
)
_NEW_RECORDS = "commit %s in %s: `git add %s`"
_MAX_LISTED = 3

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
    is_told = any("did you mean" in outcome.error for _, outcome, _ in outcomes)
    if named and not is_told and (settings.gateway.is_vercel or settings.gateway.is_sketch):
        _log_unknown_models(settings, named)


def _log_unknown_models(settings: Settings, named: Mapping[str, Locate]) -> None:
    """Log each model ID that looks misspelled, once per run."""
    config: Locate = partial(Location, settings.config_name)
    fallbacks = () if settings.fallback_models == AUTO else settings.fallback_models
    own = (settings.model, settings.draft.model or "", *fallbacks)
    for model, location in {**dict.fromkeys(own, config), **named}.items():
        if model and (suggestion := suggest_model(model)):
            once = {"imagegen_once": f"unknown model {model}"}
            text = "%s: %s is not a known model ID; did you mean %s?"
            names = quote_value(model), quote_value(_current(suggestion))
            log.warning(text, location(), *names, extra=NOT_STRICT | once)


def _current(model: str) -> str:
    """Return a known model; after its shutdown the first one that replaces it."""
    from mkdocs_imagegen.spending.model_choice import today  # noqa: PLC0415 - for a mistake

    facts = KNOWN_MODELS[model]
    has_ended = facts.shutdown_date and facts.shutdown_date <= today().isoformat()
    return facts.replacements[0] if has_ended else model


def log_originals(
    settings: Settings, store: OriginalStore, builder: VariantBuilder, results: Iterable[Result]
) -> None:
    """Log what a build found in the folders of originals, and the new files to commit.

    Args:
        settings: Settings of the site.
        store: Originals of the build.
        builder: Builder of the files that pages show.
        results: Results of all requests.
    """
    for folder, count in store.adopted.items():
        log.info("adopted %s from %s", plural(count, "original"), folder)
    defects = list((store.defects | builder.defects).values())
    if defects:
        shown = ", ".join(f"{each.path}: {each.text}" for each in defects[:_MAX_LISTED])
        more = f", {len(defects) - _MAX_LISTED} more" if len(defects) > _MAX_LISTED else ""
        text = "%s damaged (%s%s); the images are used; run `mkdocs-imagegen verify --repair`"
        log.warning(text, plural(len(defects), "file is", "files are"), shown, more)
    known = [(each, each.original.record) for each in results if each.original]
    charged = [(each, record) for each, record in known if record.model != SKETCH_MODEL]
    name = settings.originals_dir or DEFAULT_ORIGINALS_DIR
    generated = {record.key for each, record in charged if each.was_generated}
    count = len(generated) + store.adopted.total()
    if store.is_new and charged:
        log.info(_NEW_FOLDER, name)
    elif count and is_tracked(store.folder):
        log.info(_NEW_RECORDS, plural(count, "new record"), name, name)


def log_charges(context: BuildContext) -> None:
    """Log what the run has generated, charged and kept, for a build that failed."""
    budget = context.run.ledger.budget
    if count := budget.images - budget.failed:
        known = [budget.usd - budget.failed_usd] if count > budget.unpriced else []
        cost = format_cost([*known, *[None] * budget.unpriced])
        text = "the build failed after it generated %s (%s); %s kept in %s, and reused later"
        is_are = "it is" if count == 1 else "they are"
        log.info(text, plural(count, "image"), cost, is_are, context.settings.originals_path)


def warn_if_untracked(folder: Path, rows: Sequence[ReportRow]) -> None:
    """Warn that git does not track the images that were generated; not under ``--strict``."""
    charged = [row for row in rows if row.state is State.GENERATED and row.model != SKETCH_MODEL]
    if charged and not is_tracked(folder):
        images = deduplicate(charged)
        count, cost = plural(len(images), "image"), format_cost(row.cost_usd for row in images)
        # As a warning it would fail the first strict build, before a cache could be saved.
        log.warning(_NOT_TRACKED, count, cost, folder, extra=NOT_STRICT)


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
    """Return the level of an error; None if the summary alone counts it, or it ends the build."""
    settings = context.settings
    if state is State.INVALID:
        return logging.WARNING
    if state in (State.MISSING, State.OVER_BUDGET) and context.is_serving:
        # Under `mkdocs serve` missing images are the rule, and the reason is logged once.
        is_surprise = settings.serve == "generate" and not context.permission.is_granted
        level = logging.WARNING if is_surprise else logging.INFO
        return level if settings.enabled else None
    if settings.on_missing == "warn" and settings.enabled:
        return logging.WARNING
    is_silent = state in (State.MISSING, State.OVER_BUDGET) or settings.on_missing == "error"
    return None if is_silent and not context.is_serving else logging.INFO
