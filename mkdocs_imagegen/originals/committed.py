"""Originals that git has: those of a commit, and those of the index that the work tree lacks.

The work tree may have changed or deleted the originals of a commit since. Their records are written
into a temporary folder, next to empty images of the recorded length, so that a lookup finds what a
build of that commit shows. The images themselves are read from the originals folder if they are
still there, else from git.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from mkdocs_imagegen.errors import GitError, NewerVersionError, NotCheckedOutError, StoreError
from mkdocs_imagegen.git import WorkTree
from mkdocs_imagegen.log import log
from mkdocs_imagegen.originals.judge import (
    LFS_POINTER,
    MAX_ORIGINAL_BYTES,
    RECORD_GLOB,
    Inspect,
    Original,
    is_record,
    read_image,
    read_record,
)
from mkdocs_imagegen.originals.lock import work_tree_of
from mkdocs_imagegen.originals.record import Record, parse_record
from mkdocs_imagegen.originals.store import OriginalStore
from mkdocs_imagegen.request import ImageRequest

_FAULT = "the original is in git, but not in the work tree"
_HINT = (  # which replaces no file
    "run `git ls-files -d {0} | git checkout-index --stdin`, or in a sparse checkout "
    "`git sparse-checkout add {0}`"
)
_FETCH = "run `git lfs fetch origin COMMIT` with the commit %s"


class CommittedOriginals:
    """The originals of one commit.

    Args:
        tree: Work tree of the site.
        commit: The commit.
        folder: Originals folder at that commit.
        current: Originals folder now.

    Attributes:
        current: Originals folder now.
        uncommitted: Files of the originals folder to commit.
        sha256s: Hashes of the images of the commit, once `store` has read the records.
    """

    def __init__(self, tree: WorkTree, commit: str, folder: Path, current: Path) -> None:
        self._tree = tree
        self._commit = commit
        self._folder = folder.resolve()
        self.current = current.resolve()
        self._blobs = tree.tree(commit, folder)
        self._ids = {path.name: each for path, each in self._blobs.items() if is_record(path)}
        self._index = tree.index(current)
        self.sha256s: set[str] = set()
        self.uncommitted = tree.uncommitted(current)
        self._uncommitted = frozenset(self.uncommitted)

    @property
    def is_in_git(self) -> bool:
        """True if the originals folder has files in git, or files to commit."""
        return bool(self._blobs or self._index or self.uncommitted)

    def has(self, original: Original) -> bool:
        """Return True if the commit has the record of an original as it is now."""
        return not self._is_new(original.folder / f"{original.record.key}.json")

    def new_records(self) -> Iterator[Record]:
        """Yield the records that were added or changed since the commit."""
        for path in sorted(self.current.glob(RECORD_GLOB)):
            if self._is_new(path):
                try:
                    yield read_record(path)
                except (OSError, ValueError, StoreError) as error:
                    log.warning("record %s is left out: %s", path, error)

    def _is_new(self, path: Path) -> bool:
        path = self.current / path.parent.name / path.name
        is_known = self._ids.get(path.name) == self._index.get(path, "")
        return path in self._uncommitted or not is_known

    def store(self, target: Path, inspect: Inspect, cache: Path) -> OriginalStore:
        """Write the records into a folder, and return a store that finds them.

        Args:
            target: The folder, which has no `originals`.
            inspect: Decoder of images.
            cache: Cache folder of the site, with its sketches.
        """
        pointers = 0
        target = target / "originals"
        paths = [path for path in self._blobs if is_record(path)]
        contents = self._tree.blobs(self._blobs[path] for path in paths)
        for path, content in zip(paths, contents, strict=True):
            pointers += content.startswith(LFS_POINTER)
            with contextlib.suppress(ValueError, NewerVersionError):
                record = parse_record(content, path.stem)
                if record.bytes > MAX_ORIGINAL_BYTES:
                    continue  # no build can read it
                self.sha256s.add(record.sha256)
                folder = target / path.parent.name
                folder.mkdir(parents=True, exist_ok=True)
                (folder / path.name).write_bytes(content)
                with (folder / record.file_name).open("wb") as image:
                    image.truncate(record.bytes)
        if pointers:
            log.warning("%d records of %s are Git LFS pointers", pointers, self._commit[:12])
        return OriginalStore(target, inspect, cache=cache, can_write=False)

    def read(self, original: Original) -> bytes:
        """Return the image of an original of the commit, or of a sketch.

        Raises:
            StoreError: If neither a folder nor git has it.
        """
        record = original.record
        name = Path(record.key[:2], record.file_name)
        for folder in (original.folder, self.current / name.parent):
            with contextlib.suppress(OSError, ValueError, StoreError):
                return read_image(Original(record, folder))
        content = b"".join(self._tree.blobs(filter(None, [self._blobs.get(self._folder / name)])))
        is_pointer = content.startswith(LFS_POINTER)
        if is_pointer:
            with contextlib.suppress(OSError):
                content = self._tree.lfs_object(record.sha256).read_bytes()
        if hashlib.sha256(content).hexdigest() == record.sha256:
            return content
        where = f"image {name} of {self._commit[:12]}"
        if is_pointer:
            raise StoreError(f"{where} is a Git LFS pointer", hint=_FETCH % self._commit[:12])
        raise StoreError(f"{where} is not in git" if not content else f"{where} is damaged")


class AbsentOriginals:
    """Originals in the git index whose records are missing in the originals folder.

    They are not charged again. Git is asked at first use.

    Args:
        folder: Originals folder.
        root: Folder of the configuration file.
        name: Originals folder as in the configuration, for messages.
    """

    def __init__(self, folder: Path, root: Path, name: str) -> None:
        self._hint = _HINT.format(name)
        self._folder = folder
        self._root = root

    def obstacle(self, request: ImageRequest, *, is_exact: bool) -> NotCheckedOutError | None:
        """Return an error if one of them is the original of a request, or a stale one.

        Args:
            request: Request without an original in the work tree.
            is_exact: True if the directive accepts no stale original.

        Raises:
            GitError: If the checkout is sparse, so that files are missing, and git does not answer.
        """
        is_known = self._records and self._answer(request, is_exact=is_exact)
        return NotCheckedOutError(_FAULT, hint=self._hint) if is_known else None

    def _answer(self, request: ImageRequest, *, is_exact: bool) -> bool:
        keys = (request.key, *request.subject_keys)  # an imported file has the subject key
        if not self._records.keys().isdisjoint(keys):
            return True
        same = (each for each in self._records.values() if each and each.subject in keys)
        return any(each.answers(request) or not is_exact for each in same)

    @cached_property
    def _records(self) -> dict[str, Record | None]:
        """Record by cache key; None if it is invalid."""
        tree = work_tree_of(self._folder, self._root)
        if tree is None:
            return {}
        try:
            tracked = tree.index(self._folder)
        except GitError:
            # Such as in a container without git, where a full checkout is the rule.
            if (tree.root / ".git/info/sparse-checkout").exists():
                raise
            return {}
        lost = {
            path: blob
            for path, blob in tracked.items()
            if is_record(path) and not os.path.lexists(path)
        }
        found: dict[str, Record | None] = dict.fromkeys(path.stem for path in lost)
        with contextlib.suppress(GitError):  # a blob that is missing, too; the key suffices
            for path, content in zip(lost, tree.blobs(lost.values()), strict=True):
                with contextlib.suppress(ValueError, StoreError):
                    found[path.stem] = parse_record(content, path.stem)
        return found
