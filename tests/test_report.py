"""What is told of a build: the summary line and the report file."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from mkdocs_imagegen.errors import Location
from mkdocs_imagegen.options import SKETCH_MODEL
from mkdocs_imagegen.report import ReportRow, State, bill, summary, to_json

READY, STALE, MADE = State.READY, State.STALE, State.GENERATED
MISSING, FAILED, MISTAKE = State.MISSING, State.FAILED, State.INVALID


def line(state, key="", cost=None, *, estimate=False, **more):
    facts = {
        "location": Location("docs/a.md", 3),
        "state": state,
        "key": key,
        "prompt": "A balloon" if key else "",
        "model": "a/b" if key else "",
        "drawn_by": "a/b" if key else "",
        "file": "assets/imagegen/x.webp",
        "price_usd": None,
        "missing_usd": (),
        "seconds": 0.0,
        "cost_usd": None if cost is None else Decimal(cost),
        "cost_is_estimate": estimate,
        "remarks": (),
    }
    return ReportRow(**(facts | more))


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([], "0 images from the store"),
        ([line(READY, "a")], "1 image from the store"),
        ([line(READY, "a"), line(READY, "b")], "2 images from the store"),
        ([line(READY, "a"), line(READY, "a")], "1 image from the store"),
        (
            [line(READY, "a"), line(STALE, "b")],
            "2 images from the store, 1 stale but usable",
        ),
        ([line(MISSING, "a"), line(MISSING, "a")], "0 images from the store, 1 missing"),
        ([line(FAILED, "a")], "0 images from the store, 1 failed"),
        ([line(MISTAKE)], "0 images from the store, 1 with a mistake"),
        ([line(MISTAKE), line(MISTAKE)], "0 images from the store, 2 with a mistake"),
        (
            [line(READY, "a"), line(MISSING, "b"), line(FAILED, "c"), line(MISTAKE)],
            "1 image from the store, 1 missing, 1 failed, 1 with a mistake",
        ),
    ],
)
def test_a_summary_counts_each_request_once_and_each_mistake(lines, told):
    assert summary(lines, 2.0) == told


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([line(MADE, "a", "0.25")], "1 made in 12.3 s for $0.25"),
        ([line(MADE, "a", "0.25", estimate=True)], "1 made in 12.3 s for about $0.25"),
        (
            [line(MADE, "a", "0.25"), line(MADE, "b", "1.5", estimate=True)],
            "2 made in 12.3 s for about $1.75",
        ),
        ([line(MADE, "a", "0.25"), line(MADE, "a", "0.25")], "1 made in 12.3 s for $0.25"),
        (
            [line(MADE, "a", "0.25"), line(MADE, "b")],
            "2 made in 12.3 s for $0.25 and the unknown price of 1",
        ),
        ([line(MADE, "a", "0.005")], "1 made in 12.3 s for $0.005"),
        ([line(MADE, "a", "0.0146")], "1 made in 12.3 s for $0.015"),
        ([line(MADE, "a", "0")], "1 made in 12.3 s for $0.00"),
        ([line(MADE, "a", "12")], "1 made in 12.3 s for $12.00"),
        ([line(MADE, "a")], "1 made in 12.3 s for $0.00 and the unknown price of 1"),
    ],
)
def test_a_summary_tells_the_bill(lines, told):
    assert summary(lines, 12.34) == f"0 images from the store, {told}"


@pytest.mark.parametrize(
    ("states", "told"),
    [
        ([READY], "1 image from the store, 1 of them a sketch"),
        ([READY, READY], "2 images from the store, 2 of them sketches"),
        ([MADE], "0 images from the store, 1 made in 1.0 s for $0.00, 1 of them a sketch"),
        ([MISSING, FAILED], "0 images from the store, 1 missing, 1 failed"),
    ],
)
def test_a_summary_never_passes_sketches_off_as_images(states, told):
    """What is missing is none yet, whoever would draw it."""
    lines = [
        line(state, f"{number}", "0" if state is MADE else None, model=SKETCH_MODEL)
        for number, state in enumerate(states)
    ]
    assert summary(lines, 1.0) == told


def test_a_summary_counts_sketches_among_images():
    lines = [line(READY, "a"), line(STALE, "b"), line(READY, "c", model=SKETCH_MODEL)]
    assert summary(lines, 1.0) == (
        "3 images from the store, 1 stale but usable, 1 of them a sketch"
    )


@pytest.mark.parametrize("other", [STALE, READY, MISSING, FAILED])
def test_what_was_paid_for_is_told_wherever_else_the_request_stands(other):
    made = line(MADE, "a", "0.25")
    for lines in ([made, line(other, "a")], [line(other, "a"), made]):
        assert "1 made in 1.0 s for $0.25" in summary(lines, 1.0)
        assert json.loads(to_json(lines, 1.0))["cost_usd"] == "0.25"


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (
            [line(MADE, "a", "0.25"), line(FAILED, "a", "0.25")],
            "1 made in 1.0 s for $0.25, 1 failed",
        ),
        (
            [line(MADE, "a", "0.25"), line(FAILED, "a", "0.25"), line(FAILED, "a", "0.25")],
            "1 made in 1.0 s for $0.25, 2 failed",
        ),
        ([line(FAILED, "a", "0.25"), line(FAILED, "a", "0.25")], "1 failed"),
    ],
)
def test_summary_counts_failed_location_when_its_request_was_generated_elsewhere(lines, told):
    for each in (lines, lines[::-1]):
        assert summary(each, 1.0) == f"0 images from the store, {told}"
        assert json.loads(to_json(each, 1.0))["cost_usd"] == "0.25"


def test_summary_counts_failed_location_when_the_store_has_its_request():
    for lines in ([line(READY, "a"), line(FAILED, "a")], [line(FAILED, "a"), line(READY, "a")]):
        assert summary(lines, 1.0) == "1 image from the store, 1 failed"


def test_cost_of_a_failed_location_is_counted_when_a_later_build_finds_the_image():
    paid, found = line(FAILED, "a", "0.25"), line(READY, "a")
    for lines in ([paid, found], [found, paid]):
        assert json.loads(to_json(lines, 1.0))["cost_usd"] == "0.25"


def test_a_report_holds_every_place():
    lines = [
        line(MADE, "a", "0.010", seconds=1.23456, remarks=("slow", "cut")),
        line(READY, "a", location=Location("docs/b.md", None, "prompt 2")),
        line(MISTAKE, remarks=("no prompt",)),
    ]
    report = json.loads(to_json(lines, 9.87654))
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


def test_an_empty_report_is_one():
    assert json.loads(to_json([], 0.0)) == {
        "version": 1,
        "seconds": 0.0,
        "cost_usd": "0",
        "wasted_calls": 0,
        "wasted_usd": "0",
        "bill": [],
        "pictures": [],
    }


def test_a_report_can_be_read_whatever_it_tells():
    text = 'A "red" \x00 balloon \ud800 气球 \u2028'
    content = to_json([line(READY, "a", prompt=text, remarks=(text,))], 0.0)
    told = json.loads(content)["pictures"][0]
    assert told["prompt"] == text.replace("\ud800", "?")
    assert "气球".encode() in content
    assert content.endswith(b"}\n")


@pytest.mark.parametrize(
    ("location", "told"),
    [
        (Location("docs/a.md", 3, "prompt 1"), "docs/a.md:3"),
        (Location("docs/a.md", None, 'prompt 1 ("A")'), 'docs/a.md, prompt 1 ("A")'),
        (Location("docs/a.md"), "docs/a.md"),
    ],
)
def test_a_place_is_where_an_editor_finds_it(location, told):
    assert str(location) == told


def made(number, seconds, cost, model="a/b", *, estimate=False):
    location = Location("docs/a.md", number)
    more = {"location": location, "model": "asked/for", "drawn_by": model, "seconds": seconds}
    return line(MADE, f"{model}{number}", cost, estimate=estimate, **more)


def test_the_bill_is_by_model_and_keeps_estimates_apart():
    lines = [made(each, float(each), "0.01", estimate=each > 15) for each in range(1, 21)]
    lines += [made(1, 7.0, None, "c/d"), line(READY, "x", "9.99")]
    first, second = bill(lines)
    assert (first.model, first.images) == ("a/b", 20)
    assert (first.charged_usd, first.estimated_usd) == (Decimal("0.15"), Decimal("0.05"))
    assert (first.p50_s, first.p95_s, first.slowest_s) == (10.0, 19.0, 20.0)
    assert str(first.slowest) == "docs/a.md:20"
    assert (second.model, second.images, second.charged_usd) == ("c/d", 1, Decimal(0))
    assert (second.p50_s, second.p95_s) == (7.0, 7.0)


def test_a_image_in_two_places_is_on_the_bill_once():
    assert bill([made(1, 1.0, "0.01"), made(1, 1.0, "0.01")])[0].images == 1
