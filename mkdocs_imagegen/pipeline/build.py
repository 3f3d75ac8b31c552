"""The work of one build: look up, make, fit, fill in, report.

A front door gives it pages and takes back pages; nothing here knows the host.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import chain, repeat

from mkdocs_imagegen.directives.defaults import site_defaults
from mkdocs_imagegen.directives.directive import (
    Directive,
    InvalidDirective,
    ParsedDirective,
    SourceExcerpt,
)
from mkdocs_imagegen.directives.marker import (
    ShownImage,
    as_tag,
    attributes_of,
    fill_addresses,
    fill_images,
    find_shown_images,
)
from mkdocs_imagegen.directives.registry import Registry
from mkdocs_imagegen.errors import (
    DirectiveError,
    Location,
    OptionError,
)
from mkdocs_imagegen.imaging.image import PageImage
from mkdocs_imagegen.jobs.job import Job
from mkdocs_imagegen.pages.markup import MarkupContext, image_markup, relative_url
from mkdocs_imagegen.pipeline.context import BuildContext, Run
from mkdocs_imagegen.pipeline.lookup import Lookup
from mkdocs_imagegen.pipeline.messages import Messages
from mkdocs_imagegen.pipeline.outcome import Entry, Outcome, line_of, mistaken, settled
from mkdocs_imagegen.pipeline.placements import Page, Placement, Placements
from mkdocs_imagegen.pipeline.references import References
from mkdocs_imagegen.pipeline.stores import Workshop
from mkdocs_imagegen.report import ReportRow
from mkdocs_imagegen.settings import Settings

_BY_HAND = (
    "an <img> tag with an imagegen: address is not read; "
    "write a Markdown image, ![…](imagegen:), or a fence"
)
_MISTAKES = (OptionError, DirectiveError)


class Pipeline:
    """One build.

    Args:
        settings: of the site.
        workshop: where images are found and made.
        run: what the builds of one run share.
        host: what the build finds around it.
        warn: called with each warning.
        remark: called with what is worth knowing and no reason to worry.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - one argument for each thing a front door brings
        self,
        settings: Settings,
        workshop: Workshop,
        run: Run,
        host: BuildContext,
        warn: Callable[[str], None],
        remark: Callable[[str], None],
    ) -> None:
        self.settings = settings
        # Only commands ask why, and what it takes to answer would double what a page takes.
        self.registry = Registry(site_defaults(settings), can_explain=not host.mode.shows)
        self._host = host
        self._run = run
        self._teller = Messages(settings, is_serving=host.is_serving, warn=warn, remark=remark)
        self._lookup = Lookup(workshop, run, host, warn)
        self._follower = References(self.registry, self._lookup, run, host.docs)
        self._outcomes: dict[str, Outcome] = {}
        self._sightings = Placements(self.registry.source_of)
        # By the hash of the HTML that was read, which is mostly the HTML that is filled.
        self._shown_in: dict[int, tuple[ShownImage, ...]] = {}

    def read_page(self, page: Page, content: str) -> str:
        """Look up every image that the page shows, and start what has to be made.

        Only what stands in this HTML as an element counts: a renderer also calls formatters for
        text that no page shows. The markers stay until the join, also where an image is there
        already, so that what others take from the page is the same in a first build and a later
        one.

        Returns:
            The page's HTML, with markers also for what was written by hand.
        """
        self._sightings.open_page(page)
        parts, done = [], 0
        self._shown_in[hash(content)] = images = tuple(find_shown_images(content))
        for image in images:
            if self.registry.get(image.address) is not None:
                self.sight(page, image.address)
            elif image.is_src:
                marker = self._mark_what_is_written_by_hand(page, image.address)
                parts += [content[done : image.start], marker]
                done = image.end
        return "".join([*parts, content[done:]])

    def sight(self, page: Page, token: str, *, on_page: bool = True) -> None:
        """Look up an image of a page, or of its head alone, and tell of it."""
        self._sightings.add(page, token, on_page=on_page)
        self.look_up(token, page.uri)
        for unseen in self._follower.unseen(token):
            self._sightings.add(page, unseen, on_page=False)
            self.look_up(unseen, page.uri)

    def join(self) -> None:
        """Wait for everything that was started, and warn."""
        self._follower.join()
        self._lookup.join()
        self._run.report.generation_s += self.generation_s
        for placement in self._sightings:
            outcome = self.outcome(placement.token)
            if outcome is not None:
                self._tell(placement, outcome)
        if self._host.serve_queue is not None:
            self._host.serve_queue.note(self._waiting())

    def _tell(self, placement: Placement, outcome: Outcome) -> None:
        location, found = partial(self._place, placement), self.registry.get(placement.token)
        if self._host.mode.shows:
            self._teller.tell(outcome, location)
        if self._host.mode.makes and outcome.image and isinstance(found, Directive):
            self._teller.tell_of_sketch(found.request, location)

    def _waiting(self) -> dict[str, list[Job]]:
        """What is made beside the server, by page."""
        pages: dict[str, list[Job]] = {}
        for placement in self._sightings:
            found = self._follower.found(placement.token)
            wants = self._lookup.waiting_of(found) if isinstance(found, Directive) else []
            pages.setdefault(placement.page.uri, []).extend(wants)
        return pages

    def fill_page(self, content: str, page_url: str) -> str:
        """HTML, after the join, with every marker replaced by its image.

        Args:
            content: of a page or of a part of it.
            page_url: the page's address below the site's root.
        """
        frame = MarkupContext(
            lambda name: relative_url(name, page_url),
            follows_palette=self._host.follows_palette,
            badge=self.settings.disclosure_text if self.settings.disclosure == "badge" else "",
        )
        frames = chain([replace(frame, is_first=True)], repeat(frame))

        def markup(token: str) -> str | None:
            outcome, found = self._known_or_late(token), self.registry.get(token)
            if outcome is None or found is None:
                return None
            return image_markup(found, self._shown(outcome), outcome.dark, next(frames))

        known = self._shown_in.pop(hash(content), None)
        images = find_shown_images(content) if known is None else known
        filled = fill_images(content, images, markup)
        return self.fill_text(filled, frame.url_of)

    def _known_or_late(self, token: str) -> Outcome | None:
        outcome = self.outcome(token)
        if outcome is None:
            # Rendered again after the join, like an excerpt: looked up, and nothing new starts.
            self.look_up(token)
            outcome = self.outcome(token)
        return outcome

    def fill_text(self, text: str, address: Callable[[str], str]) -> str:
        """Text, after the join, with every token replaced by the address of its image.

        What no page shows, as in comments, has no image and gets ``#``.

        Args:
            text: of any kind.
            address: the address of a file, from its path below the site's root.
        """

        def replaced(token: str) -> str:
            outcome = self.outcome(token)
            return address(self._shown(outcome).name) if outcome else "#"

        return fill_addresses(text, replaced)

    def lines(self, *, with_line_numbers: bool) -> list[ReportRow]:
        """Every place that shows an image; finding line numbers reads every source file again."""
        return [self._line(each, with_line_number=with_line_numbers) for each in self._sightings]

    def entries(self) -> list[Entry]:
        """Every place that shows an image, with all that is known of it."""
        return [self._entry(each) for each in self._sightings]

    def _entry(self, placement: Placement) -> Entry:
        token, page = placement.token, placement.page.uri
        found, outcome = self._follower.found(token), self.outcome(token)
        assert outcome is not None  # noqa: S101 - whatever was sighted was looked up
        line = self._line(placement, with_line_number=True)
        return Entry(line, found, outcome, page, partial(self.registry.explain, token, page))

    def report(self) -> None:
        """Give the run what it reports of this build's pages."""
        by_page: dict[str, list[ReportRow]] = {}
        for placement in self._sightings:
            by_page.setdefault(placement.page.url, []).append(
                self._line(placement, with_line_number=True)
            )
        for url, lines in by_page.items():
            self._run.report.set_page(url, lines)

    @property
    def generation_s(self) -> float:
        """How long the making took, all in all."""
        return self._lookup.generation_s

    def recover(self) -> None:
        """Store what earlier builds have paid for and not stored; never fails."""
        self._lookup.recover()

    def has_originals(self) -> bool:
        """Whether anything is in the store."""
        return self._lookup.has_originals()

    def close(self) -> None:
        """Start nothing more, wait for what is in flight, keep it, and end."""
        self._lookup.close()

    def _mark_what_is_written_by_hand(self, page: Page, address: str) -> str:
        source = SourceExcerpt("inline image", "", address)
        token, found = self.registry.add_invalid(page.uri, source, _BY_HAND)
        self.sight(page, token)
        return as_tag(attributes_of(found, token))

    def look_up(self, token: str, uri: str | None = None) -> None:
        """Look up an image that will be shown, and start it if it has to be made.

        Args:
            token: which.
            uri: the source of the page that shows it; None where it was seen before.
        """
        found = self.registry.get(token)
        if isinstance(found, Directive) and found.references:
            self._follower.look_up(token, uri)
        elif isinstance(found, Directive):
            self._lookup.look_up(found, uri)

    def outcome(self, token: str) -> Outcome | None:
        """What became of a directive, after the join; None if no page shows it."""
        found = self._follower.found(token)
        if token not in self._outcomes and found is not None:
            outcome = self._settle(token, found)
            if outcome is None:
                return None
            self._outcomes[token] = outcome
        return self._outcomes.get(token)

    def _settle(self, token: str, found: ParsedDirective) -> Outcome | None:
        in_full = self._host.is_serving
        if isinstance(found, InvalidDirective):
            return mistaken(found, found.text, in_full=in_full)
        known = self._follower.fault_of(token) or self._lookup.results(found)
        if known is None:
            return None
        faults = (result.error for result in known)
        beyond_the_model = next((each for each in faults if isinstance(each, _MISTAKES)), None)
        if beyond_the_model is not None:
            return mistaken(found, str(beyond_the_model), in_full=in_full)
        return settled(found, known, in_full=in_full)

    def _shown(self, outcome: Outcome) -> PageImage:
        if outcome.placeholder is not None:
            return self._lookup.placeholder(outcome.placeholder)
        assert outcome.image is not None  # noqa: S101 - an outcome has one or the other
        return outcome.image

    def _place(self, placement: Placement) -> Location:
        found = self.registry.get(placement.token)
        return placement.location(found) if found else Location(placement.page.path)

    def _line(self, placement: Placement, *, with_line_number: bool) -> ReportRow:
        found, outcome = self._follower.found(placement.token), self.outcome(placement.token)
        location = self._place(placement) if with_line_number else Location(placement.page.path)
        assert outcome is not None  # noqa: S101 - whatever was sighted was looked up
        # A head names no stand-in, so the site needs no file of it.
        has_file = placement.on_page or outcome.placeholder is None
        return line_of(location, found, outcome, self._shown(outcome).name if has_file else "")
