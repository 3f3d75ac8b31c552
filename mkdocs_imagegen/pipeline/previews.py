"""Previews of pages, and the lists of page cards that show them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from urllib.parse import urljoin

from mkdocs_imagegen.directives.directive import Directive, ParsedDirective
from mkdocs_imagegen.directives.marker import as_block, as_tag, attributes_of
from mkdocs_imagegen.directives.page_list import PageList, fill_lists, find_shown_lists
from mkdocs_imagegen.directives.registry import PagePreview, Registry
from mkdocs_imagegen.directives.source_lines import SourceLines
from mkdocs_imagegen.errors import Location
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.imaging.image import PageImage
from mkdocs_imagegen.log import log
from mkdocs_imagegen.option_parsers import Size, quote_value
from mkdocs_imagegen.page_layout import Layout
from mkdocs_imagegen.pages.cards import PageCard, cards_html, error_html, relative_page_url
from mkdocs_imagegen.pages.social import SocialCard
from mkdocs_imagegen.pipeline.context import BuildContext, Page, PageFacts, SitePages
from mkdocs_imagegen.settings.folders import matches, matches_any

_HEADING = re.compile(r"\s*(?:<!--.*?-->\s*)*<h1\b.*?</h1>[ \t]*\n?", re.DOTALL | re.IGNORECASE)
_THUMBNAIL = Size(640, 360)
_THUMBNAIL_WIDTHS = (320,)
_THUMBNAIL_SIZES = "(max-width: 480px) 100vw, 320px"
_PATH_HINT = " (use paths of Markdown files in the docs folder, like guide/*.md)"


@dataclass(frozen=True, slots=True)
class _PagePreview:
    page: Page
    preview: PagePreview | None
    card: str
    lists: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _ResolvedList:
    uris: tuple[str, ...]
    errors: tuple[str, ...]


class Previews:
    """The previews of one build's pages, and the pages of its lists.

    Args:
        context: Context of the build.
        registry: Directives of the build.
    """

    def __init__(self, context: BuildContext, registry: Registry) -> None:
        self._settings = context.settings.previews
        self._site_url = context.site_url
        self._registry = registry
        self._of_pages: dict[str, _PagePreview] = {}
        self._pages = SitePages()
        self._order: dict[str, int] = {}
        self._resolved: dict[str, _ResolvedList] = {}

    def read(self, page: Page, facts: Callable[[], PageFacts]) -> PagePreview | None:
        """Return the preview of a page, or None if neither the page nor the site defines one.

        Args:
            page: The page.
            facts: Function that returns the facts of the page.
        """
        default = None
        if self._settings.default is not None and (known := facts()).is_written:
            fields = {"title": known.title, "description": known.description}
            default = self._settings.prompt_for(page.uri, fields)
        return self._registry.read_preview(page.uri, default)

    def add(self, page: Page, preview: PagePreview | None, content: str) -> str:
        """Add a page with its preview and its lists.

        Args:
            page: The page.
            preview: PagePreview of the page.
            content: HTML of the page.

        Returns:
            The token of the image in the head of the page, or ``""``.
        """
        card = self._card_token(preview) if preview else ""
        lists = tuple(dict.fromkeys(find_shown_lists(content)))
        self._of_pages[page.uri] = _PagePreview(page, preview, card, lists)
        return card

    def resolve(self, pages: SitePages) -> Iterator[tuple[str, str | None]]:
        """Resolve the lists of all pages, before the join.

        Args:
            pages: Pages of the build.

        Yields:
            The token of each thumbnail, and the source of the page that shows it.
        """
        self._pages = pages
        self._order = {uri: number for number, uri in enumerate(pages.order)}
        for token in [each for known in self._of_pages.values() for each in known.lists]:
            page_list = self._registry.get_list(token)
            for uri in self._resolve(token).uris:
                if thumbnail := self._thumbnail_of(uri):
                    yield thumbnail[0], page_list.page if page_list else None

    def card_token(self, uri: str) -> str:
        """Return the token of the image in the head of a page, or ``""``."""
        known = self._of_pages.get(uri)
        return known.card if known else ""

    @property
    def uris(self) -> Iterable[str]:
        """Sources of the pages that were added."""
        return self._of_pages

    def social_card(self, uri: str, image: PageImage) -> SocialCard:
        """Return the social card of a page with a preview.

        Args:
            uri: Source of the page.
            image: Image of its card.
        """
        known = self._of_pages[uri]
        found = self._registry.get(known.card)
        return SocialCard(
            url=urljoin(self._site_url, image.name),
            mime=image.sources[-1].mime,
            size=image.size,
            alt=found.alt if isinstance(found, Directive) else "",
            replaces=bool(known.preview and known.preview.is_own),
        )

    def fill_lists(self, content: str, page_url: str) -> str:
        """Return HTML with the page cards of its lists; their thumbnails are markers.

        Args:
            content: HTML of a page or of a part of it.
            page_url: Address of the page below the site's root.
        """
        return fill_lists(content, lambda token: self._cards(token, page_url))

    def _card_token(self, preview: PagePreview) -> str:
        """Return the token of a page's image for its head; an error is logged only once."""
        if isinstance(preview.directive, Directive):
            return self._registry.add(_as_card(preview.directive, self._settings.size))[0]
        return "" if preview.is_at_top else preview.token

    def _cards(self, token: str, page_url: str) -> str:
        resolved = self._resolve(token)
        if not resolved.uris:
            return error_html("; ".join(resolved.errors))
        return cards_html([self._card(uri, page_url) for uri in resolved.uris])

    def _card(self, uri: str, page_url: str) -> PageCard:
        facts = self._pages.facts(uri)
        address = relative_page_url(facts.page.url, page_url)
        thumbnail = self._thumbnail_of(uri)
        marker = as_tag(attributes_of(thumbnail[1], thumbnail[0])) if thumbnail else ""
        return PageCard(facts.title, facts.description, address, marker)

    def _thumbnail_of(self, uri: str) -> tuple[str, ParsedDirective] | None:
        preview = self._of_pages[uri].preview if uri in self._of_pages else None
        if preview is None or not isinstance(preview.directive, Directive):
            return None
        return self._registry.add(_as_thumbnail(preview.directive))

    def _resolve(self, token: str) -> _ResolvedList:
        if token not in self._resolved:
            page_list = self._registry.get_list(token)
            resolved = self._pages_of(page_list) if page_list else _ResolvedList((), ())
            self._resolved[token] = resolved
            for error in resolved.errors:
                log.warning("%s: cards: %s", self._location(page_list), error)
        return self._resolved[token]

    def _pages_of(self, page_list: PageList) -> _ResolvedList:
        if page_list.fault:
            return _ResolvedList((), (page_list.fault,))
        others = [uri for uri in self._pages.uris if uri != page_list.page]
        others = [uri for uri in others if self._pages.facts(uri).is_listed]
        if not page_list.globs:
            section = set(self._pages.section(page_list.page or ""))
            uris = [uri for uri in others if uri in section]
            errors = [] if uris else ["the section of this page has no other pages"]
        else:
            uris = [uri for uri in others if matches_any(page_list.globs, uri)]
            idle = (
                glob for glob in page_list.globs if not any(matches(glob, each) for each in uris)
            )
            errors = [f"{quote_value(glob)} matches no page{_PATH_HINT}" for glob in idle]
        return _ResolvedList(tuple(sorted(uris, key=self._rank)), tuple(errors))

    def _rank(self, uri: str) -> tuple[int, str]:
        return self._order.get(uri, len(self._order)), uri

    def _location(self, page_list: PageList | None) -> Location:
        known = self._of_pages.get(page_list.page or "") if page_list else None
        if page_list is None or known is None:
            return Location("a page")
        page = known.page
        return Location(page.path, SourceLines(page.read_source()).find(page_list.source, 0))


def with_block(content: str, preview: PagePreview | None) -> str:
    """Return the HTML of a page with a marker for its preview, if the page shows that itself.

    The preview is below the heading if the page begins with one.

    Args:
        content: HTML of the page.
        preview: PagePreview of the page.
    """
    if preview is None or not preview.is_at_top:
        return content
    heading = _HEADING.match(content)
    end = heading.end() if heading else 0
    return f"{content[:end]}{as_block(preview.directive, preview.token)}\n{content[end:]}"


def _as_card(found: Directive, size: Size) -> ParsedDirective:
    """Return the same image in the size of social cards."""
    layout = Layout(size, (), found.layout.focus, is_card=True)
    return replace(found, layout=layout, dark=None, width_px=None, percent=0)


def _as_thumbnail(found: Directive) -> ParsedDirective:
    """Return the same image in the size of page cards; the title next to it is its alt text."""
    return replace(
        found,
        alt="",
        layout=Layout(_THUMBNAIL, _THUMBNAIL_WIDTHS, found.layout.focus),
        width_px=None,
        sizes=_THUMBNAIL_SIZES,
        percent=0,
        attributes=(),
    )
