"""Reference of the JSON report, for the manual."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator, Mapping
from decimal import Decimal

from mkdocs_imagegen.errors import Location
from mkdocs_imagegen.report import ChargedFailures, ReportRow, State, to_json

_REPORT = {
    "version": "Version of the format. It changes if a field is renamed or removed.",
    "seconds": "Time that the builds waited for images to be generated.",
    "cost_usd": "Charges of the run; list prices if the server reported no charge.",
    "wasted_calls": "Number of failed requests that were charged, or may have been.",
    "wasted_usd": "List price of these requests, as far as prices are known.",
    "bill": "One entry for each model that generated images.",
    "pictures": "One entry for each image at each location; a dark-mode image has its own.",
}
_BILL = {
    "model": "Model that answered.",
    "pictures": "Number of images; a dark-mode image counts as one.",
    "charged_usd": "Charges that the server reported.",
    "estimated_usd": "List prices of images without a reported charge.",
    "p50_s": "Median duration in seconds.",
    "p95_s": "95th percentile of the duration in seconds.",
    "slowest_s": "Longest duration in seconds.",
    "slowest": "Location of the image that took longest.",
}
_PICTURE = {
    "page": "Page, relative to `mkdocs.yml`.",
    "line": "Line of the image, or `null` if the source file does not contain it.",
    "state": "State of the image: see [states](#states).",
    "key": "Cache key of the request; empty if the directive is invalid.",
    "prompt": "Final prompt.",
    "model": "Model of the request.",
    "drawn_by": "Model that answered, which may be a fallback; empty without an original.",
    "file": "Path of the image in the site folder; empty for a missing preview or dark-mode image.",
    "price_usd": "Estimated price, or `null` for a sketch and if it is unknown.",
    "seconds": "Duration of the request.",
    "cost_usd": "Charge in this run, or `null` if no charge is known.",
    "cost_is_estimate": "`true` if `cost_usd` is the list price and not the reported charge.",
    "warnings": "Warnings about the image, or the error.",
}
_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean", list: "list"}
_SAMPLE = ReportRow(
    location=Location("docs/index.md", 3),
    state=State.GENERATED,
    key="3fa9c1" + "0" * 58,
    prompt="A ferry leaves the harbor at dawn.",
    model="openai/gpt-image-1-mini",
    drawn_by="openai/gpt-image-1-mini",
    file="assets/imagegen/a-ferry-leaves-the-harbor.3fa9c1.avif",
    price_usd=Decimal("0.015"),
    seconds=18.3,
    cost_usd=Decimal("0.015"),
    cost_is_estimate=False,
    remarks=(),
)


def report_fields() -> Iterator[str]:
    """Yield a table of the fields for each level of the report."""
    report = json.loads(to_json([_SAMPLE], 18.3, ChargedFailures()))
    yield from _table("Report", report, _REPORT)
    yield from _table("Entries of `bill`", report["bill"][0], _BILL)
    yield from _table("Entries of `pictures`", report["pictures"][0], _PICTURE)


def _table(title: str, values: Mapping[str, object], about: Mapping[str, str]) -> Iterator[str]:
    if list(values) != list(about):
        raise ValueError(f"{title}: the fields are {', '.join(values)}")
    yield from (f"\n### {title}\n", "| Field | Type | Description |", "|---|---|---|")
    for name, value in values.items():
        kind = "string (US dollars)" if name.endswith("_usd") else _TYPES[type(value)]
        kind += " or `null`" if "`null`" in about[name] else ""
        yield f"| `{name}` | {kind} | {about[name]} |"


def report_states() -> Iterator[str]:
    """Yield a table of the states of an image, described as in the code."""
    yield from ("| `state` | Name in messages | Description |", "|---|---|---|")
    (states,) = ast.parse(inspect.getsource(State)).body
    for one, following in zip(states.body, states.body[1:], strict=False):
        if isinstance(one, ast.Assign) and isinstance(following, ast.Expr):
            state = State[one.targets[0].id]
            yield f"| `{state.value}` | {state.word} | {ast.literal_eval(following.value)} |"
