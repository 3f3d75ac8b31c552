"""Lists of pages that an author asked for as cards, and the marker of one; pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping

from mkdocs_imagegen.directives.directive import SourceExcerpt
from mkdocs_imagegen.directives.marker import ADDRESS_START, find_shown_tags
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.options import quote_value

_MARK = re.compile(rf"data-imagegen-cards=[\"']?({ADDRESS_START}[0-9a-f]{{40}})")
_END = re.compile(r"\s*</div>")


@dataclass(frozen=True, slots=True)
class PageList:
    """Pages that are to be listed as cards.

    Attributes:
        page: the source of the page that lists them; None where that is not known.
        globs: patterns for their sources; none for the pages of the page's own section.
        source: how to find the line.
        fault: why it cannot be read; ``""`` where it can.
    """

    page: str | None
    globs: tuple[str, ...]
    source: SourceExcerpt
    fault: str = ""

    @property
    def token(self) -> str:
        """What stands for it until all pages are known; it has the form of an image's token."""
        digest = hashlib.sha256(repr(self).encode("utf-8", "replace")).hexdigest()
        return f"{ADDRESS_START}{digest[:40]}"


def read_list(page: str | None, body: str, attributes: Mapping[str, str]) -> PageList:
    """The list that a fence stands for: one pattern a line."""
    globs = tuple(line.strip() for line in body.split("\n") if line.strip())
    source = SourceExcerpt("fence", globs[0] if globs else "")
    fault = ""
    if attributes:
        fault = (
            f"a list of cards has no option {quote_value(next(iter(attributes)))}; "
            "write only page paths, one a line, like guide/**"
        )
    return PageList(page, globs, source, fault)


def list_marker(token: str) -> str:
    """The element that stands where the cards will be."""
    return f'<div data-imagegen-cards="{token}"></div>'


def find_shown_lists(content: str) -> Iterator[str]:
    """The tokens of the lists that stand as elements in a page's HTML, in order."""
    for tag in find_shown_tags(content, "data-imagegen-cards"):
        token = _MARK.search(tag.text)
        if token:
            yield token[1]


def fill_lists(content: str, cards: Callable[[str], str]) -> str:
    """The HTML with every shown marker of a list replaced by its cards."""
    parts, done = [], 0
    for tag in find_shown_tags(content, "data-imagegen-cards"):
        token, end = _MARK.search(tag.text), _END.match(content, tag.end)
        if token and end:
            parts += [content[done : tag.start], cards(token[1])]
            done = end.end()
    return "".join([*parts, content[done:]])
