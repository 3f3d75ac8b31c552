"""Fences of ours, through the fence processor that the site uses.

What reads them is imported by the first one.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from markdown import Markdown
from markdown.extensions.attr_list import get_attrs
from markdown.extensions.fenced_code import FencedBlockPreprocessor
from markdown.preprocessors import Preprocessor

from mkdocs_imagegen.options import quote_value

if TYPE_CHECKING:
    from mkdocs_imagegen.directives.registry import Registry

FENCE = "imagegen"
CARDS = "imagegen-cards"
MARKERS = ('<p><img src="imagegen:t', '<figure>\n<img src="imagegen:t', "<div data-imagegen-cards=")
"""How what stands in the place of a fence begins."""

GetRegistry = Callable[[], "Registry"]
"""Gives the registry of the build; another one for each build."""


class Words(Preprocessor):
    """Looks whether a page's text names us at all; only then superfences learns of our fences.

    It asks each fence of a page for every kind that it knows, which takes longer than to look.
    """

    def __init__(self, md: Markdown, registry: GetRegistry) -> None:
        super().__init__(md)
        self.name_us = False
        self._registry = registry
        self._untaught = _superfences(md)

    def run(self, lines: list[str]) -> list[str]:
        """Leave the text as it is."""
        self.name_us = FENCE in "\n".join(lines).lower()
        if self.name_us and self._untaught is not None:
            _extend_superfences(self._untaught, self._registry)
            self._untaught = None
        return lines


def add_fences(md: Markdown, registry: GetRegistry) -> Words:
    """Have fences of ours become markers; gives what looks at a page's words before that."""
    words = Words(md, registry)
    # Before what reads fences, and after whatever else puts text into the page.
    reads_early = "fenced_raw_block" in md.preprocessors  # 31.05, where superfences keeps tabs
    md.preprocessors.register(words, "imagegen-words", 31.07 if reads_early else 25.6)
    if "fenced_code_block" in md.preprocessors and isinstance(
        md.preprocessors["fenced_code_block"], FencedBlockPreprocessor
    ):
        # Just before the built-in processor (25), to take our fences away from it.
        md.preprocessors.register(_Fences(md, registry, words), "imagegen-fences", 25.5)
    return words


def why_no_fence(header: str, md: Markdown) -> str:
    """What is told of a fence that the site's fence processor did not take for one."""
    fault = f"{quote_value(header)} was not read as a fence"
    if _superfences(md) is not None:
        return (
            f"{fault} (it needs an end, and options in its header need quotes, like "
            'size="1024x1024"); write the options below the header, above a line with ---'
        )
    return (
        f"{fault} (without pymdownx.superfences it needs an end, a place outside lists, tabs and "
        "quotes, and braces around options in its header); list `pymdownx.superfences` among "
        "`markdown_extensions`"
    )


def _superfences(md: Markdown) -> Any | None:  # noqa: ANN401 - untyped
    if "fenced_code_block" not in md.preprocessors:
        return None
    extension = getattr(md.preprocessors["fenced_code_block"], "extension", None)
    return extension if hasattr(extension, "extend_super_fences") else None


def _extend_superfences(superfences: Any, registry: GetRegistry) -> None:  # noqa: ANN401 - untyped
    wanted = _parameters_of(type(superfences).extend_super_fences)
    for name in (FENCE, CARDS):
        hooks = [name, partial(_format_fence, registry, name), _accept_all]
        superfences.extend_super_fences(*hooks, *[None] * (wanted - len(hooks)))


@lru_cache(maxsize=1)  # each page has an extension of its own, and all are of one type
def _parameters_of(method: Callable[..., None]) -> int:
    return len(inspect.signature(method).parameters) - len(["self"])


def _accept_all(
    _language: str, inputs: dict[str, str], options: dict[str, str], *_: object
) -> bool:
    options.update(inputs)
    return True


def _format_fence(  # noqa: PLR0913, PLR0917 - superfences' own protocol
    registry: GetRegistry,
    name: str,
    src: str,
    options: Mapping[str, str],
    md: Markdown,
    classes: list[str] | None = None,
    id_value: str = "",
    **_more: object,
) -> str:
    attributes = dict(options)
    if classes:
        attributes["class"] = " ".join(classes)
    if id_value:
        attributes["id"] = id_value
    return _block(name, registry, md, src, attributes)


def _block(
    name: str, registry: GetRegistry, md: Markdown, body: str, attributes: Mapping[str, str]
) -> str:
    from mkdocs_imagegen.directives.blocks import cards_block, image_block  # noqa: PLC0415

    make = cards_block if name == CARDS else image_block
    return make(registry(), page_of(md), body, attributes)


def page_of(md: Markdown) -> str | None:
    """The source path of the page that is rendered, from MkDocs' own tree processor.

    Also right in the excerpts of Material's blog, which are rendered on another page.
    """
    if "relpath" not in md.treeprocessors:
        return None
    file = getattr(md.treeprocessors["relpath"], "file", None)
    return getattr(file, "src_uri", None)


class _Fences(Preprocessor):
    """Takes our fences, and only those that the built-in processor would see as fences."""

    def __init__(self, md: Markdown, registry: GetRegistry, words: Words) -> None:
        super().__init__(md)
        self.registry = registry
        self.words = words

    def run(self, lines: list[str]) -> list[str]:
        if not self.words.name_us:
            return lines
        text, done, index = "\n".join(lines), "", 0
        for match in FencedBlockPreprocessor.FENCED_BLOCK_RE.finditer(text):
            name, attributes = _fence_header(match)
            if name in (FENCE, CARDS):
                marker = self._marker(name, match["code"], attributes)
                done += f"{text[index : match.start()]}\n{marker}\n"
                index = match.end()
        return (done + text[index:]).split("\n")

    def _marker(self, name: str, body: str, attributes: Mapping[str, str]) -> str:
        return self.md.htmlStash.store(_block(name, self.registry, self.md, body, attributes))


def _fence_header(match: re.Match[str]) -> tuple[str, dict[str, str]]:
    """The language and the attributes of a fence."""
    written = match["attrs"]
    if not written:
        return match["lang"] or "", {}
    read: list[tuple[str, str | None]] = list(get_attrs(written))
    pairs = [(name, name if value is None else value) for name, value in read]
    language, *classes = [value for name, value in pairs if name == "."] or [""]
    attributes = {name: value for name, value in pairs if name != "."}
    return language, attributes | ({"class": " ".join(classes)} if classes else {})
