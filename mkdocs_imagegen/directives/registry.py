"""The directives that were found while a site is rendered, by their tokens."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from mkdocs_imagegen.directives.completing import AT_THE_IMAGE, Said, completed
from mkdocs_imagegen.directives.defaults import Defaults, folder_defaults, page_defaults
from mkdocs_imagegen.directives.directive import (
    Directive,
    InvalidDirective,
    ParsedDirective,
    SourceExcerpt,
    token,
)
from mkdocs_imagegen.directives.layers import Level, Origin
from mkdocs_imagegen.directives.options import DirectiveOptions
from mkdocs_imagegen.directives.page_list import PageList
from mkdocs_imagegen.directives.references import ImageReference, PromptReference
from mkdocs_imagegen.errors import ImagegenError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.options import OptionsError, read_options

_LANGUAGE = r"\.[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*"
if TYPE_CHECKING:
    from mkdocs_imagegen.directives.explain import Explanation

SITES_PREVIEW = Origin(Level.SITE, "previews.default")


@dataclass(frozen=True, slots=True)
class Preview:
    """A page's own image.

    Attributes:
        token: of what was found.
        found: the directive, or the mistake.
        is_own: whether the page itself asked for it, and not the site for all its pages.
        is_at_top: whether the page shows it below its heading.
    """

    token: str
    found: ParsedDirective
    is_own: bool
    is_at_top: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """How a directive was read, to read it again where it has to be explained."""

    page: str | None
    source: SourceExcerpt
    say: Callable[[], Said]


class Registry:
    """What one build has found, and what its pages say for their directives.

    Finding costs nothing: a renderer also calls us for fences whose result it throws away.

    Args:
        site: what every directive inherits.
        can_explain: whether it will be asked why a directive asks for what it asks for.
    """

    def __init__(self, site: Defaults, *, can_explain: bool = True) -> None:
        self._site = site
        self._explains = can_explain
        self._of_folders = lru_cache(maxsize=8)(partial(folder_defaults, site))
        self._pages: dict[str, Defaults] = {}
        self._faults: dict[str, str] = {}
        self._found: dict[str, ParsedDirective] = {}
        self._ids: dict[tuple[str | None, str], str] = {}
        self._readings: dict[str, dict[str | None, Reading]] = {}
        self._lists: dict[str, PageList] = {}

    def open_page(self, page: str, front_matter: Mapping[str, object]) -> None:
        """Take in what the front matter of a page says.

        Where something in it is not accepted, every directive of the page becomes a mistake: it
        would ask, and pay, for another image than the author wants.

        Raises:
            OptionsError: something in it is not accepted.
        """
        self._pages.pop(page, None)
        self._faults.pop(page, None)
        if front_matter.get("imagegen") is None:
            return
        try:
            self._pages[page] = page_defaults(self._defaults(page), front_matter["imagegen"])
        except OptionsError:
            self._faults[page] = "the page's front matter has a mistake; mend that first"
            raise

    def read(
        self, page: str | None, source: SourceExcerpt, say: Callable[[], Said]
    ) -> tuple[str, ParsedDirective]:
        """The token and the directive of what ``say`` reads, or the mistake it made."""
        defaults = self._defaults(page)
        if page in self._faults:
            return self.add(InvalidDirective(self._faults[page], defaults.page_size, source))
        try:
            name, found = self.add(completed(say(), defaults, source))
        except ImagegenError as error:
            return self.add(InvalidDirective(str(error), defaults.page_size, source))
        if self._explains:
            self._readings.setdefault(name, {})[page] = Reading(page, source, say)
        for attribute, value in found.attributes if isinstance(found, Directive) else ():
            if attribute == "id":
                self._ids.setdefault((page, value), name)
        return name, found

    def token_of(
        self, reference: ImageReference | PromptReference, source: SourceExcerpt
    ) -> str | None:
        """The token of the image that another one follows; None where no page has it.

        Args:
            reference: names it.
            source: how to find the line that does.
        """
        if isinstance(reference, ImageReference):
            return self._ids.get((reference.page, reference.id))
        say = partial(Said, DirectiveOptions(name=reference.name))
        return self.read(reference.page, source, say)[0]

    def translated(self, reference: ImageReference) -> str | None:
        """The token of an image on the one page that stands for another in a further language.

        A build of such a language has ``page.de.md`` in the place of ``page.md``.
        """
        stem, ending = posixpath.splitext(reference.page or "")
        name = re.compile(re.escape(stem) + _LANGUAGE + re.escape(ending))
        pages = {page for page, _ in self._ids if page and name.fullmatch(page)}
        return self._ids.get((pages.pop(), reference.id)) if len(pages) == 1 else None

    def ids_of(self, page: str | None) -> list[str]:
        """The ids of a page's images."""
        return [name for of_page, name in self._ids if of_page == page]

    def explain(self, name: str, page: str | None) -> Explanation | None:
        """Why a directive asks for what it asks for; None for a mistake, and for no token of ours.

        None for all of them in a registry that does not explain.

        Args:
            name: its token.
            page: the source of the page that shows it. Another page may have written it, as with
                the excerpts of a blog.
        """
        from mkdocs_imagegen.directives.explain import explain  # noqa: PLC0415 - asked for by hand

        readings = self._readings.get(name) or self._readings.get(self._origin_of(name) or "")
        if not readings:
            return None
        reading = readings.get(page) or next(iter(readings.values()))
        return explain(reading.say(), self._defaults(reading.page), reading.source)

    def _origin_of(self, name: str) -> str | None:
        """The token of the directive of which another shape was made, as for a page's card."""
        found = self._found.get(name)
        alike = (each for each in self._readings if _is_same_image(self._found[each], found))
        return next(alike, None)

    def _defaults(self, page: str | None) -> Defaults:
        if page is None:
            return self._site
        return self._pages.get(page) or self._of_folders(page)

    def read_preview(self, page: str, default_prompt: str | None) -> Preview | None:
        """The page's own image; None where neither the page nor the site asks for one.

        Args:
            page: its source.
            default_prompt: what the site says for the page, if it says something.
        """
        defaults = self._defaults(page)
        written, is_own = defaults.preview, defaults.preview is not None
        if written is None and default_prompt is not None:
            written = {"prompt": default_prompt}
        if not isinstance(written, Mapping) or page in self._faults:
            return None
        source = SourceExcerpt("preview", str(written.get("prompt") or written.get("name") or ""))
        token, found = self.read(page, source, partial(_read_preview, written, is_own=is_own))
        return Preview(token, found, is_own, defaults.preview_position == "top")

    def add_list(self, found: PageList) -> str:
        """Keep a list of pages, and give its token."""
        self._lists.setdefault(found.token, found)
        return found.token

    def get_list(self, name: str) -> PageList | None:
        """The list of pages behind a token."""
        return self._lists.get(name)

    def add(self, found: ParsedDirective) -> tuple[str, ParsedDirective]:
        """Keep what was found, and give its token."""
        name = token(found)
        self._found.setdefault(name, found)
        return name, found

    def add_invalid(
        self, page: str | None, source: SourceExcerpt, text: str
    ) -> tuple[str, InvalidDirective]:
        """Keep a mistake that makes no directive."""
        found = InvalidDirective(text, self._defaults(page).page_size, source)
        return self.add(found)[0], found

    def get(self, name: str) -> ParsedDirective | None:
        """What stands behind a token."""
        return self._found.get(name)

    def source_of(self, name: str) -> SourceExcerpt | None:
        """How what stands behind a token is written; None if nothing does."""
        found = self._found.get(name)
        return found.source if found else None

    def __len__(self) -> int:
        return len(self._found) + len(self._lists)


def _is_same_image(one: ParsedDirective, other: ParsedDirective | None) -> bool:
    if not isinstance(one, Directive) or not isinstance(other, Directive):
        return False
    return (one.request, one.source) == (other.request, other.source)


def _read_preview(written: Mapping[str, object], *, is_own: bool) -> Said:
    origin = AT_THE_IMAGE if is_own else SITES_PREVIEW
    return Said(read_options(DirectiveOptions, written), origin=origin)
