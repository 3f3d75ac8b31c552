"""The originals of a git commit, which the work tree may have changed or deleted since.

Their records are written into a temporary folder, next to empty images of the recorded length, so
that a lookup finds what a build of that commit shows. The images themselves are read from the
originals folder if they are still there, else from git.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path

from mkdocs_imagegen.errors import NewerVersionError, StoreError
from mkdocs_imagegen.git import WorkTree
from mkdocs_imagegen.log import log
from mkdocs_imagegen.originals.judge import (
    LFS_POINTER,
    MAX_ORIGINAL_BYTES,
    RECORD_GLOB,
    Inspect,
    Original,
    read_image,
    read_record,
)
from mkdocs_imagegen.originals.record import Record, parse_record
from mkdocs_imagegen.originals.store import OriginalStore

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
        self._ids = {path.name: each for path, each in self._blobs.items() if _is_record(path)}
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
        paths = [path for path in self._blobs if _is_record(path)]
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


def _is_record(path: Path) -> bool:
    return path.match(RECORD_GLOB)
