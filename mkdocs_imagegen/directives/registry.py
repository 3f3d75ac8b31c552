"""The directives that were found while a site is rendered, by their tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mkdocs_imagegen.directives.defaults import Defaults, page_defaults
from mkdocs_imagegen.directives.directive import Directive, Found, Mistake, Source, token
from mkdocs_imagegen.errors import ImagegenError
from mkdocs_imagegen.values import OptionsError


class Registry:
    """What one build has found, and what its pages say for their directives.

    Finding costs nothing: a renderer also calls us for fences whose result it throws away.
    """

    def __init__(self, site: Defaults) -> None:
        self._site = site
        self._pages: dict[str, Defaults] = {}
        self._faults: dict[str, str] = {}
        self._found: dict[str, Found] = {}

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
        return len(self._found)
