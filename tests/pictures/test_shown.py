"""What a page shows: names, addresses, markup, and stand-ins for what is not there."""

from __future__ import annotations

import html
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkdocs_imagegen.directives.directive import Directive, Mistake, Source
from mkdocs_imagegen.making import Result, StoppedError
from mkdocs_imagegen.originals.store import Kept
from mkdocs_imagegen.outcome import from_making, from_store, mistaken, not_made
from mkdocs_imagegen.pages.address import relative_address
from mkdocs_imagegen.pages.markup import picture_markup
from mkdocs_imagegen.pictures.picture import needs_fitting, public_name
from mkdocs_imagegen.pictures.placeholder import placeholder
from mkdocs_imagegen.report import State
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.sightings import Page, Sightings
from mkdocs_imagegen.spending import Permission
from mkdocs_imagegen.values import Size
from tests.originals.support import key_of, original

SVG = "{http://www.w3.org/2000/svg}"
REQUEST = ImageRequest("a/b", "A balloon", Size(3, 2))
DIRECTIVE = Directive(REQUEST, False, "A balloon", "", None, (), Source("fence", "A balloon"))
LAYOUT = Size(3, 2)


def svg(title, text, size):
    return ET.fromstring(placeholder(title, text, size).content)  # noqa: S314 - our own


@pytest.mark.parametrize("width", [1, 2, 16, 100, 480, 1536, 8192])
@pytest.mark.parametrize("height", [1, 16, 320, 1024, 8192])
def test_a_stand_in_has_the_size_of_what_it_stands_for(width, height):
    root = svg("A title", "A balloon " * 50, Size(width, height))
    assert (root.get("width"), root.get("height")) == (str(width), str(height))
    assert root.get("viewBox") == f"0 0 {width} {height}"
    assert len(root.findall(f"{SVG}text")) <= 7


@given(st.text(), st.text(), st.integers(1, 2000), st.integers(1, 2000))
def test_a_stand_in_is_xml_whatever_it_tells(title, text, width, height):
    root = svg("Title", f"{title} {text}", Size(width, height))
    assert next(root.iter(f"{SVG}text")).text == "Title"
    assert not root.findall(f".//{SVG}script")


NAUGHTY = {
    "markup": "</text><script>alert(1)</script>",
    "entities": "&lt; &amp; &nope; &#0;",
    "quotes": "\"' onload='x",
    "a CDATA end": "]]> <![CDATA[",
    "a comment": "--> <!-- ",
    "control": "\x00\x01\x08\x0b\x0c\x1b\x1f\x7f",
    "half a letter": "a \ud800 b",
    "no characters": "a \ufffe \uffff b",
    "right to left": "\u202eabc \u2066",
    "a long word": "x" * 10_000,
    "many words": "word " * 10_000,
    "other letters": "气球 שלום 🎈 é",
}


@pytest.mark.parametrize("text", NAUGHTY.values(), ids=NAUGHTY)
def test_naughty_text_stays_text(text):
    root = svg("Title", text, Size(300, 200))
    assert {each.tag for each in root.iter()} == {f"{SVG}svg", f"{SVG}rect", f"{SVG}text"}


def test_a_stand_in_tells_title_and_text():
    texts = [each.text for each in svg("Not made", "A & B", Size(600, 400)).iter(f"{SVG}text")]
    assert texts == ["Not made", "A & B"]


def test_a_stand_ins_name_is_that_of_its_content():
    one, same = (placeholder("T", "a", Size(30, 20)) for _ in range(2))
    others = [
        placeholder("U", "a", Size(30, 20)),
        placeholder("T", "b", Size(30, 20)),
        placeholder("T", "a", Size(31, 20)),
    ]
    assert one == same
    assert re.fullmatch(r"assets/imagegen/missing-[0-9a-f]{16}\.svg", one.name)
    assert len({each.name for each in (one, *others)}) == 4


@pytest.mark.parametrize(
    ("mime", "size", "ending"),
    [
        ("image/webp", Size(3, 2), "webp"),
        ("image/jpeg", Size(3, 2), "jpg"),
        ("image/avif", Size(3, 2), "avif"),
        ("image/png", Size(3, 2), "webp"),
        ("image/jpeg", Size(6, 4), "webp"),
    ],
)
def test_a_public_name_says_what_its_bytes_are(mime, size, ending):
    kept = original(mime=mime)
    assert public_name(kept, size) == f"assets/imagegen/{kept.sha256[:16]}-{size}.{ending}"
    as_it_is = size == kept.size and mime != "image/png"
    assert needs_fitting(kept, size) is not as_it_is


def test_a_name_never_serves_two_pictures():
    names = {
        public_name(original(content=content, mime=mime), size)
        for content in (b"a", b"b")
        for mime in ("image/webp", "image/jpeg")
        for size in (Size(3, 2), Size(2, 3))
    }
    # A fitted picture depends on the original's bytes and the size alone.
    assert len(names) == 6


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
    assert relative_address("assets/x.webp", page) == address


def test_markup_has_what_a_theme_needs_and_what_the_author_wrote():
    assert picture_markup(DIRECTIVE, "a&b.webp") == (
        '<img src="a&amp;b.webp" alt="A balloon" width="3" height="2" '
        'style="max-width:100%;height:auto" loading="lazy" decoding="async">'
    )


def test_the_authors_word_wins():
    attributes = (("loading", "eager"), ("style", "float: right"), ("class", "a"))
    written = Directive(REQUEST, False, "x", "", 30, attributes, Source("fence", ""))
    assert picture_markup(written, "a.webp") == (
        '<img src="a.webp" alt="x" width="30" height="20" loading="eager" '
        'style="max-width:100%;height:auto;float: right" class="a" decoding="async">'
    )


@given(st.text(), st.text())
def test_markup_is_escaped_once(alt, address):
    directive = Directive(REQUEST, False, alt, "", None, (), Source("fence", ""))
    written = re.fullmatch(
        r'<img src="([^"<>]*)" alt="([^"<>]*)" width=.*', picture_markup(directive, address)
    )
    assert (html.unescape(written[1]), html.unescape(written[2])) == (
        html.unescape(html.escape(address)),
        html.unescape(html.escape(alt)),
    )


def kept_as(**more):
    return Kept(original(**more), Path("x.webp"))


def test_what_was_in_the_store_is_ready():
    outcome = from_store(DIRECTIVE, kept_as(key=REQUEST.key))
    assert (outcome.state, outcome.error) == (State.READY, "")
    assert outcome.picture.content == Path("x.webp")


def test_a_sketch_of_the_same_request_is_ready():
    assert from_store(DIRECTIVE, kept_as(key=REQUEST.as_sketch.key)).state is State.READY


def test_one_of_the_same_subject_is_stale():
    assert from_store(DIRECTIVE, kept_as(key=key_of("another"))).state is State.STALE


@pytest.mark.parametrize(
    ("key", "made", "state"),
    [
        (REQUEST.key, True, State.MADE),
        (REQUEST.key, False, State.READY),
        (key_of("another"), False, State.STALE),
    ],
)
def test_what_came_is_made_and_what_was_only_fitted_is_not(key, made, state):
    kept = kept_as(key=key)
    shown = placeholder("stands for a picture", "", LAYOUT)
    outcome = from_making(DIRECTIVE, Result(kept, shown, made=made), in_full=False)
    assert (outcome.state, outcome.picture, outcome.error) == (state, shown, "")


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (StoppedError("stopped (why); do this"), State.MISSING),
        (ValueError("broken (why); do this"), State.FAILED),
    ],
)
@pytest.mark.parametrize("in_full", [True, False])
def test_what_did_not_come_tells_why(error, state, in_full):
    outcome = from_making(DIRECTIVE, Result(error=error), in_full=in_full)
    assert outcome.state is state
    assert outcome.error == f"there is no picture: {error}"
    assert (str(error).split()[0].encode() in outcome.picture.content) is in_full
    assert (b"balloon" in outcome.picture.content) is not in_full


def test_what_may_not_be_made_tells_why():
    outcome = not_made(DIRECTIVE, Permission("there is no key"))
    assert (outcome.state, outcome.error) == (
        State.MISSING,
        "there is no picture yet: there is no key",
    )


@pytest.mark.parametrize(
    ("in_full", "told"), [(True, "a fault (accepted: x); did you mean"), (False, "a fault<")]
)
def test_a_mistake_is_told_in_full_while_writing_and_briefly_to_readers(in_full, told):
    found = Mistake("", Size(1200, 800), Source("fence", ""))
    outcome = mistaken(found, "a fault (accepted: x); did you mean y?", in_full=in_full)
    assert outcome.error == "a fault (accepted: x); did you mean y?"
    assert html.escape(told, quote=False).replace("&lt;", "<").encode() in outcome.picture.content


def page(uri, source=""):
    return Page(f"docs/{uri}", uri, uri.replace(".md", "/"), lambda: source)


def test_sightings_are_counted_by_page_and_told_in_order():
    sightings = Sightings()
    for uri, token in [("a.md", "x"), ("a.md", "y"), ("b.md", "x"), ("a.md", "x")]:
        sightings.add(page(uri), token)
    assert [(each.page.uri, each.token, each.number, each.twins_before) for each in sightings] == [
        ("a.md", "x", 1, 0),
        ("a.md", "y", 2, 0),
        ("a.md", "x", 3, 1),
        ("b.md", "x", 1, 0),
    ]


def test_a_page_that_is_read_again_replaces_what_it_showed():
    sightings = Sightings()
    sightings.add(page("a.md"), "x")
    sightings.add(page("b.md"), "x")
    sightings.open_page(page("a.md"))
    sightings.add(page("a.md"), "y")
    assert [(each.page.uri, each.token) for each in sightings] == [("a.md", "y"), ("b.md", "x")]


def test_a_place_without_a_line_says_which_prompt_and_its_words():
    sightings = Sightings()
    sightings.add(page("a.md"), "x")
    sightings.add(page("a.md"), "y")
    first, second = sightings
    found = Mistake("", LAYOUT, Source("picture", "", "imagegen:hero"))
    assert str(first.place(found)) == 'docs/a.md, prompt 1 ("imagegen:hero")'
    assert str(second.place(DIRECTIVE)) == 'docs/a.md, prompt 2 ("A balloon")'
