"""The locations of a site that show an image, in the order in which pages were read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from mkdocs_imagegen.directives.directive import ParsedDirective, SourceExcerpt
from mkdocs_imagegen.directives.source_lines import SourceLines
from mkdocs_imagegen.errors import Location
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.option_parsers import quote_value
from mkdocs_imagegen.pipeline.context import Page


@dataclass(frozen=True, slots=True)
class Placement:
    """A location that shows an image.

    Attributes:
        page: The page.
        token: Token of the directive.
        number: Position among the images of the page, from 1.
        twins_before: Number of equal directives before it on the page.
        on_page: True if the page shows the image; False if only its head names it.
    """

    page: Page
    token: str
    number: int
    twins_before: int
    on_page: bool


class Placements:
    """The locations of all pages; a page that is read again replaces its locations.

    Args:
        source_of: Function that returns the source of a directive by its token.
    """

    def __init__(self, source_of: Callable[[str], SourceExcerpt | None]) -> None:
        self._source_of = source_of
        self._by_page: dict[str, list[Placement]] = {}
        self._sources: dict[str, Counter[SourceExcerpt | None]] = {}
        self._latest: tuple[Page, SourceLines] | None = None

    def open_page(self, page: Page) -> None:
        """Forget the locations of a page."""
        self._by_page[page.uri] = []
        self._sources[page.uri] = Counter()

    def add(self, page: Page, token: str, *, on_page: bool = True) -> None:
        """Add an image of a page."""
        before = self._by_page.setdefault(page.uri, [])
        sources, source = self._sources.setdefault(page.uri, Counter()), self._source_of(token)
        sources[source] += on_page
        twins = max(0, sources[source] - 1)
        before.append(Placement(page, token, len(before) + 1, twins, on_page))

    def __iter__(self) -> Iterator[Placement]:
        for placements in self._by_page.values():
            yield from placements

    def locate(self, placement: Placement, found: ParsedDirective) -> Location:
        """Return the location of an image, with the line of the source file if it is found there.

        Args:
            placement: Location of the image.
            found: Directive of the image.
        """
        page, source = placement.page, found.source
        line = self.lines_of(page).find(source, placement.twins_before)
        words = quote_value(source.first_words or source.target)
        kind = "preview" if source.kind == "preview" else f"prompt {placement.number}"
        return Location(page.path, line, f"{kind} ({words})")

    def lines_of(self, page: Page) -> SourceLines:
        """Return the source file of a page, which is read once for consecutive calls."""
        # Locations are requested page by page, and a site may have thousands of pages.
        if self._latest is None or self._latest[0].uri != page.uri:
            self._latest = page, SourceLines(page.read_source())
        return self._latest[1]
