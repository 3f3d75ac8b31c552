"""Directives of a build by their tokens, and the options of their pages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mkdocs_imagegen.directives.defaults import site_defaults
from mkdocs_imagegen.directives.directive import Directive, InvalidDirective, SourceExcerpt
from mkdocs_imagegen.directives.explain import PromptPart
from mkdocs_imagegen.directives.grammar import read_fence
from mkdocs_imagegen.directives.layers import Level, Origin
from mkdocs_imagegen.directives.registry import Registry
from mkdocs_imagegen.option_parsers import OptionsError
from mkdocs_imagegen.settings import Settings, read_settings

SITE = site_defaults(Settings())
STYLED = {
    "presets": {"ink": {"style": "Black ink", "ratio": "1:1", "class": "a"}},
    "folders": {"*.md": {"preset": "ink"}},
}
FENCE = SourceExcerpt("fence", "")


def read(registry, page, body="A", attributes=None):
    return registry.read(page, FENCE, lambda: read_fence(body, attributes or {}))


def open_registry(front_matter=None):
    registry = Registry(site_defaults(read_settings(STYLED, Path())))
    registry.open_page("page.md", {"imagegen": front_matter} if front_matter else {})
    return registry


def test_page_with_an_error_generates_no_image_until_it_is_fixed():
    registry = Registry(SITE)
    registry.open_page("a.md", {"imagegen": {"size": "512x512"}})
    with pytest.raises(OptionsError):
        registry.open_page("a.md", {"imagegen": {"size": "big"}})
    found = read(registry, "a.md")[1]
    assert isinstance(found, InvalidDirective)
    assert found.text == "the page's front matter has an error; fix it first"
    assert found.layout_size == Settings().size
    assert isinstance(read(registry, "b.md")[1], Directive)
    registry.open_page("a.md", {"imagegen": {"quality": "low"}})
    assert read(registry, "a.md")[1].request.quality == "low"
    registry.open_page("a.md", {})
    assert read(registry, "a.md")[1].request.quality == "medium"


def test_each_page_has_its_own_defaults():
    registry = Registry(SITE)
    registry.open_page("a.md", {"imagegen": {"quality": "high"}})
    registry.open_page("b.md", {})
    pages = ("a.md", "b.md", None, "never opened")
    assert {page: read(registry, page)[1].request.quality for page in pages} == {
        "a.md": "high",
        "b.md": "medium",
        None: "medium",
        "never opened": "medium",
    }


def test_equal_directives_have_one_token():
    registry = Registry(SITE)
    first, again = (read(registry, None, "A  balloon") for _ in range(2))
    assert first == again
    assert len(registry) == 1
    assert registry.get(first[0]) == first[1]
    assert registry.get("imagegen:t") is None


def test_invalid_directive_is_kept_with_its_error():
    registry = Registry(SITE)
    token, found = read(registry, None, "")
    assert isinstance(found, InvalidDirective)
    assert found.text == "no prompt; describe the image"
    assert registry.get(token) == found


def test_preview_is_explained_by_the_place_that_sets_it():
    own, sites = open_registry({"preview": "A heron"}), open_registry()
    explanation = own.explain(own.read_preview("page.md", "A coast").token, "page.md")
    assert explanation.parts[0] == PromptPart("subject", "A heron", Origin(Level.IMAGE))
    explanation = sites.explain(sites.read_preview("page.md", "A coast").token, "page.md")
    assert explanation.parts[0] == PromptPart(
        "subject", "A coast", Origin(Level.SITE, "previews.default", "mkdocs.yml")
    )


def test_image_is_explained_by_the_page_that_shows_it():
    """The same directive on two pages that get the same style from different places."""
    registry = open_registry({"style": "Black ink", "preset": "none"})
    registry.open_page("other.md", {"imagegen": {}})
    attributes = {"ratio": "1:1", "class": "a"}
    token, directive = read(registry, "page.md", "A crow", attributes)
    assert read(registry, "other.md", "A crow", attributes) == (token, directive)
    origins = [registry.explain(token, page).parts[1].origin for page in ("page.md", "other.md")]
    assert origins == [Origin(Level.PAGE), Origin(Level.FOLDER, "*.md", preset="ink")]


def test_derived_layout_is_explained_like_its_directive():
    registry = open_registry()
    _, found = read(registry, "page.md", "A crow")
    token, _ = registry.add(replace(found, alt="", width_px=160))
    assert registry.explain(token, "page.md").directive == found


def test_invalid_directives_and_unknown_tokens_are_not_explained():
    registry = open_registry()
    token, _ = read(registry, "page.md", "")
    assert registry.explain(token, "page.md") is None
    assert registry.explain("imagegen:t", "page.md") is None


def test_registry_that_cannot_explain_returns_none():
    registry = Registry(site_defaults(read_settings(STYLED, Path())), can_explain=False)
    token, _ = read(registry, "page.md", "A crow")
    assert registry.explain(token, "page.md") is None
