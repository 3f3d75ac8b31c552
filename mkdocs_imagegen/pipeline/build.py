"""One build: its images are looked up, generated, and put into its pages."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property, partial
from itertools import chain, repeat
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs_imagegen.causes import causes
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
from mkdocs_imagegen.errors import DirectiveError, Location, OptionError, escape_unseen
from mkdocs_imagegen.imaging.image import PageImage
from mkdocs_imagegen.jobs.job import Job
from mkdocs_imagegen.log import ONCE, log
from mkdocs_imagegen.option_parsers import OptionsError, is_yes
from mkdocs_imagegen.pages.markup import MarkupContext, image_markup, relative_url
from mkdocs_imagegen.pages.social import SocialCard, add_social_tags, insert_in_head
from mkdocs_imagegen.pages.style_sheets import PageStyles
from mkdocs_imagegen.pipeline.context import (
    BuildContext,
    Page,
    PageFacts,
    SitePages,
    has_unfinished_requests,
)
from mkdocs_imagegen.pipeline.lookup import Lookup
from mkdocs_imagegen.pipeline.messages import (
    log_causes,
    log_model_mistakes,
    log_remarks,
    warn_if_untracked,
)
from mkdocs_imagegen.pipeline.other_files import (
    files_with_tokens,
    is_page,
    write_report,
    write_text,
)
from mkdocs_imagegen.pipeline.outcome import (
    UNKNOWN_PRICE,
    Entry,
    EstimatePrice,
    Outcome,
    invalid_outcome,
    outcome_of,
    report_rows,
)
from mkdocs_imagegen.pipeline.placements import Placement, Placements
from mkdocs_imagegen.pipeline.previews import Previews, with_block
from mkdocs_imagegen.pipeline.references import References
from mkdocs_imagegen.report import ReportRow, State, summary
from mkdocs_imagegen.settings.prompts import line_of_option

if TYPE_CHECKING:
    from mkdocs_imagegen.spending.model_choice import ModelChoice

_Meta = Mapping[str, object] | None
_IMG_TAG = (
    "an <img> tag cannot have an imagegen: address; "
    "write a Markdown image, ![…](imagegen:), or an image block"
)
_NO_SITE_URL = (
    "previews have no social tags because site_url is not set; set it in %s to the URL of the site"
)


class Pipeline:
    """One build of a site, in the order of its methods; used by the thread of the build alone.

    Args:
        context: Context of the build.
        registry: Directives of pages that another build has rendered.

    Attributes:
        registry: Directives of the build.
        previews: Previews of its pages.
    """

    def __init__(self, context: BuildContext, registry: Registry | None = None) -> None:
        self.context = context
        # Only commands that generate nothing explain directives: it doubles the memory of a page.
        can_explain = not (context.mode.publish or context.mode.generate)
        defaults = site_defaults(context.settings)
        self.registry = registry or Registry(defaults, can_explain=can_explain)
        self._lookup = Lookup(context)
        self._references = References(self.registry, self._lookup, context)
        self.previews = Previews(context, self.registry)
        self._placements = Placements(self.registry.source_of)
        self._outcomes: dict[str, Outcome] = {}
        # By the hash of the HTML that was read, which mostly equals the HTML that is filled.
        self._shown_images: dict[int, tuple[ShownImage, ...]] = {}
        self._styles = PageStyles(self._lookup.builder.add_file)
        can_recover = context.mode.generate or context.mode.adopts
        if can_recover and has_unfinished_requests(context.settings):
            self._lookup.recover()

    def read_front_matter(self, page: Page, meta: Mapping[str, object]) -> None:
        """Read the page options of a page; each mistake in them is logged with its line.

        Args:
            page: The page.
            meta: Front matter of the page.
        """
        try:
            self.registry.open_page(page.uri, meta)
        except OptionsError as several:
            text = page.read_source()
            lines = {name: line_of_option(text, f"imagegen.{name}") for name, _ in several.errors}
            for name, error in sorted(several.errors, key=lambda each: lines[each[0]] or 0):
                location = Location(page.path, lines[name])
                log.warning("%s: front matter: %s", location, OptionsError([(name, error)]))

    def read_page(self, page: Page, content: str, facts: Callable[[], PageFacts]) -> str:
        """Look up every image that a page shows, and start a job for each missing one.

        Only elements of this HTML count: a renderer also calls formatters for text that no page
        shows. The markers stay until the join, even if an image exists, so that other plugins read
        the same HTML in a first build and in a repeat build.

        Args:
            page: The page.
            content: HTML of the page.
            facts: Function that returns the facts of the page.

        Returns:
            The HTML with a marker for its preview, and for each image written as HTML.
        """
        preview = self.previews.read(page, facts)
        content, tokens = self._mark_images(page, with_block(content, preview))
        card = self.previews.add(page, preview, content)
        has_own_location = not (preview and preview.is_at_top)
        shown = [(token, True) for token in tokens]
        shown += [(card, False)] if card and has_own_location else []
        self._placements.open_page(page)
        for token, on_page in shown:
            # No page needs to show the named prompts that an image refers to.
            for each in (token, *self._references.prompts_of(token)):
                self._placements.add(page, each, on_page=on_page and each == token)
                self.look_up(each, page.uri)
        if card and not has_own_location:
            self.look_up(card, page.uri)
        return content

    def look_up(self, token: str, uri: str | None = None) -> None:
        """Look up an image, and start its job if it is missing.

        Args:
            token: Token of the directive.
            uri: Source of the page that shows it; None for an image that was looked up before.
        """
        found = self.registry.get(token)
        if isinstance(found, Directive) and found.references:
            self._references.look_up(token, found, uri)
        elif isinstance(found, Directive):
            self._lookup.look_up(found, uri)

    def join(self, pages: SitePages | None = None) -> None:
        """Wait for all jobs, and log the errors and remarks of every image.

        Args:
            pages: Pages of the build; None if no page was read before.
        """
        for token, uri in self.previews.resolve(pages or SitePages()):
            self.look_up(token, uri)
        self._references.join()
        self._lookup.join()
        self.context.run.report.generation_s += self._lookup.generation_s
        self._log_outcomes()
        if self.context.serve_queue is not None:
            self.context.serve_queue.note(self._queued_jobs())
        has_no_tags = self.context.mode.publish and not self.context.site_url
        if has_no_tags and any(map(self.social_card, self.previews.uris)):
            log.info(_NO_SITE_URL, self.context.settings.config_name, extra=ONCE)

    def social_card(self, uri: str) -> SocialCard | None:
        """Return the social card of a page, by its source, after the join, or None."""
        token = self.previews.card_token(uri)
        outcome = self.outcome(token) if token else None
        image = outcome.image if outcome else None
        return self.previews.social_card(uri, image) if image else None

    def entries(self) -> list[Entry]:
        """Return all locations that show an image, after the join."""
        return [self._entry(*each) for each in self._outcomes_by_placement()]

    def list_missing(self) -> str:
        """Return the error with the causes of missing images, after the join; ``""`` if none."""
        rows = [row for entry in self.entries() for row in entry.rows if row.state.is_missing]
        found = [cause.text for cause in causes(rows)]
        # For an error of the host, which does not pass through the logger of the package.
        lines = ["the build ends because on_missing is error:", *map(escape_unseen, found)]
        return "\n  ".join(lines) if found else ""

    def fill_page(
        self, content: str, page_url: str, meta: _Meta = None, *, is_linked: bool = True
    ) -> str:
        """Return HTML, after the join, with every marker replaced by its image or its cards.

        Args:
            content: HTML of a page or of a part of it.
            page_url: Address of the page below the site's root.
            meta: Front matter of the page; None if its layout is not known.
            is_linked: False if no head links the style sheet, so that this HTML does.
        """
        content = self.previews.fill_lists(content, page_url)
        settings, theme = self.context.settings, self.context.theme.on_page(content)
        frame = MarkupContext(
            lambda name: relative_url(name, page_url),
            theme=theme,
            column=() if meta is None else theme.column(meta),
            sizes=settings.variants.sizes,
            badge=settings.disclosure_text if settings.disclosure == "badge" else "",
        )
        frames = chain([replace(frame, is_first=True)], repeat(frame))

        def markup(token: str) -> str | None:
            outcome, found = self._late_outcome(token), self.registry.get(token)
            if outcome is None or found is None:
                return None
            return image_markup(found, self._page_image(outcome), outcome.dark, next(frames))

        known = self._shown_images.pop(hash(content), None)
        images = find_shown_images(content) if known is None else known
        filled = self._fill_text(fill_images(content, images, markup), frame.url_of)
        return filled if is_linked else self._style_links(filled, page_url) + filled

    def finish_page(self, output: str, page_url: str, uri: str = "") -> str:
        """Return a finished page with its social tags and the link to the style sheet.

        Args:
            output: HTML of the whole page.
            page_url: Address of the page below the site's root.
            uri: Source of the page below the docs folder; ``""`` if it has no source.
        """
        link = self._style_links(output, page_url)
        output = insert_in_head(output, link) if link else output
        card = self.social_card(uri) if self.context.site_url else None
        return add_social_tags(output, card) if card else output

    def finish(self) -> None:
        """Fill in the other files of the site, write the report, and log the summary."""
        if not self.context.mode.publish:
            return
        if len(self.registry) and self.context.site is not None:
            self._fill_other_files(self.context.site)
        if self.context.settings.report_path is not None:
            self._write_report(self.context.settings.report_path)
        self._log_summary()

    def close(self) -> None:
        """Start no more jobs, wait for the images in flight, and close the stores."""
        self._lookup.close()

    def outcome(self, token: str) -> Outcome | None:
        """Return the outcome of a directive, after the join; None if no page shows it."""
        if token not in self._outcomes:
            found = self._references.get(token)
            outcome = self._new_outcome(token, found) if found else None
            if outcome is None:
                return None
            self._outcomes[token] = outcome
        return self._outcomes[token]

    def _new_outcome(self, token: str, found: ParsedDirective) -> Outcome | None:
        shows_error = self.context.is_serving
        if isinstance(found, InvalidDirective):
            return invalid_outcome(found, found.text, shows_error=shows_error)
        results = self._references.failed_results(token) or self._lookup.results(found)
        if results is None:
            return None
        for result in results:
            if isinstance(result.error, (OptionError, DirectiveError)):
                return invalid_outcome(found, str(result.error), shows_error=shows_error)
        return outcome_of(found, results, shows_error=shows_error)

    def _late_outcome(self, token: str) -> Outcome | None:
        outcome = self.outcome(token)
        if outcome is None:
            # Rendered again after the join, like an excerpt: looked up, and no job starts.
            self.look_up(token)
            outcome = self.outcome(token)
        return outcome

    def _style_links(self, content: str, page_url: str) -> str:
        return self._styles.links(content, lambda name: relative_url(name, page_url))

    def _page_image(self, outcome: Outcome) -> PageImage:
        if isinstance(outcome.shown, PageImage):
            for each in filter(None, (outcome.shown, outcome.dark)):
                self._styles.add_image(each)
            return outcome.shown
        self._lookup.builder.add_file(outcome.shown.image.name, outcome.shown.content)
        return outcome.shown.image

    def _mark_images(self, page: Page, content: str) -> tuple[str, list[str]]:
        """Return HTML with a marker for each image, and the tokens of the images."""
        parts, done, tokens = [], 0, list[str]()
        self._shown_images[hash(content)] = images = tuple(find_shown_images(content))
        for image in images:
            if self.registry.get(image.address) is not None:
                tokens.append(image.address)
            elif image.is_src:
                source = SourceExcerpt("inline image", "", image.address)
                token, found = self.registry.add_invalid(page.uri, source, _IMG_TAG)
                tokens.append(token)
                parts += [content[done : image.start], as_tag(attributes_of(found, token))]
                done = image.end
        return "".join([*parts, content[done:]]), tokens

    def _log_outcomes(self) -> None:
        outcomes = list(self._outcomes_by_placement())
        if self.context.mode.generate:
            log_remarks((each, partial(self._location, where)) for where, each in outcomes)
        if self.context.mode.publish:
            told = (pair for pair in outcomes if not self._is_queued(*pair))
            log_causes(self.context, ((pair[1], partial(self._rows_of, *pair)) for pair in told))
        log_model_mistakes(
            self.context,
            [
                (self.registry.get(where.token), each, partial(self._location, where))
                for where, each in outcomes
            ],
        )

    def _is_queued(self, placement: Placement, outcome: Outcome) -> bool:
        """Return True if the queue of `mkdocs serve` generates the image, and logs its errors."""
        found = self._references.get(placement.token) if self._lookup.queued else None
        is_valid = outcome.state is not State.INVALID
        return is_valid and isinstance(found, Directive) and bool(self._lookup.queued_jobs(found))

    def _rows_of(self, placement: Placement, outcome: Outcome) -> tuple[ReportRow, ...]:
        found = self._references.get(placement.token)
        return report_rows(self._location(placement), found, outcome, "")

    def _queued_jobs(self) -> dict[str, list[Job]]:
        """Return the jobs that the queue of `mkdocs serve` runs, by page."""
        jobs: dict[str, list[Job]] = {}
        for placement in self._placements:
            found = self._references.get(placement.token)
            of_page = jobs.setdefault(placement.page.path, [])
            of_page += self._lookup.queued_jobs(found) if isinstance(found, Directive) else []
        return jobs

    def _fill_text(self, text: str, address: Callable[[str], str]) -> str:
        """Return text, after the join, with every token replaced by the address of its image.

        An image that no page shows, as in a comment, gets ``#``.

        Args:
            text: Text of any kind.
            address: Function that returns the address of a file below the site's root.
        """

        def replaced(token: str) -> str:
            outcome = self.outcome(token)
            return address(self._page_image(outcome).name) if outcome else "#"

        return fill_addresses(text, replaced)

    def _fill_other_files(self, site: Path) -> None:
        for path, text in files_with_tokens(site):
            if is_page(path):
                url = path.relative_to(site).as_posix()
                filled = self.finish_page(self.fill_page(text, url), url)
            else:
                filled = self._fill_text(text, lambda name: f"{self.context.site_url}{name}")
            write_text(path, filled)

    def _write_report(self, path: Path) -> None:
        run, by_page = self.context.run, dict[str, list[ReportRow]]()
        for placement, outcome in self._outcomes_by_placement():
            rows = by_page.setdefault(placement.page.url, [])
            rows += self._priced_rows(placement, outcome)
        for url, rows in by_page.items():
            run.report.set_page(url, rows)
        write_report(path, run.report.to_json(run.ledger.budget.charged_failures))

    def _log_summary(self) -> None:
        # Without line numbers, which need every source file again, and without prices if the run
        # has generated no image.
        has_generated = bool(self.context.run.ledger.budget.images)
        get_price = self._models.estimate_usd if has_generated else UNKNOWN_PRICE
        rows = [
            row
            for placement, outcome in self._outcomes_by_placement()
            for row in self._rows(placement, outcome, Location(placement.page.path), get_price)
        ]
        if rows:
            failures = self.context.run.ledger.budget.charged_failures
            log.info(summary(rows, self._lookup.generation_s, failures))
        if is_yes(os.environ.get("CI", "")):
            warn_if_untracked(self.context.settings.originals_path, rows)

    def _outcomes_by_placement(self) -> Iterator[tuple[Placement, Outcome]]:
        for placement in self._placements:
            outcome = self.outcome(placement.token)
            if outcome is not None:
                yield placement, outcome

    @cached_property
    def _models(self) -> ModelChoice:
        """Models and prices as the run has left them; most builds name no price."""
        from mkdocs_imagegen.spending.model_choice import ModelChoice  # noqa: PLC0415

        is_estimate = not self.context.mode.generate
        return ModelChoice.from_cache(self.context.settings, is_estimate=is_estimate)

    def _priced_rows(self, placement: Placement, outcome: Outcome) -> tuple[ReportRow, ...]:
        location = self._location(placement)
        return self._rows(placement, outcome, location, self._models.estimate_usd)

    def _rows(
        self, placement: Placement, outcome: Outcome, location: Location, get_price: EstimatePrice
    ) -> tuple[ReportRow, ...]:
        # A head names no placeholder, so the site needs no file of it.
        has_file = placement.on_page or outcome.image is not None
        file = self._page_image(outcome).name if has_file else ""
        found = self._references.get(placement.token)
        return report_rows(location, found, outcome, file, get_price)

    def _entry(self, placement: Placement, outcome: Outcome) -> Entry:
        token, uri = placement.token, placement.page.uri
        rows = self._priced_rows(placement, outcome)
        explain = partial(self.registry.explain, token, uri)
        return Entry(rows, self._references.get(token), outcome, uri, explain)

    def _location(self, placement: Placement) -> Location:
        found = self.registry.get(placement.token)
        if found is None:
            return Location(placement.page.path)
        return self._placements.locate(placement, found)
