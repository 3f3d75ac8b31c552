"""Outcomes of directives, their rows of the report, and their locations."""

from __future__ import annotations

import html
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from mkdocs_imagegen.directives.directive import Directive, InvalidDirective, SourceExcerpt
from mkdocs_imagegen.errors import (
    ImageError,
    Location,
    NotGeneratedError,
    OutcomeUnknownError,
    StoppedError,
    StoreError,
)
from mkdocs_imagegen.imaging.image import ImageSource, PageImage
from mkdocs_imagegen.jobs.job import Result
from mkdocs_imagegen.layout import Layout
from mkdocs_imagegen.options import SKETCH_MODEL, Size
from mkdocs_imagegen.originals.store import Original
from mkdocs_imagegen.pipeline.context import Page
from mkdocs_imagegen.pipeline.outcome import Outcome, invalid_outcome, outcome_of, report_row
from mkdocs_imagegen.pipeline.placements import Placements
from mkdocs_imagegen.report import State
from mkdocs_imagegen.request import ImageRequest
from tests.originals.support import key_of, record

REQUEST = ImageRequest("a/b", "A balloon", Size(3, 2))
LAYOUT = Size(3, 2)


def directive(**more):
    facts = {
        "request": REQUEST,
        "dark": None,
        "is_exact": False,
        "alt": "A balloon",
        "caption": "",
        "note": "",
        "layout": Layout(REQUEST.size),
        "width_px": None,
        "sizes": "",
        "attributes": (),
        "source": SourceExcerpt("fence", "A balloon"),
    }
    return Directive(**(facts | more))


DIRECTIVE = directive()


NAME = "assets/imagegen/x.webp"


def image(*sources, size=LAYOUT, blur=""):
    """A image of sources as a mime type and its files' widths, the widest as wide as it is."""
    made = (
        ImageSource(f"image/{kind}", tuple((f"{kind}-{width}", width) for width in widths))
        for kind, *widths in sources
    )
    return PageImage(tuple(made), size, blur)


ONE = image(("webp", 3))


def kept_as(**more):
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
def test_a_image_is_made_ready_or_stale(of, made, state):
    result = Result(kept_as(**of), ONE, was_generated=made)
    outcome = outcome_of(DIRECTIVE, (result,), shows_error=False)
    assert outcome == Outcome(state, ONE, results=(result,))


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (NotGeneratedError("there (why); do this"), State.MISSING),
        (StoppedError("there (why); do this"), State.MISSING),
        (OutcomeUnknownError("there (why); do this"), State.FAILED),
        (StoreError("there (why); do this"), State.FAILED),
    ],
)
@pytest.mark.parametrize("shows_error", [True, False])
def test_what_did_not_come_tells_why(error, state, shows_error):
    outcome = outcome_of(DIRECTIVE, (Result(error=error),), shows_error=shows_error)
    assert outcome.state is state
    assert outcome.error == f"the image is missing: {error}"
    assert outcome.image is None
    content = outcome.shown.content
    assert (b">There" in content) is shows_error
    assert b"balloon" in content


def test_a_image_that_could_not_be_shown_is_one_that_failed():
    broken = Result(kept_as(key=REQUEST.key), error=ImageError("no image"))
    outcome = outcome_of(DIRECTIVE, (broken,), shows_error=False)
    assert (outcome.state, outcome.image) == (State.FAILED, None)


DARK = directive(dark=replace(REQUEST, prompt="A balloon at night"))
LIGHT_RESULT = Result(kept_as(key=REQUEST.key), ONE)
DARK_RESULT = Result(kept_as(key=DARK.dark.key), image(("png", 3)), was_generated=True)
MISSING_RESULT = Result(error=NotGeneratedError("there is no key"))
FAILED_RESULT = Result(error=OutcomeUnknownError("no answer"))


@pytest.mark.parametrize(
    ("light", "dark", "state", "error"),
    [
        (LIGHT_RESULT, DARK_RESULT, State.GENERATED, ""),
        (LIGHT_RESULT, MISSING_RESULT, State.MISSING, "the image is missing: there is no key"),
        (LIGHT_RESULT, FAILED_RESULT, State.FAILED, "the image is missing: no answer"),
        (MISSING_RESULT, FAILED_RESULT, State.FAILED, None),
        (MISSING_RESULT, DARK_RESULT, State.MISSING, "the image is missing: there is no key"),
    ],
)
def test_a_pair_stands_as_the_worse_of_both(light, dark, state, error):
    outcome = outcome_of(DARK, (light, dark), shows_error=False)
    assert outcome.state is state
    assert error is None or outcome.error == error
    assert outcome.image == light.image
    assert outcome.dark == (dark.image if light.image else None)
    assert (outcome.image is None) is (light.image is None)


def test_a_pair_has_as_many_results_as_requests():
    with pytest.raises(ValueError, match="zip"):
        outcome_of(DARK, (LIGHT_RESULT,), shows_error=False)


def test_a_line_tells_what_was_paid_for_both_of_a_pair():
    results = (
        replace(LIGHT_RESULT, was_generated=True, seconds=2.0, remarks=("slow",), alarm="move it"),
        replace(
            DARK_RESULT,
            original=kept_as(key=DARK.dark.key, cost_usd=Decimal("0.01"), cost_is_estimate=True),
            seconds=3.0,
        ),
    )
    line = report_row(Location("a.md", 3), DARK, outcome_of(DARK, results, shows_error=False), NAME)
    assert (line.key, line.prompt, line.model, line.file) == (REQUEST.key, "A balloon", "a/b", NAME)
    assert (line.cost_usd, line.cost_is_estimate, line.seconds) == (Decimal("0.025"), True, 3.0)
    assert line.remarks == ("slow", "move it")


def test_a_line_of_what_was_in_the_store_costs_nothing():
    drawn = replace(LIGHT_RESULT, original=kept_as(key=REQUEST.key, model="c/d"))
    line = report_row(
        Location("a.md"), DIRECTIVE, outcome_of(DIRECTIVE, (drawn,), shows_error=False), NAME
    )
    assert (line.state, line.cost_usd, line.cost_is_estimate) == (State.READY, None, False)
    assert (line.model, line.remarks) == ("c/d", ())


def test_a_line_of_what_is_missing_tells_the_model_that_would_draw_it():
    outcome = outcome_of(DIRECTIVE, (MISSING_RESULT,), shows_error=False)
    line = report_row(Location("a.md"), DIRECTIVE, outcome, NAME)
    assert (line.model, line.cost_usd) == ("a/b", None)
    assert line.remarks == ("the image is missing: there is no key",)


def test_a_line_of_a_mistake_has_no_request():
    found = InvalidDirective("no prompt", LAYOUT, SourceExcerpt("fence", ""))
    line = report_row(
        Location("a.md"), found, invalid_outcome(found, "no prompt", shows_error=False), NAME
    )
    assert (line.state, line.key, line.prompt, line.model) == (State.INVALID, "", "", "")
    assert line.remarks == ("no prompt",)


@pytest.mark.parametrize(
    ("shows_error", "told"), [(True, "a fault (accepted: x); did you mean"), (False, "a fault<")]
)
def test_a_mistake_is_told_shows_error_while_writing_and_briefly_to_readers(shows_error, told):
    found = InvalidDirective("", Size(1200, 800), SourceExcerpt("fence", ""))
    outcome = invalid_outcome(
        found, "a fault (accepted: x); did you mean y?", shows_error=shows_error
    )
    assert outcome.error == "a fault (accepted: x); did you mean y?"
    assert html.escape(told, quote=False).replace("&lt;", "<").encode() in outcome.shown.content


def page(uri, source=""):
    return Page(f"docs/{uri}", uri, uri.replace(".md", "/"), lambda: source)


def written(token):
    return SourceExcerpt("inline image", token, "imagegen:")


def test_sightings_are_counted_by_page_and_told_in_order():
    placements = Placements(written)
    for uri, token in [("a.md", "x"), ("a.md", "y"), ("b.md", "x"), ("a.md", "x")]:
        placements.add(page(uri), token)
    assert [(each.page.uri, each.token, each.number, each.twins_before) for each in placements] == [
        ("a.md", "x", 1, 0),
        ("a.md", "y", 2, 0),
        ("a.md", "x", 3, 1),
        ("b.md", "x", 1, 0),
    ]


def test_what_only_the_head_names_is_no_twin():
    placements = Placements(written)
    for on_page in (False, True, False, True):
        placements.add(page("a.md"), "x", on_page=on_page)
    assert [each.twins_before for each in placements] == [0, 0, 0, 1]


def test_a_page_that_is_read_again_replaces_what_it_showed():
    placements = Placements(written)
    placements.add(page("a.md"), "x")
    placements.add(page("b.md"), "x")
    placements.open_page(page("a.md"))
    placements.add(page("a.md"), "y")
    assert [(each.page.uri, each.token) for each in placements] == [("a.md", "y"), ("b.md", "x")]


def test_a_place_without_a_line_says_which_prompt_and_its_words():
    placements = Placements(written)
    placements.add(page("a.md"), "x")
    placements.add(page("a.md"), "y")
    first, second = placements
    found = InvalidDirective("", LAYOUT, SourceExcerpt("inline image", "", "imagegen:hero"))
    assert str(placements.locate(first, found)) == 'docs/a.md, prompt 1 ("imagegen:hero")'
    assert str(placements.locate(second, DIRECTIVE)) == 'docs/a.md, prompt 2 ("A balloon")'
