"""The manual in a browser: every page, narrow and wide."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.recipes.files import RECIPES
from tests.tools import skip_or_fail

DOCS = Path(__file__).parents[2] / "example_site/docs"
PAGES = sorted(
    path.relative_to(DOCS).with_suffix("").as_posix().removesuffix("index").strip("/")
    for path in DOCS.rglob("*.md")
)
HIDDEN_LINES = """wide => [...document.querySelectorAll(".md-content pre > code")]
  .filter(code => wide || getComputedStyle(code).whiteSpace === "pre-wrap")
  .filter(code => code.checkVisibility() && code.scrollWidth > code.clientWidth)
  .map(code => code.textContent)"""
RECIPE_TEXTS = {path.read_text(encoding="utf-8").strip() for path in RECIPES.iterdir()}
PINNED = re.compile("@[0-9a-f]{40}")
"""Commit to which an action is pinned; its line cannot be divided."""


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page or "index")
def test_page_shows_its_images_and_neither_shifts_nor_scrolls_sideways(
    visit, example_url, page, width
) -> None:
    visited = visit(f"{example_url}{page}/" if page else example_url, width=width)
    visited.read_to_the_end()
    assert visited.layout_shifts() == []
    visited.decode_hidden_images()
    for image in visited.images():
        assert image["decoded"], image
        assert image["alt"] is not None
        assert image["natural"] == pytest.approx(image["declared"], rel=0.02), image
        if image["visible"]:
            assert image["drawn"] == pytest.approx(image["declared"], rel=0.02), image
            assert 0 < image["width"] <= width
    assert visited.failures == []
    assert visited.external_requests() == []
    assert visited.page.evaluate("document.documentElement.scrollWidth") <= width
    # On phones, code whose line breaks matter is scrolled; on a wide screen, only recipes are.
    hidden = visited.page.evaluate(HIDDEN_LINES, width > 1000)
    others = (code for code in hidden if code.strip() not in RECIPE_TEXTS)
    assert [code for code in others if not PINNED.search(code)] == []


def test_the_messages_of_errors_are_wrapped(visit, example_url) -> None:
    visited = visit(f"{example_url}troubleshooting/errors/", width=390)
    spaces = (
        "[...document.querySelectorAll('.message code')].map(c => getComputedStyle(c).whiteSpace)"
    )
    assert set(visited.page.evaluate(spaces)) == {"pre-wrap"}


def test_the_gallery_has_images(visit, example_url) -> None:
    assert len(visit(f"{example_url}get-started/examples/").images()) > 5


def test_images_without_width_and_height_shift_the_layout(visit, example_url) -> None:
    """Without this, the test above might never fail."""
    change = """addEventListener("DOMContentLoaded", () => {
      const image = document.querySelector("img.imagegen");
      for (const name of ["width", "height", "src"]) image.removeAttribute(name);
      const files = [image, ...image.parentElement.querySelectorAll("source")]
        .map(each => [each, each.srcset]);
      for (const [each] of files) each.removeAttribute("srcset");
      const restore = () => files.forEach(([each, srcset]) => { each.srcset = srcset; });
      addEventListener("load", () => {
        image.scrollIntoView({block: "center"});
        requestAnimationFrame(() => requestAnimationFrame(restore));
      });
    })"""
    visited = visit(f"{example_url}guides/sizes/", change=change)
    visited.wait_for_layout_shift()
    assert visited.layout_shifts()


@pytest.mark.parametrize("page", ["", "get-started/examples/", "get-started/first-image/"])
def test_axe_finds_no_fault_in_images(visit, example_url, page) -> None:
    try:
        from axe_playwright_python.sync_playwright import Axe
    except ImportError:
        skip_or_fail("axe-playwright-python is not installed")
    visited = visit(example_url + page)
    found = Axe().run(visited.page, {"include": [["img"], ["figure"], ["picture"]]}).response
    assert found["violations"] == []
    assert "image-alt" in {rule["id"] for rule in found["passes"]}


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("page", ["", "guides/previews/", "models/cost/", "development/protocol/"])
def test_axe_finds_no_fault_in_text_and_code(visit, example_url, page, dark) -> None:
    try:
        from axe_playwright_python.sync_playwright import Axe
    except ImportError:
        skip_or_fail("axe-playwright-python is not installed")
    visited = visit(example_url + page, dark=dark)
    # Material gives the same name to the buttons of all code blocks.
    options = {"rules": {"landmark-unique": {"enabled": False}}}
    found = Axe().run(visited.page, ".md-content", options).response
    assert found["violations"] == []
    assert "color-contrast" in {rule["id"] for rule in found["passes"]}
