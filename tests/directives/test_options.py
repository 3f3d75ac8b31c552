"""Options of images and pages, and HTML attributes that pass through."""

from __future__ import annotations

import pytest

from mkdocs_imagegen.directives.options import (
    NOT_IN_PRESETS,
    PRESET_OPTIONS,
    DirectiveOptions,
    PageOptions,
    is_html_attribute,
)
from mkdocs_imagegen.option_parsers import option_names
from mkdocs_imagegen.settings import InheritedOptions


@pytest.mark.parametrize("kind", [DirectiveOptions, PageOptions])
def test_pages_and_images_have_the_inherited_options_first(kind):
    inherited = option_names(InheritedOptions)
    assert inherited == ["size", "quality", "background", "model", "style", "preset"]
    assert option_names(kind)[: len(inherited)] == inherited


def test_presets_have_all_options_but_those_of_one_image():
    assert sorted([*PRESET_OPTIONS, *NOT_IN_PRESETS]) == sorted(option_names(DirectiveOptions))


@pytest.mark.parametrize(
    "name", ["data-", "data-a b", "aria-x\ty", 'data-"', "data-a=b", "onclick"]
)
def test_name_that_breaks_out_of_a_tag_is_no_html_attribute(name):
    assert not is_html_attribute(name, "x")


@pytest.mark.parametrize(
    "name", ["lang", "data-x", "data-a.b:c_d-e", "aria-label", "fetchpriority"]
)
def test_html_attributes_pass_through(name):
    assert is_html_attribute(name, "x")


@pytest.mark.parametrize("name", ["src", "srcset", "alt", "width", "height", "style", "onload"])
def test_attributes_that_the_markup_sets_do_not_pass_through(name):
    assert not is_html_attribute(name, "x")


def test_style_is_css_if_its_value_has_a_colon():
    assert is_html_attribute("style", "border: 1px")
    assert not is_html_attribute("style", "Black ink")
