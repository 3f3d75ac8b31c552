"""The front door for Zensical, which has no plugins: a Markdown extension.

A site lists this module under ``markdown_extensions``, with the plugin's options under it. A build
of Zensical renders each page on its own, in any order, and keeps pages in a cache. So the extension
looks images up and generates none; ``mkdocs-imagegen generate`` does, before the build. Only
sketches are drawn in a build, at no cost.

Zensical makes addresses in a page relative to its URL. They are written relative to its source.
"""

from __future__ import annotations

import atexit
import base64
import contextlib
import mimetypes
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path
from typing import ClassVar, Protocol

from mkdocs_imagegen.causes import causes
from mkdocs_imagegen.directives.extension import ImagegenExtension, Renderer
from mkdocs_imagegen.directives.fences import page_in_mkdocs
from mkdocs_imagegen.directives.registry import Registry
from mkdocs_imagegen.errors import ImagegenError, SiteError
from mkdocs_imagegen.hosts.gateway import gateway_factory, permission_here
from mkdocs_imagegen.hosts.zensical_site import ZensicalSite
from mkdocs_imagegen.imaging.image import SITE_FOLDER
from mkdocs_imagegen.log import ONCE, log
from mkdocs_imagegen.option_parsers import MAX_SIDE_PX, OptionsError
from mkdocs_imagegen.pages.columns import theme_named
from mkdocs_imagegen.pipeline.build import Pipeline
from mkdocs_imagegen.pipeline.context import BuildContext, BuildMode, Page, PageFacts, Run
from mkdocs_imagegen.report import ReportRow
from mkdocs_imagegen.settings import Settings, read_settings
from mkdocs_imagegen.spending.permission import Permission

_BEFORE_BUILD = Permission("`zensical` generates no images; run `mkdocs-imagegen generate` first")
_OTHER_HOST = Permission(
    "this site generator is not supported; generate the image with MkDocs or Zensical"
)
_EMBEDDED = (
    "this site generator is not supported (in MkDocs, add `imagegen` to `plugins`), so no images "
    "are generated, and the HTML of the pages contains the existing ones"
)
FILE = re.compile(rf"{SITE_FOLDER}/([\w.-]+)")
"""Address of a file of the plugin, with its name."""


class _RenderedPage(Protocol):
    """A page that Zensical renders."""

    path: str
    meta: dict[str, object]


class _Rendering:
    """One page in a build of Zensical, whose images are looked up and shown."""

    def __init__(self, site: ZensicalSite, page: _RenderedPage) -> None:
        self.page = page
        self._site = site
        self._source = site.source(page.path)

    @cached_property
    def pipeline(self) -> Pipeline:
        """Pipeline of the page, opened by its first use."""
        self._site.folder.open()
        pipeline = Pipeline(context_of_build(self._site))
        if self._source.has_options:
            pipeline.read_front_matter(self._source.page, self._source.meta)
        return pipeline

    def finish(self, content: str) -> str:
        """Return the HTML of the page with its images.

        Raises:
            SiteError: If images are missing and `on_missing` is `error`.
        """
        has_preview = self._source.has_options or self._site.settings.previews.default is not None
        if not has_preview and "imagegen:" not in content and "pipeline" not in vars(self):
            return content
        with contextlib.closing(self.pipeline) as pipeline:
            content = self._read(pipeline, content)
            pipeline.join(self._site.pages)
            _tell_missing(self._site.settings, pipeline)
            meta = self.page.meta
            content = pipeline.fill_page(content, self.page.path, meta, is_linked=False)
            names = {*FILE.findall(content), *card_files(pipeline, self.page.path)}
            card = pipeline.social_card(self.page.path)
            if card and self._site.site_url:
                self.page.meta["image"] = self.page.meta.get("image") or card.url
        self._site.folder.copy(names, self._site.target)
        return content

    def _read(self, pipeline: Pipeline, content: str) -> str:
        """Look up the images of the page, and read the pages that its cards and images name."""
        site, uri = self._site, self.page.path
        content = read_page(site, uri, pipeline, content)
        if "data-imagegen-cards" in content:
            for each in set(site.uris) - {uri}:
                _add_preview(site, each, pipeline)
        seen = {uri}
        while left := (pipeline.registry.pages_of_references() - seen).intersection(site.uris):
            for each in sorted(left):
                read_page(site, each, pipeline, render_page(site, each, pipeline))
            seen |= left
        return content


class _Embedding:
    """One page of a site generator without a front door; its HTML contains the images."""

    def __init__(self, options: Mapping[str, object], uri: str | None) -> None:
        self._settings = read_settings(options, Path())
        self._uri = uri or "a page"

    @cached_property
    def _folder(self) -> tempfile.TemporaryDirectory[str]:
        return tempfile.TemporaryDirectory(prefix="imagegen-")

    @cached_property
    def pipeline(self) -> Pipeline:
        """Pipeline of the page."""
        log.warning(_EMBEDDED, extra=ONCE)
        variants = replace(self._settings.variants, widths=(MAX_SIDE_PX,), formats=("webp",))
        settings = replace(self._settings, variants=variants)
        site = Path(self._folder.name)
        return Pipeline(context_with(settings, BuildMode(generate=False), _OTHER_HOST, None, site))

    def finish(self, content: str) -> str:
        """Return the HTML of the page with its images.

        Raises:
            SiteError: If images are missing and `on_missing` is `error`.
        """
        if "imagegen:" not in content and "pipeline" not in vars(self):
            return content
        page = Page(self._uri, self._uri, "", lambda: "")
        facts = PageFacts(page, self._uri, "", is_listed=True, is_written=False)
        with self._folder, contextlib.closing(self.pipeline) as pipeline:
            content = pipeline.read_page(page, content, lambda: facts)
            pipeline.join()
            if text := self._settings.on_missing == "error" and pipeline.list_missing():
                raise SiteError(text)
            return FILE.sub(self._data, pipeline.fill_page(content, "", is_linked=False))

    def _data(self, match: re.Match[str]) -> str:
        content = (Path(self._folder.name) / match[0]).read_bytes()
        kind = mimetypes.guess_type(match[1])[0] or "image/webp"
        return f"data:{kind};base64,{base64.b64encode(content).decode()}"


class _State:
    """The state of a process: Zensical makes one renderer for each page, and some inside it.

    Attributes:
        reading: Pipeline that pages are rendered for; None in a build.
        rendering: Page that a build renders.
        lacking: Missing images of the pages so far.
    """

    reading: ClassVar[Pipeline | None] = None
    rendering: ClassVar[_Rendering | None] = None
    lacking: ClassVar[list[ReportRow]] = []


class BridgeExtension(ImagegenExtension):
    """Extension of one renderer.

    Args:
        options: Options of the plugin.
    """

    def __init__(self, options: Mapping[str, object]) -> None:
        super().__init__(self._find_registry, self._find_page, self._finish_page)
        self._options = options
        self._md: Renderer | None = None
        self._page: _RenderedPage | None = None
        self._reading: Pipeline | None = None
        self._rendering: _Rendering | _Embedding | None = None
        self._is_inner = False

    def register(self, md: Renderer) -> None:
        """Register the processors; the first renderer of a page shows its images."""
        self._md = md
        if "rendering_context" in md.preprocessors:
            context = md.preprocessors["rendering_context"]
            page, config = getattr(context, "page"), getattr(context, "config")  # noqa: B009
            self._page, self._reading = page, _State.reading
            if self._reading is None:
                before = _State.rendering
                self._is_inner = before is not None and before.page is page
                if not self._is_inner:
                    _State.rendering = _Rendering(ZensicalSite.of_build(config), page)
                self._rendering = _State.rendering
                vars(md)["convert"] = partial(self._convert, md.convert)
        super().register(md)

    def _convert(self, convert: Callable[[str], str], text: str) -> str:
        try:
            if text.strip() or self._rendering is None:
                return convert(text)
            # Python-Markdown runs no processor for an empty page, which can have a preview.
            return self._finish_page(self._md, "")
        except ImagegenError as error:
            sys.excepthook = partial(_log_last, sys.excepthook, str(error))
            raise

    def _find_registry(self) -> Registry:
        pipeline = self._reading or self._current.pipeline
        return pipeline.registry

    @property
    def _current(self) -> _Rendering | _Embedding:
        if self._rendering is None:
            uri = page_in_mkdocs(self._md) if self._md else None
            self._rendering = _Embedding(self._options, uri)
        return self._rendering

    def _find_page(self, md: Renderer) -> str | None:
        return self._page.path if self._page else page_in_mkdocs(md)

    def _finish_page(self, _: Renderer | None, content: str) -> str:
        if self._reading is not None or self._is_inner:
            return content
        rendering = self._current
        _State.rendering = self._rendering = None
        return rendering.finish(content)


def _log_last(
    other: Callable[..., object], text: str, kind: type, error: BaseException, trace: object
) -> None:
    """Log the error that ends Zensical, whose own error for it has two tracebacks."""
    if text in str(error):
        log.error("%s", text)
    else:
        other(kind, error, trace)


def makeExtension(**options: object) -> BridgeExtension:  # noqa: N802 - Python-Markdown's name
    """Return the extension of a renderer.

    Args:
        **options: Options of the plugin.
    """
    return BridgeExtension(options)


def context_with(
    settings: Settings,
    mode: BuildMode,
    permission: Permission,
    site: ZensicalSite | None,
    target: Path | None,
) -> BuildContext:
    """Return the context of a build or a look."""
    return BuildContext(
        settings=settings,
        mode=mode,
        permission=permission,
        run=Run(),
        open_gateway=gateway_factory(settings),
        theme=site.theme if site else theme_named("", follows_palette=True),
        site=target,
        site_url=site.site_url if site else "",
        docs=site.docs if site else Path(),
        is_serving=_is_serving(),
    )


def context_of_build(site: ZensicalSite) -> BuildContext:
    """Return the context of a build that shows existing images, or draws sketches at no cost."""
    settings = replace(site.settings, on_missing="placeholder")  # told once, for all pages
    permission = _BEFORE_BUILD
    if settings.gateway.is_sketch:
        permission = permission_here(settings, is_serving=_is_serving())
    mode = BuildMode(generate=permission.is_granted)
    context = context_with(settings, mode, permission, site, site.docs)
    return replace(context, run=Run(site.locks))


def _is_serving() -> bool:
    return sys.argv[1:2] == ["serve"]


def render_page(site: ZensicalSite, uri: str, pipeline: Pipeline) -> str:
    """Render a page for a pipeline, and return its HTML."""
    source = site.source(uri)
    if source.has_options:
        pipeline.read_front_matter(source.page, source.meta)
    with _reading(pipeline):
        render = import_module("zensical.markdown.render").render
        head = source.url, source.meta_json, source.title, source.nav_title
        content: str = render(source.body, uri, *head)["content"]
    return content


def read_page(site: ZensicalSite, uri: str, pipeline: Pipeline, content: str) -> str:
    """Look up the images of a page, and return its HTML with their markers."""
    return pipeline.read_page(site.source(uri).page, content, partial(site.facts, uri))


@contextlib.contextmanager
def _reading(pipeline: Pipeline) -> Iterator[None]:
    """Render pages for a pipeline, also while Zensical renders another page."""
    before, _State.reading = _State.reading, pipeline
    try:
        yield
    finally:
        _State.reading = before


def _add_preview(site: ZensicalSite, uri: str, pipeline: Pipeline) -> None:
    """Add the preview of another page, which logs its own mistakes."""
    source = site.source(uri)
    with contextlib.suppress(OptionsError):
        pipeline.registry.open_page(uri, source.meta)
    preview = pipeline.previews.read(source.page, partial(site.facts, uri))
    pipeline.previews.add(source.page, preview, "")


def card_files(pipeline: Pipeline, uri: str) -> list[str]:
    """Return the name of the social card of a page, if it has one."""
    card = pipeline.social_card(uri)
    return FILE.findall(card.url) if card else []


def _tell_missing(settings: Settings, pipeline: Pipeline) -> None:
    """Log missing images: at the end of a build, with their number, or at once while serving.

    Raises:
        SiteError: If `on_missing` is `error`, which ends the build.
    """
    rows = [row for each in pipeline.entries() for row in each.rows if row.state.is_missing]
    if not rows or not settings.enabled or settings.on_missing == "placeholder":
        return
    if _is_serving():
        _log_missing(rows)
    elif settings.on_missing == "error":
        raise SiteError(pipeline.list_missing())
    else:
        if not _State.lacking:
            atexit.register(_log_missing, _State.lacking)
        _State.lacking.extend(rows)


def _log_missing(rows: Iterable[ReportRow]) -> None:
    for cause in causes(rows):
        log.warning("%s", cause.text)
