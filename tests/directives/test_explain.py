"""Origins of the options and prompt parts of a directive."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from mkdocs_imagegen.directives.defaults import folder_defaults, page_defaults, site_defaults
from mkdocs_imagegen.directives.directive import SourceExcerpt
from mkdocs_imagegen.directives.explain import PromptPart, ResolvedOption, explain
from mkdocs_imagegen.directives.grammar import read_fence
from mkdocs_imagegen.directives.layers import Level, Origin
from mkdocs_imagegen.request import final_prompt
from mkdocs_imagegen.settings import read_settings

SITE = {
    "style": "Flat colors",
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
SITE_STYLE = Origin(Level.SITE, "style", "mkdocs.yml")
SITE_QUALITY = Origin(Level.SITE, "quality", "mkdocs.yml")
STYLES = st.sampled_from(["", "none", "Chalk", "Oil  paint"])


def explained(attributes, front_matter=None, page="page.md", settings=SITE):
    defaults = folder_defaults(site_defaults(read_settings(settings, Path())), page)
    if front_matter:
        defaults = page_defaults(defaults, front_matter)
    return explain(read_fence("", attributes), defaults, SourceExcerpt("fence", ""))


def test_each_part_of_a_prompt_has_its_origin():
    found = explained({"name": "raven", "dark": "At night"})
    assert found.parts == (
        PromptPart("subject", "A  raven", RAVEN),
        PromptPart("style", "Black  ink", INK),
        PromptPart("dark", "At night", IMAGE),
    )
    assert found.directive.request.prompt == "A raven\n\nBlack ink"
    assert found.directive.dark.prompt == "A raven\n\nBlack ink\n\nAt night"


def test_each_option_has_its_origin():
    found = explained({"name": "raven", "take": "2"}, {"quality": "high"})
    assert found.options == (
        ResolvedOption("size", "1024x1024", FOLDER),
        ResolvedOption("quality", "high", Origin(Level.PAGE)),
        ResolvedOption("background", "auto", Origin(Level.DEFAULT)),
        ResolvedOption("model", "openai/gpt-image-1-mini", Origin(Level.DEFAULT)),
        ResolvedOption("preset", "ink", FOLDER),
        ResolvedOption("name", "raven", IMAGE),
        ResolvedOption("take", "2", IMAGE),
        ResolvedOption("ratio", "4:3", INK),
        ResolvedOption("focus", "50% 0%", INK),
        ResolvedOption("widths", "200 300", RAVEN),
        ResolvedOption("class", "ink small", INK),
    )


def test_settings_of_the_site_are_distinguished_from_defaults():
    found = explained({"prompt": "A crow"}, page="elsewhere/page.md")
    assert found.parts[1] == PromptPart("style", "Flat colors", SITE_STYLE)
    assert ResolvedOption("quality", "low", SITE_QUALITY) in found.options
    assert ResolvedOption("size", "1536x1024", Origin(Level.DEFAULT)) in found.options


def test_removed_style_has_its_origin():
    found = explained({"name": "raven", "preset": "plain"})
    assert found.parts[1] == PromptPart("style", "", Origin(Level.IMAGE, preset="plain"))


def test_named_prompt_of_a_page_has_its_origin():
    found = explained({"name": "raven"}, {"prompts": {"raven": "Two ravens"}})
    origin = Origin(Level.PROMPT, "raven", "the page's front matter")
    assert found.parts[0] == PromptPart("subject", "Two ravens", origin)


def test_gateway_url_is_the_origin_of_the_sketch_model():
    settings = {"gateway": {"url": "sketch:"}}
    found = explained({"prompt": "A crow", "model": "a/b"}, settings=settings)
    origin = Origin(Level.SITE, "gateway.url", "mkdocs.yml")
    assert ResolvedOption("model", "imagegen/sketch", origin) in found.options


@given(STYLES, st.none() | STYLES, st.none() | STYLES, st.sampled_from(["", "At night"]))
def test_parts_make_up_the_final_prompt(site, page, own, dark):
    attributes = {"prompt": "A raven", "dark": dark} | ({} if own is None else {"style": own})
    front_matter = None if page is None else {"style": page}
    found = explained(attributes, front_matter, settings={"style": site})
    light = [each.text for each in found.parts if each.role != "dark"]
    assert final_prompt(*light) == found.directive.request.prompt
    if dark:
        texts = (each.text for each in found.parts)
        assert final_prompt(*texts) == found.directive.dark.prompt
