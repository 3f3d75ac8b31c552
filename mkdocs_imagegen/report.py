"""Result of a build: the summary line and the JSON report; pure."""

from __future__ import annotations

import enum
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal

from mkdocs_imagegen.errors import ImagegenError, Location, escape_unseen
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.option_parsers import SKETCH_MODEL


class State(enum.Enum):
    """State of an image after a build; the values are those of the JSON report."""

    READY = "ready"
    """An original was reused."""
    SKETCH = "sketch"
    """A sketch was reused for a request that accepts one."""
    STALE = "stale but usable"
    """An original of the same subject, from another model or quality, was reused."""
    DRAFT = "draft"
    """A draft is shown by `mkdocs serve`."""
    GENERATED = "made"
    """The image was generated in this build."""
    MISSING = "missing"
    """There is no original, and the build was not to generate one."""
    OVER_BUDGET = "over budget"
    """There is no original, and the rest of the budget was too small to generate one."""
    REFUSED = "refused"
    """Moderation refused the prompt, in this build or an earlier one."""
    FAILED = "failed"
    """The request failed."""
    INVALID = "mistake"
    """The directive has an error."""

    @property
    def is_missing(self) -> bool:
        """True if a page needs an image that does not exist."""
        return self in {State.MISSING, State.OVER_BUDGET, State.REFUSED, State.FAILED}

    @property
    def word(self) -> str:
        """Word for tables and messages, such as ``over budget``."""
        return self.name.lower().replace("_", " ")

    def count(self, number: int) -> str:
        """Return a number of images in this state, such as ``2 missing`` or ``2 sketches``."""
        nouns = {State.SKETCH: ("sketch", "sketches"), State.DRAFT: ("draft", "drafts")}
        return plural(number, *nouns.get(self, (self.word, self.word)))


MAX_COST_RATIO = Decimal("1.5")
"""Cost relative to the estimate above which the summary names both."""

_REUSED = (State.READY, State.SKETCH, State.STALE)


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One image at one location; a dark-mode image has a row of its own.

    Attributes:
        location: Page and line.
        state: State of the image.
        key: Cache key of the request; ``""`` if the directive is invalid.
        prompt: Final prompt.
        title: Prompt without the style, for tables.
        model: Model of the request.
        drawn_by: Model that answered, which may be a fallback; ``""`` without an original.
        file: Path of the image relative to the site folder; ``""`` for a missing preview or
            dark-mode image, which no page shows.
        price_usd: Estimated price in US dollars; None if it is unknown.
        seconds: Duration of the request.
        cost_usd: US dollars charged in this build; None if no charge is known.
        cost_is_estimate: True if the cost is the list price and not the charge that was reported.
        remarks: Warnings about the image, or the error.
        error: Error of a missing image; None if the directive is invalid.
    """

    location: Location
    state: State
    key: str = ""
    prompt: str = ""
    title: str = ""
    model: str = ""
    drawn_by: str = ""
    file: str = ""
    price_usd: Decimal | None = None
    seconds: float = 0.0
    cost_usd: Decimal | None = None
    cost_is_estimate: bool = False
    remarks: tuple[str, ...] = ()
    error: ImagegenError | None = None

    @property
    def is_sketch(self) -> bool:
        """True if the image is, or would be, a sketch."""
        return self.model == SKETCH_MODEL

    @property
    def is_lacking(self) -> bool:
        """True if the image is missing or its directive is invalid."""
        return self.state.is_missing or self.state is State.INVALID

    def as_dict(self) -> dict[str, object]:
        """Return the row for JSON."""
        return {
            "page": self.location.page,
            "line": self.location.line,
            "state": self.state.value,
            "key": self.key,
            "prompt": self.prompt,
            "model": self.model,
            "drawn_by": self.drawn_by,
            "file": self.file,
            "price_usd": None if self.price_usd is None else str(self.price_usd),
            "seconds": round(self.seconds, 3),
            "cost_usd": None if self.cost_usd is None else str(self.cost_usd),
            "cost_is_estimate": self.cost_is_estimate,
            "warnings": list(self.remarks),
        }


@dataclass(frozen=True, slots=True)
class ChargedFailures:
    """Failed requests of a run that were charged, or may have been.

    Attributes:
        calls: Number of requests.
        usd: Their list price in US dollars, as far as prices are known.
    """

    calls: int = 0
    usd: Decimal = Decimal(0)


NO_CHARGED_FAILURES = ChargedFailures()


class RunReport:
    """The rows and seconds of all builds of one run; used by the thread of the builds alone.

    Attributes:
        generation_s: Time that the builds waited for images to be generated.
    """

    def __init__(self) -> None:
        self.generation_s = 0.0
        self._rows: dict[str, Sequence[ReportRow]] = {}

    def set_page(self, url: str, rows: Sequence[ReportRow]) -> None:
        """Set the rows of a page; they replace the rows of an earlier build of that page."""
        self._rows[url] = rows

    def to_json(self, waste: ChargedFailures) -> bytes:
        """Return the JSON report of all builds so far."""
        rows = [row for rows in self._rows.values() for row in rows]
        return to_json(rows, self.generation_s, waste)


def summary(
    rows: Sequence[ReportRow],
    seconds: float,
    charged_failures: ChargedFailures = NO_CHARGED_FAILURES,
) -> str:
    """Return one line about the images of a build, as `deduplicate` counts them.

    Args:
        rows: All locations that show an image.
        seconds: Time that generating took in total.
        charged_failures: Failed requests of the run that may have been charged.
    """
    images = deduplicate(rows)
    counts = Counter(row.state for row in images)
    parts = [
        *_reused([row for row in images if row.state in _REUSED]),
        _counted(State.DRAFT, counts),
        *_generated([row for row in images if row.state is State.GENERATED], seconds),
        _counted(State.MISSING, counts),
        _counted(State.REFUSED, counts),
        _counted(State.FAILED, counts),
        _over_budget([row for row in images if row.state is State.OVER_BUDGET]),
        _counted(State.INVALID, counts),
    ]
    told = ", ".join(filter(None, parts))
    line = f"{plural(counts.total(), 'image')}: {told}" if told else "no images"
    return "; ".join(filter(None, [line, _charged(charged_failures)]))


def _counted(state: State, counts: Counter[State]) -> str:
    return state.count(counts[state]) if counts[state] else ""


def _reused(rows: Sequence[ReportRow]) -> tuple[str, str]:
    sketches = sum(row.is_sketch for row in rows)
    stale = sum(row.state is State.STALE for row in rows if not row.is_sketch)
    reused = f"{len(rows) - sketches} reused" + (f" ({stale} stale)" if stale else "")
    drawn = f"{State.SKETCH.count(sketches)} reused"
    return reused if len(rows) > sketches else "", drawn if sketches else ""


def _generated(rows: Sequence[ReportRow], seconds: float) -> tuple[str, str]:
    sketches = [row for row in rows if row.is_sketch]
    images = [row for row in rows if not row.is_sketch]
    drawn = f"{State.SKETCH.count(len(sketches))} drawn"
    # An emulator on a socket charges dollars of its own, which count for the budget.
    drawn += f" (simulated charge: {_cost(sketches)})" if spent_usd(sketches) else ""
    generated = f"{len(images)} generated in {seconds:.1f} s ({_cost(images)}{_surprise(images)})"
    return generated + _other_models(images) if images else "", drawn if sketches else ""


def _other_models(images: Sequence[ReportRow]) -> str:
    """Return the models that generated images and were not requested, as the end of a phrase."""
    others = sorted({each.drawn_by for each in images if each.drawn_by not in ("", each.model)})
    return f" by {', '.join(others)}" if others else ""


def _surprise(images: Sequence[ReportRow]) -> str:
    """Return the estimate if the cost is more than 1.5 times as much; else ``""``."""
    known = [(each.cost_usd, each.price_usd) for each in images if each.cost_usd is not None]
    estimate = sum((price for _, price in known if price is not None), Decimal(0))
    is_complete = all(price is not None for _, price in known)
    if not is_complete or spent_usd(images) <= estimate * MAX_COST_RATIO:
        return ""
    return f", estimated at {format_usd(estimate)}"


def _cost(rows: Sequence[ReportRow]) -> str:
    is_estimate = any(row.cost_is_estimate for row in rows)
    return format_cost((row.cost_usd for row in rows), is_estimate=is_estimate)


def _over_budget(rows: Sequence[ReportRow]) -> str:
    price = sum((row.price_usd for row in rows if row.price_usd is not None), Decimal(0))
    more = f" ({format_usd(price, is_estimate=True)})" if price else ""
    return f"{len(rows)} over budget{more}" if rows else ""


def _charged(failures: ChargedFailures) -> str:
    more = f" ({format_usd(failures.usd, is_estimate=True)})" if failures.usd else ""
    requests = plural(failures.calls, "failed request")
    return f"{requests} may have been charged{more}" if failures.calls else ""


def is_report(content: bytes) -> bool:
    """Return True if the content of a file is a report, or nothing."""
    try:
        report = json.loads(content)
    except (ValueError, RecursionError):
        return not content.strip()
    return isinstance(report, dict) and {"version", "bill", "pictures"} <= report.keys()


def to_json(
    rows: Sequence[ReportRow],
    seconds: float,
    charged_failures: ChargedFailures = NO_CHARGED_FAILURES,
) -> bytes:
    """Return the JSON report; equal builds differ only in seconds and dollars."""
    report = {
        "version": 1,
        "seconds": round(seconds, 3),
        "cost_usd": str(spent_usd(rows)),
        "wasted_calls": charged_failures.calls,
        "wasted_usd": str(charged_failures.usd),
        "bill": [each.as_dict() for each in bill(rows)],
        "pictures": [row.as_dict() for row in rows],
    }
    text = escape_unseen(json.dumps(report, indent=2, ensure_ascii=False))
    return f"{text}\n".encode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class ModelBill:
    """Cost and duration of the images that one model generated in a run.

    Attributes:
        model: Model that answered.
        images: Number of images.
        charged_usd: US dollars that the gateway reported as charged.
        estimated_usd: US dollars by list prices, for images without a reported charge.
        p50_s: Median duration in seconds.
        p95_s: 95th percentile of the duration in seconds.
        slowest_s: Longest duration in seconds.
        slowest: Location of the image that took longest.
    """

    model: str
    images: int
    charged_usd: Decimal
    estimated_usd: Decimal
    p50_s: float
    p95_s: float
    slowest_s: float
    slowest: Location

    def as_dict(self) -> dict[str, object]:
        """Return the bill for JSON."""
        return {
            "model": self.model,
            "pictures": self.images,
            "charged_usd": str(self.charged_usd),
            "estimated_usd": str(self.estimated_usd),
            "p50_s": round(self.p50_s, 3),
            "p95_s": round(self.p95_s, 3),
            "slowest_s": round(self.slowest_s, 3),
            "slowest": str(self.slowest),
        }


def bill(rows: Sequence[ReportRow]) -> list[ModelBill]:
    """Return a bill for each model that generated images; equal requests count once."""
    generated = [row for row in deduplicate(rows) if row.state is State.GENERATED]
    models = sorted({row.drawn_by for row in generated})
    return [
        _bill_of(model, [row for row in generated if row.drawn_by == model]) for model in models
    ]


def _bill_of(model: str, generated: Sequence[ReportRow]) -> ModelBill:
    seconds = sorted(row.seconds for row in generated)
    slowest = max(generated, key=lambda row: row.seconds)
    return ModelBill(
        model=model,
        images=len(generated),
        charged_usd=spent_usd([row for row in generated if not row.cost_is_estimate]),
        estimated_usd=spent_usd([row for row in generated if row.cost_is_estimate]),
        p50_s=_percentile(seconds, 50),
        p95_s=_percentile(seconds, 95),
        slowest_s=slowest.seconds,
        slowest=slowest.location,
    )


def _percentile(ordered: Sequence[float], percent: int) -> float:
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def deduplicate(rows: Sequence[ReportRow]) -> list[ReportRow]:
    """Return one row for each image, in the order of the pages; every count is a count of these.

    Locations of one cache key show one image, and an image and its dark-mode image are two. Each
    invalid directive is an image of its own, and so is an image that failed at one location, such
    as in one size, and is shown at another.

    Of the rows of an image, one that was generated in this build comes first, then one with a cost.
    A missing image comes before an existing one: where an exact match is required it has to be
    generated, although another location shows a stale image.
    """
    images: dict[object, ReportRow] = {}
    for number, row in enumerate(rows):
        image = (row.key, row.state is State.FAILED) if row.key else number
        images[image] = max(images.get(image, row), row, key=_weight)
    return list(images.values())


def _weight(row: ReportRow) -> tuple[bool, bool, bool]:
    return row.state is State.GENERATED, row.cost_usd is not None, row.state.is_missing


def spent_usd(rows: Sequence[ReportRow]) -> Decimal:
    """Return the cost of all rows, where each cache key counts once."""
    costs = {row.key: row.cost_usd for row in rows if row.cost_usd is not None}
    return sum(costs.values(), Decimal(0))


def format_usd(amount: Decimal, *, is_estimate: bool = False) -> str:
    """Return an amount in US dollars, such as ``$0.18``, ``$0.015`` or ``about $0.18``."""
    # Three digits: the cheapest image costs half a cent.
    dollars = f"${amount:.3f}".removesuffix("0")
    return f"about {dollars}" if is_estimate else dollars


def format_cost(costs: Iterable[Decimal | None], *, is_estimate: bool = False) -> str:
    """Return the sum of costs, of which None is unknown, such as ``$0.18, price of 2 unknown``."""
    every = list(costs)
    known = [each for each in every if each is not None]
    if every and not known:
        return "price unknown"
    unknown = len(every) - len(known)
    more = f", price of {unknown} unknown" if unknown else ""
    return f"{format_usd(sum(known, Decimal(0)), is_estimate=is_estimate)}{more}"


def plural(number: int, word: str, words: str = "") -> str:
    """Return a number with its noun, such as ``1 image`` or ``2 images``."""
    return f"{number} {word if number == 1 else words or f'{word}s'}"
