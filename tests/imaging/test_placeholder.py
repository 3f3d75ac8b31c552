"""The SVG of a missing image: size, text and file name."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkdocs_imagegen.errors import escape_unseen
from mkdocs_imagegen.imaging.image import ImageSource
from mkdocs_imagegen.imaging.placeholder import render_placeholder
from mkdocs_imagegen.option_parsers import TEXT, Size

SVG = "{http://www.w3.org/2000/svg}"


def svg(title, text, size):
    return ET.fromstring(render_placeholder(title, text, size).content)  # noqa: S314 - rendered by this test


@pytest.mark.parametrize("width", [1, 2, 16, 100, 480, 1536, 8192])
@pytest.mark.parametrize("height", [1, 16, 320, 1024, 8192])
def test_placeholder_has_the_size_of_the_image(width, height):
    root = svg("A title", "A balloon " * 50, Size(width, height))
    assert (root.get("width"), root.get("height")) == (str(width), str(height))
    assert root.get("viewBox") == f"0 0 {width} {height}"
    assert len(root.findall(f"{SVG}text")) <= 7


@given(st.text(), st.text(), st.integers(1, 2000), st.integers(1, 2000))
def test_placeholder_is_xml_for_any_text(title, text, width, height):
    root = svg("Title", f"{title} {text}", Size(width, height))
    assert next(root.iter(f"{SVG}text")).text == "Title"
    assert not root.findall(f".//{SVG}script")


TEXTS = {
    "markup": "</text><script>alert(1)</script>",
    "entities": "&lt; &amp; &nope; &#0;",
    "quotes": "\"' onload='x",
    "a CDATA end": "]]> <![CDATA[",
    "a comment": "--> <!-- ",
    "control": "\x00\x01\x08\x0b\x0c\x1b\x1f\x7f",
    "a lone surrogate": "a \ud800 b",
    "no characters": "a \ufffe \uffff b",
    "right to left": "\u202eabc \u2066",
    "a long word": "x" * 10_000,
    "many words": "word " * 10_000,
    "other letters": "气球 שלום 🎈 é",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_markup_in_the_text_stays_text(text):
    root = svg("Title", text, Size(300, 200))
    assert {each.tag for each in root.iter()} == {f"{SVG}svg", f"{SVG}rect", f"{SVG}text"}


def test_placeholder_shows_title_and_text():
    texts = [each.text for each in svg("Not made", "A & B", Size(600, 400)).iter(f"{SVG}text")]
    assert texts == ["Not made", "A & B"]


def test_control_characters_are_escaped_as_in_messages_and_left_out_of_prompts():
    for number in (*range(9), 11, 12, *range(14, 32), *range(127, 160)):
        text = f"a{chr(number)}b"
        _, shown = svg("Title", text, Size(900, 400)).iter(f"{SVG}text")
        assert shown.text == escape_unseen(text) == f"a\\u{number:04x}b"
        assert TEXT(text) == "ab"


def test_file_name_changes_with_the_content():
    one, same = (render_placeholder("T", "a", Size(30, 20)) for _ in range(2))
    others = [
        render_placeholder("U", "a", Size(30, 20)),
        render_placeholder("T", "b", Size(30, 20)),
        render_placeholder("T", "a", Size(31, 20)),
    ]
    assert one == same
    assert re.fullmatch(r"assets/imagegen/missing-[0-9a-f]{16}\.svg", one.image.name)
    assert one.image.sources == (ImageSource("image/svg+xml", ((one.image.name, 30),)),)
    assert one.image.size == Size(30, 20)
    assert len({each.image.name for each in (one, *others)}) == 4
