"""Front door: the MkDocs plugin. Hooks take the host's objects apart and put results back."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click
from mkdocs.config.base import ConfigErrors, ConfigWarnings, LegacyConfig, ValidationError
from mkdocs.config.config_options import Optional, Type
from mkdocs.exceptions import PluginError
from mkdocs.plugins import BasePlugin, CombinedEvent, event_priority

from mkdocs_imagegen.directives.extension import ImagegenExtension
from mkdocs_imagegen.hosts.mkdocs.host_build import Build, blank_environment, has_leftovers
from mkdocs_imagegen.log import log, run_filter
from mkdocs_imagegen.options import OptionsError, option_names
from mkdocs_imagegen.pipeline.mode import BuildMode
from mkdocs_imagegen.settings import Settings, read_settings

if TYPE_CHECKING:
    from jinja2 import Environment
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.livereload import LiveReloadServer
    from mkdocs.structure.files import Files
    from mkdocs.structure.nav import Navigation
    from mkdocs.structure.pages import Page
    from mkdocs.utils.templates import TemplateContext

    from mkdocs_imagegen.directives.registry import Registry
    from mkdocs_imagegen.hosts.mkdocs.build import Images
    from mkdocs_imagegen.hosts.mkdocs.server import Serving
    from mkdocs_imagegen.pipeline.build import Pipeline
    from mkdocs_imagegen.pipeline.context import Run
    from mkdocs_imagegen.pipeline.outcome import Entry
    from mkdocs_imagegen.spending.permission import Permission

_SCHEME = "imagegen:"
_TOKEN = f"{_SCHEME}t"
_FRONT_MATTER = "imagegen"


class ImagegenPlugin(BasePlugin[LegacyConfig]):  # type: ignore[no-untyped-call]  # the host's
    """Makes the images that pages describe."""

    # Our own settings read the values; the host only has to know the names.
    config_scheme = tuple((name, Optional(Type(object))) for name in option_names(Settings))

    def __init__(self) -> None:
        self.settings = Settings()
        self.mode = BuildMode()
        """What is wanted; commands set it before they build."""
        self.permission: Permission | None = None
        """Whether a build here may make missing images; None where no build has asked."""
        self.entries: list[Entry] = []
        """What builds that showed nothing have found."""
        self._serving: Serving | None = None
        self._extension = ImagegenExtension(self._registry)
        # A stack: i18n plugins build further languages inside the first one's on_post_build.
        self._builds: list[Build[Images]] = []
        self._latest: Build[Images] | None = None

    def load_config(
        self, options: dict[str, Any], config_file_path: str | None = None
    ) -> tuple[ConfigErrors, ConfigWarnings]:
        """Read the options of mkdocs.yml; every mistake is told with its option's name."""
        if self._serving is not None:
            self._serving.begin()  # read anew before each build, once for all of its languages
        try:
            self.settings = read_settings(options, Path(config_file_path or "mkdocs.yml").parent)
            _check_names(self.settings)
        except OptionsError as error:
            return [(name, ValidationError(str(each))) for name, each in error.errors], []
        return super().load_config(options, config_file_path)

    def on_startup(self, *, command: Literal["build", "gh-deploy", "serve"], dirty: bool) -> None:
        """Note whether pages are served; `serve --clean` says "build", unlike the command line."""
        context = click.get_current_context(silent=True)
        is_serving = "serve" in (command, context.info_name if context else "")
        self._serving = _serving(is_dirty=dirty) if is_serving else None
        vars(self).pop("run", None)
        run_filter.begin_run()

    @cached_property
    def run(self) -> Run:
        """What the builds of this run share."""
        from mkdocs_imagegen.pipeline.context import Run  # noqa: PLC0415 - only with images

        return Run()

    @event_priority(-100)  # last, so that ours is the last of the Markdown extensions
    def on_config(self, config: MkDocsConfig) -> None:
        """Add the Markdown extension, once."""
        run_filter.is_strict = bool(config.strict)
        _refuse_places(self.settings, Path(config.docs_dir), Path(config.site_dir))
        extensions: list[Any] = config.markdown_extensions  # names by type, objects by habit
        ours = [each for each in extensions if isinstance(each, ImagegenExtension)]
        if ours not in ([], [self._extension]):
            raise PluginError("imagegen: the plugin is listed twice; remove one of the two")
        if not ours:
            extensions.append(self._extension)

    def on_pre_build(self, *, config: MkDocsConfig) -> None:
        """Begin a build."""
        self._latest = build = Build(config, self._open_images)
        self._builds.append(build)
        is_needed = self._serving is not None or not self.mode.shows
        if is_needed or has_leftovers(self.settings, self.mode):
            _ = build.images

    def on_page_markdown(self, markdown: str, *, page: Page, **_: object) -> str:
        """Take in the page's front matter."""
        if page.meta.get(_FRONT_MATTER) is None or not self._builds:
            return markdown
        images = self._builds[-1].images
        try:
            images.pipeline.registry.open_page(page.file.src_uri, page.meta)
        except OptionsError as error:
            log.warning("%s: front matter: %s", images.seen(page).path, error)
        return markdown

    @event_priority(-50)  # after those who rewrite the page at the usual priority (0)
    def on_page_content(self, html: str, *, page: Page, **_: object) -> str:
        """Look up the images that the page shows; begin to make those that are missing."""
        if not self._builds:
            return html  # rendered by another plugin, after the build
        build = self._builds[-1]
        build.pages[page.file.src_uri] = page
        if not self._may_hold(html, page):
            return html
        return build.images.read_page(page, html)

    @event_priority(-110)  # after plugins that rewrite the navigation (i18n and blog: -100)
    def on_nav(self, nav: Navigation, **_: object) -> Navigation:
        """Note the order of pages."""
        self._builds[-1].nav = nav
        return nav

    @event_priority(-100)  # after plugins that rewrite images in place (optimize, privacy)
    def on_env(self, env: Environment, *, files: Files, **_: object) -> Environment:
        """Wait for what is being made."""
        build = self._builds[-1]
        build.is_joined = True
        if not build.is_open:
            return env
        build.images.join(files)
        if not self.mode.shows:
            return blank_environment()
        if self.settings.on_missing == "error" and self.settings.enabled and self._serving is None:
            _refuse_missing(build.images.pipeline)
        return env

    @event_priority(100)  # before search (0) reads the page
    def on_page_context(
        self, context: TemplateContext, *, page: Page, **_: object
    ) -> TemplateContext:
        """Fill in the images."""
        if self.mode.shows and _TOKEN in (page.content or ""):
            page.content = self._builds[-1].images.previews.fill_page(page.content or "", page.url)
        return context

    @event_priority(50)  # before minify (0) rewrites the page
    def _fill_finished_page(self, output: str, /, *, page: Page, **_: object) -> str:
        """Fill in what came by other ways, like the excerpts of a blog."""
        if _TOKEN in output:
            return self._builds[-1].images.previews.fill_page(output, page.url)
        return output

    @event_priority(-50)  # after those that put tags into heads (Material's social: 50, others: 0)
    def _finish_page(self, output: str, /, *, page: Page, **_: object) -> str:
        """Put social tags and the cards' style into the page's head."""
        if not self._builds or not self._builds[-1].is_open:
            return output  # without images, or rendered by another plugin after the build
        return self._builds[-1].images.previews.finish_page(output, page.file.src_uri)

    on_post_page = CombinedEvent(_fill_finished_page, _finish_page)

    @event_priority(-90)  # after those that write files now (rss, print-site), before i18n (-100)
    def on_post_build(self, **_: object) -> None:
        """Fill in the other files of the site, and report."""
        build = self._builds.pop()
        if not build.is_open:
            return
        try:
            build.images.finish()
            if not self.mode.shows:
                self.entries += build.images.pipeline.entries()
        finally:
            build.close()

    def on_serve(self, server: LiveReloadServer, **_: object) -> LiveReloadServer:
        """Build again whenever an image has come, and when the file of prompts has changed."""
        if self._serving is not None:
            self._serving.watch(server)
        if self.settings.prompts_path is not None:
            server.watch(str(self.settings.prompts_path))
        return server

    def on_build_error(self, **_: object) -> None:
        """Keep what is in flight, and end."""
        while self._builds:
            self._builds.pop().close()

    def on_shutdown(self) -> None:
        """Keep what is in flight, and end; MkDocs calls no other hook after an interrupt."""
        self.on_build_error()
        if self._serving is not None:
            self._serving.close()

    def _open_images(self, build: Build[Images]) -> Images:
        # Most of the package, and a site without images needs none of it.
        from mkdocs_imagegen.hosts.mkdocs.build import open_images  # noqa: PLC0415

        images = open_images(build, self.settings, self.run, self.mode, self._serving)
        self.permission = images.permission
        if build.is_joined:
            images.pipeline.join()  # what comes now comes too late to be made
        return images

    def _registry(self) -> Registry:
        assert self._latest is not None  # noqa: S101 - nothing is rendered before the first build
        return self._latest.images.pipeline.registry

    def _may_hold(self, html: str, page: Page) -> bool:
        """Whether there is anything for us on a page."""
        has_preview = self.settings.previews.default is not None
        return has_preview or _SCHEME in html or page.meta.get(_FRONT_MATTER) is not None


def _serving(*, is_dirty: bool) -> Serving:
    from mkdocs_imagegen.hosts.mkdocs.server import Serving  # noqa: PLC0415 - only for `mkdocs serve`

    return Serving(is_dirty=is_dirty)


def _check_names(settings: Settings) -> None:
    """Read what the site says by names, where it says something, before anything is built.

    Raises:
        OptionsError: something in it is not accepted.
    """
    if settings.presets or settings.prompts or settings.folders:
        from mkdocs_imagegen.directives.defaults import site_defaults  # noqa: PLC0415 - a while

        site_defaults(settings)


def _refuse_missing(pipeline: Pipeline) -> None:
    lines = pipeline.lines(with_line_numbers=True)
    missing = [line for line in lines if line.state.is_missing]
    if missing:
        quote_value = "\n".join(f"  {line.location}: {line.remarks[-1]}" for line in missing[:10])
        more = f"\n  and {len(missing) - 10} more" if len(missing) > 10 else ""  # noqa: PLR2004
        count = f"{len(missing)} missing" if len(missing) > 1 else "1 missing"
        raise PluginError(f"imagegen: {count}, and on_missing is error:\n{quote_value}{more}")


def _refuse_places(settings: Settings, docs: Path, site: Path) -> None:
    kept = {"cache_dir": settings.cache_path, "originals_dir": settings.originals_path}
    written = kept | ({"report": settings.report_path} if settings.report_path else {})
    for name, path in written.items():
        if path.is_relative_to(docs):
            why = "it would be copied into the site, and `mkdocs serve` would never rest"
            _refuse_place(name, path, "docs_dir", why)
        if name in kept and path.is_relative_to(site):
            _refuse_place(name, path, "site_dir", "every build would delete it")


def _refuse_place(name: str, path: Path, where: str, why: str) -> None:
    raise PluginError(f"imagegen: option {name}: {path} is inside {where}: {why}; move it out")
