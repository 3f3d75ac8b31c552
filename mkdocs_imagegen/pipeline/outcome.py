"""What became of one directive, and what the page shows of it; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import field
from decimal import Decimal
from typing import TYPE_CHECKING

from mkdocs_imagegen.directives.directive import Directive, ParsedDirective
from mkdocs_imagegen.errors import (
    EarlierRefusalError,
    ImagegenError,
    Location,
    ModerationError,
    NotGeneratedError,
    OverBudgetError,
    PendingError,
)
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.gateway.models import estimate_usd
from mkdocs_imagegen.imaging.image import PageImage
from mkdocs_imagegen.jobs.job import Result
from mkdocs_imagegen.options import SKETCH_MODEL, Size
from mkdocs_imagegen.originals.record import Record
from mkdocs_imagegen.originals.store import Original
from mkdocs_imagegen.report import ReportRow, State
from mkdocs_imagegen.request import ImageRequest

if TYPE_CHECKING:
    from mkdocs_imagegen.directives.explain import Explanation
    from mkdocs_imagegen.imaging.placeholder import Placeholder

_NOT_MADE = "This image is not made yet"
_TITLES = {
    State.OVER_BUDGET: "This image is over budget",
    State.REFUSED: "This prompt was refused",
    State.FAILED: "This image could not be made",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one directive.

    Attributes:
        state: how the image stands.
        image: what the page shows; None where ``stand_in`` is shown.
        dark: what it shows in dark surroundings, if that is another image.
        placeholder: shown where there is no image.
        results: what the making told of each request; empty where nothing was looked for.
        error: why there is only a stand-in; ``""`` where there is an image.
    """

    state: State
    image: PageImage | None = None
    dark: PageImage | None = None
    placeholder: Placeholder | None = None
    results: tuple[Result, ...] = field(default=())
    error: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One place that shows an image, with all that is known of it.

    Attributes:
        line: as the report tells of it.
        found: the directive.
        outcome: what became of it.
        uri: the source of the page below the docs folder.
        explain: tells where everything comes from that it asks for; None for a mistake, and in a
            build that makes a site, which does not remember that.
    """

    line: ReportRow
    found: ParsedDirective | None
    outcome: Outcome
    uri: str
    explain: Callable[[], Explanation | None]

    @property
    def original(self) -> tuple[Original, ...]:
        """The originals that are shown, or would be."""
        return tuple(each.original for each in self.outcome.results if each.original)


def settled(directive: Directive, results: tuple[Result, ...], *, in_full: bool) -> Outcome:
    """The outcome of a directive whose requests have been looked up or made.

    Args:
        directive: what was asked for.
        results: of each of its requests, in order.
        in_full: whether a stand-in tells the error, or only what the image would show.
    """
    states = [_state(*each) for each in zip(directive.requests, results, strict=True)]
    worst = max(states, key=_BY_TROUBLE.index)
    error = next((each.error for each in results if each.error is not None), None)
    yet = "" if worst in (State.FAILED, State.REFUSED) else " yet"
    text = f"there is no image{yet}: {error}" if error else ""
    first, dark = results[0].image, results[1].image if directive.dark else None
    if first is not None:
        return Outcome(worst, first, dark, results=results, error=text)
    told = _told(worst, error, directive.alt) if in_full and error else (_NOT_MADE, directive.alt)
    placeholder = _placeholder(*told, directive.layout_size)
    return Outcome(worst, placeholder=placeholder, results=results, error=text)


def _placeholder(title: str, text: str, layout_size: Size) -> Placeholder:
    from mkdocs_imagegen.imaging.placeholder import render_placeholder  # noqa: PLC0415 - only for those

    return render_placeholder(title, text, layout_size)


def _told(state: State, error: ImagegenError, alt: str) -> tuple[str, str]:
    """Title and text of a stand-in for who writes the page: how it stands, and why."""
    if isinstance(error, PendingError):
        return _sentence(error.fault), f"{_sentence(error.hint or '')}\n{alt}"
    return _TITLES.get(state, _NOT_MADE), f"{_sentence(str(error))}\n{alt}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def mistaken(found: ParsedDirective, text: str, *, in_full: bool) -> Outcome:
    """A stand-in that names the mistake of its directive, in full or briefly."""
    brief = text.partition(" (")[0].partition("; ")[0]
    title = "This image prompt has a mistake"
    placeholder = _placeholder(title, text if in_full else brief, found.layout_size)
    return Outcome(State.INVALID, placeholder=placeholder, error=text)


def line_of(
    location: Location, found: ParsedDirective | None, outcome: Outcome, file: str
) -> ReportRow:
    """What the report tells of one place that shows the image.

    Args:
        location: where it stands.
        found: the directive.
        outcome: what became of it.
        file: the path of the image, or of its stand-in, below the site's root; ``""`` for none.
    """
    requests = found.requests if isinstance(found, Directive) else ()
    request = requests[0] if requests else None
    results = outcome.results
    originals = [each.original.record for each in results if each.original]
    paid = [each.original.record for each in results if each.original and each.was_generated]
    costs = [each.cost_usd for each in paid if each.cost_usd is not None]
    remarks = [each for result in results for each in (*result.remarks, result.alarm) if each]
    return ReportRow(
        location=location,
        state=outcome.state,
        key=request.key if request else "",
        prompt=request.prompt if request else "",
        model=originals[0].model if originals else request.model if request else "",
        drawn_by=_drawn_by(originals[0]) if originals else "",
        file=file,
        price_usd=_sum_of(map(estimate_usd, requests)),
        missing_usd=tuple(
            estimate_usd(each)
            for each, result in zip(requests, results, strict=False)
            if result.original is None
        ),
        seconds=max((each.seconds for each in results), default=0.0),
        cost_usd=sum(costs, Decimal(0)) if costs else None,
        cost_is_estimate=any(each.cost_is_estimate for each in paid),
        remarks=(*remarks, *filter(None, [outcome.error])),
    )


def _drawn_by(record: Record) -> str:
    return record.model if record.model == SKETCH_MODEL else record.answered_by


def _sum_of(prices: Iterable[Decimal | None]) -> Decimal | None:
    known = list(prices)
    return sum((each for each in known if each), Decimal(0)) if known and all(known) else None


_BY_TROUBLE = (
    *(State.READY, State.SKETCH, State.GENERATED, State.STALE, State.DRAFT),
    *(State.MISSING, State.OVER_BUDGET, State.REFUSED, State.FAILED),
)
_STATES = (
    (OverBudgetError, State.OVER_BUDGET),
    (EarlierRefusalError, State.REFUSED),
    (ModerationError, State.REFUSED),
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
    if record.key != (request.as_sketch if is_sketch else request).key:
        return State.STALE
    return State.SKETCH if is_sketch else State.READY
