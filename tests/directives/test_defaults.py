"""Defaults of sites and pages, and the errors in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mkdocs_imagegen.directives.defaults import page_defaults, site_defaults
from mkdocs_imagegen.directives.options import PRESET_OPTIONS
from mkdocs_imagegen.option_parsers import OptionsError
from mkdocs_imagegen.settings import Settings, read_settings

SITE = site_defaults(Settings())
NOT_A_MAPPING = "`imagegen`: not a mapping; write options under it, like `size: 1024x1024`"


def error_of_site(written):
    with pytest.raises(OptionsError) as caught:
        site_defaults(read_settings(written, Path()))
    return str(caught.value)


def error_of_page(front_matter):
    with pytest.raises(OptionsError) as caught:
        page_defaults(SITE, front_matter)
    return str(caught.value)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"presets": ["ink"]}, "`presets`: unsupported value \"['ink']\" (supported: a mapping"),
        ({"presets": {"ink": "high"}}, "`presets.ink`: not a mapping; write options under it"),
        ({"presets": {"ink": {"size": 5}}}, '`presets.ink.size`: YAML read "5" as a number'),
        ({"presets": {"ink": {"ratio": 969}}}, '`presets.ink.ratio`: YAML read "969" as a'),
        ({"presets": {"ink": {"qualty": "x"}}}, 'did you mean "quality"?'),
        ({"presets": {"none": {}}}, "`presets.none`: reserved for no preset; choose another name"),
        (
            {"folders": {"a/**": {"preset": "inc"}}, "presets": {"ink": {}}},
            '`folders.a/**.preset`: unknown preset "inc"; did you mean "ink"?',
        ),
        (
            {"prompts": {"a": {"prompt": "A", "preset": "inc"}}},
            '`prompts.a.preset`: unknown preset "inc" (presets: none); define it under `presets:`',
        ),
    ],
)
def test_errors_of_a_site_name_the_option(written, message):
    assert message in error_of_site(written)


@pytest.mark.parametrize("name", ["prompt", "name", "preset", "alt", "id", "take"])
def test_preset_cannot_set_options_of_one_image(name):
    message = error_of_site({"presets": {"ink": {name: "1"}}})
    assert message == f"`presets.ink.{name}`: not supported in a preset; set it on each image"


def test_unknown_option_of_a_preset_lists_the_options_of_presets():
    message = error_of_site({"presets": {"ink": {"colour": "red"}}})
    options = ", ".join(sorted(PRESET_OPTIONS))
    assert message == f'`presets.ink`: unknown option "colour" (supported: {options})'


def test_models_that_are_not_allowed_come_together():
    other = {"model": "acme/two"}
    written = {
        "presets": {"ink": other},
        "prompts": {"hero": {"prompt": "A", **other}},
        "folders": {"blog/**": other},
        "model": "site/one",
    }
    message = error_of_site(written | {"allowed_models": ["open/*"]})
    fault = 'model "acme/two" is not in `allowed_models` (supported: open/*, site/one)'
    for path in ("presets.ink", "prompts.hero", "folders.blog/**"):
        assert f"`{path}.model`: {fault}" in message
    for allowed in (None, ["acme/*"], "acme/two"):
        site_defaults(read_settings(written | {"allowed_models": allowed}, Path()))


def test_errors_of_presets_prompts_and_folders_come_together():
    message = error_of_site(
        {
            "presets": {"a": {"take": 1}, "b": 5},
            "prompts": {"c": 5},
            "folders": {"d": {"preset": "e"}},
        }
    )
    for path in ("presets.a.take", "presets.b", "prompts.c.prompt", "folders.d.preset"):
        assert f"`{path}`" in message


@pytest.mark.parametrize(
    ("front_matter", "message"),
    [
        ("text", NOT_A_MAPPING),
        ([1], NOT_A_MAPPING),
        ({"prompt": "x"}, 'unknown option "prompt"'),
        ({"sise": "1x1"}, 'did you mean "size"?'),
        ({5: "x"}, 'unknown option "5"'),
        (
            {"style": False},
            '`style`: YAML read "False" as true or false, not as text; put it in quotes',
        ),
        ({"quality": 5}, '`quality`: YAML read "5" as a number, not as text; put it in quotes'),
        ({"model": ["a"]}, "`model`: YAML read \"['a']\" as a list, not as text; put it in"),
        ({"size": 1024}, '`size`: YAML read "1024" as a number, not as text; put it in quotes'),
        ({"prompts": "x"}, '`prompts`: unsupported value "x" (supported: a mapping of names'),
        (
            {"prompts": {"hero": True}},
            '`prompts.hero.prompt`: YAML read "True" as true or false, not as text; put',
        ),
        ({"prompts": {"hero": {"alt": 5}}}, '`prompts.hero.alt`: YAML read "5" as a number'),
        ({"prompts": {"hero": {"class": True}}}, '`prompts.hero.class`: YAML read "True"'),
        ({"prompts": {"hero": {"id": 7}}}, '`prompts.hero.id`: YAML read "7" as a number'),
        ({"prompts": {"hero": {"alte": "x"}}}, '`prompts.hero`: unknown option "alte"'),
    ],
)
def test_errors_of_a_page_name_the_option(front_matter, message):
    assert message in error_of_page(front_matter)


def test_all_errors_of_a_page_come_together():
    message = error_of_page({"size": "big", "sise": "1x1", "qualty": "low"})
    assert message == (
        'unknown options "sise" and "qualty"; did you mean "size" and "quality"?; `size`: '
        'unsupported value "big" (supported: WIDTHxHEIGHT, like 1536x1024, up to 8192 per side and '
        "50000000 pixels)"
    )


def test_all_errors_of_named_prompts_come_together():
    message = error_of_page({"prompts": {"a": {"take": 0}, "b": 1, "c": {"alt": True}}})
    for path in ("a.take", "b.prompt", "c.alt"):
        assert f"`prompts.{path}`" in message
