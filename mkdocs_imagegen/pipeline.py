"""The work of one build: look up, make, fit, fill in, report.

A front door gives it pages and takes back pages; nothing here knows the host.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from mkdocs_imagegen.directives.defaults import site_defaults
from mkdocs_imagegen.directives.directive import Directive, Mistake, Source
from mkdocs_imagegen.directives.marker import (
    as_tag,
    attributes_of,
    fill_addresses,
    fill_pictures,
    shown_pictures,
)
from mkdocs_imagegen.directives.registry import Registry
from mkdocs_imagegen.errors import OptionError, Place
from mkdocs_imagegen.gateway.catalogue import check
from mkdocs_imagegen.making import Draws, Maker
from mkdocs_imagegen.originals.store import Kept, OriginalStore
from mkdocs_imagegen.outcome import Outcome, from_making, from_store, mistaken, not_made
from mkdocs_imagegen.pages.address import relative_address
from mkdocs_imagegen.pages.markup import picture_markup
from mkdocs_imagegen.pictures.picture import Picture, needs_fitting
from mkdocs_imagegen.report import Line, State
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import Settings
from mkdocs_imagegen.sightings import Page, Sighting, Sightings
from mkdocs_imagegen.spending import Permission

_BY_HAND = (
    "an <img> tag with an imagegen: address is not read; "
    "write a Markdown picture, ![…](imagegen:), or a fence"
)


class Pipeline:
    """One build.

    Args:
        settings: of the site.
        permission: whether missing pictures may be made.
        open_gateway: makes the client that draws; called if something is to be made.
        warn: called with each warning.
        in_full: whether stand-ins tell in full what is wrong.
    """

    def __init__(
        self,
        settings: Settings,
        permission: Permission,
        open_gateway: Callable[[], Draws],
        warn: Callable[[str], None],
        *,
        in_full: bool = False,
    ) -> None:
        self.settings = settings
        self.registry = Registry(site_defaults(settings))
        quarantine = settings.cache_path / "quarantine"
        self.store = OriginalStore(settings.originals_path, quarantine, warn)
        self._permission = permission
        self._maker = Maker(open_gateway, settings.gateway.url, self.store, settings.concurrency)
        self._warn = warn
        self._in_full = in_full
        self._outcomes: dict[str, Outcome] = {}
        self._pending: dict[str, Directive] = {}
        self._sightings = Sightings()
        self._begun: float | None = None
        self._joined = False
        self.making_seconds = 0.0

    def read_page(self, page: Page, content: str) -> str:
        """Look up every picture that the page shows, and start what has to be made.

        Only what stands in this HTML as an element counts: a renderer also calls formatters for
        text that no page shows. The markers stay until the join, also where a picture is there
        already, so that what others take from the page is the same in a first build and a later
        one.

        Returns:
            The page's HTML, with markers also for what was written by hand.
        """
        self._sightings.open_page(page)
        content = self._mark_what_is_written_by_hand(page, content)
        for picture in shown_pictures(content):
            self._sightings.add(page, picture.address)
            self._look_up(picture.address)
        return content

    def join(self) -> None:
        """Wait for everything that was started, settle every picture, and warn."""
        results = self._maker.join()
        if self._begun is not None:
            self.making_seconds = time.monotonic() - self._begun
        for token, directive in self._pending.items():
            result = results[directive.request.key]
            self._outcomes[token] = from_making(directive, result, in_full=self._in_full)
        self._pending.clear()
        self._joined = True
        for sighting in self._sightings:
            for complaint in self._complaints(sighting):
                self._warn(f"{self._place(sighting)}: image prompt: {complaint}")

    def fill_page(self, content: str, page_url: str) -> str:
        """HTML, after the join, with every marker replaced by its picture.

        Args:
            content: of a page or of a part of it.
            page_url: the page's address below the site's root.
        """

        def markup(token: str) -> str | None:
            # Rendered again after the join, like an excerpt: looked up, and nothing new starts.
            self._look_up(token)
            outcome, found = self._outcomes.get(token), self.registry.get(token)
            if outcome is None or found is None:
                return None
            return picture_markup(found, relative_address(outcome.picture.name, page_url))

        filled = fill_pictures(content, markup)
        return self.fill_text(filled, lambda name: relative_address(name, page_url))

    def fill_text(self, text: str, address: Callable[[str], str]) -> str:
        """Text, after the join, with every token replaced by the address of its picture.

        What no page shows, as in comments, has no picture and gets ``#``.

        Args:
            text: of any kind.
            address: the address of a file, from its path below the site's root.
        """

        def replaced(token: str) -> str:
            outcome = self._outcomes.get(token)
            return address(outcome.picture.name) if outcome else "#"

        return fill_addresses(text, replaced)

    def pictures(self) -> dict[str, Picture]:
        """The files of the site, by their names."""
        return {each.picture.name: each.picture for each in self._outcomes.values()}

    def lines(self, *, with_line_numbers: bool) -> list[Line]:
        """Every place that shows a picture; finding line numbers reads every source file again."""
        return [self._line(each, with_line_numbers) for each in self._sightings]

    def close(self) -> None:
        """Start nothing more, wait for what is in flight, keep it, and end."""
        self._maker.close()

    def _mark_what_is_written_by_hand(self, page: Page, content: str) -> str:
        for picture in reversed(list(shown_pictures(content))):
            if not picture.is_marker or self.registry.get(picture.address) is None:
                source = Source("picture", "", picture.address)
                token, found = self.registry.mistake(page.uri, source, _BY_HAND)
                marker = as_tag(attributes_of(found, token))
                content = content[: picture.start] + marker + content[picture.end :]
        return content

    def _look_up(self, token: str) -> None:
        found = self.registry.get(token)
        if token in self._outcomes or token in self._pending or found is None:
            return
        if isinstance(found, Mistake):
            self._outcomes[token] = mistaken(found, found.text, in_full=self._in_full)
            return
        kept = self._find(found)
        if kept is not None and not needs_fitting(kept.original, found.request.size):
            self._outcomes[token] = from_store(found, kept)
        else:
            self._begin(token, found, kept)

    def _find(self, directive: Directive) -> Kept | None:
        if not self.settings.enabled:
            return None
        request = directive.request
        exact = self.store.get(request.key) or self._sketch_of_this_server(request)
        if exact is not None or directive.insists:
            return exact
        return self.store.find_subject(request.subject_key, request.model)

    def _sketch_of_this_server(self, request: ImageRequest) -> Kept | None:
        """A sketch by the very server that is set now, which would draw the same again."""
        kept = None if self.settings.gateway.is_vercel else self.store.get(request.as_sketch.key)
        return kept if kept and kept.original.server == self.settings.gateway.url else None

    def _begin(self, token: str, directive: Directive, kept: Kept | None) -> None:
        fault = _beyond_the_model(directive, self.settings) if kept is None else None
        if fault is not None:
            self._outcomes[token] = mistaken(directive, fault, in_full=self._in_full)
        elif self._joined or (kept is None and not self._permission.granted):
            self._outcomes[token] = not_made(directive, self._permission)
        else:
            self._begun = self._begun or time.monotonic()
            self._pending[token] = directive
            self._maker.start(directive.request, kept)

    def _complaints(self, sighting: Sighting) -> Iterator[str]:
        outcome = self._outcomes[sighting.token]
        wanted = self.settings.enabled and self.settings.on_missing == "warn"
        # While serving, missing pictures are the rule; the summary counts them.
        wanted = wanted and not (self._in_full and outcome.state is State.MISSING)
        if outcome.error and (wanted or outcome.state is State.MISTAKE):
            yield outcome.error
        if outcome.result.made:
            yield from outcome.result.remarks

    def _place(self, sighting: Sighting) -> Place:
        found = self.registry.get(sighting.token)
        return sighting.place(found) if found else Place(sighting.page.path)

    def _line(self, sighting: Sighting, with_line_number: bool) -> Line:  # noqa: FBT001 - private
        found, outcome = self.registry.get(sighting.token), self._outcomes[sighting.token]
        request = found.request if isinstance(found, Directive) else None
        original = outcome.result.kept.original if outcome.result.kept else None
        paid = original if original and outcome.result.made else None
        return Line(
            place=self._place(sighting) if with_line_number else Place(sighting.page.path),
            state=outcome.state,
            key=request.key if request else "",
            prompt=request.prompt if request else "",
            model=original.model if original else request.model if request else "",
            file=outcome.picture.name,
            seconds=outcome.result.seconds,
            cost_usd=paid.cost_usd if paid else None,
            cost_is_estimate=bool(paid and paid.cost_is_estimate),
            remarks=(*outcome.result.remarks, *filter(None, [outcome.error])),
        )


def _beyond_the_model(directive: Directive, settings: Settings) -> str | None:
    try:
        check(directive.request, settings.gateway.output_format)
    except OptionError as error:
        return str(error)
    return None
