"""Soak of hostile texts, at a small size."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.figures import assert_within_bounds
from tests.soak.injection import Found, soak


def test_hostile_texts_change_no_output(tmp_path: Path) -> None:
    assert_within_bounds(soak(2, tmp_path))


@pytest.mark.parametrize(
    "text",
    ["a\x1b[31m", "a\x9b", "a\u202eb", "a\x00", "a\rb", "a\u2028b", "x\nFORGED", "x\n::error::y"],
)
def test_search_finds_characters_and_forged_lines(text: str) -> None:
    found = Found()
    found.search_text("here", f"before {text} after")
    assert len(found.hits) == 1
    found.search_text("here", "before\n  after: FORGED \\u001b ::")
    assert len(found.hits) == 1


def test_search_finds_json_that_cannot_be_read() -> None:
    found = Found()
    found.search_json("here", '{"a": "b}')
    assert len(found.hits) == 1


HARMLESS = '<p><img src="assets/imagegen/a.webp" alt="x"></p>'


@pytest.mark.parametrize(
    "document",
    [
        HARMLESS.replace('alt="x"', 'alt="" onload="x"'),
        HARMLESS.replace("<p>", "<p><script></script>"),
        f"{HARMLESS}{HARMLESS}",
        HARMLESS.replace("assets/imagegen/a.webp", "javascript:alert(1)"),
        HARMLESS.replace("assets/imagegen/a.webp", "assets/imagegen/../x"),
    ],
)
def test_search_finds_what_a_text_adds_to_html(document: str) -> None:
    found = Found()
    found.search_html("here", HARMLESS.replace("a.webp", "b.webp"), HARMLESS)
    assert found.hits == []
    found.search_html("here", document, HARMLESS)
    assert len(found.hits) == 1
