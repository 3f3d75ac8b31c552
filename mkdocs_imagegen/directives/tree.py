"""Inline images in the element tree of a page, and blocks that were not read as such."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from functools import partial
from xml.etree.ElementTree import Element, SubElement

from markdown import Markdown

from mkdocs_imagegen.directives.directive import Directive, ParsedDirective, SourceExcerpt
from mkdocs_imagegen.directives.fences import (
    FENCE,
    describe_failed_fence,
    describe_unclosed_block,
)
from mkdocs_imagegen.directives.grammar import SCHEME, ImageText, read_image
from mkdocs_imagegen.directives.marker import attributes_of
from mkdocs_imagegen.directives.options import DirectiveOptions
from mkdocs_imagegen.directives.registry import Registry
from mkdocs_imagegen.directives.source_lines import SwallowedBlock
from mkdocs_imagegen.option_parsers import option_names, quote_value

_IMAGE_ONLY = frozenset(option_names(DirectiveOptions)) - {"class", "id", "style", "title"}
"""Options that have no meaning for a paragraph."""

_TEXT, _TITLE = "imagegen-text", "imagegen-title"
_ESCAPED = re.compile("\x02(\\d+)\x03")
_RAW_HTML = re.compile("\x02wzxhzdk:(\\d+)\x03")
_BLOCK_HEADER = r"[ \t]*(?:\{[ \t]*)?\.?imagegen\b[^\n]*\n"
_BLOCK_AS_CODE = re.compile(
    r"(?:\{[ \t]*)?\.?imagegen(?:-cards)?(?:[ \t]*|[ \t]+[^\n]*[={}][^\n]*)\n", re.IGNORECASE
)
"""Block that was rendered as code. Other code that begins with the name has other text after it."""

_BLOCK_AS_TEXT = re.compile(rf"^[ \t]*(?:`{{3,}}|~{{3,}}){_BLOCK_HEADER}", re.MULTILINE)


class PageTree:
    """Tree of a page, read before and after attributes and escapes are resolved.

    Args:
        md: Renderer of the page.
        registry: Registry for the directives.
        page: Source path of the page; None if it is not known.
        swallowed: Image blocks of the page that an unclosed block contains.
    """

    def __init__(
        self,
        md: Markdown,
        registry: Registry,
        page: str | None,
        swallowed: Iterable[SwallowedBlock] = (),
    ) -> None:
        self._md = md
        self._registry = registry
        self._page = page
        self._swallowed = {each.words: each for each in swallowed}

    def read(self, root: Element) -> None:
        """Move text and title of inline images, so that attributes cannot overwrite them.

        Blocks that the site's fence processor did not recognize become invalid directives.
        """
        for parent in list(root.iter()):
            for element in list(parent):
                if element.tag == "img":
                    _move_text(element)
                elif element.tag == "code" and parent.tag != "pre":
                    self._check_code(element)
            if parent.tag not in ("pre", "code"):
                self._check_text(parent)
        for block in list(self._swallowed.values()):
            # The page shows it as part of the code of the unclosed block.
            SubElement(SubElement(root, "p"), "img", self._failed_fence(f"{FENCE}\n{block.words}"))

    def _check_code(self, element: Element) -> None:
        text = html.unescape(_unstashed(element.text or "", self._md))
        if _BLOCK_AS_CODE.match(text):
            marker = self._failed_fence(text)
            element.tag, element.text, element.attrib = "img", None, marker

    def _check_text(self, parent: Element) -> None:
        texts = [parent.text, *(child.tail for child in parent)]
        for match in filter(None, (_BLOCK_AS_TEXT.search(text or "") for text in texts)):
            parent.insert(0, Element("img", self._failed_fence(match.string[match.start() :])))
            parent[0].tail, parent.text = parent.text, None

    def _failed_fence(self, text: str) -> dict[str, str]:
        lines = [line.strip() for line in text.strip().split("\n")]
        words = lines[1] if len(lines) > 1 else ""
        source, fault = SourceExcerpt("fence", words), describe_failed_fence(lines[0], self._md)
        if block := self._swallowed.pop(words, None):
            source = SourceExcerpt("unclosed block", block.header, body=block.body)
            fault = describe_unclosed_block(block, self._md)
        token, invalid = self._registry.add_invalid(self._page, source, fault)
        return _for_tree(attributes_of(invalid, token))

    def mark(self, root: Element) -> None:
        """Replace inline images with markers, after all other extensions."""
        for parent in list(root.iter()):
            for element in list(parent):
                if element.tag == "img" and _TEXT in element.attrib:
                    self._mark(element, parent)

    def _mark(self, element: Element, parent: Element) -> None:
        links_to_file = parent.tag == "a" and parent.get("href") == element.get("src")
        image = self._take(element)
        source = SourceExcerpt("inline image", image.text, image.target, image.title or "")
        token, parsed = self._registry.read(self._page, source, partial(read_image, image))
        tail = self._as_read((element.tail or "").split("\n")[0])
        fault = _describe_misplaced(element, parent, parsed, tail)
        if fault:
            token, parsed = self._registry.add_invalid(self._page, source, fault)
        element.attrib.update(_for_tree(attributes_of(parsed, token)))
        if links_to_file:
            parent.set("href", token)
        if isinstance(parsed, Directive) and _is_alone(element, parent):
            _add_caption(element, parent, parsed)

    def _take(self, element: Element) -> ImageText:
        # Unlike the types say, the value of an attribute can be None: it was written without one.
        pairs: list[tuple[str, str | None]] = list(element.attrib.items())
        read = {name: self._as_read(name if value is None else value) for name, value in pairs}
        element.attrib.clear()
        text, title, target = read.pop(_TEXT), read.pop(_TITLE, None), read.pop("src").strip()
        return ImageText(text, SCHEME + target[len(SCHEME) :], title, read)

    def _as_read(self, text: str) -> str:
        """Return text as a reader sees it: without Markdown escapes, entities decoded once."""
        text = _unstashed(text, self._md)
        return html.unescape(_ESCAPED.sub(lambda match: chr(int(match[1])), text))


def _move_text(image: Element) -> None:
    if image.get("src", "").strip().lower().startswith(SCHEME):
        image.set(_TEXT, image.attrib.pop("alt", ""))
        if "title" in image.attrib:
            image.set(_TITLE, image.attrib.pop("title"))


def _unstashed(text: str, md: Markdown) -> str:
    stash = md.htmlStash.rawHtmlBlocks
    return _RAW_HTML.sub(lambda match: str(stash[int(match[1])]), text)


def _for_tree(attributes: Mapping[str, str]) -> dict[str, str]:
    # The serializer keeps text that looks like an entity, so each & is escaped here.
    return {name: html.escape(value, quote=False) for name, value in attributes.items()}


def _describe_misplaced(
    element: Element, parent: Element, parsed: ParsedDirective, tail: str
) -> str | None:
    if tail.startswith("{"):
        return (
            f"{quote_value(tail)} is right after the image but was not read as its attributes; "
            "add `attr_list` to `markdown_extensions` and close the brace, or write the options "
            "into the target, like imagegen:?size=1024x1024"
        )
    strayed = sorted(_IMAGE_ONLY & set(parent.attrib)) if parent.tag == "p" else []
    if strayed:
        return (
            f"option {quote_value(strayed[0])} is on a line of its own and applies to the "
            "paragraph; write the braces right after the image, without a space"
        )
    caption = parsed.caption if isinstance(parsed, Directive) else ""
    if caption and not _is_alone(element, parent):
        return (
            "an image with a caption must be alone in its paragraph; put empty lines around it, or "
            "remove the caption"
        )
    return None


def _is_alone(element: Element, parent: Element) -> bool:
    text = (parent.text or "") + (element.tail or "")
    return parent.tag == "p" and len(parent) == 1 and not text.strip()


def _add_caption(element: Element, parent: Element, directive: Directive) -> None:
    if not directive.caption and not directive.note:
        return
    parent.tag = "figure"
    element.tail = "\n"
    figcaption = SubElement(parent, "figcaption")
    figcaption.text = html.escape(directive.caption, quote=False)
    if directive.note:
        figcaption.text += " " if directive.caption else ""
        SubElement(figcaption, "small").text = html.escape(directive.note, quote=False)
