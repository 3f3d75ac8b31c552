"""The Python-Markdown extension that finds directives, exactly where the renderer sees them.

Fences come through the fence processor that the site uses; images through the element tree,
after everything that may add to them. What is found goes to the registry, and a marker stays.
What reads directives is imported by the first page that may hold one.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions import Extension
from markdown.treeprocessors import Treeprocessor

from mkdocs_imagegen.directives.fences import FENCE, MARKERS, GetRegistry, Words, add_fences


class ImagegenExtension(Extension):
    """Finds directives and leaves markers.

    Args:
        registry: gives the registry to which goes what is found; another one for each build.
    """

    def __init__(self, registry: GetRegistry) -> None:
        super().__init__()
        self._registry = registry

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - Python-Markdown's name
        """Hook into the fence processor that is there, and into the element tree."""
        words = add_fences(md, self._registry)
        # After inline patterns (20), before attr_list (8), which may overwrite the text.
        raw = _Raw(md, self._registry, words)
        md.treeprocessors.register(raw, "imagegen-raw", 15)
        # After the host's relative paths and Python-Markdown's unescaping (0 to 1).
        md.treeprocessors.register(_Finished(md, raw), "imagegen-pictures", -10)


class _Raw(Treeprocessor):
    """Looks at the trees of pages that may hold something of ours besides fences."""

    def __init__(self, md: Markdown, registry: GetRegistry, words: Words) -> None:
        super().__init__(md)
        self.registry = registry
        self.words = words
        self.has_acted = False

    def run(self, root: Element) -> None:
        texts = chain(_texts(self.md) if self.words.name_us else (), _texts_in(root, self.md))
        self.has_acted = any(FENCE in text.lower() for text in texts)
        if self.has_acted:
            from mkdocs_imagegen.directives.tree import RawTree  # noqa: PLC0415 - see the module

            RawTree(self.md, self.registry()).read(root)


class _Finished(Treeprocessor):
    """The same, when everybody else has done their work on them."""

    def __init__(self, md: Markdown, raw: _Raw) -> None:
        super().__init__(md)
        self.raw = raw

    def run(self, root: Element) -> None:
        if self.raw.has_acted:
            from mkdocs_imagegen.directives.tree import FinishedTree  # noqa: PLC0415 - the same

            FinishedTree(self.md, self.raw.registry()).mark(root)


def _texts_in(root: Element, md: Markdown) -> Iterator[str]:
    """What others have put into a page's tree that stands in none of its lines."""
    yield from (image.get("src") or "" for image in root.iter("img"))
    if "markdown_block" in md.parser.blockprocessors:  # md_in_html
        yield from root.itertext()


def _texts(md: Markdown) -> Iterator[str]:
    """Everything that a page's tree was made of: its lines, and what was put aside.

    But for the markers of our fences, which have been read.
    """
    yield "\n".join(getattr(md, "lines", ()))
    for block in md.htmlStash.rawHtmlBlocks:
        if isinstance(block, str) and not block.startswith(MARKERS):
            yield block
