"""Tests of outcomes: state, image or placeholder, and the row of the report."""

from __future__ import annotations

import html
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from mkdocs_imagegen.directives.directive import InvalidDirective, SourceExcerpt
from mkdocs_imagegen.errors import (
    ImageError,
    Location,
    NotGeneratedError,
    OutcomeUnknownError,
    OverBudgetError,
    StoppedError,
    StoreError,
)
from mkdocs_imagegen.imaging.image import ImageSource, PageImage
from mkdocs_imagegen.jobs.job import Result
from mkdocs_imagegen.option_parsers import SKETCH_MODEL, Size
from mkdocs_imagegen.originals.store import Original
from mkdocs_imagegen.pipeline.outcome import Outcome, invalid_outcome, outcome_of, report_rows
from mkdocs_imagegen.report import State
from tests.originals.support import key_of, record
from tests.pipeline.support import directive, request

LAYOUT = Size(64, 48)
REQUEST = request(model="a/b")
DIRECTIVE = directive(request=REQUEST)
NAME = "assets/imagegen/x.webp"
ONE = PageImage((ImageSource("image/webp", ((NAME, 64),)),), LAYOUT)
DARK_IMAGE = PageImage((ImageSource("image/png", (("dark.png", 64),)),), LAYOUT)


def original(**more):
    return Original(record(**more), Path("x.webp"))


@pytest.mark.parametrize(
    ("of", "made", "state"),
    [
        ({"key": REQUEST.key}, True, State.GENERATED),
        ({"key": REQUEST.key}, False, State.READY),
        ({"key": REQUEST.as_sketch.key, "model": SKETCH_MODEL}, False, State.SKETCH),
        ({"key": key_of("another")}, False, State.STALE),
        ({"key": key_of("another"), "model": SKETCH_MODEL}, False, State.STALE),
        ({"key": key_of("another")}, True, State.GENERATED),
    ],
)
def test_state_of_an_image(of, made, state):
    result = Result(original(**of), ONE, was_generated=made)
    outcome = outcome_of(DIRECTIVE, (result,), shows_error=False)
    assert outcome == Outcome(state, ONE, results=(result,))


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (NotGeneratedError("there (why); do this"), State.MISSING),
        (StoppedError("there (why); do this"), State.FAILED),
        (OutcomeUnknownError("there (why); do this"), State.FAILED),
        (StoreError("there (why); do this"), State.FAILED),
    ],
)
@pytest.mark.parametrize("shows_error", [True, False])
def test_missing_image_shows_a_placeholder(error, state, shows_error):
    outcome = outcome_of(DIRECTIVE, (Result(error=error),), shows_error=shows_error)
    assert outcome.state is state
    assert outcome.error == f"the image is missing: {error}"
    assert outcome.image is None
    content = outcome.shown.content
    assert (b">There" in content) is shows_error
    assert b"balloon" in content


def test_draft_is_a_state_of_its_own():
    result = Result(original(key=REQUEST.key), ONE, is_draft=True, was_generated=True)
    assert outcome_of(DIRECTIVE, (result,), shows_error=False).state is State.DRAFT


def test_original_without_an_image_has_failed():
    broken = Result(original(key=REQUEST.key), error=ImageError("no image"))
    outcome = outcome_of(DIRECTIVE, (broken,), shows_error=False)
    assert (outcome.state, outcome.image) == (State.FAILED, None)


DARK = directive(request=REQUEST, dark=replace(REQUEST, prompt="A balloon at night"))
LIGHT_RESULT = Result(original(key=REQUEST.key), ONE)
DARK_RESULT = Result(original(key=DARK.dark.key), DARK_IMAGE, was_generated=True)
MISSING_RESULT = Result(error=NotGeneratedError("no key"))
FAILED_RESULT = Result(error=OutcomeUnknownError("no answer"))


@pytest.mark.parametrize(
    ("light", "dark", "state", "error"),
    [
        (LIGHT_RESULT, DARK_RESULT, State.GENERATED, ""),
        (LIGHT_RESULT, MISSING_RESULT, State.MISSING, "the image is missing: no key"),
        (LIGHT_RESULT, FAILED_RESULT, State.FAILED, "the image is missing: no answer"),
        (MISSING_RESULT, FAILED_RESULT, State.FAILED, None),
        (MISSING_RESULT, DARK_RESULT, State.MISSING, "the image is missing: no key"),
    ],
)
def test_pair_has_the_worse_state(light, dark, state, error):
    outcome = outcome_of(DARK, (light, dark), shows_error=False)
    assert outcome.state is state
    assert error is None or outcome.error == error
    assert outcome.image == light.image
    assert outcome.dark == (dark.image if light.image else None)
    assert (outcome.image is None) is (light.image is None)


def test_pair_needs_two_results():
    with pytest.raises(ValueError, match="zip"):
        outcome_of(DARK, (LIGHT_RESULT,), shows_error=False)


def rows_of(found, *results):
    outcome = outcome_of(found, results, shows_error=False)
    return report_rows(Location("a.md", 3), found, outcome, NAME)


def test_pair_has_a_row_for_each_image():
    light = replace(
        LIGHT_RESULT, was_generated=True, seconds=2.0, remarks=("slow",), alarm="move it"
    )
    dark = replace(
        DARK_RESULT,
        original=original(key=DARK.dark.key, cost_usd=Decimal("0.01"), cost_is_estimate=True),
        seconds=3.0,
    )
    first, second = rows_of(DARK, light, dark)
    assert first.location == second.location
    assert (first.key, first.prompt, first.model, first.file) == (
        *(REQUEST.key, "A balloon"),
        *("a/b", NAME),
    )
    assert (second.key, second.prompt, second.file) == (DARK.dark.key, DARK.dark.prompt, "dark.png")
    assert (first.cost_usd, first.cost_is_estimate, first.seconds) == (Decimal("0.015"), False, 2.0)
    assert (second.cost_usd, second.cost_is_estimate) == (Decimal("0.01"), True)
    assert (first.remarks, second.remarks) == (("slow", "move it"), ())


def test_row_over_budget_has_the_price_of_the_purchase():
    over_budget = Result(error=OverBudgetError("over budget", Decimal("0.04")))
    outcome = outcome_of(DARK, (over_budget, MISSING_RESULT), shows_error=False)
    prices = [row.price_usd for row in report_rows(Location("a.md"), DARK, outcome, NAME)]
    assert prices == [Decimal("0.04"), None]
    listed = report_rows(Location("a.md"), DARK, outcome, NAME, lambda *_: Decimal("0.02"))
    assert [row.price_usd for row in listed] == [Decimal("0.04"), Decimal("0.02")]


def test_images_of_a_pair_have_their_own_states():
    light, dark = rows_of(DARK, LIGHT_RESULT, MISSING_RESULT)
    assert (light.state, light.remarks, light.file) == (State.READY, (), NAME)
    assert (dark.state, dark.remarks) == (State.MISSING, ("the image is missing: no key",))
    assert dark.file == ""


def test_row_of_a_reused_original_has_no_cost():
    reused = replace(LIGHT_RESULT, original=original(key=REQUEST.key, model="c/d"))
    (row,) = rows_of(DIRECTIVE, reused)
    assert (row.state, row.cost_usd, row.cost_is_estimate) == (State.READY, None, False)
    assert (row.model, row.remarks) == ("c/d", ())


def test_row_of_a_missing_image_has_the_model_and_the_error():
    (row,) = rows_of(DIRECTIVE, MISSING_RESULT)
    assert (row.model, row.cost_usd) == ("a/b", None)
    assert row.remarks == ("the image is missing: no key",)


@pytest.mark.parametrize(
    "found", [DARK, InvalidDirective("no prompt", LAYOUT, SourceExcerpt("fence", ""))]
)
def test_invalid_directive_has_one_row_without_a_request(found):
    outcome = invalid_outcome(found, "no prompt", shows_error=False)
    (row,) = report_rows(Location("a.md"), found, outcome, NAME)
    assert (row.state, row.key, row.prompt, row.model) == (State.INVALID, "", "", "")
    assert row.remarks == ("no prompt",)


@pytest.mark.parametrize(
    ("shows_error", "text"), [(True, "a fault (accepted: x); did you mean"), (False, "a fault<")]
)
def test_placeholder_of_an_invalid_directive_shows_the_whole_error_or_its_beginning(
    shows_error, text
):
    found = InvalidDirective("", Size(1200, 800), SourceExcerpt("fence", ""))
    outcome = invalid_outcome(
        found, "a fault (accepted: x); did you mean y?", shows_error=shows_error
    )
    assert outcome.error == "a fault (accepted: x); did you mean y?"
    assert html.escape(text, quote=False).replace("&lt;", "<").encode() in outcome.shown.content
