"""Python-Markdown extension that finds directives while a page is rendered.

Image blocks come from the fence processor that the site uses. Inline images come from the element
tree, after all extensions that can add to it. Directives go to the registry, and markers remain in
the page. Modules that read directives are imported for the first page that can contain one.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib import import_module
from itertools import chain
from typing import Any
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions import Extension
from markdown.postprocessors import Postprocessor
from markdown.treeprocessors import Treeprocessor

from mkdocs_imagegen.directives.fences import (
    FENCE,
    MARKERS,
    GetRegistry,
    NameDetector,
    PageOf,
    add_fences,
    page_in_mkdocs,
)

Renderer = Markdown
"""Renderer of a page, for front doors."""

_H1 = re.compile(r"(?:[ \t]*\n)*((?:#(?!#)|[^\n]+\n=+ *(?:\n|$)).*?)(?=\n[ \t]*\n|\Z)", re.DOTALL)
_DEFINITION = re.compile(r"^ {0,3}\[[^\]^\n][^\]\n]*\]:.*", re.MULTILINE)
_HEADING = re.compile(r"<h1[^>]*>(.*?)</h1>", re.DOTALL)
_OWN_IMAGE = re.compile(r'<img\b[^>]* src="\s*imagegen:[^>]*>', re.IGNORECASE)
_ALT = re.compile(r'<img\b[^>]*? alt="([^"]*)"[^>]*>')
_TAG = re.compile(r"<!--.*?-->|<[^>]*>", re.DOTALL)
_OF_HEADINGS = ("attr_list", "extra", "smarty", "pymdownx.emoji")


class ImagegenExtension(Extension):
    """Extension that finds directives and leaves markers.

    It can be listed anywhere. If a site lists several, the last one finds the directives.

    Args:
        registry: Function that returns the registry of the current build.
        page_of: Function that returns the page.
        finish: Function from the HTML of a page with markers to its final HTML, for a host without
            hooks; None if hooks put the images into the page.
    """

    def __init__(
        self,
        registry: GetRegistry,
        page_of: PageOf = page_in_mkdocs,
        finish: Callable[[Markdown, str], str] | None = None,
    ) -> None:
        super().__init__()
        self._registry = registry
        self._page_of = page_of
        self._finish = finish

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - Python-Markdown's name
        """Register the processors once all extensions have registered theirs."""
        md.registerExtension(_Registration(self, md))

    def register(self, md: Markdown) -> None:
        """Register the processors for fences and for the element tree."""
        detector = add_fences(md, self._registry, self._page_of)
        # After inline patterns (20), before attr_list (8), which can overwrite the text.
        raw = _RawTreeprocessor(md, self._registry, detector)
        md.treeprocessors.register(raw, "imagegen-raw", 15)
        # After MkDocs' relative paths and Python-Markdown's unescaping (0 to 1).
        finished = _FinishedTreeprocessor(md, raw)
        md.treeprocessors.register(finished, "imagegen-images", -10)
        if self._finish is not None:
            last = _FinishedPage(md, finished, partial(self._finish, md))
            md.postprocessors.register(last, "imagegen-page", -100)


class _Registration(Extension):
    """Registration of the last listed extension's processors, at the first reset of a renderer.

    Python-Markdown resets a new renderer after it has loaded all extensions.
    """

    def __init__(self, extension: ImagegenExtension, md: Markdown) -> None:
        super().__init__()
        self._extension = extension
        self._md: Markdown | None = md

    def reset(self) -> None:
        md, self._md = self._md, None
        if md is None:
            return
        *_, last = (each for each in md.registeredExtensions if isinstance(each, _Registration))
        if last is self:
            self._extension.register(md)


def read_heading(text: str, extensions: Mapping[str, Any]) -> str:
    """Return the text of the h1 that a page begins with, as MkDocs reads titles; ``""`` for none.

    Args:
        text: Markdown of the page.
        extensions: Extensions of the site with their options.
    """
    if (first := _H1.match(text)) is None:
        return ""
    names = [name for name in _OF_HEADINGS if name in extensions]
    configs = {name: extensions[name] for name in names}
    md = Markdown(extensions=names, extension_configs=configs)
    # Links of the heading can be defined anywhere.
    page = md.convert("\n\n".join([first[1], *_DEFINITION.findall(text)]))
    found = _HEADING.match(page)
    heading = _ALT.sub(r"\1", _OWN_IMAGE.sub("", found[1])) if found else ""
    return " ".join(html.unescape(_TAG.sub("", heading)).split())


def makeExtension(**options: object) -> Extension:  # noqa: N802 - Python-Markdown's name
    """Return the extension of a front door without hooks; a site lists its module, or this one.

    Args:
        **options: Options of the plugin.
    """
    # By name: no room imports a front door.
    door = import_module("mkdocs_imagegen.hosts.zensical")
    extension: Extension = door.makeExtension(**options)
    return extension


class _RawTreeprocessor(Treeprocessor):
    """Processor of trees that can contain inline images or failed blocks."""

    def __init__(self, md: Markdown, registry: GetRegistry, detector: NameDetector) -> None:
        super().__init__(md)
        self.finish: Callable[[Element], None] | None = None
        self._registry = registry
        self._detector = detector

    def run(self, root: Element) -> None:
        self.finish = None
        own = _page_texts(self.md) if self._detector.is_named else ()
        texts = chain(own, _added_texts(root, self.md))
        if any(FENCE in text.lower() for text in texts):
            from mkdocs_imagegen.directives import tree  # noqa: PLC0415 - only with directives

            swallowed = self._detector.swallowed_blocks()
            uri = self._detector.page_of(self.md)
            page = tree.PageTree(self.md, self._registry(), uri, swallowed)
            page.read(root)
            self.finish = page.mark


class _FinishedTreeprocessor(Treeprocessor):
    """Processor of the same trees after all other extensions.

    Attributes:
        has_run: True once it has read the tree of the page.
    """

    def __init__(self, md: Markdown, raw: _RawTreeprocessor) -> None:
        super().__init__(md)
        self.has_run = False
        self._raw = raw

    def run(self, root: Element) -> None:
        self.has_run = True
        if self._raw.finish is not None:
            self._raw.finish(root)


class _FinishedPage(Postprocessor):
    """Processor of the HTML of a page, after all other extensions."""

    def __init__(
        self, md: Markdown, tree: _FinishedTreeprocessor, finish: Callable[[str], str]
    ) -> None:
        super().__init__(md)
        self._tree = tree
        self._finish = finish

    def run(self, text: str) -> str:
        # Extensions like toc run the postprocessors for parts of a page before.
        if not self._tree.has_run:
            return text
        self._tree.has_run = False
        return self._finish(text)


def _added_texts(root: Element, md: Markdown) -> Iterator[str]:
    """Yield texts in a page's tree that other extensions added and that are in no line."""
    yield from (image.get("src") or "" for image in root.iter("img"))
    if "markdown_block" in md.parser.blockprocessors:  # md_in_html
        yield from root.itertext()


def _page_texts(md: Markdown) -> Iterator[str]:
    """Yield the texts of a page: its lines and stashed HTML, without the markers of blocks."""
    yield "\n".join(getattr(md, "lines", ()))
    for block in md.htmlStash.rawHtmlBlocks:
        if isinstance(block, str) and not block.startswith(MARKERS):
            yield block
