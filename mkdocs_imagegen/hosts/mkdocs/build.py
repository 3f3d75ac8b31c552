"""Front door: the images of one build of the host's, and what it brings to the rooms behind."""

from __future__ import annotations

import html
import logging
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.structure.files import InclusionLevel
from mkdocs.structure.nav import Section
from mkdocs.structure.pages import Page

from mkdocs_imagegen.directives.source_lines import SourceLines
from mkdocs_imagegen.files import write_atomic
from mkdocs_imagegen.gateway_opening import credential_for, open_gateway
from mkdocs_imagegen.hosts.mkdocs.host_build import Build, has_leftovers
from mkdocs_imagegen.log import NOT_STRICT, ONCE, log
from mkdocs_imagegen.options import SKETCH_MODEL, is_yes
from mkdocs_imagegen.pipeline.build import Pipeline
from mkdocs_imagegen.pipeline.context import BuildContext, Run
from mkdocs_imagegen.pipeline.mode import BuildMode
from mkdocs_imagegen.pipeline.other_files import fill_files
from mkdocs_imagegen.pipeline.placements import Page as SeenPage
from mkdocs_imagegen.pipeline.previews import NO_SITE_URL, Listed, Previews
from mkdocs_imagegen.pipeline.stores import Workshop, opened_scheduler
from mkdocs_imagegen.report import ChargedFailures, State, summary
from mkdocs_imagegen.settings import Settings
from mkdocs_imagegen.spending.permission import Circumstances, Permission, permission_for

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure import StructureItem
    from mkdocs.structure.files import File, Files
    from mkdocs.structure.nav import Navigation

    from mkdocs_imagegen.hosts.mkdocs.server import Serving

_NOTHING_KEEPS_THEM = (
    "The images that were just paid for are gone when this machine is: the next run pays for "
    "them again. Keep %s between runs, or set originals_dir and commit that folder."
)
_LOOKS_ONLY = Permission("nothing is made by looking")
_THEMES_WITH_PALETTE = ("material", "materialx")
"""Themes that hide images whose address ends in ``#only-dark`` or ``#only-light``."""

_TAG = re.compile(r"</?[a-zA-Z][^>]*>")


class Images:
    """The images of one build of the host's.

    Args:
        pipeline: looks them up and makes them.
        build: the host's.
        run: what the builds of one run share.
        mode: what is wanted.
        permission: whether missing images may be made here.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        build: Build[Images],
        run: Run,
        mode: BuildMode,
        permission: Permission,
    ) -> None:
        self.pipeline = pipeline
        self.permission = permission
        self._build = build
        self._run = run
        self._errand = mode
        self._config = build.config
        self._root = f"{pipeline.settings.root.absolute()}{os.sep}"
        self._docs = f"{Path(build.config.docs_dir)}{os.sep}"
        self.previews = Previews(pipeline, _site_url(build.config), log.warning)
        # What is told of a page is told at once, and a site may have thousands of pages.
        self._source_of = lru_cache(maxsize=8)(_source_of)
        self._store_was_empty = not pipeline.has_originals()

    def seen(self, page: Page) -> SeenPage:
        """The page as the pipeline sees it."""
        file = page.file
        path = (file.abs_src_path or file.src_uri).removeprefix(self._root).replace(os.sep, "/")
        return SeenPage(path, file.src_uri, page.url, partial(self._source_of, file))

    def read_page(self, page: Page, html: str) -> str:
        """Look up what a page shows; its HTML with markers."""
        return self.previews.read_page(self.seen(page), partial(self.listed, page), html)

    def listed(self, page: Page) -> Listed:
        """The page as lists of pages and previews see it."""
        return Listed(
            page=self.seen(page),
            title=_plain(page.title),
            description=_plain(page.meta.get("description")),
            is_listed=page.file.inclusion.value > InclusionLevel.DRAFT.value,
            is_written=(page.file.abs_src_path or "").startswith(self._docs),
        )

    def join(self, files: Files) -> None:
        """Wait for what is being made, and give each page its image."""
        pages = self._build.nav.pages if self._build.nav else []
        sections = partial(_section_of, files, self._build.nav)
        order, rendered = [page.file.src_uri for page in pages], dict(self._build.pages)
        self.previews.settle(rendered, lambda uri: self.listed(rendered[uri]), order, sections)
        self.pipeline.join()
        if self._config.site_url:
            self._give_images(files)
        elif self.previews.has_cards():
            log.warning(NO_SITE_URL, extra=ONCE)

    def close(self) -> None:
        """Keep what is in flight, and end."""
        self.pipeline.close()

    def _give_images(self, files: Files) -> None:
        """Tell themes of each page's image; what the author wrote stays."""
        for file in files.documentation_pages():
            card = self.previews.card_of(file.src_uri) if file.page else None
            if file.page and card:
                file.page.meta["image"] = file.page.meta.get("image") or card.url

    def finish(self) -> None:
        """Fill in the other files of the site, write the report, and say what was done."""
        if not len(self.pipeline.registry) or not self._errand.shows:
            return
        fill_files(self.previews, Path(self._config.site_dir), _site_url(self._config))
        report = self.pipeline.settings.report_path
        if report is not None:
            self._write(report)
        self._tell()

    @property
    def _charged_failures(self) -> ChargedFailures:
        return self._run.ledger.budget.charged_failures

    def _write(self, report: Path) -> None:
        self.pipeline.report()
        try:
            write_atomic(report, self._run.report.to_json(self._charged_failures))
        except OSError as error:
            log.warning("the report could not be written to %s: %s", report, error.strerror)

    def _tell(self) -> None:
        lines = self.pipeline.lines(with_line_numbers=False)
        if lines:
            log.info(summary(lines, self.pipeline.generation_s, self._charged_failures))
        made = any(line.state is State.GENERATED and line.model != SKETCH_MODEL for line in lines)
        keeps_nothing = self._store_was_empty and not self.pipeline.settings.originals_dir
        if made and keeps_nothing and is_yes(os.environ.get("CI", "")):
            # As a warning it would fail the first strict build, before a cache could be saved.
            level = logging.INFO if self._config.strict else logging.WARNING
            log.log(level, _NOTHING_KEEPS_THEM, self.pipeline.settings.cache_dir)


def open_images(
    build: Build[Images], settings: Settings, run: Run, mode: BuildMode, serving: Serving | None
) -> Images:
    """What looks after the images of a build.

    Args:
        build: the host's.
        settings: of the site.
        run: what the builds of one run share.
        mode: what is wanted.
        serving: what a server has beside its builds; None where nothing is served.
    """
    is_sketched = serving is not None and serving.sketches(settings)
    drawn_by = settings.with_sketches if is_sketched else settings
    credential, problem = credential_for(drawn_by)
    around = Circumstances(
        credential=credential.kind if credential else "",
        problem=problem,
        is_serving=serving is not None,
        is_offline=is_yes(os.environ.get("OFFLINE", "")),
    )
    permission = permission_for(drawn_by, around)
    if serving is not None and settings.serve == "generate" and not permission.is_granted:
        text = "serve: generate makes nothing here: %s"
        log.warning(text, permission.refusal, extra=ONCE | NOT_STRICT)
    host = _around(build, permission if mode.makes else _LOOKS_ONLY, mode, serving)
    opened = partial(open_gateway, drawn_by, credential)

    def workshop(around: BuildContext) -> Workshop:
        return Workshop(drawn_by, run, around, opened)

    if serving is not None:
        # The host cleans the site with each build, so its images come there by builds alone.
        beside = partial(workshop, replace(host, site=None))
        serve_queue = serving.serve_queue(settings, run.ledger, partial(opened_scheduler, beside))
        host = replace(host, serve_queue=serve_queue)
    pipeline = Pipeline(settings, workshop(host), run, host, log.warning, log.info)
    if has_leftovers(settings, mode):
        pipeline.recover()
    return Images(pipeline, build, run, mode, permission)


def _around(
    build: Build[Images], permission: Permission, mode: BuildMode, serving: Serving | None
) -> BuildContext:
    config = build.config
    return BuildContext(
        site=Path(config.site_dir),
        docs=Path(config.docs_dir),
        permission=permission,
        mode=mode,
        is_serving=serving is not None,
        follows_palette=config.theme.name in _THEMES_WITH_PALETTE,
        is_strict=config.strict,
    )


def _site_url(config: MkDocsConfig) -> str:
    """Where the site will be, also with mike, which leaves off the slash; ``""``: not known."""
    return f"{config.site_url.rstrip('/')}/" if config.site_url else ""


def _source_of(file: File) -> SourceLines:
    try:
        return SourceLines(file.content_string)
    except (OSError, ValueError):
        return SourceLines("")


def _plain(text: object) -> str:
    """Text without the tags and entities that the host leaves in headings."""
    return " ".join(html.unescape(_TAG.sub("", str(text or ""))).split())


def _section_of(files: Files, nav: Navigation | None, uri: str) -> Iterator[str]:
    """The sources of the pages of a page's section; of a section inside it the first page."""
    file = files.get_file_from_path(uri)
    page = file.page if file else None
    if nav is None or page is None or page not in nav.pages:
        yield from _folder_of(files, uri)
        return
    for item in page.parent.children if page.parent else nav.items:
        yield from _first_page(item)


def _first_page(item: StructureItem) -> list[str]:
    if isinstance(item, Page):
        return [item.file.src_uri]
    inside = map(_first_page, item.children) if isinstance(item, Section) else []
    return next(filter(None, inside), [])


def _folder_of(files: Files, uri: str) -> Iterator[str]:
    """The pages of a page's folder, and the index pages of the folders in it."""
    folder = Path(uri).parent
    for file in files.documentation_pages():
        path = Path(file.src_uri)
        is_index = path.stem in {"index", "README"} and path.parent.parent == folder
        if path.parent == folder or is_index:
            yield file.src_uri
