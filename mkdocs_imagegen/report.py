"""Outcomes of a build, and what is told of them: the summary line and the JSON report; pure."""

from __future__ import annotations

import enum
import json
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from mkdocs_imagegen.errors import Location
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.options import SKETCH_MODEL


class State(enum.Enum):
    """How an image stands after a build."""

    READY = "ready"
    """It was in the store."""
    SKETCH = "sketch"
    """A sketch was in the store, and a sketch was asked for."""
    STALE = "stale but usable"
    """One of the same subject by another model or of another quality was in the store."""
    DRAFT = "draft"
    """A draft stands in for it while pages are served."""
    GENERATED = "made"
    """It was made in this build."""
    MISSING = "missing"
    """There is none, and none was to be made."""
    OVER_BUDGET = "over budget"
    """There is none, and the run's budget did not hold it."""
    REFUSED = "refused"
    """Moderation refused the prompt, in this build or an earlier one."""
    FAILED = "failed"
    """It was asked for and did not come."""
    INVALID = "mistake"
    """The directive cannot be read."""

    @property
    def is_missing(self) -> bool:
        """Whether a page asks for an image that is not there."""
        return self in {State.MISSING, State.OVER_BUDGET, State.REFUSED, State.FAILED}


_STORED = (State.READY, State.SKETCH, State.STALE, State.DRAFT)
_THERE = (*_STORED, State.GENERATED)


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One place that shows an image, as the report tells of it.

    Attributes:
        location: where it stands.
        state: how it stands.
        key: the request's key; ``""`` for a mistake.
        prompt: the final prompt.
        model: the model that it was asked of, or would be.
        drawn_by: the model that drew it, which a fallback may have changed; ``""`` for none.
        file: the image's path below the site's root; ``""`` for a missing preview, which no
            page shows.
        price_usd: the list price in dollars; None where it is not known.
        missing_usd: the list price of each image that is not there; a pair for light and dark
            surroundings is two.
        seconds: how long the making took.
        cost_usd: dollars charged in this build; None for nothing or for not known.
        cost_is_estimate: whether that is the list price and not the gateway's word.
        remarks: warnings of the gateway and of ours, or the error.
    """

    location: Location
    state: State
    key: str
    prompt: str
    model: str
    drawn_by: str
    file: str
    price_usd: Decimal | None
    missing_usd: tuple[Decimal | None, ...]
    seconds: float
    cost_usd: Decimal | None
    cost_is_estimate: bool
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChargedFailures:
    """What a run has paid for nothing, or perhaps has.

    Attributes:
        calls: how many calls.
        usd: dollars for them, by list prices as far as those are known.
    """

    calls: int = 0
    usd: Decimal = Decimal(0)


NO_CHARGED_FAILURES = ChargedFailures()


def summary(
    lines: Sequence[ReportRow], seconds: float, waste: ChargedFailures = NO_CHARGED_FAILURES
) -> str:
    """Return one line about the images of a build; equal requests count once.

    A location that failed is counted even where another one shows the image of its request.

    Args:
        lines: All locations that show an image.
        seconds: Time that generating took in total.
        waste: Calls of the run that may have been charged without an image.
    """
    images = deduplicate(lines)
    count = Counter(line.state for line in images)
    count[State.FAILED] = _failures(lines, images)
    made = count[State.GENERATED]
    stored = sum(count[state] for state in _STORED)
    parts = [f"{plural(stored, 'image')} from the store"]
    if made:
        parts.append(f"{made} made in {seconds:.1f} s for {_money(images)}")
    if count[State.STALE]:
        parts.append(f"{count[State.STALE]} stale but usable")
    if count[State.DRAFT]:
        parts.append(plural(count[State.DRAFT], "draft"))
    sketches = sum(line.model == SKETCH_MODEL for line in images if line.state in _THERE)
    if sketches:
        parts.append(f"{sketches} of them {'a sketch' if sketches == 1 else 'sketches'}")
    words = {
        State.MISSING: "missing",
        State.REFUSED: "refused",
        State.FAILED: "failed",
        State.INVALID: "with a mistake",
    }
    parts += [f"{count[state]} {word}" for state, word in words.items() if count[state]]
    if count[State.OVER_BUDGET]:
        parts.append(f"{count[State.OVER_BUDGET]} over budget{_price(images)}")
    if waste.calls:
        more = f" (about {format_usd(waste.usd)})" if waste.usd else ""
        parts.append(f"{plural(waste.calls, 'call')} perhaps charged for nothing{more}")
    return ", ".join(parts)


def to_json(
    lines: Sequence[ReportRow], seconds: float, waste: ChargedFailures = NO_CHARGED_FAILURES
) -> bytes:
    """The report as a file: the same build gives the same bytes but for seconds and dollars."""
    report = {
        "version": 1,
        "seconds": round(seconds, 3),
        "cost_usd": str(_spent(deduplicate(lines))),
        "wasted_calls": waste.calls,
        "wasted_usd": str(waste.usd),
        "bill": [_bill_as_dict(each) for each in bill(lines)],
        "pictures": [as_dict(line) for line in lines],
    }
    return (json.dumps(report, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class ModelBill:
    """What the images of one model have cost in a run.

    Attributes:
        model: the model that drew them.
        images: how many it drew.
        charged_usd: dollars by the server's word.
        estimated_usd: dollars by list prices, where the server said nothing.
        p50_s: seconds within which half of them came.
        p95_s: seconds within which 95 of 100 came.
        slowest_s: seconds that the slowest took.
        slowest: where that stands.
    """

    model: str
    images: int
    charged_usd: Decimal
    estimated_usd: Decimal
    p50_s: float
    p95_s: float
    slowest_s: float
    slowest: Location


def bill(lines: Sequence[ReportRow]) -> list[ModelBill]:
    """What was made, by model; equal requests count once."""
    made = [line for line in deduplicate(lines) if line.state is State.GENERATED]
    models = sorted({line.drawn_by for line in made})
    return [_bill_of(name, [line for line in made if line.drawn_by == name]) for name in models]


def _bill_of(model: str, made: Sequence[ReportRow]) -> ModelBill:
    seconds = sorted(line.seconds for line in made)
    slowest = max(made, key=lambda line: line.seconds)
    return ModelBill(
        model=model,
        images=len(made),
        charged_usd=_spent([line for line in made if not line.cost_is_estimate]),
        estimated_usd=_spent([line for line in made if line.cost_is_estimate]),
        p50_s=_percentile(seconds, 50),
        p95_s=_percentile(seconds, 95),
        slowest_s=slowest.seconds,
        slowest=slowest.location,
    )


def _percentile(ordered: Sequence[float], percent: int) -> float:
    """The smallest value that so many per cent of all do not exceed."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def _bill_as_dict(each: ModelBill) -> dict[str, object]:
    return {
        "model": each.model,
        "pictures": each.images,
        "charged_usd": str(each.charged_usd),
        "estimated_usd": str(each.estimated_usd),
        "p50_s": round(each.p50_s, 3),
        "p95_s": round(each.p95_s, 3),
        "slowest_s": round(each.slowest_s, 3),
        "slowest": str(each.slowest),
    }


def as_dict(line: ReportRow) -> dict[str, object]:
    """A place that shows an image, for JSON."""
    return {
        "page": line.location.page,
        "line": line.location.line,
        "state": line.state.value,
        "key": line.key,
        "prompt": line.prompt,
        "model": line.model,
        "drawn_by": line.drawn_by,
        "file": line.file,
        "price_usd": None if line.price_usd is None else str(line.price_usd),
        "seconds": round(line.seconds, 3),
        "cost_usd": None if line.cost_usd is None else str(line.cost_usd),
        "cost_is_estimate": line.cost_is_estimate,
        "warnings": list(line.remarks),
    }


def deduplicate(lines: Sequence[ReportRow]) -> list[ReportRow]:
    """Return one line for each request, then all mistakes, which are not requests.

    Of several lines of a request the generated one comes first, then one with a cost, so that no
    sum misses it; a failure comes last.
    """
    by_worth = sorted(lines, key=_worth)
    requests = {line.key: line for line in by_worth if line.key}
    return [*requests.values(), *(line for line in lines if not line.key)]


def _worth(line: ReportRow) -> tuple[bool, bool, bool]:
    return line.state is State.GENERATED, line.cost_usd is not None, line.state is not State.FAILED


def _failures(lines: Sequence[ReportRow], images: Sequence[ReportRow]) -> int:
    failed = {line.key for line in images if line.state is State.FAILED}
    failed_here = (line.state is State.FAILED and line.key not in failed for line in lines)
    return len(failed) + sum(failed_here)


def _spent(images: Sequence[ReportRow]) -> Decimal:
    return sum((line.cost_usd for line in images if line.cost_usd is not None), Decimal(0))


def _money(images: Sequence[ReportRow]) -> str:
    made = [line for line in images if line.state is State.GENERATED]
    about = "about " if any(line.cost_is_estimate for line in made) else ""
    unknown = sum(line.cost_usd is None for line in made)
    more = f" and the unknown price of {unknown}" if unknown else ""
    return f"{about}{format_usd(_spent(made))}{more}"


def _price(images: Sequence[ReportRow]) -> str:
    over = [line.price_usd for line in images if line.state is State.OVER_BUDGET]
    known = sum((price for price in over if price is not None), Decimal(0))
    return f" (about {format_usd(known)} more)" if known else ""


def format_usd(amount: Decimal) -> str:
    """Return an amount in US dollars, with cents or, if it is not whole cents, with mills."""
    return f"${amount:.3f}".removesuffix("0")  # the cheapest image costs half a cent


def plural(number: int, word: str) -> str:
    """A number of things, in words."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
