"""Python-Markdown extension that finds directives while a page is rendered.

Image blocks come from the fence processor that the site uses. Inline images come from the element
tree, after all extensions that can add to it. Directives go to the registry, and markers remain in
the page. Modules that read directives are imported for the first page that can contain one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions import Extension
from markdown.treeprocessors import Treeprocessor

from mkdocs_imagegen.directives.fences import FENCE, MARKERS, GetRegistry, NameDetector, add_fences


class ImagegenExtension(Extension):
    """Extension that finds directives and leaves markers.

    Args:
        registry: Function that returns the registry of the current build.
    """

    def __init__(self, registry: GetRegistry) -> None:
        super().__init__()
        self._registry = registry

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - Python-Markdown's name
        """Register the processors for fences and for the element tree."""
        detector = add_fences(md, self._registry)
        # After inline patterns (20), before attr_list (8), which can overwrite the text.
        raw = _RawTreeprocessor(md, self._registry, detector)
        md.treeprocessors.register(raw, "imagegen-raw", 15)
        # After MkDocs' relative paths and Python-Markdown's unescaping (0 to 1).
        md.treeprocessors.register(_FinishedTreeprocessor(md, raw), "imagegen-images", -10)


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

            page = tree.PageTree(self.md, self._registry(), self._detector.swallowed_blocks())
            page.read(root)
            self.finish = page.mark


class _FinishedTreeprocessor(Treeprocessor):
    """Processor of the same trees after all other extensions."""

    def __init__(self, md: Markdown, raw: _RawTreeprocessor) -> None:
        super().__init__(md)
        self._raw = raw

    def run(self, root: Element) -> None:
        if self._raw.finish is not None:
            self._raw.finish(root)


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
