"""The command `lock`: the records and images that pages use, in the originals folder and in git."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import click

from mkdocs_imagegen.causes import list_locations
from mkdocs_imagegen.cli.prune import Unused
from mkdocs_imagegen.cli.site import as_json, config_file
from mkdocs_imagegen.cli.terminal import print_json, print_line, print_note, print_table
from mkdocs_imagegen.errors import StoreError, can_be_generated
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.hosts.look import LOOK_ONLY, look
from mkdocs_imagegen.option_parsers import SKETCH_MODEL
from mkdocs_imagegen.originals.judge import Original
from mkdocs_imagegen.originals.lock import (
    IN_SUBMODULE,
    LEAVE_SUBMODULE,
    NOT_SKETCHES,
    Lock,
    read_lock,
    shown_path,
    work_tree_of,
)
from mkdocs_imagegen.pipeline.context import BuildMode
from mkdocs_imagegen.pipeline.outcome import Entry
from mkdocs_imagegen.report import State, plural
from mkdocs_imagegen.settings import Settings
from mkdocs_imagegen.settings.gateway import GATEWAY_URL

_LOCKED, _TO_COMMIT, _MISSING = "locked", "to commit", "missing"
_GENERATE = "run `mkdocs-imagegen generate` where there is an API key"
_SKETCH = "it is a sketch, which is never locked; generate the image with a real model"
_ELSEWHERE = "its original is in another folder; run `mkdocs-imagegen lock`"
_IGNORED = (
    "git ignores its record or image, or a merge is not finished; run `git add -f FILE`, remove "
    "the pattern from .gitignore, or finish the merge"
)
_IN_SUBMODULE = f"{IN_SUBMODULE}; {LEAVE_SUBMODULE}"


@dataclass(frozen=True, slots=True)
class _Image:
    """One image at one location.

    Attributes:
        location: Page and line.
        key: Cache key of the original; ``""`` without one.
        state: ``locked``, ``to commit``, ``missing``, or another state of an image.
        problem: Problem and next step of an image that cannot be locked.
        files: Files to commit.
    """

    location: str
    key: str
    state: str
    problem: str = ""
    files: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """Return the image for JSON."""
        facts = {"place": self.location, "key": self.key, "state": self.state}
        return {**facts, "problem": self.problem, "files": list(self.files)}


@click.command(
    epilog="""
\b
Examples:
  mkdocs-imagegen lock
  mkdocs-imagegen lock --check
  mkdocs-imagegen lock --prune --yes
"""
)
@config_file
@click.option("--check", is_flag=True, help="Write no file; fail if a file is not in git")
@click.option("--prune", is_flag=True, help="Also list old originals that no page uses")
@click.option("--yes", is_flag=True, help="Remove the originals that --prune lists")
@as_json
def lock(config_file: str | None, *, check: bool, prune: bool, yes: bool, as_json: bool) -> None:
    """Collect the images that pages use, to commit them.

    Brings the originals and records that the pages use into the originals folder, from the other
    folders in which a build looks for them, and lists the files to commit. Generates no image. The
    exit code is 1 if an image is missing, or cannot be locked.

    With --check, the exit code is also 1 if a record or an image is not in git, so that a build
    with the option `locked` shows all images. --prune follows the rules of the command `prune`, and
    keeps originals of the last 30 days.
    """
    if (check and prune) or (yes and not prune):
        raise click.UsageError("--prune cannot be used with --check, and --yes needs --prune")
    mode = LOOK_ONLY if check else BuildMode(generate=False, publish=False, adopts=True)
    is_sketched = False

    def change(settings: Settings) -> Settings:
        nonlocal is_sketched
        is_sketched = settings.gateway.is_sketch
        return _published(settings)

    site = look(config_file, mode, change)
    images = list(_Files(site.context.settings).images(site.entries))
    unused = Unused(site) if prune else None
    lacking = [each for each in images if each.state not in {_LOCKED, _TO_COMMIT}]
    fails = bool(lacking) or (check and any(each.files for each in images))
    if as_json:
        keys = unused.find(removes=yes, prints=False) if unused else []
        images_as_dicts = [each.as_dict() for each in images]
        print_json({"ok": not fails, "images": images_as_dicts, "removed": yes, "unused": keys})
    else:
        folder = shown_path(site.context.settings.originals_path)
        _print(images, folder, f"{NOT_SKETCHES}, then {_GENERATE}" if is_sketched else _GENERATE)
        if unused:
            unused.find(removes=yes, prints=True)
    raise SystemExit(1 if fails else 0)


def _published(settings: Settings) -> Settings:
    """Return settings with which a look finds all originals, and no sketch in place of one."""
    gateway = settings.gateway
    gateway = replace(gateway, url=GATEWAY_URL) if gateway.is_sketch else gateway
    return replace(settings, locked=False, gateway=gateway)


class _Files:
    """The files of an originals folder, on the disk and in git.

    Args:
        settings: Settings of the site.

    Raises:
        StoreError: If there is a git repository, and git does not answer.
    """

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.originals_path
        self._lock = read_lock(self._folder, settings.root)
        tree = work_tree_of(self._folder, settings.root)
        self._is_in_git = tree is not None
        self._tracked = set(tree.index(self._folder)) if tree else set()
        self._untracked = set(tree.untracked(self._folder)) if tree else set()

    def images(self, entries: Sequence[Entry]) -> Iterator[_Image]:
        """Yield each image at each location."""
        for entry in entries:
            location = str(entry.location)
            if entry.outcome.state is State.INVALID:
                yield _Image(location, "", State.INVALID.word, entry.outcome.error)
            for result in entry.outcome.results:
                if result.original is not None:
                    yield self._image(location, result.original)
                else:
                    problem = "" if can_be_generated(result.error) else str(result.error)
                    yield _Image(location, "", _MISSING, problem)

    def _image(self, location: str, original: Original) -> _Image:
        key = original.record.key
        if original.record.model == SKETCH_MODEL:
            return _Image(location, key, State.SKETCH.word, _SKETCH)
        if original.folder.parent != self._folder:
            return _Image(location, key, "elsewhere", _ELSEWHERE)
        try:
            # Only as it is on the disk: a changed record can be committed.
            Lock(self._folder, {key: ""}).find(key, reads_image=True)
        except StoreError as error:
            return _Image(location, key, "damaged", str(error))
        return self._in_git(location, key, original)

    def _in_git(self, location: str, key: str, original: Original) -> _Image:
        if not self._is_in_git:
            return _Image(location, key, _LOCKED)
        record, image = original.folder / f"{key}.json", original.path
        files = [each for each in (record, image) if each.resolve() not in self._tracked]
        is_ignored = any(each.resolve() not in self._untracked for each in files)
        if record not in files:
            try:
                self._lock.find(key, reads_image=False)
            except StoreError:
                files.insert(0, record)
        names = tuple(map(shown_path, files))
        if is_ignored:
            problem = _IN_SUBMODULE if self._lock.is_in_submodule else _IGNORED
            return _Image(location, key, "ignored", problem, files=names)
        return _Image(location, key, _TO_COMMIT if names else _LOCKED, files=names)


def _print(images: Sequence[_Image], folder: str, hint: str) -> None:
    """Print the images that are not locked, the next steps, and a summary."""
    rows = [each for each in images if each.state != _LOCKED]
    cells = [(each.location, each.state, ", ".join(each.files) or "-") for each in rows]
    print_table(("Location", "State", "Files to commit"), cells)
    problems: dict[str, list[str]] = {}
    for each in rows:
        if each.problem:
            problems.setdefault(each.problem, []).append(each.location)
    for problem, locations in problems.items():
        print_note(f"{list_locations(locations)}: {problem}")
    lacking = [each for each in rows if each.state == _MISSING and not each.problem]
    if missing := [each.location for each in lacking]:
        print_note(f"missing images: {list_locations(missing)}; {hint}")
    unique = {(each.key or each.location): each for each in images}
    counts = Counter(each.state for each in unique.values())
    states = ", ".join(f"{count} {state}" for state, count in counts.items())
    print_line(f"{plural(len(unique), 'image')}: {states}" if unique else "no images")
    if any(each.state == _TO_COMMIT for each in images):
        print_line(f"to commit them, run `git add {folder}` and `git commit`")
