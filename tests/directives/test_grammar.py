"""Text of blocks and images as options and prompt, beside the case files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkdocs_imagegen.directives.defaults import site_defaults
from mkdocs_imagegen.directives.directive import SourceExcerpt, complete
from mkdocs_imagegen.directives.grammar import (
    ImageText,
    read_fence,
    read_image,
    split_fence,
)
from mkdocs_imagegen.directives.options import DirectiveOptions
from mkdocs_imagegen.errors import DirectiveError, ImagegenError
from mkdocs_imagegen.option_parsers import option_names
from mkdocs_imagegen.settings import Settings

SITE = site_defaults(Settings())
FENCE = SourceExcerpt("fence", "")
LINES = st.text("abc :-#'\"é", min_size=1, max_size=20).map(str.strip).filter(bool)


@given(st.text(max_size=200))
def test_any_block_yields_a_directive_or_an_error(body):
    try:
        directive = complete(read_fence(body, {}), SITE, FENCE)
    except ImagegenError:
        return
    assert directive.request.prompt.strip()


@given(st.text(max_size=60), st.text(max_size=60), st.none() | st.text(max_size=60))
def test_any_inline_image_yields_a_directive_or_an_error(text, target, title):
    image = ImageText(text, f"imagegen:{target}", title, {})
    try:
        directive = complete(read_image(image), SITE, FENCE)
    except ImagegenError:
        return
    assert directive.request.prompt.strip()


@given(st.dictionaries(st.sampled_from(["alt", "caption", "title"]), LINES), LINES)
def test_split_fence_separates_options_and_prompt(options, prompt):
    header = "".join(f"{name}: {value}\n" for name, value in options.items())
    pairs, rest = split_fence(f"---\n{header}---\n{prompt}\n")
    read = dict(pairs)
    assert rest == prompt
    assert list(read) == list(options)
    for name, value in options.items():
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
        quoted = quoted and value[0] not in value[1:-1]
        assert read[name] == (value[1:-1] if quoted else value)


@pytest.mark.parametrize("name", option_names(DirectiveOptions))
def test_options_without_an_end_are_an_error(name):
    with pytest.raises(DirectiveError, match="no line with --- after the options"):
        split_fence(f"{name}: x\nA balloon")
