"""A whole build into a temporary folder, to see which images the pages of a site show.

Only a whole build sees every prompt: macros, snippets and includes write some, and i18n plugins
render further languages at the end of a build.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import ConfigurationError

from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.hosts.mkdocs.plugin import ImagegenPlugin
from mkdocs_imagegen.pipeline.context import BuildContext, BuildMode
from mkdocs_imagegen.pipeline.outcome import Entry
from mkdocs_imagegen.report import ReportRow
from mkdocs_imagegen.settings import Settings

Change = Callable[[Settings], Settings]

LOOK_ONLY = BuildMode(generate=False, publish=False)
"""Mode of a build that generates no images and publishes no files."""


@dataclass(frozen=True, slots=True)
class SiteView:
    """Images of a site, as a build found or generated them.

    Attributes:
        context: Context of the build; its settings have the changes of the command.
        entries: All locations that show an image.
    """

    context: BuildContext
    entries: list[Entry]

    @property
    def rows(self) -> list[ReportRow]:
        """Report of each image at each location."""
        return [row for entry in self.entries for row in entry.rows]

    @property
    def lacking(self) -> list[ReportRow]:
        """Report of each missing or invalid image at each location."""
        return [row for row in self.rows if row.is_lacking]


def look(
    config_file: str | None,
    mode: BuildMode = LOOK_ONLY,
    change: Change | None = None,
    pages: Sequence[str] = (),
) -> SiteView:
    """Build a site into a temporary folder and return its images; stdout stays empty.

    Args:
        config_file: Configuration file of the site; None for the one in the current folder.
        mode: Work of the build, which publishes no files; by default it generates no images.
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
            return _view(plugin)


def settings_of(config_file: str | None) -> Settings:
    """Return the settings of a site without building it.

    Raises:
        MkDocsException: If the configuration is invalid.
    """
    return _load(config_file, "site")[1].settings


def globs_of(pages: Sequence[str], docs: Path, root: Path) -> tuple[str, ...]:
    """Return globs for pages that are named as in `docs_dir`, or as `plan` prints them.

    A folder stands for all of its pages, and the docs folder for the whole site.
    """
    globs: list[str] = []
    for page in pages:
        path = Path(page)
        inside = (root.absolute() / path) if not path.is_absolute() else path
        if inside.is_relative_to(docs) and not (docs / path).exists():
            path = inside.relative_to(docs)
        name = path.as_posix()
        globs += ["**"] if name == "." else [name, f"{name}/**"]
    return tuple(globs)


def _load(config_file: str | None, site_dir: str) -> tuple[MkDocsConfig, ImagegenPlugin]:
    with contextlib.redirect_stdout(sys.stderr):
        config = load_config(config_file, site_dir=site_dir)
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


def _view(plugin: ImagegenPlugin) -> SiteView:
    assert plugin.context is not None  # noqa: S101 - every build that publishes no files sets it
    return SiteView(plugin.context, plugin.entries)
