"""A look at a site: the images of its pages, whichever site generator builds it.

Commands look at a site through the generator that its configuration file belongs to. Only a whole
build sees every prompt: macros, snippets and includes write some.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Protocol, cast

from mkdocs_imagegen.errors import SiteError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.log import log
from mkdocs_imagegen.pipeline.context import BuildContext, BuildMode
from mkdocs_imagegen.pipeline.outcome import Entry
from mkdocs_imagegen.report import ReportRow
from mkdocs_imagegen.settings import Settings, read_settings
from mkdocs_imagegen.settings.prompts import listed_names, plugin_options

Change = Callable[[Settings], Settings]

ReadPages = Callable[[BuildContext, Mapping[str, str]], list[Entry]]
"""Reads pages again, with another context and other texts by source, and returns their images.

Extensions of Markdown read them, and no other plugins.
"""

LOOK_ONLY = BuildMode(generate=False, publish=False)
"""Mode of a build that generates no images and publishes no files."""


@dataclass(frozen=True, slots=True)
class SiteView:
    """Images of a site, as a build found or generated them.

    Attributes:
        context: Context of the build; its settings have the changes of the command.
        entries: All locations that show an image.
        read_pages: Function that reads pages again.
    """

    context: BuildContext
    entries: list[Entry]
    read_pages: ReadPages

    @property
    def rows(self) -> list[ReportRow]:
        """Report of each image at each location."""
        return [row for entry in self.entries for row in entry.rows]

    @property
    def lacking(self) -> list[ReportRow]:
        """Report of each missing or invalid image at each location."""
        return [row for row in self.rows if row.is_lacking]


class Door(Protocol):
    """The module of a front door, as commands use it."""

    def look(
        self, config_file: Path, mode: BuildMode, change: Change | None, pages: Sequence[str]
    ) -> SiteView:
        """Build a site without publishing it, and return its images."""

    def settings_of(self, config_file: Path) -> Settings:
        """Return the settings of a site without building it."""


@dataclass(frozen=True, slots=True)
class Host:
    """A site generator.

    Attributes:
        name: Name in messages.
        package: Package that is importable where it is installed.
        config_files: Names of its configuration file, the usual one first.
        module: Module of its front door.
        before: Module to import before the front door; ``""`` for none.
    """

    name: str
    package: str
    config_files: tuple[str, ...]
    module: str
    before: str = ""

    @property
    def is_installed(self) -> bool:
        """True if the site generator can be imported."""
        try:
            spec = find_spec(self.package)
        except (ImportError, ValueError):  # such as None in `sys.modules`
            return False
        # A folder of that name, which has no file, is no package.
        return spec is not None and spec.origin is not None

    def open(self) -> Door:
        """Import the front door."""
        if self.before:
            import_module(self.before)
        return cast("Door", import_module(self.module))


_MKDOCS_DOOR = "mkdocs_imagegen.hosts.mkdocs.look"
# ProperDocs gives its own modules the names of those of MkDocs, for plugins.
PROPERDOCS = Host(
    "ProperDocs",
    "properdocs",
    ("properdocs.yml", "properdocs.yaml"),
    _MKDOCS_DOOR,
    "properdocs.replacement",
)
MKDOCS = Host("MkDocs", "mkdocs", ("mkdocs.yml", "mkdocs.yaml"), _MKDOCS_DOOR)
ZENSICAL = Host("Zensical", "zensical", ("zensical.toml",), "mkdocs_imagegen.hosts.zensical_look")
HOSTS = (PROPERDOCS, MKDOCS, ZENSICAL)
"""The site generators, in the order in which their configuration files are looked for."""
HOSTS_OF_YAML = (MKDOCS, PROPERDOCS, ZENSICAL)
"""The site generators that read `mkdocs.yml`, in the order of preference."""
BRIDGES = ("mkdocs_imagegen.hosts.zensical", "mkdocs_imagegen.directives.extension")
"""Names under which a site lists the extension that replaces the plugin under Zensical."""


def find_site(config_file: str | None) -> tuple[Host, Path]:
    """Return the site generator and the configuration file of a site.

    Args:
        config_file: Configuration file; None for the one in the current folder.

    Raises:
        SiteError: If the file cannot be read, or no site generator that reads it is installed.
    """
    file = _find_file(config_file)
    return _host_of(file), file


def _find_file(config_file: str | None) -> Path:
    hosts = sorted(HOSTS, key=lambda each: not each.is_installed)
    names = [name for host in hosts for name in host.config_files]
    # Zensical reads its own file rather than `mkdocs.yml`.
    names.sort(key=lambda each: not _is_bridged_toml(Path(each)))
    name = config_file or next((each for each in names if Path(each).is_file()), None)
    if name is None:
        raise SiteError(
            "this folder has no configuration file of a site",
            accepted=", ".join(name for host in HOSTS for name in host.config_files),
            hint="change to the folder of the site, or name the file with -f",
        )
    file = Path(name)
    try:
        file.open("rb").close()
    except OSError as error:
        raise SiteError(f"{file} cannot be read: {error.strerror}") from None
    return file


def _host_of(file: Path) -> Host:
    readers = _readers(file)
    host = next((each for each in readers if each.is_installed), None)
    if host is None:
        raise SiteError(
            f"no site generator for {file} is installed",
            accepted=f"supported: {', '.join(each.name for each in readers)}",
            hint=f"install {readers[0].name} with `python3 -m pip install {readers[0].package}`",
        )
    return host


def _readers(file: Path) -> tuple[Host, ...]:
    """Return the site generators that read a configuration file, the preferred one first."""
    if file.name.startswith(PROPERDOCS.package):
        return (PROPERDOCS,)
    if file.suffix == ".toml":
        return (ZENSICAL,)
    return (ZENSICAL,) if _is_bridged(file) and not _has_plugin(file) else HOSTS_OF_YAML


def ignored_plugin(file: Path) -> str:
    """Return a warning if Zensical is installed and would ignore the plugin, else ``""``."""
    is_read = ZENSICAL in _readers(file) and file.suffix != ".toml" and ZENSICAL.is_installed
    if not is_read or _is_bridged(file) or not _has_plugin(file):
        return ""
    problem = f"{file.name} lists the plugin under `plugins`, which Zensical ignores"
    return f"{problem}; to build with Zensical, add `{BRIDGES[0]}` under `markdown_extensions`"


def _is_bridged_toml(file: Path) -> bool:
    is_toml = file.suffix == ".toml" and file.is_file() and ZENSICAL.is_installed
    return is_toml and any(each in file.read_text("utf-8", "replace") for each in BRIDGES)


def _has_plugin(file: Path) -> bool:
    return "imagegen" in listed_names(file, "plugins")


def _is_bridged(file: Path) -> bool:
    return not listed_names(file, "markdown_extensions").isdisjoint(BRIDGES)


def look(
    config_file: str | None,
    mode: BuildMode = LOOK_ONLY,
    change: Change | None = None,
    pages: Sequence[str] = (),
) -> SiteView:
    """Build a site without publishing it, and return its images; stdout stays empty.

    Args:
        config_file: Configuration file of the site; None for the one in the current folder.
        mode: Work of the build, which publishes no files; by default it generates no images.
        change: Changes the settings as the command's options require.
        pages: Paths or globs of the pages to generate images for; empty for all.

    Raises:
        SiteError: If there is no site, or no site generator for it.
        ClickException: If the site cannot be built.
    """
    host, file = find_site(config_file)
    view = host.open().look(file, mode, change, pages)
    if warning := ignored_plugin(file):
        log.warning(warning)
    return view


def settings_of(config_file: str | None) -> Settings:
    """Return the settings of a site without building it, also if no site generator is installed.

    Raises:
        SiteError: If there is no site, or no site generator for it.
        OptionsError: If options are not accepted.
        ClickException: If the configuration is invalid.
    """
    file = _find_file(config_file)
    readers = _readers(file)
    is_installed = any(each.is_installed for each in readers)
    options = None if is_installed else plugin_options(file)
    if options is not None:
        settings = read_settings(options, file.parent)
        return replace(settings, config_file=file, command=readers[0].package)
    return _host_of(file).open().settings_of(file)


def globs_of(pages: Sequence[str], docs: Path, root: Path) -> tuple[str, ...]:
    """Return globs for pages that are named by a path, as in `docs_dir`, or as `plan` prints them.

    A folder stands for all of its pages, and the docs folder for the whole site.
    """
    names = [_name_in_docs(page, docs, root.absolute()) for page in pages]
    globs = [["**"] if name == "." else [name, f"{name}/**"] for name in names]
    return tuple(chain.from_iterable(globs))


def _name_in_docs(page: str, docs: Path, root: Path) -> str:
    here = Path(os.path.normpath(Path(page).absolute()))
    exists = os.path.exists  # unlike the method of a path, also for a name that is too long
    pairs = [(here, docs), (here.resolve(), docs.resolve())] if exists(here) else []
    if not exists(docs / page):
        pairs.append((root / page, docs))
        # In the docs folder, a glob is one of that folder, whichever of its folders is the current.
        pairs += [] if Path.cwd().is_relative_to(docs) else [(here, docs)]
    inside = (path.relative_to(folder) for path, folder in pairs if path.is_relative_to(folder))
    return next(inside, Path(page)).as_posix()
