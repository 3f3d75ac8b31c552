"""Lists of pages that are shown as cards, and their markers; pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from mkdocs_imagegen.directives.directive import SourceExcerpt, build_token
from mkdocs_imagegen.directives.marker import ADDRESS_START, find_shown_tags
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.option_parsers import quote_value

_MARK = re.compile(rf"data-imagegen-cards=[\"']?({ADDRESS_START}[0-9a-f]{{40}})")
_END = re.compile(r"\s*</div>")


@dataclass(frozen=True, slots=True)
class PageList:
    """List of pages to show as cards.

    Attributes:
        page: Source path of the page that shows the list; None if it is not known.
        globs: Patterns of source paths; empty for the pages of the page's section.
        source: Excerpt by which the line is found.
        fault: Error in the block; ``""`` if it is valid.
    """

    page: str | None
    globs: tuple[str, ...]
    source: SourceExcerpt
    fault: str = ""

    @property
    def token(self) -> str:
        """Token of the list until all pages are known, in the form of an image's token."""
        return build_token(self)


def read_list(page: str | None, body: str, attributes: Mapping[str, str]) -> PageList:
    """Return the list of an ``imagegen-cards`` block, which has one pattern per line."""
    globs = tuple(line.strip() for line in body.split("\n") if line.strip())
    source = SourceExcerpt("fence", globs[0] if globs else "")
    fault = ""
    if attributes:
        fault = (
            f"unknown option {quote_value(next(iter(attributes)))} of a list of cards; "
            "write only page paths, one per line, like guide/**"
        )
    return PageList(page, globs, source, fault)


def list_marker(token: str) -> str:
    """Return the element that the cards replace."""
    return f'<div data-imagegen-cards="{token}"></div>'


def find_shown_lists(content: str) -> Iterator[str]:
    """Yield the tokens of the lists in a page's HTML, in order."""
    for tag in find_shown_tags(content, "data-imagegen-cards"):
        token = _MARK.search(tag.text)
        if token:
            yield token[1]


def fill_lists(content: str, cards: Callable[[str], str]) -> str:
    """Return the HTML with the marker of each list replaced by its cards."""
    parts, done = [], 0
    for tag in find_shown_tags(content, "data-imagegen-cards"):
        token, end = _MARK.search(tag.text), _END.match(content, tag.end)
        if token and end:
            parts += [content[done : tag.start], cards(token[1])]
            done = end.end()
    return "".join([*parts, content[done:]])
