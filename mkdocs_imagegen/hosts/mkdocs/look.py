"""A whole build into a temporary folder, to see which images the pages of a site show.

Only a whole build sees every prompt: macros, snippets and includes write some, and i18n plugins
render further languages at the end of a build.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import ConfigurationError

from mkdocs_imagegen.hosts.look import Change, SiteView, globs_of
from mkdocs_imagegen.hosts.mkdocs.build import MkDocsBuild
from mkdocs_imagegen.hosts.mkdocs.plugin import ImagegenPlugin
from mkdocs_imagegen.pipeline.build import Pipeline
from mkdocs_imagegen.pipeline.context import BuildContext, BuildMode
from mkdocs_imagegen.pipeline.outcome import Entry
from mkdocs_imagegen.settings import Settings


def look(
    config_file: Path, mode: BuildMode, change: Change | None, pages: Sequence[str]
) -> SiteView:
    """Build a site into a temporary folder and return its images; stdout stays empty.

    Args:
        config_file: Configuration file of the site.
        mode: Work of the build, which publishes no files.
        change: Changes the settings as the command's options require.
        pages: Paths or globs of the pages to generate images for; empty for all.

    Raises:
        MkDocsException: If the site cannot be built.
    """
    with tempfile.TemporaryDirectory(prefix="imagegen-") as folder:
        config, plugin = _load(config_file, folder)
        selected = globs_of(pages, Path(config.docs_dir), plugin.settings.root)
        with _in_mode(plugin, replace(mode, pages=selected)):
            if change is not None:
                plugin.settings = change(plugin.settings)
            with contextlib.redirect_stdout(sys.stderr):
                _build(config)
            return _view(plugin, config)


def settings_of(config_file: Path) -> Settings:
    """Return the settings of a site without building it.

    Raises:
        MkDocsException: If the configuration is invalid.
    """
    return _load(config_file, "site")[1].settings


def _load(config_file: Path, site_dir: str) -> tuple[MkDocsConfig, ImagegenPlugin]:
    with contextlib.redirect_stdout(sys.stderr):
        config = load_config(str(config_file), site_dir=site_dir)
    plugins = (each for each in config.plugins.values() if isinstance(each, ImagegenPlugin))
    plugin = next(plugins, None)
    if plugin is None:
        path = config.config_file_path
        raise ConfigurationError(f"{path} does not list the plugin; add `imagegen` to `plugins`")
    return config, plugin


def _build(config: MkDocsConfig) -> None:
    config.plugins.on_startup(command="build", dirty=False)
    try:
        build(config)
    finally:
        config.plugins.on_shutdown()


@contextlib.contextmanager
def _in_mode(plugin: ImagegenPlugin, mode: BuildMode) -> Iterator[None]:
    """Set the mode of the plugin; MkDocs gives one plugin to every build of a process."""
    plugin.mode, plugin.context, plugin.entries = mode, None, []
    try:
        yield
    finally:
        plugin.mode = BuildMode()


def _view(plugin: ImagegenPlugin, config: MkDocsConfig) -> SiteView:
    assert plugin.context is not None  # noqa: S101 - every build that publishes no files sets it
    return SiteView(plugin.context, plugin.entries, partial(_read_pages, plugin, config))


def _read_pages(
    plugin: ImagegenPlugin, config: MkDocsConfig, context: BuildContext, texts: Mapping[str, str]
) -> list[Entry]:
    build = MkDocsBuild(config, context.settings, context.mode, context.run, None)
    build.pipeline = Pipeline(context)
    with contextlib.closing(build), plugin.reading(build) as files:
        build.read_texts(texts, files)
        return build.pipeline.entries()
