"""From what is written to a directive: the whole, beside the case files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkdocs_imagegen.directives.completing import MAX_PROMPT, completed
from mkdocs_imagegen.directives.defaults import page_defaults, site_defaults
from mkdocs_imagegen.directives.directive import Directive, InvalidDirective, SourceExcerpt
from mkdocs_imagegen.directives.grammar import (
    ImageText,
    read_fence,
    read_image,
    split_fence,
)
from mkdocs_imagegen.directives.options import DirectiveOptions, is_html_attribute
from mkdocs_imagegen.directives.registry import Registry
from mkdocs_imagegen.directives.source_lines import SourceLines
from mkdocs_imagegen.errors import DirectiveError, ImagegenError
from mkdocs_imagegen.options import OptionsError, Size, option_names
from mkdocs_imagegen.settings import Settings, read_settings

SITE = site_defaults(Settings())
FENCE = SourceExcerpt("fence", "")


def fence(body, attributes=None, defaults=SITE):
    return completed(read_fence(body, attributes or {}), defaults, FENCE)


def test_a_prompt_may_be_as_long_as_the_gateway_takes():
    assert len(fence("x" * MAX_PROMPT).request.prompt) == MAX_PROMPT


def test_a_longer_prompt_is_a_mistake_that_counts_the_house_style():
    styled = site_defaults(read_settings({"style": "flat"}, Path()))
    with pytest.raises(DirectiveError) as caught:
        fence("x" * MAX_PROMPT, defaults=styled)
    assert str(caught.value) == "the prompt has 32006 characters (up to 32000)"


@given(st.text(max_size=200))
def test_no_fence_is_read_without_a_directive_or_a_reason(body):
    try:
        directive = fence(body)
    except ImagegenError:
        return
    assert directive.request.prompt.strip()


@given(st.text(max_size=60), st.text(max_size=60), st.none() | st.text(max_size=60))
def test_no_image_is_read_without_a_directive_or_a_reason(text, target, title):
    image = ImageText(text, f"imagegen:{target}", title, {})
    try:
        directive = completed(read_image(image), SITE, FENCE)
    except ImagegenError:
        return
    assert directive.request.prompt.strip()


LINES = st.text("abc :-#'\"é", min_size=1, max_size=20).map(str.strip).filter(bool)


@given(st.dictionaries(st.sampled_from(["alt", "caption", "title"]), LINES), LINES)
def test_options_and_prompt_come_apart_as_they_were_put_together(options, prompt):
    header = "".join(f"{name}: {value}\n" for name, value in options.items())
    read, rest = split_fence(f"---\n{header}---\n{prompt}\n")
    assert rest == prompt
    assert list(read) == list(options)
    for name, value in options.items():
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
        quoted = quoted and value[0] not in value[1:-1]
        assert read[name] == (value[1:-1] if quoted else value)


@pytest.mark.parametrize("name", option_names(DirectiveOptions))
def test_every_option_asks_for_an_end_of_the_options(name):
    with pytest.raises(DirectiveError, match="have no end"):
        split_fence(f"{name}: x\nA balloon")


@pytest.mark.parametrize(
    "name", ["data-", "data-a b", "aria-x\ty", 'data-"', "data-a=b", "onclick"]
)
def test_a_name_that_breaks_out_of_a_tag_is_no_attribute(name):
    assert not is_html_attribute(name, "x")


@pytest.mark.parametrize(
    "name", ["loading", "data-x", "data-a.b:c_d-e", "aria-label", "fetchpriority"]
)
def test_attributes_of_html_pass(name):
    assert is_html_attribute(name, "x")


@pytest.mark.parametrize("name", ["src", "srcset", "alt", "width", "height", "style", "onload"])
def test_attributes_that_we_write_ourselves_do_not_pass(name):
    assert not is_html_attribute(name, "x")


def faults_of(front_matter):
    with pytest.raises(OptionsError) as caught:
        page_defaults(SITE, front_matter)
    return str(caught.value)


@pytest.mark.parametrize(
    ("front_matter", "fault"),
    [
        (
            "text",
            'option "imagegen": is no mapping; write options below it, like `size: 1024x1024`',
        ),
        ([1], 'option "imagegen": is no mapping; write options below it, like `size: 1024x1024`'),
        ({"prompt": "x"}, 'unknown option "prompt"'),
        ({"sise": "1x1"}, 'did you mean "size"?'),
        ({5: "x"}, 'unknown option "5"'),
        (
            {"style": False},
            'option "style": YAML read "False" as true or false, not as text; put it in quotes',
        ),
        ({"quality": 5}, 'option "quality": YAML read "5" as a number, not as text; put it in'),
        ({"model": ["a"]}, 'option "model": YAML read "[\'a\']" as a list, not as text; put it'),
        (
            {"size": 1024},
            'option "size": YAML read "1024" as a number, not as text; put it in quotes',
        ),
        ({"prompts": "x"}, 'option "prompts": "x" is not accepted (accepted: a mapping of names'),
        (
            {"prompts": {"hero": True}},
            'option "prompts.hero.prompt": YAML read "True" as true or false, not as text; put',
        ),
        ({"prompts": {"hero": {"alt": 5}}}, 'option "prompts.hero.alt": YAML read "5" as a number'),
        ({"prompts": {"hero": {"class": True}}}, 'option "prompts.hero.class": YAML read "True"'),
        ({"prompts": {"hero": {"id": 7}}}, 'option "prompts.hero.id": YAML read "7" as a number'),
        ({"prompts": {"hero": {"alte": "x"}}}, 'unknown option "alte"'),
    ],
)
def test_what_a_page_says_is_read_with_care(front_matter, fault):
    assert fault in faults_of(front_matter)


def test_every_fault_of_a_page_is_told_at_once():
    told = faults_of({"size": "big", "colour": "red"})
    assert told.startswith('option "size"')
    assert '; unknown option "colour"' in told


def test_faults_in_named_prompts_are_all_told():
    told = faults_of({"prompts": {"a": {"take": 0}, "b": 1, "c": {"alt": True}}})
    assert [name for name in ("a.take", "b.prompt", "c.alt") if f"prompts.{name}" in told] == [
        "a.take",
        "b.prompt",
        "c.alt",
    ]


def read_on(registry, page):
    return registry.read(page, FENCE, lambda: read_fence("A", {}))[1]


def test_a_page_with_faults_asks_for_nothing_until_they_are_mended():
    registry = Registry(SITE)
    registry.open_page("a.md", {"imagegen": {"size": "512x512"}})
    with pytest.raises(OptionsError):
        registry.open_page("a.md", {"imagegen": {"size": "big"}})
    found = read_on(registry, "a.md")
    assert isinstance(found, InvalidDirective)
    assert found.text == "the page's front matter has a mistake; mend that first"
    assert found.layout_size == Settings().size
    assert isinstance(read_on(registry, "b.md"), Directive)
    registry.open_page("a.md", {"imagegen": {"quality": "low"}})
    assert read_on(registry, "a.md").request.quality == "low"
    registry.open_page("a.md", {})
    assert read_on(registry, "a.md").request.quality == "medium"


def test_a_image_for_dark_surroundings_differs_by_its_words_alone():
    found = fence("take: 3\nquality: high\ndark: At night\n---\nA balloon")
    assert found.dark == replace(found.request, prompt="A balloon\n\nAt night")
    assert found.requests == (found.request, found.dark)


def test_a_image_for_both_surroundings_is_asked_for_once():
    found = fence("A balloon")
    assert found.dark is None
    assert found.requests == (found.request,)


def test_a_cut_buys_no_other_image():
    whole = fence("A balloon")
    cut = fence("ratio: 1:1\nfocus: left\nwidths: 100\nsizes: 5vw\nwidth: 50\n---\nA balloon")
    assert cut.request == whole.request
    assert (cut.layout.size, cut.layout_size) == (Size(1024, 1024), Size(50, 50))


def test_the_words_for_dark_surroundings_count_too():
    fits = f"dark: dark\n---\n{'x' * (MAX_PROMPT - 6)}"
    assert len(fence(fits).dark.prompt) == MAX_PROMPT
    with pytest.raises(DirectiveError, match="the prompt has 32001 characters"):
        fence(f"{fits}x")


def test_pages_keep_their_own_defaults():
    registry = Registry(SITE)
    registry.open_page("a.md", {"imagegen": {"quality": "high"}})
    registry.open_page("b.md", {})
    kinds = {
        page: registry.read(page, FENCE, lambda: read_fence("A", {}))[1]
        for page in ("a.md", "b.md", None, "never opened")
    }
    assert {page: found.request.quality for page, found in kinds.items()} == {
        "a.md": "high",
        "b.md": "medium",
        None: "medium",
        "never opened": "medium",
    }


def test_equal_directives_are_one():
    registry = Registry(SITE)
    first = registry.read(None, FENCE, lambda: read_fence("A  balloon", {}))
    again = registry.read(None, FENCE, lambda: read_fence("A  balloon", {}))
    assert first == again
    assert len(registry) == 1
    assert registry.get(first[0]) == first[1]
    assert registry.get("imagegen:t") is None


def test_a_mistake_is_kept_with_its_words():
    registry = Registry(SITE)
    name, found = registry.read(None, FENCE, lambda: read_fence("", {}))
    assert isinstance(found, InvalidDirective)
    assert found.text == "there is no prompt; write what the image shows"
    assert registry.get(name) == found


@pytest.mark.parametrize(
    ("source", "text", "occurrence", "line"),
    [
        (SourceExcerpt("fence", "A"), "\n```imagegen\nA\n```\n```imagegen\nA\n```", 1, 5),
        (SourceExcerpt("fence", "A"), "```imagegen\nA\n```", 7, 1),
        (SourceExcerpt("fence", "A"), "```imagegen\nB\n```", 0, None),
        (SourceExcerpt("fence", "A"), "```python\nA\n```", 0, None),
        (SourceExcerpt("fence", "A"), "\r\n```imagegen\r\n\r\n   A  \r\n```\r\n", 0, 2),
        (SourceExcerpt("fence", "> A"), "```imagegen\n> A\n```", 0, 1),
        (SourceExcerpt("fence", "A"), "> ~~~ { .imagegen }\n> A\n> ~~~", 0, 1),
        (SourceExcerpt("fence", "A"), "\x0c a \u2028 b\n```imagegen\nA\n```", 0, 2),
        (
            SourceExcerpt("fence", "A"),
            "````\n```imagegen\nA\n```\n````\n- ```imagegen\n  A\n  ```",
            0,
            6,
        ),
        (SourceExcerpt("fence", "A"), "````\n```imagegen\nA\n```\n````\n", 0, 2),
        (
            SourceExcerpt("inline image", "A", "imagegen:"),
            "```\n![A](imagegen:)\n```\n![A](imagegen:)",
            0,
            4,
        ),
        (
            SourceExcerpt("inline image", "A", "imagegen:x"),
            "![A](imagegen:)\n![A](imagegen:x)",
            0,
            2,
        ),
        (
            SourceExcerpt("inline image", "", "imagegen:x"),
            "![B](imagegen:x)\n![](imagegen:x)",
            0,
            2,
        ),
        (SourceExcerpt("inline image", "A", "imagegen:"), "![B](imagegen:)", 0, None),
        (SourceExcerpt("inline image", "A", "imagegen:"), "![A](imagegen:nope)", 0, None),
        (
            SourceExcerpt("inline image", "A", "imagegen:"),
            "![A](imagegen:nope) ![A](imagegen:)",
            0,
            1,
        ),
        (
            SourceExcerpt("inline image", "A", "imagegen:"),
            "![A](imagegen:?take=2)\n![A](imagegen:)",
            0,
            2,
        ),
        (
            SourceExcerpt("inline image", "A", "imagegen:x"),
            "![A](imagegen:xy)\n![A](<imagegen:x>)",
            0,
            2,
        ),
        (SourceExcerpt("inline image", "A", "imagegen:a.b"), "![A](imagegen:aXb)", 0, None),
        (SourceExcerpt("inline image", "A", "imagegen:"), "![A]( imagegen: )", 0, 1),
        (SourceExcerpt("inline image", "A", "imagegen:", "T"), '![A](imagegen: "T")', 0, 1),
        (SourceExcerpt("inline image", "A", "imagegen:"), "![A][a]\n\n[a]: imagegen:", 0, 3),
        (
            SourceExcerpt("inline image", "A", "imagegen:"),
            "![A b](imagegen:)\n![A](imagegen:)",
            0,
            2,
        ),
        (
            SourceExcerpt("inline image", "A", "imagegen:"),
            "![A](imagegen:)\nA\nA\n![A](imagegen:)",
            1,
            4,
        ),
        (SourceExcerpt("inline image", "A", "imagegen:"), "", 0, None),
        (SourceExcerpt("fence", ""), "", 0, None),
    ],
)
def test_a_directive_is_found_in_its_source(source, text, occurrence, line):
    assert SourceLines(text).find(source, occurrence) == line


@given(st.text("`~>- \nimagegen:![]()A", max_size=80), st.integers(0, 3))
def test_looking_for_a_line_never_fails(text, occurrence):
    for source in (SourceExcerpt("fence", "A"), SourceExcerpt("inline image", "A", "imagegen:")):
        line = SourceLines(text).find(source, occurrence)
        assert line is None or 1 <= line <= text.count("\n") + 1
