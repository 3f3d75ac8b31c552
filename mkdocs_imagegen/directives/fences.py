"""Image blocks and card lists, found by the fence processor that the site uses."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from types import MethodType
from typing import TYPE_CHECKING, Any

from markdown import Markdown
from markdown.extensions.attr_list import get_attrs
from markdown.extensions.fenced_code import FencedBlockPreprocessor
from markdown.preprocessors import Preprocessor

from mkdocs_imagegen.option_parsers import quote_value

if TYPE_CHECKING:
    from mkdocs_imagegen.directives.registry import Registry
    from mkdocs_imagegen.directives.source_lines import SwallowedBlock

FENCE = "imagegen"
CARDS = "imagegen-cards"
MARKERS = ('<p><img src="imagegen:t', '<figure>\n<img src="imagegen:t', "<div data-imagegen-cards=")
"""Beginnings of the HTML that replaces a block."""

_HEADER = re.compile(
    r"(?:`{3,}|~{3,})(?:[ \t]*\.?(?P<language>[\w#.+-]+))?(?:[ \t]*\{.*\}"
    r"|(?P<options>(?:[ \t]+[A-Za-z]\w*(?:=(?:\"[^\"]*\"|'[^']*'))?)*))"
)
_OPTION = re.compile(r"(\w+)=")
_CODE_OPTIONS = {"hl_lines", "linenums", "title", "title_mode"}
"""Headers and options of code that superfences reads; a block with another one stays text."""

GetRegistry = Callable[[], "Registry"]
"""Function that returns the registry of the current build."""

PageOf = Callable[[Markdown], "str | None"]
"""Function that returns the source path of the page that is rendered; None if it is not known."""

AddBlock = Callable[[str, str, Mapping[str, str]], str]
"""Function that adds a block, by its name, body and attributes, and returns its marker."""


class NameDetector(Preprocessor):
    """Preprocessor that checks if a page's text contains the word ``imagegen``.

    Superfences gets the blocks of this package only for such a page. It asks every fence for every
    kind of block that it knows, which takes longer than this check.

    Attributes:
        is_named: True if the current page contains the word.
        page_of: Function that returns the page.
    """

    def __init__(self, md: Markdown, registry: GetRegistry, page_of: PageOf) -> None:
        super().__init__(md)
        self.is_named = False
        self.page_of = page_of
        self._registry = registry
        self._extend = _superfences(md)
        self._lines: list[str] = []
        self._read: set[str] = set()

    def run(self, lines: list[str]) -> list[str]:
        """Return the lines unchanged."""
        self.is_named = FENCE in "\n".join(lines).lower()
        self._lines, self._read = lines if self.is_named else [], set()
        if self.is_named and self._extend is not None:
            _extend_superfences(self._extend, self.add)
            self._extend = None
        return lines

    def add(self, name: str, body: str, attributes: Mapping[str, str]) -> str:
        """Add a block of the current page to the registry and return its marker."""
        self._read.add(" ".join(body.split()))
        registry, page = self._registry(), self.page_of(self.md)
        add = registry.add_cards_block if name == CARDS else registry.add_image_block
        return add(page, body, attributes)

    def swallowed_blocks(self) -> list[SwallowedBlock]:
        """Return the image blocks of the current page that an unclosed block contains."""
        if not any(
            FENCE in line and line.lstrip("> \t")[:3] in ("```", "~~~") for line in self._lines
        ):
            return []
        from mkdocs_imagegen.directives.source_lines import swallowed_blocks  # noqa: PLC0415

        found = swallowed_blocks(self._lines, self._is_header)
        return [each for each in found if each.body not in self._read]

    def _is_header(self, text: str) -> bool:
        """Return True if the site's fence processor reads a line as the header of a block."""
        method, header = _superfences(self.md), _HEADER.fullmatch(text)
        if method is None:
            block = f"{text}\n{text[: len(text) - len(text.lstrip(text[0]))]}"
            return FencedBlockPreprocessor.FENCED_BLOCK_RE.match(block) is not None
        extension: Any = method.__self__
        if extension.getConfig("relaxed_headers", default=False):
            return True
        if header is None or set(_OPTION.findall(header["options"] or "")) <= _CODE_OPTIONS:
            return header is not None
        return any(each["name"] == header["language"] for each in extension.superfences)


def add_fences(md: Markdown, registry: GetRegistry, page_of: PageOf) -> NameDetector:
    """Register the processors that replace blocks with markers; return the first of them.

    The processor of fences that the site uses is registered before.
    """
    detector = NameDetector(md, registry, page_of)
    # Before the processor of fences, and after extensions that add text to the page.
    reads_early = "fenced_raw_block" in md.preprocessors  # 31.05, if superfences keeps tabs
    md.preprocessors.register(detector, "imagegen-words", 31.07 if reads_early else 25.6)
    if "fenced_code_block" in md.preprocessors and isinstance(
        md.preprocessors["fenced_code_block"], FencedBlockPreprocessor
    ):
        # Right before the built-in processor (25), which would render the blocks as code.
        md.preprocessors.register(_BlockPreprocessor(md, detector), "imagegen-fences", 25.5)
    return detector


def describe_failed_fence(header: str, md: Markdown) -> str:
    """Return the message for a block that the site's fence processor did not recognize."""
    fault = f"{quote_value(header)} was not read as an image block"
    if _superfences(md) is not None:
        return (
            f"{fault} (it needs a closing fence, and quotes around values in its header, like "
            'size="1024x1024"); write the options under the header, above a line with ---'
        )
    return (
        f"{fault} (without pymdownx.superfences it needs a closing fence, a place outside lists, "
        "tabs and quotes, and braces around options in its header); add `pymdownx.superfences` to "
        "`markdown_extensions`"
    )


def describe_unclosed_block(block: SwallowedBlock, md: Markdown) -> str:
    """Return the message for a block that has no closing fence and contains an image block."""
    header, words = quote_value(block.header), quote_value(block.words)
    if block.is_closed:
        options = "hl_lines, linenums and title, with quotes around their values"
        if _superfences(md) is None:
            options = "hl_lines, in braces"
        return (
            f"{header} is not read as the header of a block, so the image block {words} below it "
            f"is not read; remove its options except {options}"
        )
    return (
        f"{header} has no closing fence, so the image block {words} below it is not read; add the "
        "fence, with the same indentation, or use a longer one to show the image block as code"
    )


def _superfences(md: Markdown) -> MethodType | None:
    """Return the method by which superfences gets further blocks; None without superfences."""
    if "fenced_code_block" not in md.preprocessors:
        return None
    extension = getattr(md.preprocessors["fenced_code_block"], "extension", None)
    method: MethodType | None = getattr(extension, "extend_super_fences", None)
    return method


def _extend_superfences(extend: MethodType, add: AddBlock) -> None:
    wanted = _count_parameters(extend.__func__)
    for name in (FENCE, CARDS):
        hooks = [name, partial(_format_fence, add, name), _accept_all]
        extend(*hooks, *[None] * (wanted - len(hooks)))


@lru_cache(maxsize=1)  # each page has an extension of its own, and all are of one type
def _count_parameters(function: Callable[..., None]) -> int:
    return len(inspect.signature(function).parameters) - len(["self"])


def _accept_all(
    _language: str, inputs: dict[str, str], options: dict[str, str], *_: object
) -> bool:
    options.update(inputs)
    return True


def _format_fence(
    add: AddBlock, name: str, src: str, options: Mapping[str, str], **header: object
) -> str:
    """Return the marker of a block; superfences passes the arguments by name."""
    attributes, classes = dict(options), header.get("classes")
    if isinstance(classes, list) and classes:
        attributes["class"] = " ".join(classes)
    if header.get("id_value"):
        attributes["id"] = str(header["id_value"])
    return add(name, src, attributes)


def page_in_mkdocs(md: Markdown) -> str | None:
    """Return the source path of the page that is rendered, from MkDocs' own tree processor.

    This also works for the excerpts of Material's blog, which are rendered on another page.
    """
    if "relpath" not in md.treeprocessors:
        return None
    file = getattr(md.treeprocessors["relpath"], "file", None)
    return getattr(file, "src_uri", None)


class _BlockPreprocessor(Preprocessor):
    """Preprocessor that replaces blocks which the built-in processor would read as fences."""

    def __init__(self, md: Markdown, detector: NameDetector) -> None:
        super().__init__(md)
        self._detector = detector

    def run(self, lines: list[str]) -> list[str]:
        if not self._detector.is_named:
            return lines
        text, done, index = "\n".join(lines), "", 0
        for match in FencedBlockPreprocessor.FENCED_BLOCK_RE.finditer(text):
            name, attributes = _fence_header(match)
            if name in (FENCE, CARDS):
                marker = self._detector.add(name, match["code"], attributes)
                done += f"{text[index : match.start()]}\n{self.md.htmlStash.store(marker)}\n"
                index = match.end()
        return (done + text[index:]).split("\n")


def _fence_header(match: re.Match[str]) -> tuple[str, dict[str, str]]:
    """Return the language and the attributes of a fence."""
    written = match["attrs"]
    if not written:
        return match["lang"] or "", {}
    read: list[tuple[str, str | None]] = list(get_attrs(written))
    pairs = [(name, name if value is None else value) for name, value in read]
    language, *classes = [value for name, value in pairs if name == "."] or [""]
    attributes = {name: value for name, value in pairs if name != "."}
    return language, attributes | ({"class": " ".join(classes)} if classes else {})
