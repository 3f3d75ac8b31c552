"""Registry of the directives that a build finds, by their tokens."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from itertools import chain
from typing import TYPE_CHECKING

from mkdocs_imagegen.directives.defaults import Defaults, folder_defaults, page_defaults
from mkdocs_imagegen.directives.directive import (
    FROM_IMAGE,
    Directive,
    InvalidDirective,
    ParsedDirective,
    SourceExcerpt,
    WrittenDirective,
    build_token,
    complete,
)
from mkdocs_imagegen.directives.grammar import read_fence
from mkdocs_imagegen.directives.layers import Level, Origin
from mkdocs_imagegen.directives.marker import as_block
from mkdocs_imagegen.directives.options import DirectiveOptions
from mkdocs_imagegen.directives.page_list import PageList, list_marker, read_list
from mkdocs_imagegen.directives.references import ImageReference, PromptReference
from mkdocs_imagegen.errors import ImagegenError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.option_parsers import OptionsError, read_options

if TYPE_CHECKING:
    from mkdocs_imagegen.directives.explain import Explanation

_LANGUAGE = r"\.[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*"


@dataclass(frozen=True, slots=True)
class PagePreview:
    """Preview image of a page.

    Attributes:
        token: Token of the directive.
        directive: Directive, or its error.
        is_own: True if the page itself sets it, and not the site for all its pages.
        is_at_top: True if the page shows it below its heading.
    """

    token: str
    directive: ParsedDirective
    is_own: bool
    is_at_top: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """Source of a directive, from which it can be read again for an explanation."""

    page: str | None
    source: SourceExcerpt
    read: Callable[[], WrittenDirective]


class Registry:
    """Directives of one build, and the options that its pages set for them.

    Adding a directive generates no image: a renderer also reads blocks whose result it discards.

    Args:
        site: Defaults of the site.
        can_explain: True if directives are explained later, which needs memory.
    """

    def __init__(self, site: Defaults, *, can_explain: bool = True) -> None:
        self._site = site
        self._can_explain = can_explain
        self._folder_defaults = lru_cache(maxsize=8)(partial(folder_defaults, site))
        self._pages: dict[str, Defaults] = {}
        self._faults: dict[str, str] = {}
        self._parsed: dict[str, ParsedDirective] = {}
        self._ids: dict[tuple[str | None, str], str] = {}
        self._readings: dict[str, dict[str | None, Reading]] = {}
        self._lists: dict[str, PageList] = {}

    def open_page(self, page: str, front_matter: Mapping[str, object]) -> None:
        """Read the front matter of a page.

        If an option in it is not accepted, every directive of the page becomes invalid: it could
        generate, and charge, another image than the author wants.

        Raises:
            OptionsError: If an option in it is not accepted.
        """
        self._pages.pop(page, None)
        self._faults.pop(page, None)
        if front_matter.get("imagegen") is None:
            return
        try:
            self._pages[page] = page_defaults(self._defaults(page), front_matter["imagegen"])
        except OptionsError:
            self._faults[page] = "the page's front matter has an error; fix it first"
            raise

    def add_image_block(self, page: str | None, body: str, attributes: Mapping[str, str]) -> str:
        """Read an image block and return its marker."""
        first = next((line.strip() for line in body.split("\n") if line.strip()), "")
        source = SourceExcerpt("fence", first, body=" ".join(body.split()))
        token, parsed = self.read(page, source, partial(read_fence, body, attributes))
        return as_block(parsed, token)

    def add_cards_block(self, page: str | None, body: str, attributes: Mapping[str, str]) -> str:
        """Read a list of pages to show as cards and return its marker."""
        page_list = read_list(page, body, attributes)
        self._lists.setdefault(page_list.token, page_list)
        return list_marker(page_list.token)

    def read(
        self, page: str | None, source: SourceExcerpt, read: Callable[[], WrittenDirective]
    ) -> tuple[str, ParsedDirective]:
        """Return the token and the directive that a function reads, or the error it raises."""
        defaults = self._defaults(page)
        if page in self._faults:
            return self.add(InvalidDirective(self._faults[page], defaults.page_size, source))
        try:
            token, parsed = self.add(complete(read(), defaults, source))
        except ImagegenError as error:
            return self.add(InvalidDirective(str(error), defaults.page_size, source))
        if self._can_explain:
            self._readings.setdefault(token, {})[page] = Reading(page, source, read)
        for attribute, value in parsed.attributes if isinstance(parsed, Directive) else ():
            if attribute == "id":
                self._ids.setdefault((page, value), token)
        return token, parsed

    def token_of(
        self, reference: ImageReference | PromptReference, source: SourceExcerpt
    ) -> str | None:
        """Return the token of a generated reference image; None if no page has that image.

        Args:
            reference: Reference to the image.
            source: Excerpt of the directive with the reference.
        """
        if isinstance(reference, ImageReference):
            return self._ids.get((reference.page, reference.id))
        read = partial(WrittenDirective, DirectiveOptions(name=reference.name))
        return self.read(reference.page, source, read)[0]

    def pages_of_references(self) -> set[str]:
        """Return the sources of the pages whose images other images refer to."""
        found = (each for each in self._parsed.values() if isinstance(each, Directive))
        references = chain.from_iterable(each.references for each in found)
        return {each.page for each in references if isinstance(each, ImageReference) and each.page}

    def find_translated(self, reference: ImageReference) -> str | None:
        """Return the token of an image on the only page that is a translation of its page.

        A build of a further language has ``page.de.md`` in place of ``page.md``.
        """
        stem, ending = posixpath.splitext(reference.page or "")
        name = re.compile(re.escape(stem) + _LANGUAGE + re.escape(ending))
        pages = {page for page, _ in self._ids if page and name.fullmatch(page)}
        return self._ids.get((pages.pop(), reference.id)) if len(pages) == 1 else None

    def ids_of(self, page: str | None) -> list[str]:
        """Return the IDs of a page's images."""
        return [name for of_page, name in self._ids if of_page == page]

    def explain(self, token: str, page: str | None) -> Explanation | None:
        """Return the explanation of a directive.

        The result is None for an invalid directive, for an unknown token, and in a registry that
        cannot explain.

        Args:
            token: Token of the directive.
            page: Source path of the page that shows it. It can be written on another page, like
                the excerpts of a blog.
        """
        from mkdocs_imagegen.directives.explain import explain  # noqa: PLC0415 - one command's

        readings = self._readings.get(token) or self._readings.get(self._original_of(token) or "")
        if not readings:
            return None
        reading = readings.get(page) or next(iter(readings.values()))
        return explain(reading.read(), self._defaults(reading.page), reading.source)

    def _original_of(self, token: str) -> str | None:
        """Return the token of the written directive of which another layout was derived."""
        parsed = self._parsed.get(token)
        alike = (each for each in self._readings if _is_same_image(self._parsed[each], parsed))
        return next(alike, None)

    def _defaults(self, page: str | None) -> Defaults:
        if page is None:
            return self._site
        return self._pages.get(page) or self._folder_defaults(page)

    def read_preview(self, page: str, default_prompt: str | None) -> PagePreview | None:
        """Return the preview image of a page; None if neither the page nor the site sets one.

        Args:
            page: Source path of the page.
            default_prompt: Prompt of the site for the page; None if there is none.
        """
        defaults = self._defaults(page)
        written, is_own = defaults.preview, defaults.preview is not None
        if written is None and default_prompt is not None:
            written = {"prompt": default_prompt}
        if not isinstance(written, Mapping) or page in self._faults:
            return None
        source = SourceExcerpt("preview", str(written.get("prompt") or written.get("name") or ""))
        from_site = Origin(Level.SITE, "previews.default", defaults.config_name)
        read = partial(_read_preview, written, FROM_IMAGE if is_own else from_site)
        token, parsed = self.read(page, source, read)
        return PagePreview(token, parsed, is_own, defaults.preview_position == "top")

    def get_list(self, token: str) -> PageList | None:
        """Return the list of pages of a token."""
        return self._lists.get(token)

    def add(self, parsed: ParsedDirective) -> tuple[str, ParsedDirective]:
        """Add a directive and return its token with it."""
        token = build_token(parsed)
        self._parsed.setdefault(token, parsed)
        return token, parsed

    def add_invalid(
        self, page: str | None, source: SourceExcerpt, text: str
    ) -> tuple[str, InvalidDirective]:
        """Add an error that prevents a directive, and return its token with it."""
        invalid = InvalidDirective(text, self._defaults(page).page_size, source)
        return self.add(invalid)[0], invalid

    def get(self, token: str) -> ParsedDirective | None:
        """Return the directive of a token."""
        return self._parsed.get(token)

    def source_of(self, token: str) -> SourceExcerpt | None:
        """Return the excerpt of the directive of a token; None if the token is unknown."""
        parsed = self._parsed.get(token)
        return parsed.source if parsed else None

    def __len__(self) -> int:
        return len(self._parsed) + len(self._lists)


def _is_same_image(one: ParsedDirective, other: ParsedDirective | None) -> bool:
    if not isinstance(one, Directive) or not isinstance(other, Directive):
        return False
    return (one.request, one.source) == (other.request, other.source)


def _read_preview(written: Mapping[str, object], origin: Origin) -> WrittenDirective:
    return WrittenDirective(read_options(DirectiveOptions, written), origin=origin)
