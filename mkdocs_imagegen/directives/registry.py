"""The directives that were found while a site is rendered, by their tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mkdocs_imagegen.directives.defaults import Defaults, page_defaults
from mkdocs_imagegen.directives.directive import Directive, Found, Mistake, Source, token
from mkdocs_imagegen.directives.grammar import preview_directive
from mkdocs_imagegen.directives.page_list import PageList
from mkdocs_imagegen.errors import ImagegenError
from mkdocs_imagegen.values import OptionsError


@dataclass(frozen=True, slots=True)
class Preview:
    """A page's own picture.

    Attributes:
        token: of what was found.
        found: the directive, or the mistake.
        is_own: whether the page itself asked for it, and not the site for all its pages.
        is_at_top: whether the page shows it below its heading.
    """

    token: str
    found: Found
    is_own: bool
    is_at_top: bool


class Registry:
    """What one build has found, and what its pages say for their directives.

    Finding costs nothing: a renderer also calls us for fences whose result it throws away.
    """

    def __init__(self, site: Defaults) -> None:
        self._site = site
        self._pages: dict[str, Defaults] = {}
        self._faults: dict[str, str] = {}
        self._found: dict[str, Found] = {}
        self._lists: dict[str, PageList] = {}

    def open_page(self, page: str, front_matter: Mapping[str, object]) -> None:
        """Take in what the front matter of a page says.

        Where something in it is not accepted, every directive of the page becomes a mistake: it
        would ask, and pay, for another picture than the author wants.

        Raises:
            OptionsError: something in it is not accepted.
        """
        self._pages.pop(page, None)
        self._faults.pop(page, None)
        if front_matter.get("imagegen") is None:
            return
        try:
            self._pages[page] = page_defaults(self._site, front_matter["imagegen"])
        except OptionsError:
            self._faults[page] = "the page's front matter has a mistake; mend that first"
            raise

    def read(
        self, page: str | None, source: Source, make: Callable[[Defaults], Directive]
    ) -> tuple[str, Found]:
        """The token and the directive that ``make`` reads, or the mistake it made."""
        defaults = self._pages.get(page or "", self._site)
        if page in self._faults:
            return self.add(Mistake(self._faults[page], defaults.size, source))
        try:
            return self.add(make(defaults))
        except ImagegenError as error:
            return self.add(Mistake(str(error), defaults.size, source))

    def read_preview(self, page: str, default_prompt: str | None) -> Preview | None:
        """The page's own picture; None where neither the page nor the site asks for one.

        Args:
            page: its source.
            default_prompt: what the site says for the page, if it says something.
        """
        defaults = self._pages.get(page, self._site)
        written, is_own = defaults.preview, defaults.preview is not None
        if written is None and default_prompt is not None:
            written = {"prompt": default_prompt}
        if not isinstance(written, Mapping) or page in self._faults:
            return None
        source = Source("preview", str(written.get("prompt") or written.get("name") or ""))
        token, found = self.read(
            page, source, lambda defaults: preview_directive(written, defaults, source)
        )
        return Preview(token, found, is_own, defaults.preview_position == "top")

    def add_list(self, found: PageList) -> str:
        """Keep a list of pages, and give its token."""
        self._lists.setdefault(found.token, found)
        return found.token

    def get_list(self, name: str) -> PageList | None:
        """The list of pages behind a token."""
        return self._lists.get(name)

    def add(self, found: Found) -> tuple[str, Found]:
        """Keep what was found, and give its token."""
        name = token(found)
        self._found.setdefault(name, found)
        return name, found

    def mistake(self, page: str | None, source: Source, text: str) -> tuple[str, Mistake]:
        """Keep a mistake that makes no directive."""
        found = Mistake(text, self._pages.get(page or "", self._site).size, source)
        return self.add(found)[0], found

    def get(self, name: str) -> Found | None:
        """What stands behind a token."""
        return self._found.get(name)

    def __len__(self) -> int:
        return len(self._found) + len(self._lists)
