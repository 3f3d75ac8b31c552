"""The work of one build: look up, make, fit, fill in, report.

A front door gives it pages and takes back pages; nothing here knows the host.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import chain, repeat

from mkdocs_imagegen.building.around import Host
from mkdocs_imagegen.building.books import open_books
from mkdocs_imagegen.building.buying import Buyer
from mkdocs_imagegen.building.making import Maker
from mkdocs_imagegen.building.outcome import Outcome, line_of, mistaken, settled
from mkdocs_imagegen.building.run import Run
from mkdocs_imagegen.building.sightings import Page, Sighting, Sightings
from mkdocs_imagegen.building.telling import Teller
from mkdocs_imagegen.building.wanted import OpenGateway, Result, Want, WantKey
from mkdocs_imagegen.directives.defaults import site_defaults
from mkdocs_imagegen.directives.directive import Directive, Found, Mistake, Source
from mkdocs_imagegen.directives.marker import (
    as_tag,
    attributes_of,
    fill_addresses,
    fill_pictures,
    shown_pictures,
)
from mkdocs_imagegen.directives.registry import Registry
from mkdocs_imagegen.errors import (
    ImagegenError,
    NotMadeError,
    OptionError,
    Place,
    RefusedBeforeError,
    StoreError,
)
from mkdocs_imagegen.gateway.catalogue import check
from mkdocs_imagegen.originals.record import Original
from mkdocs_imagegen.pages.address import relative_address
from mkdocs_imagegen.pages.markup import Frame, picture_markup
from mkdocs_imagegen.pictures.derive import Deriver
from mkdocs_imagegen.pictures.derived import DerivedStore
from mkdocs_imagegen.pictures.picture import Picture
from mkdocs_imagegen.pictures.variants import Plan, plan
from mkdocs_imagegen.report import Line
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import Settings
from mkdocs_imagegen.shapes import Shape
from mkdocs_imagegen.values import shown

_BY_HAND = (
    "an <img> tag with an imagegen: address is not read; "
    "write a Markdown picture, ![…](imagegen:), or a fence"
)


class Pipeline:
    """One build.

    Args:
        settings: of the site.
        run: what the builds of one run share.
        host: what the build finds around it.
        open_gateway: makes the client that draws; called if something is to be made.
        warn: called with each warning.
        remark: called with what is worth knowing and no reason to worry.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - one argument for each thing a front door brings
        self,
        settings: Settings,
        run: Run,
        host: Host,
        open_gateway: OpenGateway,
        warn: Callable[[str], None],
        remark: Callable[[str], None],
    ) -> None:
        self.settings = settings
        self.registry = Registry(site_defaults(settings))
        self._books = open_books(settings, warn, remark)
        self.making_seconds = 0.0
        self._host = host
        self._run = run
        self._teller = Teller(settings, is_serving=host.is_serving, warn=warn, remark=remark)
        self._derived = DerivedStore(settings.cache_path / "derived", warn)
        self._deriver = Deriver(self._derived, host.site)
        buyer = Buyer(settings, run, self._books, open_gateway)
        concurrency, patience_s = settings.concurrency, settings.gateway.timeout
        read = self._books.store.read
        self._maker = Maker(buyer, read, self._derive, concurrency, patience_s, remark)
        self._results: dict[WantKey, Result] = {}
        self._outcomes: dict[str, Outcome] = {}
        self._sightings = Sightings()
        self._begun: float | None = None
        self._joined = False

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
            if self.registry.get(picture.address) is not None:
                self.sight(page, picture.address)
        return content

    def sight(self, page: Page, token: str, *, on_page: bool = True) -> None:
        """Look up a picture of a page, or of its head alone, and tell of it."""
        self._sightings.add(page, token, on_page=on_page)
        self.look_up(token)

    def join(self) -> None:
        """Wait for everything that was started, and warn."""
        self._results |= self._maker.join()
        if self._begun is not None:
            self.making_seconds = time.monotonic() - self._begun
        self._joined = True
        self._run.note_making(self.making_seconds)
        for sighting in self._sightings:
            outcome = self.outcome(sighting.token)
            if outcome is not None:
                self._teller.tell(outcome, partial(self._place, sighting))

    def fill_page(self, content: str, page_url: str) -> str:
        """HTML, after the join, with every marker replaced by its picture.

        Args:
            content: of a page or of a part of it.
            page_url: the page's address below the site's root.
        """
        frame = Frame(
            lambda name: relative_address(name, page_url),
            follows_palette=self._host.follows_palette,
            badge=self.settings.disclosure_text if self.settings.disclosure == "badge" else "",
        )
        frames = chain([replace(frame, comes_first=True)], repeat(frame))

        def markup(token: str) -> str | None:
            # Rendered again after the join, like an excerpt: looked up, and nothing new starts.
            self.look_up(token)
            outcome, found = self.outcome(token), self.registry.get(token)
            if outcome is None or found is None:
                return None
            return picture_markup(found, self._shown(outcome), outcome.dark, next(frames))

        filled = fill_pictures(content, markup)
        return self.fill_text(filled, frame.address)

    def fill_text(self, text: str, address: Callable[[str], str]) -> str:
        """Text, after the join, with every token replaced by the address of its picture.

        What no page shows, as in comments, has no picture and gets ``#``.

        Args:
            text: of any kind.
            address: the address of a file, from its path below the site's root.
        """

        def replaced(token: str) -> str:
            outcome = self.outcome(token)
            return address(self._shown(outcome).name) if outcome else "#"

        return fill_addresses(text, replaced)

    def lines(self, *, with_line_numbers: bool) -> list[Line]:
        """Every place that shows a picture; finding line numbers reads every source file again."""
        return [self._line(each, with_line_numbers) for each in self._sightings]

    def report(self) -> None:
        """Give the run what it reports of this build's pages."""
        by_page: dict[str, list[Line]] = {}
        for sighting in self._sightings:
            by_page.setdefault(sighting.page.url, []).append(self._line(sighting, True))  # noqa: FBT003 - private
        for url, lines in by_page.items():
            self._run.note_page(url, lines)

    def salvage(self) -> None:
        """Store what earlier builds have paid for and not stored; never fails."""
        self._books.salvager.salvage_all()

    def has_originals(self) -> bool:
        """Whether anything is in the store."""
        return not self._books.store.is_empty()

    def close(self) -> None:
        """Start nothing more, wait for what is in flight, keep it, and end."""
        self._maker.close()
        self._derived.close()

    def _mark_what_is_written_by_hand(self, page: Page, content: str) -> str:
        for picture in reversed(list(shown_pictures(content))):
            if picture.in_src and self.registry.get(picture.address) is None:
                source = Source("picture", "", picture.address)
                token, found = self.registry.mistake(page.uri, source, _BY_HAND)
                marker = as_tag(attributes_of(found, token))
                content = content[: picture.start] + marker + content[picture.end :]
        return content

    def look_up(self, token: str) -> None:
        """Look up a picture that will be shown, and start it if it has to be made."""
        found = self.registry.get(token)
        if isinstance(found, Directive):
            for request in found.requests:
                if (request.key, found.shape, found.insists) not in self._results:
                    self._want(request, found)

    def _want(self, request: ImageRequest, directive: Directive) -> None:
        key = (request.key, directive.shape, directive.insists)
        try:
            kept = self._books.finder.usable(request, insists=directive.insists)
        except StoreError as error:
            self._results[key] = Result(error=error)
            return
        picture = self._deriver.find(self._plan(kept.original, directive.shape)) if kept else None
        if picture is not None:
            self._results[key] = Result(kept, picture)
            return
        refusal = self._refusal(request)
        if kept is None and refusal is not None:
            self._results[key] = Result(error=refusal)
        elif self._joined:
            fault = NotMadeError("it came into a page after the build had made its pictures")
            self._results[key] = Result(error=fault)
            self._teller.warn(f"image prompt {shown(request.prompt)}: {fault}")
        else:
            self._begun = self._begun or time.monotonic()
            self._results[key] = Result()
            want = Want(request, directive.shape, kept, refusal is None, directive.insists)
            self._maker.start(want)

    def _refusal(self, request: ImageRequest) -> ImagegenError | None:
        """Why this request is not made in this build, if it is not."""
        try:
            check(request, self.settings.gateway.output_format)
        except OptionError as error:
            return error
        refused = self._books.refusals.find(request.key)
        if refused is not None:
            path = self._books.refusals.path(request.key)
            hint = f"reword it, set another `take`, or delete {path}"
            fault = f"{refused.said} on {refused.day} ({refused.model})"
            return RefusedBeforeError(fault, hint=hint)
        permission = self._host.permission
        return None if permission.granted else NotMadeError(permission.refusal)

    def _plan(self, original: Original, shape: Shape) -> Plan:
        return plan(original, shape, self.settings.variants, self.settings.provenance)

    def _derive(self, original: Original, shape: Shape, content: bytes) -> Picture:
        return self._deriver.make(self._plan(original, shape), content)

    def outcome(self, token: str) -> Outcome | None:
        """What became of a directive, after the join; None if no page shows it."""
        found = self.registry.get(token)
        if token not in self._outcomes and found is not None:
            outcome = self._settle(found)
            if outcome is None:
                return None
            self._outcomes[token] = outcome
        return self._outcomes.get(token)

    def _settle(self, found: Found) -> Outcome | None:
        in_full = self._host.is_serving
        if isinstance(found, Mistake):
            return mistaken(found, found.text, in_full=in_full)
        keys = ((request.key, found.shape, found.insists) for request in found.requests)
        results = [self._results.get(key) for key in keys]
        known = tuple(result for result in results if result is not None)
        if len(known) < len(results):
            return None
        faults = (result.error for result in known)
        beyond_the_model = next((each for each in faults if isinstance(each, OptionError)), None)
        if beyond_the_model is not None:
            return mistaken(found, str(beyond_the_model), in_full=in_full)
        return settled(found, known, in_full=in_full)

    def _shown(self, outcome: Outcome) -> Picture:
        if outcome.stand_in is not None:
            return self._deriver.stand_in(outcome.stand_in)
        assert outcome.picture is not None  # noqa: S101 - an outcome has one or the other
        return outcome.picture

    def _place(self, sighting: Sighting) -> Place:
        found = self.registry.get(sighting.token)
        return sighting.place(found) if found else Place(sighting.page.path)

    def _line(self, sighting: Sighting, with_line_number: bool) -> Line:  # noqa: FBT001 - private
        found, outcome = self.registry.get(sighting.token), self.outcome(sighting.token)
        place = self._place(sighting) if with_line_number else Place(sighting.page.path)
        assert outcome is not None  # noqa: S101 - whatever was sighted was looked up
        # A head names no stand-in, so the site needs no file of it.
        has_file = sighting.on_page or outcome.stand_in is None
        return line_of(place, found, outcome, self._shown(outcome).name if has_file else "")
