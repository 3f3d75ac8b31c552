"""The images that a branch adds, changes and drops, compared with a git revision.

The site is built once, as for every command. Of the revision, only these pages are read: those that
the branch changed, and those that show an image whose record is new. All pages are read if the
plugin's options have changed. Their directives are looked up in the records of the revision, so the
old side is what a build of the revision shows. Other plugins do not see the old pages: an image
that only a plugin writes, such as one from a macro, is compared by its record alone.
"""

from __future__ import annotations

import os
import re
import shlex
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from mkdocs_imagegen.cli.changes import Change, Kind, Shown, compare
from mkdocs_imagegen.directives.directive import Directive
from mkdocs_imagegen.errors import OptionError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.git import WorkTree
from mkdocs_imagegen.hosts.look import SiteView, look
from mkdocs_imagegen.imaging.decode import inspect_image
from mkdocs_imagegen.log import log
from mkdocs_imagegen.option_parsers import SKETCH_MODEL, OptionsError, quote_value
from mkdocs_imagegen.originals.committed import CommittedOriginals
from mkdocs_imagegen.originals.judge import Original
from mkdocs_imagegen.pipeline.context import BuildContext, Run
from mkdocs_imagegen.pipeline.outcome import Entry
from mkdocs_imagegen.report import ReportRow, State, format_cost, plural
from mkdocs_imagegen.settings import Settings, read_settings
from mkdocs_imagegen.settings.prompts import plugin_options

_PAGES = {".md", ".markdown", ".mdown", ".mkdn", ".mkd"}
_INHERITS = re.compile(r"^INHERIT:\s*[\"']?([^\"'\s]+)", re.MULTILINE)
_NO_FORK = (
    "this shallow clone has no common ancestor of HEAD and %s, so the work tree is compared with "
    "that commit itself; fetch the whole history, as with `fetch-depth: 0` of actions/checkout"
)
_NOT_READ = "the old version of %s cannot be rendered, so its images are listed as added: %s"
_OTHER_OPTIONS = "the options of %s are not accepted, so those of today are used for it: %s"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The work tree, compared with a revision.

    Attributes:
        revision: The revision.
        commit: The commit at which the branch left it.
        changes: All changes in the order of the pages; dropped images come last.
        costs: US dollars charged for each original that is new; None if unknown.
        files: Files of originals to commit.
        originals: Originals of the commit.
    """

    revision: str
    commit: str
    changes: tuple[Change, ...]
    costs: tuple[Decimal | None, ...]
    files: tuple[Path, ...]
    originals: CommittedOriginals

    @property
    def missing(self) -> list[ReportRow]:
        """Missing images among the changes."""
        return [each.after.row for each in self.changes if each.after and not each.after.original]

    @property
    def totals(self) -> str:
        """Number of changes, and dollars spent and to spend."""
        counts = Counter(each.kind for each in self.changes)
        kinds = [f"{counts[each]} {each.value}" for each in Kind if counts[each]]
        costs, missing = self.costs, self.missing
        new, images = plural(len(costs), "new original"), plural(len(missing), "image")
        price = format_cost((row.price_usd for row in missing), is_estimate=True)
        parts = [
            ", ".join(kinds) or "no changes",
            f"{format_cost(costs)} spent on {new}" if costs else "no new originals",
            f"{images} to generate ({price})" if missing else "no images to generate",
        ]
        return "; ".join(parts)

    @property
    def advice(self) -> str:
        """Number of files to commit, and the folder to add; ``""`` without one."""
        folder = os.path.relpath(self.originals.current)
        files = plural(len(self.files), "file")
        return f"{files} to commit; run `git add {shlex.quote(folder)}`" if self.files else ""

    def cost(self, change: Change) -> str:
        """Return the cost of a new original, the price of a missing one, or ``-``."""
        after = change.after
        if after is None or (after.original and not self.is_new(after.original)):
            return "-"
        if after.original is None:
            return format_cost([after.row.price_usd], is_estimate=True)
        record = after.original.record
        return format_cost([record.cost_usd], is_estimate=record.cost_is_estimate)

    def is_new(self, original: Original) -> bool:
        """Return True if the record of an original is new."""
        is_charged = not original.record.is_import and original.record.model != SKETCH_MODEL
        return is_charged and not self.originals.has(original)


def look_since(
    config_file: str | None, revision: str, change: Callable[[Settings], Settings] | None = None
) -> tuple[SiteView, Comparison]:
    """Build a site, and compare it with the commit at which the branch left a revision.

    An unknown revision is refused before the build, which takes long.

    Args:
        config_file: Configuration file of the site; None for the one in the current folder.
        revision: Revision of git.
        change: Changes the settings as the command's options require.

    Returns:
        The site, as its work tree is, and the comparison.

    Raises:
        GitError: If the site is in no work tree, or the revision is unknown.
    """
    found: list[tuple[WorkTree, str]] = []

    def find_revision(settings: Settings) -> Settings:
        tree = WorkTree.open(settings.root.absolute())
        found.append((tree, tree.commit(revision)))
        return change(settings) if change else settings

    site = look(config_file, change=find_revision)
    return site, _compare(site, revision, *found[-1])


def _compare(site: SiteView, revision: str, tree: WorkTree, commit: str) -> Comparison:
    settings = site.context.settings
    fork = tree.fork(commit)
    if fork is None and tree.is_shallow:
        log.warning(_NO_FORK, quote_value(revision))
    commit = fork or commit
    after = [shown for entry in site.entries for shown in _shown(entry, entry.uri)]
    with tempfile.TemporaryDirectory(prefix="imagegen-") as folder:
        then = _settings_at(tree, commit, settings, Path(folder))
        home = (then or settings).originals_path
        originals = CommittedOriginals(tree, commit, home, settings.originals_path)
        past = _Past(site, tree, commit, originals)
        before = past.images(then, after, Path(folder)) if then else []
    changes = tuple(compare(before, after, originals.sha256s))
    if originals.is_in_git:
        new = list(originals.new_records())
    else:
        found = (each.after and each.after.original for each in changes)
        new = [each.record for each in found if each]
    costs = tuple(
        each.cost_usd for each in new if not each.is_import and each.model != SKETCH_MODEL
    )
    return Comparison(revision, commit, changes, costs, tuple(originals.uncommitted), originals)


class _Past:
    """The pages of a commit.

    Args:
        site: The site now.
        tree: Its work tree.
        commit: The commit.
        originals: Originals of the commit.
    """

    def __init__(
        self, site: SiteView, tree: WorkTree, commit: str, originals: CommittedOriginals
    ) -> None:
        self._site = site
        self._tree = tree
        self._originals = originals
        self._docs = site.context.docs.resolve()
        blobs = tree.tree(commit, self._docs)
        self._blobs = {path: each for path, each in blobs.items() if path.suffix in _PAGES}
        self._moves = tree.changes(commit, self._docs)

    def images(self, settings: Settings, now: Sequence[Shown], folder: Path) -> list[Shown]:
        """Return the images of the commit.

        Args:
            settings: Settings of the commit.
            now: Images now, which are those of the commit on the pages that are not read.
            folder: Folder for the records of the commit.
        """
        context, store = self._site.context, None
        texts = self._texts(settings, reads_all=settings is not context.settings)
        if texts and self._originals.is_in_git:
            store = self._originals.store(folder, inspect_image, context.settings.cache_path)
        context = replace(context, settings=settings, originals=store, run=Run())
        entries = self._read(context, texts) if texts else []
        read = [each for entry in entries for each in _shown(entry, self._page_now(entry.uri))]
        seen, old = set(map(self._page_now, texts)), set(map(self._name_now, self._blobs))
        return read + [
            each
            for each in now
            if each.page not in seen
            and self._is_kept(each)
            and (each.page in old or not (self._docs / each.page).exists())
        ]

    def _read(self, context: BuildContext, texts: Mapping[str, str]) -> list[Entry]:
        """Return the images of pages; of a page that cannot be rendered now, with a warning, none.

        An extension can fail for an old page, such as one with a snippet that was deleted since.
        """
        log.disabled = True  # a build of the commit has told about its pages
        try:
            return self._site.read_pages(context, texts)
        except Exception as error:  # noqa: BLE001 - of any extension
            fault = f"{type(error).__name__}: {error}"
        finally:
            log.disabled = False
        if len(texts) > 1:
            return [entry for each in texts.items() for entry in self._read(context, dict([each]))]
        log.warning(_NOT_READ, *texts, fault)
        return []

    def _texts(self, settings: Settings, *, reads_all: bool) -> dict[str, str]:
        """Return the texts of the pages to read, by their sources at the commit."""
        shown = [each for entry in self._site.entries for each in _shown(entry, entry.uri)]
        pages = {each.page for each in shown}
        wanted = {each.page for each in shown if not self._is_kept(each)}
        paths = [
            path
            for path in self._blobs
            if reads_all or path in self._moves or self._name_now(path) in wanted
        ]
        has_previews = settings.previews.default is not None
        contents = self._tree.blobs(self._blobs[path] for path in paths)
        return {
            path.relative_to(self._docs).as_posix(): content.decode("utf-8-sig", "replace")
            for path, content in zip(paths, contents, strict=True)
            if has_previews or b"imagegen" in content or self._name_now(path) in pages
        }

    def _is_kept(self, shown: Shown) -> bool:
        """Return True if the image is one of the commit, or not in git at all."""
        if not self._originals.is_in_git or shown.row.is_sketch:
            return True
        return shown.original is not None and self._originals.has(shown.original)

    def _page_now(self, uri: str) -> str:
        return self._name_now(self._docs / uri)

    def _name_now(self, path: Path) -> str:
        """Return the source of a page now; of a deleted one, its source at the commit."""
        return (self._moves.get(path) or path).relative_to(self._docs).as_posix()


def _shown(entry: Entry, page: str) -> Iterator[Shown]:
    if isinstance(entry.directive, Directive) and entry.outcome.state is not State.INVALID:
        name = dict(entry.directive.attributes).get("id", "")
        for role, pair in enumerate(zip(entry.rows, entry.outcome.results, strict=False)):
            yield Shown(page, role, name, pair[0], pair[1].original)


def _settings_at(tree: WorkTree, commit: str, settings: Settings, folder: Path) -> Settings | None:
    """Return the settings of a commit, or those of today if the plugin's options are the same.

    Only `plugins` in a YAML file is read; of other configurations, the settings are those of today.

    Args:
        tree: Work tree of the site.
        commit: The commit.
        settings: Settings of today.
        folder: Folder for files of the commit.

    Returns:
        The settings; None if the site did not use the plugin.
    """
    file = settings.config_file
    now = plugin_options(file) if file else None
    path = _restore(tree, commit, file, folder) if file and now is not None else None
    if file is None or path is None:
        return settings
    _restore_parents(tree, commit, file, folder)
    then = plugin_options(path)
    if then is None:
        return None
    prompts = settings.root / str(then.get("prompts"))
    old = _restore(tree, commit, prompts, folder) if isinstance(then.get("prompts"), str) else None
    if then == now and (old is None or old.read_bytes() == prompts.read_bytes()):
        return settings
    try:
        read = read_settings({**then, "prompts": str(old)} if old else then, settings.root)
    except (OptionsError, OptionError) as error:
        log.warning(_OTHER_OPTIONS, commit[:12], error)
        return settings
    is_locked = read.locked or settings.locked  # of `--locked`
    return replace(read, config_file=file, command=settings.command, locked=is_locked)


def _restore_parents(tree: WorkTree, commit: str, file: Path, folder: Path) -> None:
    """Write the files that a configuration file inherits from into a folder."""
    path: Path | None = folder / file.resolve().relative_to(tree.root)
    seen: set[Path] = set()
    while path and path not in seen:
        seen.add(path)
        found = _INHERITS.search(path.read_text("utf-8", "replace"))
        file = file.parent / found[1] if found else file
        path = _restore(tree, commit, file, folder) if found else None


def _restore(tree: WorkTree, commit: str, file: Path, folder: Path) -> Path | None:
    """Write a file of a commit into a folder; return its path, or None if it is not there."""
    try:
        file = file.resolve()
        blob = tree.tree(commit, file).get(file)
    except ValueError:  # a name with a null character
        return None
    if blob is None:
        return None
    path = folder / file.relative_to(tree.root)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(tree.blobs([blob])))
    return path
