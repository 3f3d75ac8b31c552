"""Directives completed with inherited options."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given

from mkdocs_imagegen.directives.defaults import site_defaults
from mkdocs_imagegen.directives.directive import (
    MAX_PROMPT,
    SourceExcerpt,
    build_token,
    complete,
)
from mkdocs_imagegen.directives.grammar import read_fence
from mkdocs_imagegen.errors import DirectiveError
from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.settings import Settings, read_settings
from tests.directives.strategies import DIRECTIVES

SITE = site_defaults(Settings())


def fence(body, defaults=SITE):
    return complete(read_fence(body, {}), defaults, SourceExcerpt("fence", ""))


def test_prompt_of_the_maximum_length_is_accepted():
    assert len(fence("x" * MAX_PROMPT).request.prompt) == MAX_PROMPT


def test_style_counts_for_the_length_of_the_prompt():
    styled = site_defaults(read_settings({"style": "flat"}, Path()))
    with pytest.raises(DirectiveError) as caught:
        fence("x" * MAX_PROMPT, defaults=styled)
    assert str(caught.value) == "the prompt has 32006 characters (supported: up to 32000)"


def test_dark_text_counts_for_the_length_of_the_prompt():
    fits = f"dark: dark\n---\n{'x' * (MAX_PROMPT - 6)}"
    assert len(fence(fits).dark.prompt) == MAX_PROMPT
    with pytest.raises(DirectiveError, match="the prompt has 32001 characters"):
        fence(f"{fits}x")


def test_dark_image_differs_only_in_its_prompt():
    found = fence("take: 3\nquality: high\ndark: At night\n---\nA balloon")
    assert found.dark == replace(found.request, prompt="A balloon\n\nAt night")
    assert found.requests == (found.request, found.dark)


def test_image_without_dark_has_one_request():
    found = fence("A balloon")
    assert found.dark is None
    assert found.requests == (found.request,)


def test_layout_options_do_not_change_the_request():
    whole = fence("A balloon")
    cropped = fence("ratio: 1:1\nfocus: left\nwidths: 100\nsizes: 5vw\nwidth: 50\n---\nA balloon")
    assert cropped.request == whole.request
    assert (cropped.layout.size, cropped.layout_size) == (Size(1024, 1024), Size(50, 50))


@given(DIRECTIVES)
def test_layout_size_keeps_the_proportions(directive):
    size, layout_size = directive.layout.size, directive.layout_size
    assert layout_size.width == (directive.width_px or size.width)
    assert layout_size.height >= 1
    assert abs(layout_size.height - layout_size.width * size.height / size.width) <= 1


@given(DIRECTIVES, DIRECTIVES)
def test_token_identifies_a_directive(one, other):
    assert (build_token(one) == build_token(other)) == (repr(one) == repr(other))
    assert re.fullmatch(r"imagegen:t[0-9a-f]{40}", build_token(one))
