"""Precedence of the levels at which options are set."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from mkdocs_imagegen.directives.defaults import folder_defaults, page_defaults, site_defaults
from mkdocs_imagegen.directives.directive import SourceExcerpt, complete
from mkdocs_imagegen.directives.grammar import read_fence
from mkdocs_imagegen.directives.layers import Level, Origin
from mkdocs_imagegen.settings import Settings, read_settings

FENCE = SourceExcerpt("fence", "")
ORDER = [
    "the image",
    "of the image",
    "the prompt",
    "of the prompt",
    "the page",
    "of the page",
    "a later folder",
    "of a later folder",
    "a folder",
    "of a folder",
    "the site",
]
"""Places in order of precedence; `of` stands for the preset that is named there."""

PLACES = [each for each in ORDER if not each.startswith("of ")]


def style_of(*, styled: set[str], preset_by: str | None) -> str:
    """Return the style of an image if these places set one, and one of them names a preset."""
    written = {
        place: ({"style": place} if place in styled else {})
        | ({"preset": f"of {place}"} if preset_by == place else {})
        for place in PLACES
    }
    site = written["the site"] | {
        "presets": {name: {"style": name} for name in ORDER if name not in PLACES},
        "folders": {"**": written["a folder"], "*.md": written["a later folder"]},
        "prompts": {"raven": {"prompt": "A raven"} | written["the prompt"]},
    }
    defaults = folder_defaults(site_defaults(read_settings(site, Path())), "page.md")
    if written["the page"]:
        defaults = page_defaults(defaults, written["the page"])
    attributes = {"name": "raven"} | written["the image"]
    prompt = complete(read_fence("", attributes), defaults, FENCE).request.prompt
    return prompt.removeprefix("A raven").strip()


@pytest.mark.parametrize("preset_by", [None, *[each for each in PLACES if each != "the site"]])
def test_nearest_level_wins(preset_by):
    """Every set of places that set a style, with the preset named at one of them."""
    for truths in product([False, True], repeat=len(PLACES)):
        styled = {place for place, is_styled in zip(PLACES, truths, strict=True) if is_styled}
        setting = styled | ({f"of {preset_by}"} if preset_by else set())
        winner = next((each for each in ORDER if each in setting), "")
        assert style_of(styled=styled, preset_by=preset_by) == winner


@pytest.mark.parametrize("nearest", range(len(PLACES) - 1))
def test_only_the_nearest_preset_applies(nearest):
    """Presets further away do not apply, even to options that the nearest one does not set."""
    places = PLACES[nearest:-1]
    presets = {f"p{number}": {"width": 100 + number} for number in range(len(places))}
    presets["p0"] = {"quality": "low"}
    names = {place: {"preset": f"p{number}"} for number, place in enumerate(places)}
    site = {
        "presets": presets,
        "folders": {"**": names["a folder"], "*.md": names.get("a later folder", {})},
        "prompts": {"raven": {"prompt": "A raven"} | names.get("the prompt", {})},
    }
    defaults = folder_defaults(site_defaults(read_settings(site, Path())), "page.md")
    defaults = page_defaults(defaults, names.get("the page", {}))
    written = read_fence("", {"name": "raven"} | names.get("the image", {}))
    found = complete(written, defaults, FENCE)
    assert (found.request.quality, found.width_px) == ("low", None)


def test_site_without_folders_adds_no_layers():
    site = site_defaults(Settings())
    assert folder_defaults(site, "page.md") == replace(site, page="page.md")
    assert site.layers == ()


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        (Origin(Level.IMAGE), "the image"),
        (Origin(Level.PROMPT, "raven", "mkdocs.yml"), 'the named prompt "raven" in mkdocs.yml'),
        (Origin(Level.PAGE), "the page's front matter"),
        (Origin(Level.FOLDER, "*.md"), 'folders: "*.md"'),
        (Origin(Level.FOLDER, "*.md", preset="i"), 'preset "i", named by folders: "*.md"'),
        (Origin(Level.SITE, "style", "mkdocs.yml"), "mkdocs.yml: style"),
        (Origin(Level.DEFAULT), "the default"),
    ],
)
def test_origin_in_words(origin, words):
    assert str(origin) == words
