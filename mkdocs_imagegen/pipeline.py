"""The work of one build: look up, make, fit, fill in, report.

A front door gives it pages and takes back pages; nothing here knows the host.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, repeat
from pathlib import Path

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
from mkdocs_imagegen.errors import ImagegenError, OptionError, Place
from mkdocs_imagegen.gateway.catalogue import check
from mkdocs_imagegen.making import Draws, Maker, NotMadeError, Result, Want
from mkdocs_imagegen.originals.record import Original
from mkdocs_imagegen.originals.store import Kept, OriginalStore
from mkdocs_imagegen.outcome import Outcome, line_of, mistaken, settled
from mkdocs_imagegen.pages.address import relative_address
from mkdocs_imagegen.pages.markup import Frame, picture_markup
from mkdocs_imagegen.pictures.derive import Deriver
from mkdocs_imagegen.pictures.derived import DerivedStore
from mkdocs_imagegen.pictures.picture import Picture
from mkdocs_imagegen.pictures.variants import Plan, plan
from mkdocs_imagegen.report import Line, State
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import Settings
from mkdocs_imagegen.shapes import Shape
from mkdocs_imagegen.sightings import Page, Sighting, Sightings
from mkdocs_imagegen.spending import Permission

_BY_HAND = (
    "an <img> tag with an imagegen: address is not read; "
    "write a Markdown picture, ![…](imagegen:), or a fence"
)


@dataclass(frozen=True, slots=True)
class Host:
    """What a build finds around it.

    Attributes:
        site: the folder of the site.
        permission: whether missing pictures may be made.
        is_serving: whether pages are served while they are written; stand-ins then tell in full
            what is wrong.
        follows_palette: whether the theme hides pictures by their address's fragment, as Material
            does.
    """

    site: Path
    permission: Permission
    is_serving: bool = False
    follows_palette: bool = False


class Pipeline:
    """One build.

    Args:
        settings: of the site.
        host: what the build finds around it.
        open_gateway: makes the client that draws; called if something is to be made.
        warn: called with each warning.
    """

    def __init__(
        self,
        settings: Settings,
        host: Host,
        open_gateway: Callable[[], Draws],
        warn: Callable[[str], None],
    ) -> None:
        self.settings = settings
        self.registry = Registry(site_defaults(settings))
        self.store = OriginalStore(
            settings.originals_path, settings.cache_path / "quarantine", warn
        )
        self.making_seconds = 0.0
        self._host = host
        self._warn = warn
        self._derived = DerivedStore(settings.cache_path / "derived", warn)
        self._deriver = Deriver(self._derived, host.site)
        url, concurrency = settings.gateway.url, settings.concurrency
        self._maker = Maker(open_gateway, url, self.store, self._derive, concurrency)
        self._results: dict[tuple[str, Shape], Result] = {}
        self._pending: set[tuple[str, Shape]] = set()
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
            self._sightings.add(page, picture.address)
            self._look_up(picture.address)
        return content

    def join(self) -> None:
        """Wait for everything that was started, and warn."""
        self._results |= self._maker.join()
        self._pending.clear()
        if self._begun is not None:
            self.making_seconds = time.monotonic() - self._begun
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
        frame = Frame(
            lambda name: relative_address(name, page_url),
            follows_palette=self._host.follows_palette,
            badge=self.settings.disclosure_text if self.settings.disclosure == "badge" else "",
        )
        frames = chain([replace(frame, comes_first=True)], repeat(frame))

        def markup(token: str) -> str | None:
            # Rendered again after the join, like an excerpt: looked up, and nothing new starts.
            self._look_up(token)
            outcome, found = self._outcome(token), self.registry.get(token)
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
            outcome = self._outcome(token)
            return address(self._shown(outcome).name) if outcome else "#"

        return fill_addresses(text, replaced)

    def lines(self, *, with_line_numbers: bool) -> list[Line]:
        """Every place that shows a picture; finding line numbers reads every source file again."""
        return [self._line(each, with_line_numbers) for each in self._sightings]

    def close(self) -> None:
        """Start nothing more, wait for what is in flight, keep it, and end."""
        self._maker.close()
        self._derived.close()

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
        if isinstance(found, Directive):
            for request in found.requests:
                if (request.key, found.shape) not in self._results:
                    self._want(request, found)

    def _want(self, request: ImageRequest, directive: Directive) -> None:
        key, kept = (request.key, directive.shape), self._find(request, directive)
        picture = self._deriver.find(self._plan(kept.original, directive.shape)) if kept else None
        if picture is not None:
            self._results[key] = Result(kept, picture)
            return
        refusal = self._refusal(request)
        if kept is None and refusal is not None:
            self._results[key] = Result(error=refusal)
        elif not self._joined:
            self._begun = self._begun or time.monotonic()
            self._results[key] = Result()
            self._maker.start(Want(request, directive.shape, kept, may_make=refusal is None))

    def _refusal(self, request: ImageRequest) -> ImagegenError | None:
        """Why this request is not made in this build, if it is not."""
        try:
            check(request, self.settings.gateway.output_format)
        except OptionError as error:
            return error
        permission = self._host.permission
        return None if permission.granted else NotMadeError(permission.refusal)

    def _find(self, request: ImageRequest, directive: Directive) -> Kept | None:
        if not self.settings.enabled:
            return None
        exact = self.store.find(request.key) or self._sketch_of_this_server(request)
        if exact is not None or directive.insists:
            return exact
        return self.store.find_subject(request.subject_key, request.model)

    def _sketch_of_this_server(self, request: ImageRequest) -> Kept | None:
        """A sketch by the very server that is set now, which would draw the same again."""
        kept = None if self.settings.gateway.is_vercel else self.store.find(request.as_sketch.key)
        return kept if kept and kept.original.server == self.settings.gateway.url else None

    def _plan(self, original: Original, shape: Shape) -> Plan:
        return plan(original, shape, self.settings.variants, self.settings.provenance)

    def _derive(self, original: Original, shape: Shape, content: bytes) -> Picture:
        return self._deriver.make(self._plan(original, shape), content)

    def _outcome(self, token: str) -> Outcome | None:
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
        results = [self._results.get((request.key, found.shape)) for request in found.requests]
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

    def _complaints(self, sighting: Sighting) -> Iterator[str]:
        outcome = self._outcome(sighting.token)
        if outcome is None:
            return
        wanted = self.settings.enabled and self.settings.on_missing == "warn"
        # While serving, missing pictures are the rule; the summary counts them.
        wanted = wanted and not (self._host.is_serving and outcome.state is State.MISSING)
        if outcome.error and (wanted or outcome.state is State.MISTAKE):
            yield outcome.error
        for result in outcome.results:
            yield from result.remarks if result.made else ()

    def _place(self, sighting: Sighting) -> Place:
        found = self.registry.get(sighting.token)
        return sighting.place(found) if found else Place(sighting.page.path)

    def _line(self, sighting: Sighting, with_line_number: bool) -> Line:  # noqa: FBT001 - private
        found, outcome = self.registry.get(sighting.token), self._outcome(sighting.token)
        place = self._place(sighting) if with_line_number else Place(sighting.page.path)
        assert outcome is not None  # noqa: S101 - whatever was sighted was looked up
        return line_of(place, found, outcome, self._shown(outcome).name)
