"""A site of Zensical as its files say: pages, navigation, settings, and its folder of images."""

from __future__ import annotations

import contextlib
import json
import os
import posixpath
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cached_property
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar

from mkdocs_imagegen.directives.extension import read_heading
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.hosts.look import BRIDGES
from mkdocs_imagegen.hosts.theme import theme_of
from mkdocs_imagegen.imaging.image import MARKER, SITE_FOLDER
from mkdocs_imagegen.log import ONCE, log
from mkdocs_imagegen.pages.columns import Theme
from mkdocs_imagegen.pipeline.context import Page, PageFacts, SitePages
from mkdocs_imagegen.settings import Settings, read_settings
from mkdocs_imagegen.settings.prompts import split_front_matter

if TYPE_CHECKING:
    from mkdocs_imagegen.originals.lock import Lock

_CONFIG_FILES = ("zensical.toml", "mkdocs.yml", "mkdocs.yaml")
_UNUSED = ("serve", "serve_delay", "draft", "report")
"""Options that only builds of MkDocs use."""
_NO_EFFECT = "%s: options without an effect in Zensical, which can be removed: %s"
_RECENT_NS = 100_000_000
"""Age of a change in which the file system may give the next change the same time."""


@dataclass(frozen=True, slots=True)
class Source:
    """A page of the site, as its source file says.

    Attributes:
        page: The page; its address is that of its source.
        meta: Front matter.
        body: Text after the front matter.
        title: Title.
        nav_title: Title in the navigation; None if that sets none.
        url: Address of the page in the site.
    """

    page: Page
    meta: Mapping[str, Any]
    body: str
    title: str
    nav_title: str | None
    url: str

    @property
    def has_options(self) -> bool:
        """True if the front matter sets options."""
        return self.meta.get("imagegen") is not None

    @property
    def meta_json(self) -> str:
        """Front matter as JSON."""
        return json.dumps(_with_text_keys(self.meta), default=str)


def _with_text_keys(value: object) -> object:
    """Return a value of YAML as JSON allows it: keys can be dates there."""
    if isinstance(value, Mapping):
        return {str(key): _with_text_keys(each) for key, each in value.items()}
    return [_with_text_keys(each) for each in value] if isinstance(value, list) else value


_Stamp = tuple[int, int] | None
"""Time and size of a file or folder, if any; None if its next change could leave them the same."""


def _stamp_of(path: Path) -> _Stamp:
    try:
        stat = path.stat()
    except OSError:
        return 0, 0
    is_recent = time.time_ns() - stat.st_mtime_ns < _RECENT_NS
    return None if is_recent else (stat.st_mtime_ns, stat.st_size)


def _read_text(path: Path) -> str:
    return path.read_text("utf-8-sig", "replace") if path.is_file() else ""


def _merge(inherited: dict[str, object], own: dict[str, object]) -> dict[str, object]:
    """Return front matter with inherited values, as the plugin `meta` merges them."""
    merged = inherited | own
    for name in inherited.keys() & own.keys():
        one, other = inherited[name], own[name]
        if isinstance(one, dict) and isinstance(other, dict):
            merged[name] = _merge(one, other)
        elif isinstance(one, list) and isinstance(other, list):
            merged[name] = one + other
    return merged


class ZensicalSite:
    """A site of Zensical, read from the disk.

    Args:
        config: Configuration as Zensical has read it.
        config_file: Its file; None if it is the one of the build.

    Attributes:
        config: Configuration.
        root: Folder of the configuration file.
        docs: Docs folder.
        target: Folder of the built site.
        folder: Folder of images in the docs folder.
        locks: Locked records, once they are read.
    """

    _latest: ClassVar[ZensicalSite | None] = None

    def __init__(self, config: dict[str, Any], config_file: Path | None = None) -> None:
        self.config = config
        self.root = Path(config["root_dir"])
        self.docs = self.root / config["docs_dir"]
        self.folder = PublishedFolder(self.docs)
        self.target = self.root / config["site_dir"]
        self.locks: dict[Path, Lock] = {}
        self._texts: Mapping[str, str] = {}
        self._config_file = config_file or _config_file_of(self.root)
        self._sources: dict[str, tuple[list[_Stamp], Source]] = {}
        self._stamps: dict[Path, _Stamp] = {}

    def with_texts(self, texts: Mapping[str, str]) -> ZensicalSite:
        """Return the site with other texts of pages, by source."""
        site = ZensicalSite(self.config, self._config_file)
        site._texts = texts
        return site

    @classmethod
    def of_build(cls, config: dict[str, Any]) -> ZensicalSite:
        """Return the site of a build: that of the page before, unless its files have changed."""
        site = cls._latest
        if site is None or site.config is not config or not site.is_current:
            site = cls._latest = cls(config)
        return site

    @property
    def is_current(self) -> bool:
        """True if the docs folder still lists the same pages, and the settings are the same."""
        return all(each and each == _stamp_of(path) for path, each in self._stamps.items())

    @cached_property
    def settings(self) -> Settings:
        """Settings of the site."""
        written = self.config["mdx_configs"]
        options: Mapping[str, object] = next(
            (written[name] for name in BRIDGES if name in written), {}
        )
        settings = read_settings(options, self.root)
        if settings.prompts_path:
            self._stamps[settings.prompts_path] = _stamp_of(settings.prompts_path)
        settings = replace(settings, config_file=self._config_file, command="zensical")
        default = Settings()
        unused = [each for each in _UNUSED if getattr(settings, each) != getattr(default, each)]
        if unused:
            log.warning(_NO_EFFECT, settings.config_name, ", ".join(unused), extra=ONCE)
        return settings

    @property
    def site_url(self) -> str:
        """Absolute URL of the site with a final slash; ``""`` if it is not set."""
        url = self.config.get("site_url")
        return f"{url.rstrip('/')}/" if url else ""

    @cached_property
    def theme(self) -> Theme:
        """Layout of the theme."""
        theme = self.config.get("theme") or {}
        folder = theme.get("custom_dir")
        return theme_of(
            theme.get("name") or "zensical",
            theme.get("features") or (),
            self.docs,
            self.config.get("extra_css") or (),
            self.root / folder if folder else None,
            follows_palette=True,
        )

    @cached_property
    def uris(self) -> list[str]:
        """Sources of the pages, without those that the site excludes."""
        excluded = [self._matcher(name) for name in ("exclude_docs", "draft_docs")]
        excluded.append(self._exclude_plugin())
        paths = sorted(self._list(self.docs))
        uris = [each.relative_to(self.docs).as_posix() for each in paths]
        return [uri for uri in uris if not any(matches(uri) for matches in excluded)]

    def _list(self, folder: Path) -> Iterator[Path]:
        """Yield the pages in a folder, without hidden ones."""
        if folder != self.folder.path:  # each build of a page writes files there
            self._stamps[folder] = _stamp_of(folder)
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for each in entries:
                if each.name.startswith("."):
                    continue
                if each.is_dir(follow_symlinks=False):
                    yield from self._list(folder / each.name)
                elif each.name.endswith(".md"):
                    yield folder / each.name

    def _matcher(self, name: str) -> Callable[[str], bool]:
        if not (patterns := self.config.get(name)):
            return lambda _: False
        spec = import_module("pathspec").PathSpec.from_lines("gitwildmatch", patterns.splitlines())
        return lambda uri: bool(spec.match_file(uri))

    def _exclude_plugin(self) -> Callable[[str], bool]:
        """Return the function by which the plugin `exclude`, a part of Zensical, omits pages."""
        options = self._options_of("exclude")
        globs = [each for glob in options.get("glob") or () for each in _without_braces(glob)]
        globs += [each.replace("**/", "") for each in globs]
        regexes = options.get("regex") or ()
        return lambda uri: (
            any(fnmatchcase(uri, each) for each in globs)
            or any(re.match(each, uri) for each in regexes)
        )

    def _options_of(self, plugin: str) -> dict[str, Any]:
        """Return the options of a plugin that Zensical contains; none if it is disabled."""
        options = ((self.config.get("plugins") or {}).get(plugin) or {}).get("config") or {}
        return options if options.get("enabled") else {}

    def _files_of_meta(self, uri: str) -> list[Path]:
        """Return the files that the plugin `meta` adds to the front matter of a page."""
        name = self._options_of("meta").get("meta_file")
        folders = reversed(PurePosixPath(uri).parents) if name else ()
        return [self.docs / each / name for each in folders]

    @cached_property
    def _nav(self) -> list[dict[str, Any]]:
        return list(self.config.get("nav") or ())

    @cached_property
    def _nav_titles(self) -> dict[str, str | None]:
        return {item["url"]: item["title"] for item in _nav_pages(self._nav)}

    def source(self, uri: str) -> Source:
        """Return a page, by its source below the docs folder."""
        path, files_of_meta = self.docs / uri, self._files_of_meta(uri)
        stamps = [_stamp_of(each) for each in (path, *files_of_meta)]
        known, source = self._sources.get(uri, ([], None))
        if source is None or None in stamps or stamps != known:
            text = self._texts[uri] if uri in self._texts else _read_text(path)
            meta, body = split_front_matter(text)
            for each in reversed(files_of_meta):
                inherited = _read_text(each).lstrip("-")
                meta = _merge(split_front_matter(f"---\n{inherited}\n---\n")[0], meta)
            nav_title = self._nav_titles.get(uri)
            title = nav_title or meta.get("title") or self._title_of(uri, body)
            shown = os.path.relpath(path, self.root).replace(os.sep, "/")
            page = Page(shown, uri, uri, lambda: text)
            url = _url_of(uri, is_folder=self.config["use_directory_urls"])
            source = Source(page, meta, body, str(title), nav_title, url)
            self._sources[uri] = stamps, source
        return source

    def _title_of(self, uri: str, body: str) -> str:
        """Return the title of a page that names none, by the rule of MkDocs."""
        configs = self.config["mdx_configs"]
        names = [each for each in self.config["markdown_extensions"] if isinstance(each, str)]
        if heading := read_heading(body, {name: configs.get(name) or {} for name in names}):
            return heading
        if uri in {"index.md", "README.md"} and _section_of(self._nav, uri) in (None, self._nav):
            return "Home"
        stem = posixpath.splitext(posixpath.basename(uri))[0]
        name = ("index" if stem == "README" else stem).replace("-", " ").replace("_", " ")
        return name.capitalize() if name == name.lower() else name

    def facts(self, uri: str) -> PageFacts:
        """Return the facts of a page."""
        source = self.source(uri)
        description = " ".join(str(source.meta.get("description") or "").split())
        return PageFacts(source.page, source.title, description, is_listed=True, is_written=True)

    @property
    def pages(self) -> SitePages:
        """The pages of a build."""
        order = [item["url"] for item in _nav_pages(self._nav)]
        return SitePages(self.uris, order or self.uris, self.facts, self._section)

    def _section(self, uri: str) -> Iterator[str]:
        items = _section_of(self._nav, uri)
        if items is None:
            folder = posixpath.dirname(uri)
            for each in self.uris:
                parent, name = posixpath.split(each)
                is_index = name in ("index.md", "README.md") and parent
                if parent == folder or (is_index and posixpath.dirname(parent) == folder):
                    yield each
        for item in items or ():
            yield from [each["url"] for each in _nav_pages([item])][:1]


def _without_braces(glob: str) -> list[str]:
    """Return the globs that a glob with alternatives stands for, such as ``{a,b}/*``."""
    match = re.search(r"\{([^{}]*)\}", glob)
    if match is None:
        return [glob]
    inside = (f"{glob[: match.start()]}{each}{glob[match.end() :]}" for each in match[1].split(","))
    return [each for glob in inside for each in _without_braces(glob)]


class PublishedFolder:
    """The folder of images in the docs folder; files are removed only if the marker is in it.

    Args:
        docs: Docs folder of the site.
    """

    def __init__(self, docs: Path) -> None:
        self.path = docs / SITE_FOLDER
        self._marker = self.path / MARKER

    @property
    def has_marker(self) -> bool:
        """True if a build of Zensical has created the folder."""
        return self._marker.is_file()

    def open(self) -> None:
        """Create the folder, which git ignores."""
        if not self.path.exists():
            self.path.mkdir(parents=True)
            (self.path / ".gitignore").write_text("*\n")
            self._marker.write_text("[]\n")

    def remove_unused(self, used: Iterable[str]) -> None:
        """Remove the files that no page used, now and at the call before.

        Zensical may have pages in its cache that show a file until they are rendered again.
        """
        if not self.has_marker:
            return
        names = {each.name for each in self.path.iterdir() if not each.name.startswith(".")}
        unused = names - set(used)
        with contextlib.suppress(OSError, ValueError):
            for name in unused.intersection(json.loads(self._marker.read_text())):
                (self.path / name).unlink(missing_ok=True)
                unused.discard(name)
        self._marker.write_text(f"{json.dumps(sorted(unused))}\n")

    def copy(self, names: Iterable[str], site: Path) -> None:
        """Copy files into the built site: Zensical copies the docs folder before it renders."""
        target = site / SITE_FOLDER
        for name in names:
            if not (target / name).exists() and (self.path / name).is_file():
                target.mkdir(parents=True, exist_ok=True)
                (target / name).write_bytes((self.path / name).read_bytes())


def _config_file_of(root: Path) -> Path | None:
    """Return the configuration file of the build: the one that it names, or Zensical's choice."""
    named = [Path(each.partition("=")[2] or each) for each in sys.argv[1:]]
    found = (each.absolute() for each in [*named, *(root / name for name in _CONFIG_FILES)])
    endings = (".toml", ".yml", ".yaml")
    return next((each for each in found if each.suffix in endings and each.is_file()), None)


def _url_of(uri: str, *, is_folder: bool) -> str:
    stem, name = posixpath.splitext(uri)[0], posixpath.basename(uri)
    if name in ("index.md", "README.md"):
        folder = posixpath.dirname(uri)
        return (f"{folder}/" if folder else "") + ("" if is_folder else "index.html")
    return f"{stem}/" if is_folder else f"{stem}.html"


def _nav_pages(items: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for item in items:
        if str(item["url"] or "").endswith(".md"):
            yield item
        yield from _nav_pages(item["children"])


def _section_of(items: list[dict[str, Any]], uri: str) -> list[dict[str, Any]] | None:
    """Return the items next to a page in the navigation; None if it is not there."""
    if any(item["url"] == uri for item in items):
        return items
    inside = (_section_of(item["children"], uri) for item in items)
    return next((each for each in inside if each is not None), None)
