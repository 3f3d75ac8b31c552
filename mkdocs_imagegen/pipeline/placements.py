"""The places of a site that show an image, in the order in which they were seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from mkdocs_imagegen.directives.directive import ParsedDirective, SourceExcerpt
from mkdocs_imagegen.errors import Location
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.options import quote_value

if TYPE_CHECKING:
    from mkdocs_imagegen.directives.source_lines import SourceLines


@dataclass(frozen=True, slots=True)
class Page:
    """A page as a build sees it.

    Attributes:
        path: its source file, as the author knows it.
        uri: its source below the docs folder, with slashes.
        url: its address below the site's root.
        source: gives its source, looked through for lines.
    """

    path: str
    uri: str
    url: str
    source: Callable[[], SourceLines]


@dataclass(frozen=True, slots=True)
class Placement:
    """One place that shows an image.

    Attributes:
        page: the page it stands on.
        token: which image it is.
        number: the how many-th image of the page it is, from 1.
        twins_before: how many that are written alike stand before it on the page.
        on_page: whether it stands there, and is not only named in the page's head.
    """

    page: Page
    token: str
    number: int
    twins_before: int
    on_page: bool

    def location(self, found: ParsedDirective) -> Location:
        """Where it stands, by the line of the source file where that can be told."""
        line = self.page.source().find(found.source, self.twins_before)
        words = quote_value(found.source.first_words or found.source.target)
        kind = "preview" if found.source.kind == "preview" else f"prompt {self.number}"
        return Location(self.page.path, line, f"{kind} ({words})")


class Placements:
    """All places that were seen, by page; a page that is read again replaces what it said.

    Args:
        source_of: how an image is written, by its token.
    """

    def __init__(self, source_of: Callable[[str], SourceExcerpt | None]) -> None:
        self._source_of = source_of
        self._by_page: dict[str, list[Placement]] = {}
        self._written: dict[str, Counter[SourceExcerpt | None]] = {}

    def open_page(self, page: Page) -> None:
        """Forget what the page showed before."""
        self._by_page[page.uri] = []
        self._written[page.uri] = Counter()

    def add(self, page: Page, token: str, *, on_page: bool = True) -> None:
        """Note an image of the page."""
        before = self._by_page.setdefault(page.uri, [])
        written, source = self._written.setdefault(page.uri, Counter()), self._source_of(token)
        written[source] += on_page
        twins = max(0, written[source] - 1)
        before.append(Placement(page, token, len(before) + 1, twins, on_page))

    def __iter__(self) -> Iterator[Placement]:
        for placements in self._by_page.values():
            yield from placements
