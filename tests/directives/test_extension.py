"""Pages without prompts, which the extension leaves unchanged."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree.ElementTree import SubElement

import markdown
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mkdocs_imagegen.directives.defaults import site_defaults
from mkdocs_imagegen.directives.extension import ImagegenExtension
from mkdocs_imagegen.directives.registry import Registry
from mkdocs_imagegen.settings import Settings
from tests.support import read_yaml

HERE = Path(__file__).parent
BUILT_IN = ["extra", "codehilite", "admonition", "toc", "smarty", "sane_lists", "nl2br", "meta"]
MATERIALS = [
    "abbr",
    "admonition",
    "attr_list",
    "def_list",
    "footnotes",
    "md_in_html",
    "tables",
    "toc",
    "pymdownx.betterem",
    "pymdownx.caret",
    "pymdownx.details",
    "pymdownx.emoji",
    "pymdownx.highlight",
    "pymdownx.inlinehilite",
    "pymdownx.keys",
    "pymdownx.magiclink",
    "pymdownx.mark",
    "pymdownx.smartsymbols",
    "pymdownx.superfences",
    "pymdownx.tabbed",
    "pymdownx.tasklist",
    "pymdownx.tilde",
    "pymdownx.snippets",
]
UNDER = [[], ["fenced_code"], BUILT_IN, ["pymdownx.extra"], MATERIALS]
WRITTEN = [path.read_bytes().decode() for path in sorted((HERE / "corpus").glob("*.md"))]
CASES = [
    re.sub("imagegen", "another", case["markdown"], flags=re.IGNORECASE)
    for path in sorted((HERE / "cases").glob("*.yml"))
    for case in read_yaml(path.read_text())
]
PIECES = ["\n\n", "\n", "    ", "- ", "> ", "```", "~~~py", "![a](b)", "{ .c }", "`", "<b>", "x"]


@pytest.mark.parametrize("extensions", UNDER, ids=["none", "fenced", "extra", "pymdownx", "all"])
@pytest.mark.parametrize("text", WRITTEN, ids=["handbook", "letters", "windows"])
def test_page_without_prompts_is_the_same_to_the_byte(text, extensions):
    assert with_ours(text, extensions) == without_ours(text, extensions)


@pytest.mark.parametrize("extensions", UNDER, ids=["none", "fenced", "extra", "pymdownx", "all"])
def test_blocks_of_another_name_are_the_same_to_the_byte(extensions):
    # Python-Markdown's code highlighter itself fails for an attribute named style.
    text = "\n\n---\n\n".join(each for each in CASES if not re.search("--8<--|style=", each))
    assert with_ours(text, extensions) == without_ours(text, extensions)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=20).map("".join))
def test_any_text_without_prompts_is_the_same_to_the_byte(text):
    assert with_ours(text, MATERIALS) == without_ours(text, MATERIALS)


@pytest.mark.parametrize("extensions", UNDER, ids=["none", "fenced", "extra", "pymdownx", "all"])
def test_page_that_is_rendered_again_is_the_same(extensions):
    text = "# A\n\n![A](imagegen:)\n\n```imagegen\nB\n```\n"
    md, registry = renderer(extensions)
    first = md.convert(text)
    found = len(registry)
    assert md.reset().convert(text) == first
    assert with_ours(text, extensions) == first
    assert len(registry) == found


def test_one_extension_serves_many_renderers():
    registry = Registry(site_defaults(Settings()))
    extension = ImagegenExtension(lambda: registry)
    for prompt in ("One", "Two"):
        md = markdown.Markdown(extensions=["pymdownx.superfences", extension])
        assert f'alt="{prompt}"' in md.convert(f"```imagegen\n{prompt}\n```")
    assert len(registry) == 2


class Lightbox(markdown.extensions.Extension, markdown.treeprocessors.Treeprocessor):
    """Extension that wraps images in links to their files, like the one of Zensical."""

    def extendMarkdown(self, md):  # noqa: N802 - Python-Markdown's name
        md.treeprocessors.register(self, "lightbox", 0)

    def run(self, root):
        for parent in list(root.iter("p")):
            for image in list(parent.iter("img")):
                parent.remove(image)
                SubElement(parent, "a", {"href": image.get("src")}).append(image)


def test_link_to_the_file_of_an_inline_image_is_a_token():
    md, _ = renderer([Lightbox()])
    page = md.convert("![A kite](imagegen:)\n\n![A cat](imagegen:?size=1024x1024)")
    images = re.findall('src="(imagegen:t[0-9a-f]{40})"', page)
    assert re.findall('href="([^"]*)"', page) == images
    assert len(images) == 2
    other, _ = renderer([])
    assert 'href="a.png"' in other.convert("[![A kite](imagegen:)](a.png)")


def renderer(extensions):
    registry = Registry(site_defaults(Settings()))
    return markdown.Markdown(
        extensions=[*extensions, ImagegenExtension(lambda: registry)]
    ), registry


def with_ours(text, extensions):
    md, _ = renderer(extensions)
    return md.convert(text)


def without_ours(text, extensions):
    return markdown.Markdown(extensions=extensions).convert(text)
