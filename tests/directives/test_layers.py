"""Who says what for an image, who wins, and how that is told."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkdocs_imagegen.directives.completing import completed
from mkdocs_imagegen.directives.defaults import folder_defaults, page_defaults, site_defaults
from mkdocs_imagegen.directives.directive import SourceExcerpt
from mkdocs_imagegen.directives.explain import Choice, Part, explain
from mkdocs_imagegen.directives.grammar import read_fence
from mkdocs_imagegen.directives.layers import Level, Origin
from mkdocs_imagegen.directives.options import DirectiveOptions
from mkdocs_imagegen.directives.registry import Registry
from mkdocs_imagegen.options import OptionsError, option_names
from mkdocs_imagegen.request import final_prompt
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
"""Who wins, the first one first; `of` stands for the preset that is named there."""

PLACES = [each for each in ORDER if not each.startswith("of ")]


def style_of(*, styled: set[str], preset_by: str | None) -> str:
    """The style of an image, if these say one, each its own name; one of them names a preset."""
    said = {
        location: ({"style": location} if location in styled else {})
        | ({"preset": f"of {location}"} if preset_by == location else {})
        for location in PLACES
    }
    site = said["the site"] | {
        "presets": {name: {"style": name} for name in ORDER if name not in PLACES},
        "folders": {"**": said["a folder"], "*.md": said["a later folder"]},
        "prompts": {"raven": {"prompt": "A raven"} | said["the prompt"]},
    }
    defaults = folder_defaults(site_defaults(read_settings(site, Path())), "page.md")
    if said["the page"]:
        defaults = page_defaults(defaults, said["the page"])
    attributes = {"name": "raven"} | said["the image"]
    prompt = completed(read_fence("", attributes), defaults, FENCE).request.prompt
    return prompt.removeprefix("A raven").strip()


@pytest.mark.parametrize("preset_by", [None, *[each for each in PLACES if each != "the site"]])
def test_the_nearest_wins(preset_by):
    """Every set of places that say a style, with the preset named at one of them."""
    for truths in product([False, True], repeat=len(PLACES)):
        styled = {location for location, is_styled in zip(PLACES, truths, strict=True) if is_styled}
        saying = styled | ({f"of {preset_by}"} if preset_by else set())
        winner = next((each for each in ORDER if each in saying), "")
        assert style_of(styled=styled, preset_by=preset_by) == winner


@pytest.mark.parametrize("nearest", range(len(PLACES) - 1))
def test_only_the_nearest_preset_counts(nearest):
    """Presets of places further away give nothing, even what the nearest preset leaves open."""
    locations = PLACES[nearest:-1]
    presets = {f"p{number}": {"width": 100 + number} for number in range(len(locations))}
    presets["p0"] = {"quality": "low"}
    names = {location: {"preset": f"p{number}"} for number, location in enumerate(locations)}
    site = {
        "presets": presets,
        "folders": {"**": names["a folder"], "*.md": names.get("a later folder", {})},
        "prompts": {"raven": {"prompt": "A raven"} | names.get("the prompt", {})},
    }
    defaults = folder_defaults(site_defaults(read_settings(site, Path())), "page.md")
    defaults = page_defaults(defaults, names.get("the page", {}))
    said = read_fence("", {"name": "raven"} | names.get("the image", {}))
    found = completed(said, defaults, FENCE)
    assert (found.request.quality, found.width_px) == ("low", None)


def test_a_site_without_layers_inherits_nothing_more():
    site = site_defaults(Settings())
    assert folder_defaults(site, "page.md") == replace(site, page="page.md")
    assert site.layers == ()


def faults_of(written):
    with pytest.raises(OptionsError) as caught:
        site_defaults(read_settings(written, Path()))
    return str(caught.value)


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        (
            {"presets": ["ink"]},
            'option "presets": "[\'ink\']" is not accepted (accepted: a mapping',
        ),
        ({"presets": {"ink": "high"}}, 'option "presets.ink": is no mapping; write options below'),
        ({"presets": {"ink": {"size": 5}}}, 'option "presets.ink.size": YAML read "5" as a number'),
        ({"presets": {"ink": {"ratio": 969}}}, 'option "presets.ink.ratio": YAML read "969" as a'),
        ({"presets": {"ink": {"qualty": "x"}}}, 'did you mean "quality"?'),
        ({"presets": {"none": {}}}, 'option "presets.none": means no preset; choose another name'),
        (
            {"folders": {"a/**": {"preset": "inc"}}, "presets": {"ink": {}}},
            'option "folders.a/**.preset": there is no preset named "inc" (presets: ink); did you',
        ),
        (
            {"prompts": {"a": {"prompt": "A", "preset": "inc"}}},
            'option "prompts.a.preset": there is no preset named "inc" (presets: none); define it',
        ),
    ],
)
def test_what_a_site_says_is_read_with_care(written, fault):
    assert fault in faults_of(written)


@pytest.mark.parametrize("name", ["prompt", "name", "preset", "alt", "id", "take"])
def test_a_preset_is_no_image(name):
    told = faults_of({"presets": {"ink": {name: "1"}}})
    assert told == f'option "presets.ink.{name}": no preset has it; write it at each image'


def test_what_a_preset_may_say_is_listed():
    told = faults_of({"presets": {"ink": {"colour": "red"}}})
    known = set(option_names(DirectiveOptions)) - {"prompt", "name", "preset", "alt", "id", "take"}
    assert told == f'unknown option "colour" (known: {", ".join(sorted(known))})'


def test_faults_of_presets_prompts_and_folders_are_told_at_once():
    told = faults_of(
        {
            "presets": {"a": {"take": 1}, "b": 5},
            "prompts": {"c": 5},
            "folders": {"d": {"preset": "e"}},
        }
    )
    for part in ("presets.a.take", "presets.b", "prompts.c.prompt", "folders.d.preset"):
        assert f'"{part}"' in told


SITE = {
    "style": "Flat colours",
    "quality": "low",
    "presets": {
        "ink": {"style": "Black  ink", "ratio": "4:3", "focus": "top", "class": "ink small"},
        "plain": {"style": "none"},
    },
    "folders": {"*.md": {"size": "1024x1024", "preset": "ink"}},
    "prompts": {"raven": {"prompt": "A  raven", "widths": "300 200"}},
}
FOLDER = Origin(Level.FOLDER, "*.md")
INK = Origin(Level.FOLDER, "*.md", preset="ink")
RAVEN = Origin(Level.PROMPT, "raven", "mkdocs.yml")
IMAGE = Origin(Level.IMAGE)


def opened(front_matter=None):
    registry = Registry(site_defaults(read_settings(SITE, Path())))
    registry.open_page("page.md", {"imagegen": front_matter} if front_matter else {})
    return registry


def explained(registry, attributes, page="page.md"):
    token, _ = registry.read(page, FENCE, lambda: read_fence("", attributes))
    return registry.explain(token, page)


def test_a_registry_that_need_not_explain_keeps_nothing_for_it():
    registry = Registry(site_defaults(read_settings(SITE, Path())), can_explain=False)
    assert explained(registry, {"name": "raven"}) is None


def test_every_part_of_a_prompt_has_its_origin():
    told = explained(opened(), {"name": "raven", "dark": "At night"})
    assert told.parts == (
        Part("subject", "A  raven", RAVEN),
        Part("style", "Black  ink", INK),
        Part("dark", "At night", IMAGE),
    )
    assert told.directive.request.prompt == "A raven\n\nBlack ink"
    assert told.directive.dark.prompt == "A raven\n\nBlack ink\n\nAt night"


def test_every_option_has_its_origin():
    told = explained(opened({"quality": "high"}), {"name": "raven", "take": "2"})
    assert told.choices == (
        Choice("name", "raven", IMAGE),
        Choice("preset", "ink", FOLDER),
        Choice("size", "1024x1024", FOLDER),
        Choice("quality", "high", Origin(Level.PAGE)),
        Choice("background", "auto", Origin(Level.DEFAULT)),
        Choice("model", "openai/gpt-image-1-mini", Origin(Level.DEFAULT)),
        Choice("take", "2", IMAGE),
        Choice("ratio", "4:3", INK),
        Choice("focus", "50% 0%", INK),
        Choice("widths", "200 300", RAVEN),
        Choice("class", "ink small", INK),
    )


def test_what_the_site_says_is_told_from_what_is_the_default():
    told = explained(opened(), {"prompt": "A crow"}, "elsewhere/page.md")
    assert told.parts[1] == Part("style", "Flat colours", Origin(Level.SITE, "style"))
    assert Choice("quality", "low", Origin(Level.SITE, "quality")) in told.choices
    assert Choice("size", "1536x1024", Origin(Level.DEFAULT)) in told.choices


def test_who_leaves_the_style_out_is_told():
    told = explained(opened(), {"name": "raven", "preset": "plain"})
    assert told.parts[1] == Part("style", "", Origin(Level.IMAGE, preset="plain"))


def test_a_page_tells_of_its_own_named_prompts():
    told = explained(opened({"prompts": {"raven": "Two ravens"}}), {"name": "raven"})
    origin = Origin(Level.PROMPT, "raven", "the page's front matter")
    assert told.parts[0] == Part("subject", "Two ravens", origin)


def test_where_sketches_are_drawn_the_address_says_the_model():
    site = site_defaults(read_settings({"gateway": {"url": "sketch:"}}, Path()))
    told = explain(read_fence("A crow", {"model": "a/b"}), site, FENCE)
    assert Choice("model", "imagegen/sketch", Origin(Level.SITE, "gateway.url")) in told.choices


def test_a_preview_is_explained_by_who_asks_for_it():
    own, sites = opened({"preview": "A heron"}), opened()
    preview = own.read_preview("page.md", "A coast")
    assert own.explain(preview.token, "page.md").parts[0] == Part("subject", "A heron", IMAGE)
    preview = sites.read_preview("page.md", "A coast")
    told = sites.explain(preview.token, "page.md")
    assert told.parts[0] == Part("subject", "A coast", Origin(Level.SITE, "previews.default"))


def test_a_image_is_explained_by_the_page_that_shows_it():
    """The same directive, of two pages with the same style by different ways."""
    registry = opened({"style": "Black ink", "preset": "none"})
    registry.open_page("other.md", {"imagegen": {}})
    attributes = {
        "prompt": "A crow",
        "size": "512x512",
        "ratio": "1:1",
        "class": "a",
        "focus": "top",
    }
    first = explained(registry, attributes)
    second = explained(registry, attributes, "other.md")
    assert first.directive == second.directive
    assert (first.parts[1].origin, second.parts[1].origin) == (Origin(Level.PAGE), INK)


def test_another_shape_of_a_image_is_explained_as_the_image():
    registry = opened()
    _, found = registry.read("page.md", FENCE, lambda: read_fence("A crow", {}))
    token, _ = registry.add(replace(found, alt="", width_px=160))
    assert registry.explain(token, "page.md").directive == found


def test_mistakes_and_strangers_are_not_explained():
    registry = opened()
    token, _ = registry.read("page.md", FENCE, lambda: read_fence("", {}))
    assert registry.explain(token, "page.md") is None
    assert registry.explain("imagegen:t", "page.md") is None


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        (IMAGE, "the image"),
        (RAVEN, 'the named prompt "raven" in mkdocs.yml'),
        (Origin(Level.PAGE), "the page's front matter"),
        (FOLDER, 'folders: "*.md"'),
        (INK, 'preset "ink", named by folders: "*.md"'),
        (Origin(Level.SITE, "style"), "mkdocs.yml: style"),
        (Origin(Level.DEFAULT), "the default"),
    ],
)
def test_an_origin_in_words(origin, words):
    assert str(origin) == words


STYLES = st.sampled_from(["", "none", "Chalk", "Oil  paint"])


@given(STYLES, st.none() | STYLES, st.none() | STYLES, st.sampled_from(["", "At night"]))
def test_the_parts_make_the_prompt(site, page, own, dark):
    defaults = site_defaults(read_settings({"style": site}, Path()))
    defaults = defaults if page is None else page_defaults(defaults, {"style": page})
    attributes = {"dark": dark} | ({} if own is None else {"style": own})
    told = explain(read_fence("A raven", attributes), defaults, FENCE)
    light = [each.text for each in told.parts if each.role != "dark"]
    assert final_prompt(*light) == told.directive.request.prompt
    if dark:
        texts = (each.text for each in told.parts)
        assert final_prompt(*texts) == told.directive.dark.prompt
