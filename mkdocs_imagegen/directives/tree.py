"""Images of ours in the element tree of a page, and fences that were not read as such."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from functools import partial
from xml.etree.ElementTree import Element, SubElement

from markdown import Markdown

from mkdocs_imagegen.directives.directive import Directive, ParsedDirective, SourceExcerpt
from mkdocs_imagegen.directives.fences import page_of, why_no_fence
from mkdocs_imagegen.directives.grammar import SCHEME, ImageText, read_image
from mkdocs_imagegen.directives.marker import attributes_of
from mkdocs_imagegen.directives.options import DirectiveOptions
from mkdocs_imagegen.directives.registry import Registry
from mkdocs_imagegen.options import option_names, quote_value

_ONLY_OURS = frozenset(option_names(DirectiveOptions)) - {"class", "id", "style", "title"}
"""Options that mean nothing to a paragraph."""

_TEXT, _TITLE = "imagegen-text", "imagegen-title"
_ESCAPED = re.compile("\x02(\\d+)\x03")
_RAW_HTML = re.compile("\x02wzxhzdk:(\\d+)\x03")
_HEADER_OF_OURS = r"[ \t]*(?:\{[ \t]*)?\.?imagegen\b[^\n]*\n"
_FENCE_AS_CODE = re.compile(
    r"(?:\{[ \t]*)?\.?imagegen(?:-cards)?(?:[ \t]*|[ \t]+[^\n]*[={}][^\n]*)\n", re.IGNORECASE
)
"""Code in running text may well begin with our name; like a header it has nothing or options."""

_FENCE_AS_TEXT = re.compile(rf"^[ \t]*(?:`{{3,}}|~{{3,}}){_HEADER_OF_OURS}", re.MULTILINE)


class RawTree:
    """A page's tree before attributes and escapes are resolved.

    Args:
        md: what renders the page.
        registry: where mistakes go.
    """

    def __init__(self, md: Markdown, registry: Registry) -> None:
        self._md = md
        self._registry = registry

    def read(self, root: Element) -> None:
        """Put text and title of our images aside, so that attributes cannot hide them.

        Fences of ours that the site's fence processor did not take for fences become mistakes.
        """
        for parent in list(root.iter()):
            for element in list(parent):
                if element.tag == "img":
                    _put_text_aside(element)
                elif element.tag == "code" and parent.tag != "pre":
                    self._check_code(element)
            if parent.tag not in ("pre", "code"):
                self._check_text(parent)

    def _check_code(self, element: Element) -> None:
        text = html.unescape(_unstashed(element.text or "", self._md))
        if _FENCE_AS_CODE.match(text):
            marker = self._failed_fence(text)
            element.tag, element.text, element.attrib = "img", None, marker

    def _check_text(self, parent: Element) -> None:
        texts = [parent.text, *(child.tail for child in parent)]
        for match in filter(None, (_FENCE_AS_TEXT.search(text or "") for text in texts)):
            parent.insert(0, Element("img", self._failed_fence(match.string[match.start() :])))
            parent[0].tail, parent.text = parent.text, None

    def _failed_fence(self, text: str) -> dict[str, str]:
        lines = [line.strip() for line in text.strip().split("\n")]
        token, found = self._registry.add_invalid(
            page_of(self._md),
            SourceExcerpt("fence", lines[1] if len(lines) > 1 else ""),
            why_no_fence(lines[0], self._md),
        )
        return _for_tree(attributes_of(found, token))


def _put_text_aside(image: Element) -> None:
    if image.get("src", "").strip().lower().startswith(SCHEME):
        image.set(_TEXT, image.attrib.pop("alt", ""))
        if "title" in image.attrib:
            image.set(_TITLE, image.attrib.pop("title"))


class FinishedTree:
    """A page's tree when everybody else has done their work on it.

    Args:
        md: what renders the page.
        registry: where what is found goes.
    """

    def __init__(self, md: Markdown, registry: Registry) -> None:
        self._md = md
        self._registry = registry

    def mark(self, root: Element) -> None:
        """Turn our images into markers."""
        for parent in list(root.iter()):
            for element in list(parent):
                if element.tag == "img" and _TEXT in element.attrib:
                    self._mark(element, parent)

    def _mark(self, element: Element, parent: Element) -> None:
        image = self._take(element)
        source = SourceExcerpt("inline image", image.text, image.target, image.title or "")
        page = page_of(self._md)
        token, found = self._registry.read(page, source, partial(read_image, image))
        tail = self._as_read((element.tail or "").split("\n")[0])
        fault = _misplaced(element, parent, found, tail)
        if fault:
            token, found = self._registry.add_invalid(page, source, fault)
        element.attrib.update(_for_tree(attributes_of(found, token)))
        words = isinstance(found, Directive) and (found.caption or found.note)
        if words and _stands_alone(element, parent):
            _make_figure(element, parent, found)

    def _take(self, element: Element) -> ImageText:
        # An attribute without a value has none here either, whatever the types say.
        pairs: list[tuple[str, str | None]] = list(element.attrib.items())
        read = {name: self._as_read(name if said is None else said) for name, said in pairs}
        element.attrib.clear()
        text, title, target = read.pop(_TEXT), read.pop(_TITLE, None), read.pop("src").strip()
        return ImageText(text, SCHEME + target[len(SCHEME) :], title, read)

    def _as_read(self, text: str) -> str:
        """Text as a reader sees it: Markdown's escapes undone, entities decoded once."""
        text = _unstashed(text, self._md)
        return html.unescape(_ESCAPED.sub(lambda match: chr(int(match[1])), text))


def _unstashed(text: str, md: Markdown) -> str:
    stash = md.htmlStash.rawHtmlBlocks
    return _RAW_HTML.sub(lambda match: str(stash[int(match[1])]), text)


def _for_tree(attributes: Mapping[str, str]) -> dict[str, str]:
    # The serializer takes what looks like an entity for one, so each & is made one here.
    return {name: html.escape(value, quote=False) for name, value in attributes.items()}


def _misplaced(element: Element, parent: Element, found: ParsedDirective, tail: str) -> str | None:
    if tail.startswith("{"):
        return (
            f"{quote_value(tail)} is right after the image and was not read as its attributes; "
            "put attr_list below markdown_extensions and close the brace, or write the options "
            "into the target, like imagegen:?size=1024x1024"
        )
    strayed = sorted(_ONLY_OURS & set(parent.attrib)) if parent.tag == "p" else []
    if strayed:
        return (
            f"{quote_value(strayed[0])} is on a line of its own, so it belongs to the paragraph; "
            "write the braces right behind the image, without a space"
        )
    caption = found.caption if isinstance(found, Directive) else ""
    if caption and not _stands_alone(element, parent):
        return (
            "a image with a caption has to stand alone in its paragraph; "
            "put empty lines around it, or remove the caption"
        )
    return None


def _stands_alone(element: Element, parent: Element) -> bool:
    text = (parent.text or "") + (element.tail or "")
    return parent.tag == "p" and len(parent) == 1 and not text.strip()


def _make_figure(element: Element, parent: Element, found: ParsedDirective) -> None:
    caption, note = (found.caption, found.note) if isinstance(found, Directive) else ("", "")
    parent.tag = "figure"
    element.tail = "\n"
    words = SubElement(parent, "figcaption")
    words.text = html.escape(caption, quote=False)
    if note:
        words.text += " " if caption else ""
        SubElement(words, "small").text = html.escape(note, quote=False)
