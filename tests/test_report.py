"""The summary line of a build and its JSON report."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from mkdocs_imagegen.errors import Location
from mkdocs_imagegen.option_parsers import SKETCH_MODEL
from mkdocs_imagegen.report import (
    ChargedFailures,
    ReportRow,
    RunReport,
    State,
    bill,
    deduplicate,
    format_cost,
    summary,
    to_json,
)

READY, SKETCH, STALE, DRAFT = State.READY, State.SKETCH, State.STALE, State.DRAFT
GENERATED, MISSING, OVER_BUDGET = State.GENERATED, State.MISSING, State.OVER_BUDGET
REFUSED, FAILED, INVALID = State.REFUSED, State.FAILED, State.INVALID


def row(state, key="", cost=None, *, estimate=False, **more):
    facts = {
        "location": Location("docs/a.md", 3),
        "state": state,
        "key": key,
        "prompt": "A balloon" if key else "",
        "model": "a/b" if key else "",
        "drawn_by": "a/b" if key else "",
        "file": "assets/imagegen/x.webp",
        "price_usd": None,
        "seconds": 0.0,
        "cost_usd": None if cost is None else Decimal(cost),
        "cost_is_estimate": estimate,
        "remarks": (),
    }
    return ReportRow(**(facts | more))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], "no images"),
        ([row(READY, "a")], "1 image: 1 reused"),
        ([row(READY, "a"), row(READY, "b")], "2 images: 2 reused"),
        ([row(READY, "a"), row(READY, "a")], "1 image: 1 reused"),
        ([row(READY, "a"), row(STALE, "b")], "2 images: 2 reused (1 stale)"),
        ([row(STALE, "b")], "1 image: 1 reused (1 stale)"),
        ([row(DRAFT, "a"), row(READY, "b")], "2 images: 1 reused, 1 draft"),
        ([row(DRAFT, "a"), row(DRAFT, "b", model=SKETCH_MODEL)], "2 images: 2 drafts"),
        ([row(MISSING, "a"), row(MISSING, "a")], "1 image: 1 missing"),
        ([row(FAILED, "a")], "1 image: 1 failed"),
        ([row(INVALID)], "1 image: 1 invalid"),
        ([row(INVALID), row(INVALID)], "2 images: 2 invalid"),
        (
            [row(READY, "a"), row(MISSING, "b"), row(REFUSED, "c"), row(FAILED, "d"), row(INVALID)],
            "5 images: 1 reused, 1 missing, 1 refused, 1 failed, 1 invalid",
        ),
    ],
)
def test_summary_counts_each_request_and_each_invalid_directive_once(rows, expected):
    assert summary(rows, 2.0) == expected


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([row(GENERATED, "a", "0.25")], "($0.25)"),
        ([row(GENERATED, "a", "0.25", estimate=True)], "(about $0.25)"),
        ([row(GENERATED, "a", "0.25"), row(GENERATED, "a", "0.25")], "($0.25)"),
        ([row(GENERATED, "a", "0.005")], "($0.005)"),
        ([row(GENERATED, "a", "0.0146")], "($0.015)"),
        ([row(GENERATED, "a", "0")], "($0.00)"),
        ([row(GENERATED, "a", "12")], "($12.00)"),
        ([row(GENERATED, "a")], "(price unknown)"),
    ],
)
def test_summary_tells_the_cost_of_a_generated_image(rows, expected):
    assert summary(rows, 12.34) == f"1 image: 1 generated in 12.3 s {expected}"


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (row(GENERATED, "b", "1.5"), "$1.75"),
        (row(GENERATED, "b", "1.5", estimate=True), "about $1.75"),
        (row(GENERATED, "b"), "$0.25, price of 1 unknown"),
    ],
)
def test_summary_adds_up_the_costs(second, expected):
    rows = [row(GENERATED, "a", "0.25"), second]
    assert summary(rows, 12.34) == f"2 images: 2 generated in 12.3 s ({expected})"


@pytest.mark.parametrize(
    ("states", "cost", "expected"),
    [
        ([SKETCH], None, "1 image: 1 sketch reused"),
        ([READY, SKETCH], None, "2 images: 2 sketches reused"),
        ([STALE], None, "1 image: 1 sketch reused"),
        ([GENERATED], "0", "1 image: 1 sketch drawn"),
        ([GENERATED, GENERATED], "0", "2 images: 2 sketches drawn"),
        ([GENERATED, GENERATED], "0.015", "2 images: 2 sketches drawn (simulated charge: $0.03)"),
        ([MISSING, FAILED], None, "2 images: 1 missing, 1 failed"),
    ],
)
def test_summary_tells_sketches_from_images(states, cost, expected):
    rows = [
        row(state, f"{number}", cost, model=SKETCH_MODEL) for number, state in enumerate(states)
    ]
    assert summary(rows, 1.0) == expected


def test_summary_lists_sketches_next_to_images():
    rows = [
        row(READY, "a"),
        row(STALE, "b"),
        row(SKETCH, "c", model=SKETCH_MODEL),
        row(GENERATED, "d", "0.015"),
        row(GENERATED, "e", "0", model=SKETCH_MODEL),
    ]
    assert summary(rows, 1.0) == (
        "5 images: 2 reused (1 stale), 1 sketch reused, 1 generated in 1.0 s ($0.015), "
        "1 sketch drawn"
    )


def test_summary_estimates_the_price_of_images_over_budget():
    rows = [row(OVER_BUDGET, f"{number}", price_usd=Decimal("0.015")) for number in range(3)]
    assert summary(rows, 0.0) == "3 images: 3 over budget (about $0.045)"
    assert summary([row(OVER_BUDGET, "a")], 0.0) == "1 image: 1 over budget"


@pytest.mark.parametrize(
    ("failures", "expected"),
    [
        (ChargedFailures(), ""),
        (
            ChargedFailures(1, Decimal("0.015")),
            "; 1 failed request may have been charged (about $0.015)",
        ),
        (ChargedFailures(2), "; 2 failed requests may have been charged"),
    ],
)
def test_summary_ends_with_charged_failures(failures, expected):
    assert summary([row(FAILED, "a")], 0.0, failures) == f"1 image: 1 failed{expected}"


@pytest.mark.parametrize(
    ("costs", "expected"),
    [
        ([], "about $0.00"),
        (["0.25", "1.5"], "about $1.75"),
        (["0"], "about $0.00"),
        ([None], "price unknown"),
        ([None, None], "price unknown"),
        (["0.25", None, None], "about $0.25, price of 2 unknown"),
    ],
)
def test_unknown_cost_is_never_nothing(costs, expected):
    amounts = (None if cost is None else Decimal(cost) for cost in costs)
    assert format_cost(amounts, is_estimate=True) == expected


@pytest.mark.parametrize("other", [STALE, READY, MISSING, FAILED])
def test_cost_is_counted_when_the_request_has_another_state_elsewhere(other):
    generated = row(GENERATED, "a", "0.25")
    for rows in ([generated, row(other, "a")], [row(other, "a"), generated]):
        assert "1 generated in 1.0 s ($0.25)" in summary(rows, 1.0)
        assert json.loads(to_json(rows, 1.0))["cost_usd"] == "0.25"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            [row(GENERATED, "a", "0.25"), row(FAILED, "a", "0.25")],
            "2 images: 1 generated in 1.0 s ($0.25), 1 failed",
        ),
        (
            [row(GENERATED, "a", "0.25"), row(FAILED, "a", "0.25"), row(FAILED, "a", "0.25")],
            "2 images: 1 generated in 1.0 s ($0.25), 1 failed",
        ),
        ([row(FAILED, "a", "0.25"), row(FAILED, "a", "0.25")], "1 image: 1 failed"),
    ],
)
def test_summary_counts_failed_location_when_its_request_was_generated_elsewhere(rows, expected):
    for each in (rows, rows[::-1]):
        assert summary(each, 1.0) == expected
        assert json.loads(to_json(each, 1.0))["cost_usd"] == "0.25"


def test_summary_counts_failed_location_when_its_request_has_an_original():
    for rows in ([row(READY, "a"), row(FAILED, "a")], [row(FAILED, "a"), row(READY, "a")]):
        assert summary(rows, 1.0) == "2 images: 1 reused, 1 failed"


@pytest.mark.parametrize("state", [MISSING, OVER_BUDGET, REFUSED])
def test_image_is_missing_when_another_location_shows_a_stale_one(state):
    for rows in ([row(STALE, "a"), row(state, "a")], [row(state, "a"), row(STALE, "a")]):
        assert [each.state for each in deduplicate(rows)] == [state]


def test_images_are_in_the_order_of_their_first_locations():
    rows = [row(MISSING, "a"), row(INVALID), row(GENERATED, "b"), row(FAILED, "c"), row(READY, "a")]
    states = [each.state for each in deduplicate(rows)]
    assert states == [MISSING, INVALID, GENERATED, FAILED]


def test_cost_of_a_failed_location_is_counted_when_a_later_build_reuses_the_image():
    paid, found = row(FAILED, "a", "0.25"), row(READY, "a")
    for rows in ([paid, found], [found, paid]):
        assert json.loads(to_json(rows, 1.0))["cost_usd"] == "0.25"


def test_report_lists_every_location():
    rows = [
        row(GENERATED, "a", "0.010", seconds=1.23456, remarks=("slow", "cut")),
        row(READY, "a", location=Location("docs/b.md", None, "prompt 2")),
        row(INVALID, remarks=("no prompt",)),
    ]
    report = json.loads(to_json(rows, 9.87654))
    assert (report["version"], report["seconds"], report["cost_usd"]) == (1, 9.877, "0.010")
    assert report["pictures"][0] == {
        "page": "docs/a.md",
        "line": 3,
        "state": "made",
        "key": "a",
        "prompt": "A balloon",
        "model": "a/b",
        "drawn_by": "a/b",
        "file": "assets/imagegen/x.webp",
        "seconds": 1.235,
        "cost_usd": "0.010",
        "price_usd": None,
        "cost_is_estimate": False,
        "warnings": ["slow", "cut"],
    }
    assert report["pictures"][1]["line"] is None
    assert report["pictures"][1]["cost_usd"] is None
    assert report["pictures"][2]["warnings"] == ["no prompt"]


def test_report_is_complete_when_a_site_has_no_images():
    assert json.loads(to_json([], 0.0)) == {
        "version": 1,
        "seconds": 0.0,
        "cost_usd": "0",
        "wasted_calls": 0,
        "wasted_usd": "0",
        "bill": [],
        "pictures": [],
    }


def test_report_is_valid_json_for_any_text():
    text = 'A "red" \x00 balloon \ud800 气球 \u2028'
    content = to_json([row(READY, "a", prompt=text, remarks=(text,))], 0.0)
    image = json.loads(content)["pictures"][0]
    assert image["prompt"] == text.replace("\ud800", "?")
    assert "气球".encode() in content
    assert content.endswith(b"}\n")


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        (Location("docs/a.md", 3, "prompt 1"), "docs/a.md:3"),
        (Location("docs/a.md", None, 'prompt 1 ("A")'), 'docs/a.md, prompt 1 ("A")'),
        (Location("docs/a.md"), "docs/a.md"),
    ],
)
def test_location_is_written_as_editors_link_it(location, expected):
    assert str(location) == expected


def generated(number, seconds, cost, model="a/b", *, estimate=False):
    location = Location("docs/a.md", number)
    more = {"location": location, "model": "asked/for", "drawn_by": model, "seconds": seconds}
    return row(GENERATED, f"{model}{number}", cost, estimate=estimate, **more)


def test_bill_separates_models_and_estimates():
    rows = [generated(each, float(each), "0.01", estimate=each > 15) for each in range(1, 21)]
    rows += [generated(1, 7.0, None, "c/d"), row(READY, "x", "9.99")]
    first, second = bill(rows)
    assert (first.model, first.images) == ("a/b", 20)
    assert (first.charged_usd, first.estimated_usd) == (Decimal("0.15"), Decimal("0.05"))
    assert (first.p50_s, first.p95_s, first.slowest_s) == (10.0, 19.0, 20.0)
    assert str(first.slowest) == "docs/a.md:20"
    assert (second.model, second.images, second.charged_usd) == ("c/d", 1, Decimal(0))
    assert (second.p50_s, second.p95_s) == (7.0, 7.0)


def test_bill_counts_an_image_once_when_two_locations_show_it():
    assert bill([generated(1, 1.0, "0.01"), generated(1, 1.0, "0.01")])[0].images == 1


def on_page(page, state=READY, key=None, cost=None):
    return row(state, page if key is None else key, cost, location=Location(page, 1))


def test_run_report_has_the_rows_and_seconds_of_all_builds():
    report = RunReport()
    report.set_page("", [on_page("de.md", GENERATED, cost="0.02")])
    report.set_page("en/", [on_page("en.md"), on_page("en.md", key="other")])
    report.generation_s += 1.5
    report.generation_s += 0.25
    written = json.loads(report.to_json(ChargedFailures()))
    assert [each["page"] for each in written["pictures"]] == ["de.md", "en.md", "en.md"]
    assert (written["seconds"], written["cost_usd"]) == (1.75, "0.02")


def test_run_report_replaces_the_rows_of_a_page_that_is_built_again():
    report = RunReport()
    report.set_page("a/", [on_page("a.md", MISSING)])
    report.set_page("a/", [on_page("a.md", GENERATED)])
    written = json.loads(report.to_json(ChargedFailures()))
    assert [each["state"] for each in written["pictures"]] == ["made"]
