"""The MkDocs plugin: each hook is one step of a build."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click
import mkdocs
from jinja2 import Environment, FunctionLoader
from mkdocs.config.base import ConfigErrors, ConfigWarnings, LegacyConfig, ValidationError
from mkdocs.config.config_options import Optional, Type
from mkdocs.exceptions import PluginError
from mkdocs.plugins import BasePlugin, CombinedEvent, event_priority

from mkdocs_imagegen.directives.extension import ImagegenExtension
from mkdocs_imagegen.hosts.mkdocs.build import MkDocsBuild
from mkdocs_imagegen.imaging.image import MARKER, SITE_FOLDER
from mkdocs_imagegen.log import run_filter
from mkdocs_imagegen.option_parsers import OptionsError, option_names
from mkdocs_imagegen.pipeline.context import BuildMode, Run
from mkdocs_imagegen.settings import Settings, read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.livereload import LiveReloadServer
    from mkdocs.structure.files import Files
    from mkdocs.structure.nav import Navigation
    from mkdocs.structure.pages import Page
    from mkdocs.utils.templates import TemplateContext

    from mkdocs_imagegen.directives.registry import Registry
    from mkdocs_imagegen.hosts.mkdocs.server import ServeSession
    from mkdocs_imagegen.pipeline.context import BuildContext
    from mkdocs_imagegen.pipeline.outcome import Entry

_COMMAND = mkdocs.__name__
"""Command of the site generator: ProperDocs gives its own package for that of MkDocs."""


class ImagegenPlugin(BasePlugin[LegacyConfig]):  # type: ignore[no-untyped-call]  # of MkDocs
    """The plugin; one instance serves all builds of a process.

    Attributes:
        settings: Settings of the site.
        mode: Work of the next builds, set by commands.
        run: State that the builds of the run share.
        context: Context of the last build that publishes no files.
        entries: Images of the site, added by builds that publish no files.
    """

    # MkDocs needs to know the names alone; `read_settings` reads the values.
    config_scheme = tuple((name, Optional(Type(object))) for name in option_names(Settings))

    def __init__(self) -> None:
        self.settings = Settings()
        self.mode = BuildMode()
        self.run = Run()
        self.context: BuildContext | None = None
        self.entries: list[Entry] = []
        self._session: ServeSession | None = None
        self._extension = ImagegenExtension(self._registry)
        # A stack: i18n plugins build further languages inside the first one's on_post_build.
        self._builds: list[MkDocsBuild] = []
        self._latest: MkDocsBuild | None = None
        self._files: Files | None = None

    def load_config(
        self, options: dict[str, Any], config_file_path: str | None = None
    ) -> tuple[ConfigErrors, ConfigWarnings]:
        """Read the options of the configuration; return every error with the name of its option."""
        if self._session is not None:
            # Under `mkdocs serve` the configuration is read once per build of all languages.
            self._session.begin_build()
        try:
            file = Path(config_file_path or "mkdocs.yml")
            settings = read_settings(options, file.parent)
            self.settings = replace(settings, config_file=file, command=_COMMAND)
            _check_prompts(self.settings)
        except OptionsError as error:
            return [(name, ValidationError(str(each))) for name, each in error.errors], []
        return super().load_config(options, config_file_path)

    def on_startup(self, *, command: Literal["build", "gh-deploy", "serve"], dirty: bool) -> None:
        """Begin a run."""
        # `mkdocs serve --clean` passes "build", unlike its command line.
        context = click.get_current_context(silent=True)
        is_serving = "serve" in (command, context.info_name if context else "")
        is_live = context is None or bool(context.params.get("livereload", True))
        self._session = _new_session(is_dirty=dirty, is_live=is_live) if is_serving else None
        self.run = Run()
        run_filter.begin_run()

    @event_priority(-100)  # last, so that the Markdown extension is the last one too
    def on_config(self, config: MkDocsConfig) -> None:
        """Add the Markdown extension, once."""
        run_filter.is_strict = bool(config.strict)
        _check_folders(self.settings, Path(config.docs_dir), Path(config.site_dir))
        extensions: list[Any] = config.markdown_extensions  # typed as names, but takes objects
        added = [each for each in extensions if isinstance(each, ImagegenExtension)]
        if added not in ([], [self._extension]):
            raise PluginError("imagegen: the plugin is listed twice; remove one of the two")
        if not added:
            extensions.append(self._extension)

    def on_pre_build(self, *, config: MkDocsConfig) -> None:
        """Begin a build."""
        build = MkDocsBuild(config, self.settings, self.mode, self.run, self._session)
        self._latest = build
        self._builds.append(build)
        build.begin()

    def on_files(self, files: Files, *, config: MkDocsConfig) -> Files:
        """Leave out the images that the front door for Zensical has put into the docs folder."""
        if Path(config.docs_dir, SITE_FOLDER, MARKER).is_file():
            for file in [each for each in files if each.src_uri.startswith(f"{SITE_FOLDER}/")]:
                files.remove(file)
        return files

    @event_priority(-110)  # after plugins that rewrite the navigation (i18n and blog: -100)
    def on_nav(self, nav: Navigation, **_: object) -> Navigation:
        """Note the order of the pages."""
        self._builds[-1].nav = nav
        return nav

    def on_page_markdown(self, markdown: str, *, page: Page, **_: object) -> str:
        """Read the page options."""
        if self._builds:
            self._builds[-1].read_front_matter(page)
        return markdown

    @event_priority(-50)  # after plugins that rewrite the page at the usual priority (0)
    def on_page_content(self, html: str, *, page: Page, **_: object) -> str:
        """Look up the images of a page, and start a job for each missing one."""
        # Another plugin may render a page after the build.
        return self._builds[-1].read_page(page, html) if self._builds else html

    @event_priority(-100)  # after plugins that rewrite images in place (optimize, privacy)
    def on_env(self, env: Environment, *, files: Files, **_: object) -> Environment:
        """Wait for the jobs."""
        self._builds[-1].join(files)
        self._files = files
        return env if self.mode.publish else _empty_templates()

    @event_priority(100)  # before search (0) reads the page
    def on_page_context(
        self, context: TemplateContext, *, page: Page, **_: object
    ) -> TemplateContext:
        """Put the images into the page."""
        page.content = self._builds[-1].fill(page.content or "", page)
        return context

    @event_priority(50)  # before minify (0) rewrites the page
    def _fill_output(self, output: str, /, *, page: Page, **_: object) -> str:
        """Put the images into HTML of other origin, like the excerpts of a blog."""
        return self._builds[-1].fill(output, page) if self._builds else output

    @event_priority(-50)  # after plugins that put tags into heads (Material's social: 50)
    def _finish_output(self, output: str, /, *, page: Page, **_: object) -> str:
        """Put social tags and the link to the style sheet into the head of the page."""
        return self._builds[-1].finish_page(output, page) if self._builds else output

    on_post_page = CombinedEvent(_fill_output, _finish_output)

    @event_priority(-90)  # after plugins that write files now (rss, print-site), before i18n (-100)
    def on_post_build(self, **_: object) -> None:
        """Put the images into other files of the site, and log the summary."""
        build = self._builds.pop()
        if not build.is_open:
            return
        try:
            build.pipeline.finish()
            if not self.mode.publish:
                self.context = build.pipeline.context
                self.entries += build.pipeline.entries()
        finally:
            build.close()

    def on_serve(self, server: LiveReloadServer, **_: object) -> LiveReloadServer:
        """Let the server build again after each image, and after a change of the prompts file."""
        if self._session is not None:
            self._session.watch(server)
        if self.settings.prompts_path is not None:
            server.watch(str(self.settings.prompts_path))
        return server

    def on_build_error(self, **_: object) -> None:
        """Wait for the images in flight, end the builds, and log what was charged."""
        while self._builds:
            build = self._builds.pop()
            build.close()
            build.log_charges()

    def on_shutdown(self) -> None:
        """Wait for the images in flight; MkDocs calls no other hook after an interrupt."""
        self.on_build_error()
        if self._session is not None:
            self._session.close()

    @contextlib.contextmanager
    def reading(self, build: MkDocsBuild) -> Iterator[Files]:
        """Let the Markdown extension read pages for a build, after one that is finished.

        Yields:
            The files of the finished build.
        """
        assert self._files is not None  # noqa: S101 - a finished build has set them
        before, self._latest = self._latest, build
        try:
            yield self._files
        finally:
            self._latest = before

    def _registry(self) -> Registry:
        assert self._latest is not None  # noqa: S101 - no page is rendered before the first build
        return self._latest.pipeline.registry


def _new_session(*, is_dirty: bool, is_live: bool) -> ServeSession:
    from mkdocs_imagegen.hosts.mkdocs.server import ServeSession  # noqa: PLC0415 - `mkdocs serve`

    return ServeSession(is_dirty=is_dirty, is_live=is_live)


def _empty_templates() -> Environment:
    """Return templates that are all empty: rendering takes most of a build.

    MkDocs writes no file for a page if its template renders to an empty text.
    """
    return Environment(loader=FunctionLoader(lambda _: ""), autoescape=True)


def _check_prompts(settings: Settings) -> None:
    """Read presets, prompts and folders before anything is built.

    Raises:
        OptionsError: If one of their options is invalid.
    """
    if settings.presets or settings.prompts or settings.folders:
        # Takes a while to import, and most sites have no such settings.
        from mkdocs_imagegen.directives.defaults import site_defaults  # noqa: PLC0415

        site_defaults(settings)


def _check_folders(settings: Settings, docs: Path, site: Path) -> None:
    """Check that no folder of the plugin is inside a folder that MkDocs copies or empties.

    Raises:
        PluginError: If one is.
    """
    kept = {"cache_dir": settings.cache_path, "originals_dir": settings.originals_path}
    written = kept | ({"report": settings.report_path} if settings.report_path else {})
    for name, path in written.items():
        if path.is_relative_to(docs):
            result = f"every build copies it, and `{settings.command} serve` rebuilds endlessly"
            raise _folder_error(name, path, "docs_dir", result)
        if name in kept and path.is_relative_to(site):
            raise _folder_error(name, path, "site_dir", "every build deletes it")


def _folder_error(name: str, path: Path, folder: str, result: str) -> PluginError:
    problem = f'{name} "{path}" is inside {folder}'
    return PluginError(f"imagegen: {problem}; choose a folder outside it, or {result}")
