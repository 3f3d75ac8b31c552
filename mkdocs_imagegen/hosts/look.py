"""A look at a site: the images of its pages, whichever site generator builds it.

Commands look at a site through the generator that its configuration file belongs to. Only a whole
build sees every prompt: macros, snippets and includes write some.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol, cast

from mkdocs_imagegen.errors import SiteError
from mkdocs_imagegen.frozen import dataclass
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
            return find_spec(self.package) is not None
        except ValueError:  # a module without a spec, such as None in `sys.modules`
            return False

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
ZENSICAL = Host("Zensical", "zensical", ("zensical.toml",), "mkdocs_imagegen.hosts.zensical")
HOSTS = (PROPERDOCS, MKDOCS, ZENSICAL)
"""The site generators, in the order in which their configuration files are looked for."""

_PLUGIN = re.compile(
    r"(?:-[ \t]+|[\[,{][ \t]*)[\"']?imagegen[\"']?[ \t]*(?:[:,\]}#]|$)", re.MULTILINE
)
"""The plugin in a list of plugins."""


def find_site(config_file: str | None) -> tuple[Host, Path]:
    """Return the site generator and the configuration file of a site.

    Args:
        config_file: Configuration file; None for the one in the current folder.

    Raises:
        SiteError: If there is no such file, or no site generator that can read it.
    """
    names = [name for host in HOSTS for name in host.config_files]
    file = Path(config_file or next((each for each in names if Path(each).is_file()), ""))
    if not file.is_file():
        raise SiteError(
            "this folder has no configuration file of a site",
            accepted=", ".join(names),
            hint="change to the folder of the site, or name the file with -f",
        )
    host = next((each for each in _readers(file) if each.is_installed), None)
    if host is None:
        reader = _readers(file)[0]
        hint = f"install it with `python3 -m pip install {reader.package}`"
        raise SiteError(
            f"{reader.name}, which builds the site of {file}, is not installed", hint=hint
        )
    return host, file


def _readers(file: Path) -> tuple[Host, ...]:
    """Return the site generators that read a configuration file, the preferred one first."""
    if file.name in PROPERDOCS.config_files:
        return (PROPERDOCS,)
    if file.suffix == ".toml":
        return (ZENSICAL,)
    text = file.read_text("utf-8", "replace")
    if ZENSICAL.module in text and not _PLUGIN.search(text):
        return (ZENSICAL,)
    return (MKDOCS, PROPERDOCS, ZENSICAL)


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
    return host.open().look(file, mode, change, pages)


def settings_of(config_file: str | None) -> Settings:
    """Return the settings of a site without building it.

    Raises:
        SiteError: If there is no site, or no site generator for it.
        ClickException: If the configuration is invalid.
    """
    host, file = find_site(config_file)
    return host.open().settings_of(file)


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
