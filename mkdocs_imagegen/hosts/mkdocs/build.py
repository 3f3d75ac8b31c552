"""One build of MkDocs: its configuration, pages and files, in the terms of the pipeline.

The pipeline is imported and opened by the first page that needs it.
"""

from __future__ import annotations

import html
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, InclusionLevel
from mkdocs.structure.nav import Section
from mkdocs.structure.pages import Page as MkDocsPage
from mkdocs.utils.meta import get_data

from mkdocs_imagegen.errors import StoreError
from mkdocs_imagegen.pipeline.context import (
    BuildContext,
    BuildMode,
    Page,
    PageFacts,
    Run,
    SitePages,
    generation_settings,
    has_unfinished_requests,
)
from mkdocs_imagegen.settings import Settings

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure import StructureItem
    from mkdocs.structure.files import Files
    from mkdocs.structure.nav import Navigation
    from mkdocs.theme import Theme as MkDocsTheme

    from mkdocs_imagegen.hosts.mkdocs.server import ServeSession
    from mkdocs_imagegen.pages.columns import Theme
    from mkdocs_imagegen.pipeline.build import Pipeline

_SCHEME = "imagegen:"
_TOKEN = f"{_SCHEME}t"
_FRONT_MATTER = "imagegen"
_PALETTE_THEME = f"{os.sep}material{os.sep}templates"
"""Folder of Material and of MaterialX, which hide images whose URL ends in ``#only-dark`` or
``#only-light``."""

_TAG = re.compile(r"</?[a-zA-Z][^>]*>")


class MkDocsBuild:
    """One build of MkDocs.

    Args:
        config: Configuration of MkDocs.
        settings: Settings of the site.
        mode: Work of the build.
        run: State that all builds of the run share.
        session: State of `mkdocs serve`; None if no server runs.

    Attributes:
        nav: Navigation of the site, once MkDocs has built it.
    """

    def __init__(
        self,
        config: MkDocsConfig,
        settings: Settings,
        mode: BuildMode,
        run: Run,
        session: ServeSession | None,
    ) -> None:
        self.nav: Navigation | None = None
        self._config = config
        self._settings = settings
        self._mode = mode
        self._run = run
        self._session = session
        self._root = f"{settings.root.absolute()}{os.sep}"
        self._docs = f"{Path(config.docs_dir)}{os.sep}"
        self._pages: dict[str, MkDocsPage] = {}
        self._is_joined = False

    @cached_property
    def pipeline(self) -> Pipeline:
        """Pipeline of the build, opened by its first use."""
        # Takes 60 ms to import; a site without images does not need it.
        from mkdocs_imagegen.pipeline.build import Pipeline  # noqa: PLC0415

        try:
            pipeline = Pipeline(self._context())
        except StoreError as error:
            raise PluginError(f"imagegen: {error}") from None
        if self._is_joined:
            pipeline.join()  # an image that is added now is not generated in this build
        return pipeline

    @property
    def is_open(self) -> bool:
        """True if the pipeline is open, since there may be images."""
        return "pipeline" in vars(self)

    def begin(self) -> None:
        """Open the pipeline if it has work beside the images of pages."""
        is_needed = self._session is not None or not self._mode.publish
        # The lock is that of the beginning.
        is_needed = is_needed or self._settings.report_path is not None or self._settings.locked
        if is_needed or has_unfinished_requests(self._settings):
            _ = self.pipeline

    def read_front_matter(self, page: MkDocsPage) -> None:
        """Read the page options of a page; mistakes in them are logged."""
        if page.meta.get(_FRONT_MATTER) is not None:
            self.pipeline.read_front_matter(self._page(page), page.meta)

    def read_page(self, page: MkDocsPage, content: str) -> str:
        """Look up the images of a page; return its HTML with markers."""
        self._pages[page.file.src_uri] = page
        has_preview = (
            self._settings.previews.default is not None or page.meta.get(_FRONT_MATTER) is not None
        )
        if not has_preview and _SCHEME not in content:
            return content
        return self.pipeline.read_page(self._page(page), content, partial(self._facts, page))

    def read_texts(self, texts: Mapping[str, str], files: Files) -> None:
        """Look up the images of pages with other texts, without other plugins, and join.

        Args:
            texts: Text of each page, by its source.
            files: Files of the site.
        """
        config = self._config
        for uri, text in texts.items():
            now = files.get_file_from_path(uri)
            title = vars(now.page).get("title") if now and now.page else None  # of the navigation
            file = File(uri, config.docs_dir, config.site_dir, config.use_directory_urls)
            path, file.content_string = file.abs_src_path, text  # which forgets the path
            file.abs_src_path = path
            page = MkDocsPage(title, file, config)
            page.markdown, page.meta = get_data(text)
            self.read_front_matter(page)
            page.render(config, files)
            self.read_page(page, page.content or "")
        self.join(files)

    def join(self, files: Files) -> None:
        """Wait for the images, and give themes the social card of each page.

        Args:
            files: Files of the site.

        Raises:
            PluginError: If images are missing and `on_missing` is `error`.
        """
        self._is_joined = True
        if not self.is_open:
            return
        self.pipeline.join(
            SitePages(
                uris=tuple(self._pages),
                order=[page.file.src_uri for page in self.nav.pages] if self.nav else [],
                facts=lambda uri: self._facts(self._pages[uri]),
                section=partial(_section_of, files, self.nav),
            )
        )
        if self._config.site_url:
            for file in files.documentation_pages():
                self._set_social_card(file)
        is_error = self._settings.on_missing == "error" and self._settings.enabled
        if is_error and self._mode.publish and self._session is None:
            self._raise_if_missing()

    def fill(self, content: str, page: MkDocsPage) -> str:
        """Return HTML of a page, or of a part of it, with its images, after the join."""
        if not self._mode.publish or _TOKEN not in content:
            return content
        return self.pipeline.fill_page(content, page.url, page.meta)

    def finish_page(self, output: str, page: MkDocsPage) -> str:
        """Return a finished page with its social tags and the link to the style sheet."""
        if not self.is_open:
            return output
        return self.pipeline.finish_page(output, page.url, page.file.src_uri)

    def close(self) -> None:
        """Start no more jobs, wait for the images in flight, and close the stores."""
        if self.is_open:
            self.pipeline.close()
            if self._session is not None:
                self._session.end_build(self.pipeline.context)

    def log_charges(self) -> None:
        """Log what a build that failed has generated and kept."""
        if self.is_open:
            from mkdocs_imagegen.pipeline.messages import log_charges  # noqa: PLC0415

            log_charges(self.pipeline.context)

    def _context(self) -> BuildContext:
        # A site without images imports neither credentials nor permissions.
        from mkdocs_imagegen.hosts.gateway import (  # noqa: PLC0415
            gateway_factory,
            permission_here,
        )

        config, session = self._config, self._session
        settings = generation_settings(self._settings, is_serving=session is not None)
        context = BuildContext(
            settings=self._settings,
            mode=self._mode,
            permission=permission_here(settings, is_serving=session is not None),
            run=self._run,
            open_gateway=gateway_factory(settings),
            site=Path(config.site_dir),
            # mike leaves the slash off.
            site_url=f"{config.site_url.rstrip('/')}/" if config.site_url else "",
            docs=Path(config.docs_dir),
            is_serving=session is not None,
            theme=_theme_of(config),
        )
        if session is None:
            return context
        # Else no later build would show the files, or find them.
        has_encode_queue = session.is_live and settings.cache == "use"
        return replace(
            context,
            serve_queue=session.queue_for(context),
            encode_queue=session.encode_queue if has_encode_queue else None,
        )

    def _page(self, page: MkDocsPage) -> Page:
        file = page.file
        path = (file.abs_src_path or file.src_uri).removeprefix(self._root).replace(os.sep, "/")
        return Page(path, file.src_uri, page.url, partial(_read_source, file))

    def _facts(self, page: MkDocsPage) -> PageFacts:
        return PageFacts(
            page=self._page(page),
            title=_plain_text(page.title),
            description=_plain_text(page.meta.get("description")),
            is_listed=page.file.inclusion.value > InclusionLevel.DRAFT.value,
            is_written=(page.file.abs_src_path or "").startswith(self._docs),
        )

    def _set_social_card(self, file: File) -> None:
        """Give themes the social card of a page; an image in its front matter stays."""
        card = self.pipeline.social_card(file.src_uri) if file.page else None
        if file.page and card:
            file.page.meta["image"] = file.page.meta.get("image") or card.url

    def _raise_if_missing(self) -> None:
        if text := self.pipeline.list_missing():
            raise PluginError(f"imagegen: {text}")


def _theme_of(config: MkDocsConfig) -> Theme:
    # Imported late, as the pipeline is.
    from mkdocs_imagegen.hosts.theme import theme_of  # noqa: PLC0415

    theme = config.theme
    # Backstage TechDocs shows the pages in a layout of its own.
    name = theme.name if "techdocs-core" not in config.plugins else ""
    return theme_of(
        name or "",
        theme.get("features") or (),
        Path(config.docs_dir),
        config.extra_css,
        Path(theme.custom_dir) if theme.custom_dir else None,
        follows_palette=_has_palette(theme),
    )


def _has_palette(theme: MkDocsTheme) -> bool:
    """Return True if a theme, or one that it extends, hides images by the color scheme."""
    folders = (each for each in theme.dirs if each != theme.custom_dir)
    return any(each.endswith(_PALETTE_THEME) for each in folders)


def _read_source(file: File) -> str:
    try:
        return file.content_string
    except (OSError, ValueError):
        return ""


def _plain_text(text: object) -> str:
    """Return text without the tags and entities that MkDocs leaves in headings."""
    return " ".join(html.unescape(_TAG.sub("", str(text or ""))).split())


def _section_of(files: Files, nav: Navigation | None, uri: str) -> Iterator[str]:
    """Yield the sources of the pages in a page's section, and the first page of each subsection."""
    file = files.get_file_from_path(uri)
    page = file.page if file else None
    if nav is None or page is None or page not in nav.pages:
        yield from _folder_of(files, uri)
        return
    for item in page.parent.children if page.parent else nav.items:
        yield from _first_page(item)


def _first_page(item: StructureItem) -> list[str]:
    if isinstance(item, MkDocsPage):
        return [item.file.src_uri]
    inside = map(_first_page, item.children) if isinstance(item, Section) else []
    return next(filter(None, inside), [])


def _folder_of(files: Files, uri: str) -> Iterator[str]:
    """Yield the sources of the pages in a page's folder, and the index pages of its subfolders."""
    folder = Path(uri).parent
    for file in files.documentation_pages():
        path = Path(file.src_uri)
        is_index = path.stem in {"index", "README"} and path.parent.parent == folder
        if path.parent == folder or is_index:
            yield file.src_uri
