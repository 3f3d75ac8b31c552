"""Previews of pages: read with each page, and shown in heads, at tops and on cards."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from urllib.parse import urljoin

from mkdocs_imagegen.directives.directive import Directive, ParsedDirective
from mkdocs_imagegen.directives.marker import as_block, as_tag, attributes_of
from mkdocs_imagegen.directives.page_list import PageList, fill_lists, find_shown_lists
from mkdocs_imagegen.directives.registry import PagePreview
from mkdocs_imagegen.errors import Location
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.layout import Layout
from mkdocs_imagegen.options import Size, quote_value
from mkdocs_imagegen.pages.cards import (
    PageCard,
    card_style,
    cards_html,
    error_html,
    relative_page_url,
)
from mkdocs_imagegen.pages.social import SocialCard, add_social_tags, insert_in_head
from mkdocs_imagegen.pipeline.build import Pipeline
from mkdocs_imagegen.pipeline.placements import Page
from mkdocs_imagegen.settings.folders import matches, matches_any

NO_SITE_URL = (
    "previews get no social tags, since those need absolute addresses; "
    "set site_url in mkdocs.yml to where the site will be"
)
_HEADING = re.compile(r"\s*(?:<!--.*?-->\s*)*<h1\b.*?</h1>[ \t]*\n?", re.DOTALL | re.IGNORECASE)
_THUMBNAIL = Size(640, 360)
_THUMBNAIL_WIDTHS = (320,)
_THUMBNAIL_SIZES = "(max-width: 480px) 100vw, 320px"


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list of pages tells of one.

    Attributes:
        page: the page.
        title: as text.
        description: as text; ``""`` for none.
        is_listed: whether lists may name it; drafts are not listed.
        is_written: whether the author wrote it, and not a plugin, like a blog's archive.
    """

    page: Page
    title: str
    description: str
    is_listed: bool
    is_written: bool


@dataclass(frozen=True, slots=True)
class _Seen:
    page: Page
    preview: PagePreview | None
    card: str
    lists: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Resolved:
    uris: tuple[str, ...]
    faults: tuple[str, ...]


Section = Callable[[str], Iterable[str]]
"""The sources of the pages that stand with a page in its section, from the page's own source."""


class Previews:
    """The previews of one build.

    Args:
        pipeline: of the build.
        site_url: where the site will be; ``""`` where that is not known.
        warn: called with each warning.
    """

    def __init__(self, pipeline: Pipeline, site_url: str, warn: Callable[[str], None]) -> None:
        self.pipeline = pipeline
        self._site_url = site_url
        self._warn = warn
        self._seen: dict[str, _Seen] = {}
        self._pages: Collection[str] = ()
        self._listed: Callable[[str], Listed]
        self._resolved: dict[str, _Resolved] = {}
        self._order: dict[str, int] = {}
        self._section: Section = lambda _: ()

    def read_page(self, page: Page, listed: Callable[[], Listed], content: str) -> str:
        """Look up what the page shows, and its preview.

        Args:
            page: the page.
            listed: what lists tell of it.
            content: its HTML.

        Returns:
            The page's HTML, with a marker for its preview where it shows that itself.
        """
        preview = self._preview(page, listed)
        if preview is not None and preview.is_at_top:
            content = below_heading(content, as_block(preview.directive, preview.token))
        content = self.pipeline.read_page(page, content)
        card = self._look_up_card(page, preview) if preview else ""
        lists = tuple(dict.fromkeys(find_shown_lists(content)))
        self._seen[page.uri] = _Seen(page, preview, card, lists)
        return content

    def settle(
        self,
        pages: Collection[str],
        listed: Callable[[str], Listed],
        order: Sequence[str],
        section: Section,
    ) -> None:
        """Before the join: decide which pages each list names, and look up their thumbnails.

        Args:
            pages: the sources of all that were rendered, in that order.
            listed: gives what lists tell of one of them.
            order: the sources of pages in the order of the navigation.
            section: finds the pages of a section.
        """
        self._pages, self._listed = pages, listed
        self._order = {uri: number for number, uri in enumerate(order)}
        self._section = section
        for seen in self._seen.values():
            for token in seen.lists:
                self._resolve(token)

    def card_of(self, uri: str) -> SocialCard | None:
        """After the join: a page's preview as others show it; None where there is none."""
        seen = self._seen.get(uri)
        outcome = self.pipeline.outcome(seen.card) if seen and seen.card else None
        found = self.pipeline.registry.get(seen.card) if seen else None
        if not seen or not seen.preview or not outcome or not outcome.image or not found:
            return None
        image = outcome.image
        url = urljoin(self._site_url, image.name)
        alt = found.alt if isinstance(found, Directive) else ""
        mime = image.sources[-1].mime
        return SocialCard(url, mime, image.size, alt, seen.preview.is_own)

    def has_cards(self) -> bool:
        """After the join: whether a page has a preview for others to show."""
        return any(self.card_of(uri) for uri in self._seen)

    def fill_page(self, content: str, page_url: str) -> str:
        """HTML, after the join, with its lists and its images.

        Args:
            content: of a page or of a part of it.
            page_url: the page's address below the site's root.
        """
        content = fill_lists(content, lambda token: self._cards(token, page_url))
        return self.pipeline.fill_page(content, page_url)

    def finish_page(self, output: str, uri: str = "") -> str:
        """A finished page with what its head needs.

        Args:
            output: the page.
            uri: its source below the docs folder; ``""`` for a page that has none.
        """
        style = card_style(output)
        output = insert_in_head(output, style) if style else output
        card = self.card_of(uri) if self._site_url else None
        return add_social_tags(output, card) if card else output

    def _preview(self, page: Page, listed: Callable[[], Listed]) -> PagePreview | None:
        settings, default = self.pipeline.settings.previews, None
        if settings.default is not None and (told := listed()).is_written:
            said = {"title": told.title, "description": told.description}
            default = settings.prompt_for(page.uri, said)
        return self.pipeline.registry.read_preview(page.uri, default)

    def _look_up_card(self, page: Page, preview: PagePreview) -> str:
        """The token of the page's card; ``""`` where a mistake is all there is."""
        pipeline = self.pipeline
        if not isinstance(preview.directive, Directive):
            if not preview.is_at_top:
                pipeline.sight(page, preview.token, on_page=False)
            return ""
        size = pipeline.settings.previews.size
        token, _ = pipeline.registry.add(_as_card(preview.directive, size))
        if preview.is_at_top:
            pipeline.look_up(token, page.uri)  # what stands on the page is told of already
        else:
            pipeline.sight(page, token, on_page=False)
        return token

    def _cards(self, token: str, page_url: str) -> str:
        resolved = self._resolve(token)
        if not resolved.uris:
            return error_html("; ".join(resolved.faults))
        return cards_html([self._card(uri, page_url) for uri in resolved.uris])

    def _card(self, uri: str, page_url: str) -> PageCard:
        listed = self._listed(uri)
        address = relative_page_url(listed.page.url, page_url)
        return PageCard(listed.title, listed.description, address, self._thumbnail(uri))

    def _preview_of(self, uri: str) -> PagePreview | None:
        return self._seen[uri].preview if uri in self._seen else None

    def _thumbnail(self, uri: str) -> str:
        preview = self._preview_of(uri)
        if preview is None or not isinstance(preview.directive, Directive):
            return ""
        token, found = self.pipeline.registry.add(_as_thumbnail(preview.directive))
        return as_tag(attributes_of(found, token))

    def _resolve(self, token: str) -> _Resolved:
        if token not in self._resolved:
            wanted = self.pipeline.registry.get_list(token)
            self._resolved[token] = self._pages_of(wanted) if wanted else _Resolved((), ())
            for fault in self._resolved[token].faults if wanted else ():
                self._warn(f"{self._place(wanted)}: cards: {fault}")
            for uri in self._resolved[token].uris:
                self._look_up_thumbnail(self._preview_of(uri), wanted.page if wanted else None)
        return self._resolved[token]

    def _look_up_thumbnail(self, preview: PagePreview | None, shown_by: str | None) -> None:
        if preview is not None and isinstance(preview.directive, Directive):
            token, _ = self.pipeline.registry.add(_as_thumbnail(preview.directive))
            self.pipeline.look_up(token, shown_by)

    def _pages_of(self, wanted: PageList) -> _Resolved:
        if wanted.fault:
            return _Resolved((), (wanted.fault,))
        others = [uri for uri in self._pages if uri != wanted.page]
        others = [uri for uri in others if self._listed(uri).is_listed]
        if not wanted.globs:
            section = set(self._section(wanted.page or ""))
            uris = [uri for uri in others if uri in section]
            faults = [] if uris else ["there are no other pages in the section of this page"]
        else:
            uris = [uri for uri in others if matches_any(wanted.globs, uri)]
            idle = (glob for glob in wanted.globs if not any(matches(glob, uri) for uri in uris))
            faults = [f"{quote_value(glob)} matches no page{_MEANT}" for glob in idle]
        return _Resolved(tuple(sorted(uris, key=self._rank)), tuple(faults))

    def _rank(self, uri: str) -> tuple[int, str]:
        return self._order.get(uri, len(self._order)), uri

    def _place(self, wanted: PageList | None) -> Location:
        seen = self._seen.get(wanted.page or "") if wanted else None
        if wanted is None or seen is None:
            return Location("a page")
        page = seen.page
        return Location(page.path, page.source().find(wanted.source, 0))


_MEANT = " (paths are those of Markdown files below the docs folder, like guide/*.md)"


def below_heading(content: str, block: str) -> str:
    """The HTML of a page with a block at its head: below its heading if it begins with one."""
    heading = _HEADING.match(content)
    end = heading.end() if heading else 0
    return f"{content[:end]}{block}\n{content[end:]}"


def _as_card(found: Directive, size: Size) -> ParsedDirective:
    """The same image as a social network shows it."""
    layout = Layout(size, (), found.layout.focus, is_card=True)
    return replace(found, layout=layout, dark=None, width_px=None)


def _as_thumbnail(found: Directive) -> ParsedDirective:
    """The same image as a card shows it, beside the title, which says what there is to say."""
    return replace(
        found,
        alt="",
        layout=Layout(_THUMBNAIL, _THUMBNAIL_WIDTHS, found.layout.focus),
        width_px=None,
        sizes=_THUMBNAIL_SIZES,
        attributes=(),
    )
