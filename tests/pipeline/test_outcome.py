"""What a page shows: names, addresses, markup, and stand-ins for what is not there."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from mkdocs_imagegen.pages.markup import MarkupContext, image_markup, relative_url
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


@pytest.mark.parametrize(
    ("page", "address"),
    [
        ("", "assets/x.webp"),
        ("index.html", "assets/x.webp"),
        ("guide/", "../assets/x.webp"),
        ("guide/index.html", "../assets/x.webp"),
        ("guide/page.html", "../assets/x.webp"),
        ("a/b/", "../../assets/x.webp"),
        ("assets/", "x.webp"),
        ("/404.html", "assets/x.webp"),
        ("/a/b/", "../../assets/x.webp"),
        ("mit%20space/", "../assets/x.webp"),
    ],
)
def test_an_address_leads_from_the_page_to_the_file(page, address):
    assert relative_url("assets/x.webp", page) == address


NAME = "assets/imagegen/x.webp"


def image(*sources, size=LAYOUT, blur=""):
    """A image of sources as a mime type and its files' widths, the widest as wide as it is."""
    made = (
        ImageSource(f"image/{kind}", tuple((f"{kind}-{width}", width) for width in widths))
        for kind, *widths in sources
    )
    return PageImage(tuple(made), size, blur)


def markup(found, quote_value, dark=None, **frame):
    return image_markup(found, quote_value, dark, MarkupContext(lambda name: f"../{name}", **frame))


def elements(html_text):
    """Each element as a browser reads it: its name and attributes."""
    fragment = html5lib.parseFragment(html_text, namespaceHTMLElements=False)
    return [(each.tag, dict(each.attrib)) for each in list(fragment.iter())[1:]]


ONE = image(("webp", 3))
STYLE = "max-width:100%;height:auto"


def test_markup_has_what_a_theme_needs_and_what_the_author_wrote():
    one = PageImage((ImageSource("image/webp", (("a&b.webp", 3),)),), LAYOUT)
    assert markup(DIRECTIVE, one) == (
        '<img src="../a&amp;b.webp" alt="A balloon" width="3" height="2" '
        'style="max-width:100%;height:auto" loading="lazy" decoding="async">'
    )


def test_the_authors_word_wins():
    attributes = (
        ("loading", "eager"),
        ("style", "float: right"),
        ("class", "a"),
        ("decoding", "sync"),
    )
    written = directive(alt="x", width_px=30, attributes=attributes)
    for first in (True, False):
        assert markup(written, ONE, is_first=first) == (
            '<img src="../webp-3" alt="x" width="30" height="20" loading="eager" '
            'style="max-width:100%;height:auto;float: right" class="a" decoding="sync">'
        )


def test_a_reader_does_not_wait_for_the_first_image():
    first = markup(DIRECTIVE, ONE, is_first=True)
    assert 'fetchpriority="high"' in first
    assert "loading" not in first
    said = directive(attributes=(("fetchpriority", "low"),))
    assert 'fetchpriority="low"' in markup(said, ONE, is_first=True)
    assert "loading" not in markup(said, ONE)


def test_all_files_are_offered_the_best_format_first():
    quote_value = image(("avif", 1, 3), ("webp", 1, 3), ("jpeg", 1, 3), size=Size(3, 2))
    files = {
        kind: {"srcset": f"../{kind}-1 1w, ../{kind}-3 3w", "sizes": "(max-width: 3px) 100vw, 3px"}
        for kind in ("avif", "webp", "jpeg")
    }
    outer, *sources, img = elements(markup(DIRECTIVE, quote_value))
    assert outer == ("picture", {})
    assert sources == [
        ("source", {"type": f"image/{kind}"} | files[kind]) for kind in ("avif", "webp")
    ]
    assert img[0] == "img"
    assert {name: img[1][name] for name in ("src", "srcset", "sizes")} == (
        {"src": "../jpeg-3"} | files["jpeg"]
    )


@pytest.mark.parametrize(
    ("width_px", "said", "sizes"),
    [
        (None, "", "(max-width: 1200px) 100vw, 1200px"),
        (600, "", "(max-width: 600px) 100vw, 600px"),
        (3000, "", "(max-width: 1200px) 100vw, 1200px"),
        (600, "50vw", "50vw"),
    ],
)
def test_sizes_follow_the_width_on_the_page(width_px, said, sizes):
    quote_value = image(("webp", 480, 1200), size=Size(1200, 800))
    written = directive(layout=Layout(Size(1536, 1024)), width_px=width_px, sizes=said)
    assert elements(markup(written, quote_value))[0][1]["sizes"] == sizes


def test_a_single_file_needs_no_srcset():
    assert "srcset" not in markup(DIRECTIVE, ONE)
    assert "sizes" not in markup(DIRECTIVE, ONE)


def test_blurred_pixels_stand_behind_the_image():
    quote_value = replace(ONE, blur="data:image/webp;base64,AAAA")
    blur = "background:url(data:image/webp;base64,AAAA) center/cover content-box"
    for said, style in [((), f"{STYLE};{blur}"), ((("style", "a:b"),), f"{STYLE};{blur};a:b")]:
        ((_, attributes),) = elements(markup(directive(attributes=said), quote_value))
        assert attributes["style"] == style


def test_the_readers_system_decides_between_light_and_dark():
    dark = image(("avif", 2, 3), ("png", 3))
    outer, *sources, img = elements(markup(DIRECTIVE, image(("avif", 3), ("webp", 3)), dark))
    assert outer == ("picture", {})
    media = "(prefers-color-scheme: dark)"
    assert [(each["type"], each.get("media")) for _, each in sources] == [
        ("image/avif", media),
        ("image/png", media),
        ("image/avif", None),
    ]
    assert sources[0][1]["srcset"] == "../avif-2 2w, ../avif-3 3w"
    assert img[1]["src"] == "../webp-3"


def test_nothing_light_shines_in_the_dark():
    light = replace(ONE, blur="data:image/webp;base64,AAAA")
    assert "base64" not in markup(DIRECTIVE, light, image(("png", 3)))


def test_a_themes_palette_decides_where_it_can():
    dark = image(("png", 2, 3))
    pair = markup(DIRECTIVE, ONE, dark, follows_palette=True, is_first=True)
    (_, first), (_, second) = elements(pair)
    assert first["src"] == "../webp-3#only-light"
    assert second["src"] == "../png-3#only-dark"
    assert second["srcset"] == "../png-2#only-dark 2w, ../png-3#only-dark 3w"
    assert (first.get("fetchpriority"), first.get("loading")) == ("high", None)
    assert (second.get("fetchpriority"), second.get("loading")) == (None, "lazy")


def test_a_badge_lies_over_the_image():
    badged = markup(DIRECTIVE, ONE, badge="Made & <b>")
    (outer, _), (img, attributes), (small, _) = elements(badged)
    assert (outer, img, small) == ("span", "img", "small")
    assert attributes["src"] == "../webp-3"
    assert ">Made &amp; &lt;b&gt;</small></span>" in badged


@given(st.text(), st.text())
def test_markup_is_escaped_once(alt, name):
    one = PageImage((ImageSource("image/webp", ((name, 3),)),), LAYOUT)
    written = re.fullmatch(
        r'<img src="([^"<>]*)" alt="([^"<>]*)" width=.*', markup(directive(alt=alt), one)
    )
    assert (html.unescape(written[1]), html.unescape(written[2])) == (
        html.unescape(html.escape(f"../{name}")),
        html.unescape(html.escape(alt)),
    )


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
