"""The lock: the records that were committed when a run began, and the originals that they allow.

In a git work tree, a record is locked if its file is byte for byte the one in the index: a restored
cache can replace a file, and git still tracks it. The work tree is that of the configuration file,
since a restored originals folder can contain a repository of its own. Elsewhere, all records are
locked that were in the folder when the run began.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mkdocs_imagegen.errors import GitError, NotGeneratedError, StoreError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.git import WorkTree
from mkdocs_imagegen.option_parsers import SKETCH_MODEL
from mkdocs_imagegen.originals.judge import (
    RECORD_GLOB,
    Inspect,
    Original,
    is_record,
    read_content,
    read_image,
)
from mkdocs_imagegen.originals.record import MAX_RECORD_BYTES, parse_record
from mkdocs_imagegen.originals.store import OriginalStore
from mkdocs_imagegen.request import ImageRequest

NOT_SKETCHES = 'sketches are never locked: remove `gateway: {url: "sketch:"}` first'
IN_SUBMODULE = "originals in a git submodule are not locked"
LEAVE_SUBMODULE = "move the originals folder to the repository of the site, and commit it"
_SHA1_DIGITS = 40
_NOT_LOCKED = (
    "run `mkdocs-imagegen generate` and `mkdocs-imagegen lock` without `locked`, and commit the "
    "files"
)


@dataclass(frozen=True, slots=True)
class Lock:
    """The locked records of an originals folder.

    Attributes:
        folder: Originals folder.
        blobs: Blob of each record in the index, by cache key; ``""`` outside of git.
        tree: Work tree of git; None outside of all.
        is_in_submodule: True if the folder is in a submodule, where no record is locked.
    """

    folder: Path
    blobs: Mapping[str, str]
    tree: WorkTree | None = None
    is_in_submodule: bool = False

    def find(self, key: str, *, reads_image: bool) -> Original | None:
        """Return the original of a locked record; None if the cache key is not locked.

        Args:
            key: Cache key.
            reads_image: True to verify the SHA-256 of the image; False if its length suffices.

        Raises:
            StoreError: If the record differs from the index, or one of the two files is unusable.
        """
        if key not in self.blobs:
            return None
        path = self.folder / key[:2] / f"{key}.json"
        with self._named_errors(path):
            content = read_content(path, MAX_RECORD_BYTES)
            if _has_conflict(content):
                raise StoreError("unresolved merge conflict", hint=_merge_hint(path))
            self._require_indexed(content, self.blobs[key])
            original = Original(parse_record(content, key), path.parent)
        if original.record.model == SKETCH_MODEL:
            return None
        with self._named_errors(original.path):
            _check_image(original, reads_image=reads_image)
        return original

    @contextlib.contextmanager
    def _named_errors(self, path: Path) -> Iterator[None]:
        """Name the file and the next step in the error of a context.

        Raises:
            StoreError: If the context fails.
        """
        try:
            yield
        except StoreError as error:
            raise _unusable(path, error.fault, error.hint) from None
        except FileNotFoundError:
            raise _unusable(path, "it is missing", self._restore(path)) from None
        except (OSError, ValueError) as error:
            fault = (error.strerror if isinstance(error, OSError) else None) or str(error)
            raise _unusable(path, fault, self._restore(path)) from None

    def _require_indexed(self, content: bytes, blob: str) -> None:
        """Raise an error unless a record is the one in the index; outside of git, accept all.

        Raises:
            ValueError: If it is not.
        """
        if self.tree is None or _is_blob(content, blob):
            return
        is_rewritten = _is_blob(content.replace(b"\r\n", b"\n"), blob)
        more = ", since git has changed its line ends" if is_rewritten else ""
        raise ValueError(f"it differs from the git index{more}")

    def _restore(self, path: Path) -> str:
        if self.tree is None:
            return "restore it from git or a backup"
        return f"restore it with `git checkout -- {shown_path(path)}`, or commit it"


class LockedStore(OriginalStore):
    """The locked originals of a site. It writes no file, and reads no other folder.

    Args:
        lock: Locked records.
        inspect: Decoder of images.
        reads_images: True to verify the SHA-256 of an image when it is found, and not only when it
            is read.
        is_sketched: True if the server of the site draws sketches.
    """

    def __init__(
        self, lock: Lock, inspect: Inspect, *, reads_images: bool, is_sketched: bool = False
    ) -> None:
        super().__init__(lock.folder, inspect, can_write=False)
        self._lock_of_run = lock
        self._reads_images = reads_images
        self._is_sketched = is_sketched

    def missing_error(self, request: ImageRequest) -> NotGeneratedError:
        """Return the reason for which a request has no locked original."""
        lock = self._lock_of_run
        if lock.is_in_submodule:
            return NotGeneratedError(IN_SUBMODULE, hint=LEAVE_SUBMODULE)
        for key in (request.key, *request.subject_keys) if lock.tree else ():
            path = self._folder_of(self.folder, key) / f"{key}.json"
            if key not in lock.blobs and os.path.lexists(path):
                return _uncommitted(path)
        hint = f"{NOT_SKETCHES}, then {_NOT_LOCKED}" if self._is_sketched else _NOT_LOCKED
        return NotGeneratedError("not locked", hint=hint)

    def read(self, original: Original) -> tuple[Original, bytes]:
        """Return an original and its verified image.

        Raises:
            StoreError: If the image cannot be used.
        """
        try:
            return original, read_image(original)
        except (OSError, ValueError, StoreError):
            found = self._lock_of_run.find(original.record.key, reads_image=True)
            if found is None:
                raise
            return found, read_image(found)

    def _find(
        self,
        places: Sequence[Path],
        key: str,
        request: ImageRequest | None = None,
        *,
        is_thorough: bool = False,
    ) -> Original | None:
        del places, request
        return self._lock_of_run.find(key, reads_image=is_thorough or self._reads_images)

    def _has_import(self, request: ImageRequest, key: str) -> bool:
        del request
        return key in self._lock_of_run.blobs


def read_lock(folder: Path, root: Path) -> Lock:
    """Return the records that are locked now.

    Args:
        folder: Originals folder.
        root: Folder of the configuration file.

    Raises:
        StoreError: If there is a git repository, and git does not answer.
    """
    tree = work_tree_of(folder, root)
    if tree is None and "GIT_DIR" in os.environ:  # as in a hook of a bare repository
        fault = "locked is true, and GIT_DIR is set where no folder has `.git`"
        raise StoreError(fault, hint="unset GIT_DIR, or build in a clone")
    if tree is None:
        return Lock(folder, {path.stem: "" for path in folder.glob(RECORD_GLOB)})
    try:
        files = tree.index(folder)
        is_in_submodule = not files and tree.has_submodule(folder)
    except GitError as error:
        hint = error.hint or "set `locked: false` to build without git"
        raise StoreError(f"locked is true, and {error.fault}", hint=hint) from None
    home = folder.resolve()
    records = (path for path in files if path.parent.parent == home and is_record(path))
    blobs = {path.stem: files[path] for path in records}
    return Lock(folder, blobs, tree, is_in_submodule)


def work_tree_of(folder: Path, root: Path) -> WorkTree | None:
    """Return the work tree that tracks an originals folder; None outside of all.

    Args:
        folder: Originals folder.
        root: Folder of the configuration file.
    """
    site = _repository_above(Path(os.path.normpath(root.absolute())))
    # A link in the work tree belongs to it, wherever it leads.
    is_inside = site and any(_is_below(each, site) for each in (folder, *folder.parents))
    top = site if is_inside else _repository_above(folder)
    return WorkTree(top) if top else None


def shown_path(path: Path) -> str:
    """Return a path for a command line: relative to the current folder if it is inside."""
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else str(path)


def _repository_above(folder: Path) -> Path | None:
    """Return the top folder of a work tree without links: that of git, which resolves a folder."""
    home = folder.resolve()
    folders = (home, *home.parents, folder, *folder.parents)
    found = next((each for each in folders if os.path.lexists(each / ".git")), None)
    return found and found.resolve()


def _is_below(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder)


def _is_blob(content: bytes, name: str) -> bool:
    """Return True if git names the content of a file so: https://git-scm.com/book/en/v2."""
    kind = "sha1" if len(name) == _SHA1_DIGITS else "sha256"
    data = b"blob %d\0" % len(content) + content
    return hashlib.new(kind, data, usedforsecurity=False).hexdigest() == name


def _uncommitted(path: Path) -> NotGeneratedError:
    """Return the error for a record that is not in the index, or only in parts of a merge."""
    with contextlib.suppress(OSError, ValueError, StoreError):
        if _has_conflict(read_content(path, MAX_RECORD_BYTES)):
            fault = f"{path} has an unresolved merge conflict"
            return NotGeneratedError(fault, hint=_merge_hint(path))
    hint = f"run `git add {shown_path(path.parent.parent)}`, and commit the records"
    return NotGeneratedError("not locked, since the record is not in the git index", hint=hint)


def _has_conflict(content: bytes) -> bool:
    return b"\n<<<<<<< " in b"\n" + content


def _merge_hint(path: Path) -> str:
    return f"keep one side with `git checkout --ours -- {shown_path(path)}`, and add it"


def _check_image(original: Original, *, reads_image: bool) -> None:
    """Raise an error unless the image of a record has its SHA-256, or else its length.

    Raises:
        StoreError: If the file is a Git LFS pointer.
        OSError: If the file is missing or cannot be read.
        ValueError: If it differs from the record.
    """
    if reads_image:
        read_image(original)
    elif original.path.stat().st_size != original.record.bytes:
        raise ValueError("the image differs from its record")


def _unusable(path: Path, fault: str, hint: str | None) -> StoreError:
    return StoreError(f"locked file {path} cannot be used ({fault})", hint=hint)
