"""A whole build of a site into a folder that is thrown away, to see what its pages show.

Only a whole build sees every prompt: macros, snippets and includes make some, and i18n plugins
render further languages at the end of a build.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from mkdocs_imagegen.cli.terminal import tell
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.hosts.mkdocs.plugin import ImagegenPlugin
from mkdocs_imagegen.log import log
from mkdocs_imagegen.pipeline.context import Run
from mkdocs_imagegen.pipeline.mode import BuildMode
from mkdocs_imagegen.pipeline.outcome import Entry
from mkdocs_imagegen.report import ReportRow
from mkdocs_imagegen.settings import Settings
from mkdocs_imagegen.spending.permission import Permission

INTERRUPTED = 130
_TERMINATED = 143

Change = Callable[[Settings], Settings]

config_file = click.option(
    "-f",
    "--config-file",
    type=click.Path(exists=True, dir_okay=False),
    help="The site's configuration; by default mkdocs.yml in this folder.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class SiteError(click.ClickException):
    """The site cannot be built, or does not use the plugin."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Looked:
    """What a build has found.

    Attributes:
        settings: of the site, with what the command changed.
        docs: the folder of its pages.
        entries: every place that shows an image.
        permission: whether a build here may make missing images.
        run: what its builds have shared.
    """

    settings: Settings
    docs: Path
    entries: list[Entry]
    permission: Permission
    run: Run

    @property
    def lines(self) -> list[ReportRow]:
        """What is told of each place."""
        return [entry.line for entry in self.entries]


def look(
    config_file: str | None,
    mode: BuildMode,
    change: Change | None = None,
    pages: Sequence[str] = (),
) -> Looked:
    """Build the site into a folder that is thrown away; see what its pages show.

    Args:
        config_file: the site's configuration; None for the one in this folder.
        mode: what is wanted; nothing is shown.
        change: changes the settings, as the command's options say.
        pages: the pages whose missing images are made, as a person names them; empty for all.

    Raises:
        SiteError: the site cannot be built.
        SystemExit: it was interrupted; what was paid for is stored.
    """
    with _as_a_command(), tempfile.TemporaryDirectory(prefix="imagegen-") as folder:
        config, plugin = _load(config_file, folder)
        docs = Path(config.docs_dir)
        named = globs_of(pages, docs, plugin.settings.root)
        with _on_errand(plugin, replace(mode, pages=named)):
            if change is not None:
                plugin.settings = change(plugin.settings)
            _build(config)
            return _looked(docs, plugin)


def globs_of(pages: Sequence[str], docs: Path, root: Path) -> tuple[str, ...]:
    """Globs of pages' sources, from paths as a person writes them, or as `plan` prints them.

    A folder stands for all pages in it, and the docs folder for all there are.
    """
    found: list[str] = []
    for page in pages:
        path = Path(page)
        inside = (root.absolute() / path) if not path.is_absolute() else path
        if inside.is_relative_to(docs) and not (docs / path).exists():
            path = inside.relative_to(docs)
        name = path.as_posix()
        found += ["**"] if name == "." else [name, f"{name}/**"]
    return tuple(found)


def _looked(docs: Path, plugin: ImagegenPlugin) -> Looked:
    assert plugin.permission is not None  # noqa: S101 - every build that shows nothing asks for it
    return Looked(plugin.settings, docs, plugin.entries, plugin.permission, plugin.run)


@contextlib.contextmanager
def _on_errand(plugin: ImagegenPlugin, mode: BuildMode) -> Iterator[None]:
    """Send the plugin on an errand; the host gives the same one to every build of a process."""
    plugin.mode, plugin.entries = mode, []
    try:
        yield
    finally:
        plugin.mode = BuildMode()


def settings_of(config_file: str | None) -> Settings:
    """The settings of the site, which is not built.

    Raises:
        SiteError: its configuration has a mistake.
    """
    with _as_a_command():
        return _load(config_file, "site")[1].settings


def _load(config_file: str | None, site_dir: str) -> tuple[Any, ImagegenPlugin]:
    from mkdocs.config import load_config  # noqa: PLC0415 - only where needed

    config = load_config(config_file, site_dir=site_dir)
    plugins = (each for each in config.plugins.values() if isinstance(each, ImagegenPlugin))
    plugin = next(plugins, None)
    if plugin is None:
        path = config.config_file_path
        raise SiteError(f"{path} does not list the plugin; add `imagegen` to its `plugins`")
    return config, plugin


def _build(config: Any) -> None:  # noqa: ANN401 - the host's
    from mkdocs.commands.build import build  # noqa: PLC0415 - only where needed

    config.plugins.on_startup(command="build", dirty=False)
    try:
        build(config)
    finally:
        config.plugins.on_shutdown()


@contextlib.contextmanager
def _as_a_command() -> Iterator[None]:
    """Keep stdout for the command's own words, and turn the host's errors into ours."""
    from mkdocs.exceptions import MkDocsException  # noqa: PLC0415 - only where needed

    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except MkDocsException as error:
        raise SiteError(error.format_message()) from None
    except KeyboardInterrupt:
        raise interrupted() from None
    except SystemExit as error:
        raise interrupted() if error.code == _TERMINATED else error from None


def interrupted() -> SystemExit:
    """Says that the command was interrupted, and ends it."""
    tell("interrupted; what was paid for is stored")
    return SystemExit(INTERRUPTED)


@contextlib.contextmanager
def logging_to_stderr() -> Iterator[None]:
    """Write the plugin's messages to stderr, and of MkDocs only errors."""
    mkdocs = logging.getLogger("mkdocs")
    levels, handler = (mkdocs.level, log.level), logging.StreamHandler()
    mkdocs.setLevel(logging.ERROR)
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    log.propagate = False
    try:
        yield
    finally:
        log.propagate = True
        log.removeHandler(handler)
        mkdocs.setLevel(levels[0])
        log.setLevel(levels[1])
