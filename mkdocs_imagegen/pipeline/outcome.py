"""The result of one directive: the image or placeholder on the page, and its report; pure."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import field, replace
from typing import TYPE_CHECKING

from mkdocs_imagegen.directives.directive import Directive, ParsedDirective
from mkdocs_imagegen.errors import (
    EarlierFailureError,
    EarlierRefusalError,
    ImagegenError,
    Location,
    ModerationError,
    NotGeneratedError,
    OverBudgetError,
    PendingError,
    StoppedError,
)
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.imaging.image import PageImage
from mkdocs_imagegen.jobs.job import Result
from mkdocs_imagegen.option_parsers import SKETCH_MODEL, Size
from mkdocs_imagegen.originals.judge import Original
from mkdocs_imagegen.originals.record import Record
from mkdocs_imagegen.report import ReportRow, State
from mkdocs_imagegen.request import ImageRequest

if TYPE_CHECKING:
    from decimal import Decimal

    from mkdocs_imagegen.directives.explain import Explanation
    from mkdocs_imagegen.imaging.placeholder import Placeholder

EstimatePrice = Callable[[ImageRequest, Collection[str]], "Decimal | None"]
"""Returns the price of a request, whose directive sets some options itself."""

UNKNOWN_PRICE: EstimatePrice = lambda *_: None  # noqa: E731 - of the type above

_NOT_GENERATED = "This image is not generated yet"
_TITLES = {
    State.OVER_BUDGET: "This image is over budget",
    State.REFUSED: "This prompt was refused",
    State.FAILED: "This image could not be generated",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one directive.

    Attributes:
        state: State of the image.
        shown: Image or placeholder on the page.
        dark: Image for dark color schemes, if the directive has one.
        results: Result of each request; empty if no request was looked up.
        error: Reason for a missing image; ``""`` if the image exists.
    """

    state: State
    shown: PageImage | Placeholder
    dark: PageImage | None = None
    results: tuple[Result, ...] = field(default=())
    error: str = ""

    @property
    def image(self) -> PageImage | None:
        """Image on the page, or None if it shows a placeholder."""
        return self.shown if isinstance(self.shown, PageImage) else None


@dataclass(frozen=True, slots=True)
class Entry:
    """One location that shows an image, for commands that inspect a site.

    Attributes:
        rows: Rows of the report: the image, then the dark-mode image if there is one.
        directive: Directive, or its error.
        outcome: Result of the directive.
        uri: Source of the page below the docs folder.
        explain: Function that returns the origin of each option; None for an invalid directive,
            and for every directive of a build that publishes a site.
    """

    rows: tuple[ReportRow, ...]
    directive: ParsedDirective | None
    outcome: Outcome
    uri: str
    explain: Callable[[], Explanation | None]

    @property
    def location(self) -> Location:
        """Page and line."""
        return self.rows[0].location

    @property
    def originals(self) -> tuple[Original, ...]:
        """Originals that the page shows, or would show."""
        return tuple(each.original for each in self.outcome.results if each.original)


def outcome_of(directive: Directive, results: tuple[Result, ...], *, shows_error: bool) -> Outcome:
    """Return the outcome of a directive from the results of its requests.

    Args:
        directive: The directive.
        results: Result of each of its requests, in order.
        shows_error: True if a placeholder shows the error, and not only the alt text.
    """
    states = [_state(*each) for each in zip(directive.requests, results, strict=True)]
    worst = max(states, key=_BY_TROUBLE.index)
    error = next((each.error for each in results if each.error is not None), None)
    text = _error_text(error)
    first, dark = results[0].image, results[1].image if directive.dark else None
    if first is not None:
        return Outcome(worst, first, dark, results=results, error=text)
    title, more = _NOT_GENERATED, directive.alt
    if shows_error and error is not None:
        title, more = _explained(worst, error, directive.alt)
    placeholder = _placeholder(title, more, directive.layout_size)
    return Outcome(worst, placeholder, results=results, error=text)


def invalid_outcome(found: ParsedDirective, text: str, *, shows_error: bool) -> Outcome:
    """Return the outcome of an invalid directive.

    Args:
        found: The directive.
        text: Error of the directive.
        shows_error: True if the placeholder shows the whole error, and not only its beginning.
    """
    shown = text if shows_error else text.partition(" (")[0].partition("; ")[0]
    placeholder = _placeholder("This image prompt has an error", shown, found.layout_size)
    return Outcome(State.INVALID, placeholder, error=text)


def _placeholder(title: str, text: str, layout_size: Size) -> Placeholder:
    # Most builds show no placeholder.
    from mkdocs_imagegen.imaging.placeholder import render_placeholder  # noqa: PLC0415

    return render_placeholder(title, text, layout_size)


def _explained(state: State, error: ImagegenError, alt: str) -> tuple[str, str]:
    """Return title and text of a placeholder that shows the state and the error."""
    if isinstance(error, PendingError):
        return _sentence(error.fault), f"{_sentence(error.hint or '')}\n{alt}"
    text = "; ".join(filter(None, [_sentence(error.problem), error.hint]))
    return _TITLES.get(state, _NOT_GENERATED), f"{text}\n{alt}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def report_rows(
    location: Location,
    found: ParsedDirective | None,
    outcome: Outcome,
    file: str,
    get_price: EstimatePrice = UNKNOWN_PRICE,
) -> tuple[ReportRow, ...]:
    """Return the rows of the report for one location: one for each request, or for the error.

    Args:
        location: Location of the image.
        found: Directive of the image.
        outcome: Result of the directive.
        file: Path of the image or placeholder below the site's root; ``""`` for no file.
        get_price: Function that returns the price of a request.
    """
    if not isinstance(found, Directive) or outcome.state is State.INVALID:
        return (ReportRow(location, State.INVALID, file=file, remarks=(outcome.error,)),)
    files = file, outcome.dark.name if outcome.dark else ""
    pairs = zip(found.requests, outcome.results, strict=False)
    rows = (_row(location, *pair, get_price(pair[0], found.exact_options)) for pair in pairs)
    return tuple(
        replace(row, title=title, file=name)
        for row, title, name in zip(rows, found.titles, files, strict=False)
    )


def _row(
    location: Location, request: ImageRequest, result: Result, price_usd: Decimal | None
) -> ReportRow:
    record = result.original.record if result.original else None
    generated = record if result.was_generated else None
    error = result.error
    remarks = *result.remarks, result.alarm, _error_text(error)
    return ReportRow(
        location=location,
        state=_state(request, result),
        key=request.key,
        prompt=request.prompt,
        model=record.model if record else request.model,
        drawn_by=_answered_by(record) if record else "",
        price_usd=error.price_usd if isinstance(error, OverBudgetError) else price_usd,
        seconds=result.seconds,
        cost_usd=generated.cost_usd if generated else None,
        cost_is_estimate=bool(generated and generated.cost_is_estimate),
        remarks=tuple(filter(None, remarks)),
        error=result.error,
    )


def _error_text(error: ImagegenError | None) -> str:
    return f"the image is missing: {error}" if error else ""


def _answered_by(record: Record) -> str:
    return record.model if record.model == SKETCH_MODEL else record.answered_by


_BY_TROUBLE = (
    *(State.READY, State.SKETCH, State.GENERATED, State.STALE, State.DRAFT),
    *(State.MISSING, State.OVER_BUDGET, State.REFUSED, State.FAILED),
)
_STATES = (
    (OverBudgetError, State.OVER_BUDGET),
    (EarlierRefusalError, State.REFUSED),
    (EarlierFailureError, State.FAILED),
    (ModerationError, State.REFUSED),
    (StoppedError, State.FAILED),  # like the image whose error stopped the run
    (NotGeneratedError, State.MISSING),
)


def _state(request: ImageRequest, result: Result) -> State:
    if result.image is None or result.original is None:
        kinds = (state for kind, state in _STATES if isinstance(result.error, kind))
        return next(kinds, State.FAILED)
    if result.is_draft:
        return State.DRAFT
    if result.was_generated:
        return State.GENERATED
    record = result.original.record
    is_sketch = record.model == SKETCH_MODEL
    if record.is_import or record.answers(request):
        return State.READY
    if record.key != (request.as_sketch if is_sketch else request).key:
        return State.STALE
    return State.SKETCH if is_sketch else State.READY
