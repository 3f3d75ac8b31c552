"""Image blocks in pages that contain the name, also after other extensions."""

from __future__ import annotations

from functools import partial

import markdown
import pytest
from markdown.extensions import Extension
from markdown.preprocessors import Preprocessor
from pymdownx.superfences import SuperFencesCodeExtension

from mkdocs_imagegen.directives.defaults import site_defaults
from mkdocs_imagegen.directives.extension import ImagegenExtension
from mkdocs_imagegen.directives.marker import find_shown_images
from mkdocs_imagegen.directives.registry import Registry
from mkdocs_imagegen.settings import Settings

FENCE = "```imagegen\nA ferry\n```"
CODE = "```python\nx = 1\n```"
KINDS = {
    "superfences": (["pymdownx.superfences"], {}),
    "superfences with tabs": (
        ["pymdownx.superfences"],
        {"pymdownx.superfences": {"preserve_tabs": True}},
    ),
    "fenced_code": (["fenced_code"], {}),
}


SAMPLE = "````markdown\n```imagegen\nA ferry\n```\n````"
RUN = {"name": "run", "class": "run", "validator": lambda *_: True}
RELAXED = {"relaxed_headers": True}


class _Puts(Preprocessor):
    def run(self, lines):
        return "\n".join(lines).replace("[[ferry]]", FENCE).split("\n")


class Late(Extension):
    """Puts a fence into the page, some time before fences are read."""

    def extendMarkdown(self, md):  # noqa: N802 - Python-Markdown's name
        md.preprocessors.register(_Puts(md), "late", 26)


def converter(kind, *more):
    extensions, configs = KINDS[kind]
    registry = Registry(site_defaults(Settings()))
    extension = ImagegenExtension(lambda: registry)
    return markdown.Markdown(extensions=[*extensions, *more, extension], extension_configs=configs)


@pytest.mark.parametrize("kind", KINDS)
def test_blocks_are_found_if_the_extension_is_listed_first(kind):
    extensions, configs = KINDS[kind]
    registry = Registry(site_defaults(Settings()))
    listed = [ImagegenExtension(lambda: registry), *extensions]
    md = markdown.Markdown(extensions=listed, extension_configs=configs)
    assert len(list(find_shown_images(md.convert(f"{CODE}\n\n{FENCE}")))) == 1


def test_the_last_of_several_extensions_finds_the_blocks():
    registries = [Registry(site_defaults(Settings())) for _ in range(2)]
    listed = [ImagegenExtension(partial(list.__getitem__, registries, i)) for i in range(2)]
    md = markdown.Markdown(extensions=[listed[0], "pymdownx.superfences", listed[1]])
    assert len(list(find_shown_images(md.convert(FENCE)))) == 1
    assert [len(each) for each in registries] == [0, 1]


@pytest.mark.parametrize("kind", KINDS)
def test_one_converter_reads_pages_with_and_without_blocks(kind):
    md = converter(kind)
    pages = [CODE, FENCE, CODE, f"{CODE}\n\n{FENCE}\n\n{FENCE}"]
    found = [list(find_shown_images(md.reset().convert(page))) for page in pages]
    assert [len(each) for each in found] == [0, 1, 0, 2]


@pytest.mark.parametrize("kind", ["superfences", "fenced_code"])
def test_block_from_another_extension_is_an_image(kind):
    html = converter(kind, Late()).convert("# Page\n\n[[ferry]]\n")
    assert len(list(find_shown_images(html))) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_code_that_contains_the_name_stays_code(kind):
    html = converter(kind).convert("```text\nimagegen\n```\n\nimagegen\n")
    assert not list(find_shown_images(html))
    assert "imagegen" in html


@pytest.mark.parametrize(
    ("header", "config", "count"),
    [
        ('run exec="on"', {}, 1),
        ('run exec="on"', {"custom_fences": [RUN]}, 0),
        ('run exec="on" other=x', {"custom_fences": [RUN]}, 1),
        ("run exec=on", RELAXED, 0),
        ('run title="a" linenums="1" hl_lines="1"', {}, 0),
        ("{.run exec=on}", {}, 0),
        ("run { exec=on }", {}, 0),
    ],
)
def test_block_above_a_sample_is_read_as_superfences_reads_it(header, config, count):
    """With another header, the end of that block begins one that contains the sample."""
    if not config.keys() <= SuperFencesCodeExtension().config.keys():
        pytest.skip("this version of superfences has no such option")
    registry = Registry(site_defaults(Settings()))
    md = markdown.Markdown(
        extensions=["pymdownx.superfences", ImagegenExtension(lambda: registry)],
        extension_configs={"pymdownx.superfences": config},
    )
    html = md.convert(f"```{header}\nx\n```\n\n{SAMPLE}\n")
    assert len(list(find_shown_images(html))) == count
    assert ("not read as the header" in str(registry._parsed.values())) is bool(count)
