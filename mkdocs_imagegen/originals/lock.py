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
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mkdocs_imagegen.errors import NotGeneratedError, StoreError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.option_parsers import SKETCH_MODEL
from mkdocs_imagegen.originals.judge import (
    RECORD_GLOB,
    Inspect,
    Original,
    read_content,
    read_image,
)
from mkdocs_imagegen.originals.record import MAX_RECORD_BYTES, parse_record
from mkdocs_imagegen.originals.store import OriginalStore
from mkdocs_imagegen.request import ImageRequest

_RECORD_NAME = re.compile(r"([0-9a-f]{2})/(\1[0-9a-f]{62})\.json")
_TIMEOUT_S = 60
_SUBMODULE = "160000"
_UNMERGED = ""
_SHA1_DIGITS = 40
_NOT_LOCKED = "run `mkdocs-imagegen lock` where there is an API key, and commit the records"


@dataclass(frozen=True, slots=True)
class Lock:
    """The locked records of an originals folder.

    Attributes:
        folder: Originals folder.
        blobs: Git's name of the content of each record, by cache key; ``""`` if it is unknown.
        files: Names of all files in the index, relative to the folder; empty outside of git.
        top: Folder from which git was asked; None outside of a work tree.
    """

    folder: Path
    blobs: Mapping[str, str]
    files: frozenset[str] = frozenset()
    top: Path | None = None

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
        if self.top is None or _is_blob(content, blob):
            return
        if blob == _UNMERGED:
            raise ValueError("unresolved merge conflict")
        is_rewritten = _is_blob(content.replace(b"\r\n", b"\n"), blob)
        more = ", since git has changed its line ends" if is_rewritten else ""
        raise ValueError(f"it differs from the git index{more}")

    def _restore(self, path: Path) -> str:
        if self.top is None:
            return "restore it from a backup"
        if self.blobs.get(path.stem) == _UNMERGED:
            return f"keep one side with `git checkout --ours -- {shown_path(path)}`, and add it"
        return f"restore it with `git checkout -- {shown_path(path)}`, or commit it"

    def has_file(self, path: Path) -> bool:
        """Return True if the index has a file of the folder; False outside of git."""
        return f"{path.parent.name}/{path.name}" in self.files


class LockedStore(OriginalStore):
    """The locked originals of a site. It writes no file, and reads no other folder.

    Args:
        lock: Locked records.
        inspect: Decoder of images.
        reads_images: True to verify the SHA-256 of an image when it is found, and not only when it
            is read.
    """

    def __init__(self, lock: Lock, inspect: Inspect, *, reads_images: bool) -> None:
        super().__init__(lock.folder, inspect, can_write=False)
        self._lock_of_run = lock
        self._reads_images = reads_images

    def missing_error(self, request: ImageRequest) -> NotGeneratedError:
        """Return the reason for which a request has no locked original."""
        keys = (request.key, *request.subject_keys)
        if self._lock_of_run.top is None or not any(map(self._is_untracked, keys)):
            return NotGeneratedError("not locked", hint=_NOT_LOCKED)
        hint = f"run `git add {shown_path(self.folder)}`, and commit the records"
        return NotGeneratedError("not locked, since the record is not in the git index", hint=hint)

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

    def _is_untracked(self, key: str) -> bool:
        path = f"{self.folder}/{key[:2]}/{key}.json"
        return key not in self._lock_of_run.blobs and os.path.lexists(path)

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
    top = _work_tree(folder, root)
    if top is None:
        return Lock(folder, {path.stem: "" for path in folder.glob(RECORD_GLOB)})
    entries = list(_index(top, folder))
    blobs = dict[str, str]()
    for name, blob in entries:
        if match := _RECORD_NAME.fullmatch(name):
            blobs[match[2]] = blob
    return Lock(folder, blobs, frozenset(name for name, _ in entries), top)


def untracked_files(lock: Lock) -> set[str]:
    """Return the files of a folder that are neither in the index nor ignored, relative to it.

    Raises:
        StoreError: If git does not answer.
    """
    if lock.top is None:
        return set()
    names = _ask_git(lock.top, "ls-files", "-o", "--exclude-standard", "-z", folder=lock.folder)
    start = _prefix(lock.top, lock.folder)
    return {name.removeprefix(start) for name in names if name.startswith(start)}


def shown_path(path: Path) -> str:
    """Return a path for a command line: relative to the current folder if it is inside."""
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else str(path)


def _work_tree(folder: Path, root: Path) -> Path | None:
    """Return the folder of the repository that tracks an originals folder; None without one."""
    site = _repository_above(Path(os.path.normpath(root.absolute())))
    if site is not None and folder.is_relative_to(site):
        return site
    return _repository_above(folder)


def _repository_above(folder: Path) -> Path | None:
    return next(
        (each for each in (folder, *folder.parents) if os.path.lexists(each / ".git")), None
    )


def _index(top: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the name, relative to the folder, and the blob of each file in the index."""
    lines = _ask_git(top, "ls-files", "-s", "-z", folder=folder)
    if any(line.startswith(_SUBMODULE) for line in lines):
        more = ("ls-files", "-s", "-z", "--recurse-submodules")
        lines = _ask_git(top, *more, folder=folder)
    start = _prefix(top, folder)
    for facts, _, name in (line.partition("\t") for line in lines):
        _, blob, stage = facts.split(" ")
        if name.startswith(start):
            yield name.removeprefix(start), blob if stage == "0" else _UNMERGED


def _prefix(top: Path, folder: Path) -> str:
    name = folder.relative_to(top).as_posix()
    return "" if name == "." else f"{name}/"


def _ask_git(top: Path, *arguments: str, folder: Path) -> list[str]:
    """Return the lines of an answer of git about a folder, which end in a null character.

    Raises:
        StoreError: If git does not answer.
    """
    name = folder.relative_to(top).as_posix()
    command = ["git", "--literal-pathspecs", *arguments, "--", name]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command
            command, cwd=top, capture_output=True, timeout=_TIMEOUT_S, check=True
        )
    except FileNotFoundError:
        raise _no_answer(top, "git is not installed") from None
    except subprocess.CalledProcessError as error:
        raise _no_answer(top, error.stderr.decode("utf-8", "replace")) from None
    except (OSError, subprocess.SubprocessError) as error:
        raise _no_answer(top, str(error)) from None
    return [os.fsdecode(line) for line in done.stdout.split(b"\0") if line]


def _no_answer(top: Path, text: str) -> StoreError:
    problem = text.strip().partition("\n")[0]
    fault = f"locked is true, and git cannot list the records in {top} ({problem})"
    return StoreError(fault, hint="make `git ls-files` work there, or set `locked: false`")


def _is_blob(content: bytes, name: str) -> bool:
    """Return True if git names the content of a file so: https://git-scm.com/book/en/v2."""
    kind = "sha1" if len(name) == _SHA1_DIGITS else "sha256"
    data = b"blob %d\0" % len(content) + content
    return hashlib.new(kind, data, usedforsecurity=False).hexdigest() == name


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
