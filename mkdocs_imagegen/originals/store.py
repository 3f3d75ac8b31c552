"""Store of originals: image files and their records in one folder."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from mkdocs_imagegen.errors import NewerVersionError, StoreError
from mkdocs_imagegen.files import cannot_store, read_plain_file, write_atomic, write_first
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.log import log
from mkdocs_imagegen.option_parsers import SKETCH_MODEL
from mkdocs_imagegen.originals.record import (
    MAX_RECORD_BYTES,
    Record,
    parse_record,
    serialize_record,
)
from mkdocs_imagegen.request import ImageRequest

MAX_ORIGINAL_BYTES = 64 * 1024 * 1024
_LFS_POINTER = b"version https://git-lfs"
_RECORD_GLOB = f"??/{64 * '?'}.json"


@dataclass(frozen=True, slots=True)
class Original:
    """Record of an original, and the folder with its image.

    The path is computed at each use: thousands of them would take more memory than the records.
    """

    record: Record
    folder: Path

    @property
    def path(self) -> Path:
        """Path of the image file."""
        return self.folder / self.record.file_name


class OriginalStore:
    """Store of originals by cache key. Any thread may call any method.

    A build deletes and evicts no original. A damaged original counts as missing, and is moved to
    quarantine with a warning. A file that cannot be read raises an error instead: it may be intact,
    and generating the image again would charge for it twice.

    Args:
        folder: Folder of the originals.
        quarantine: Folder for damaged originals.
    """

    def __init__(self, folder: Path, quarantine: Path) -> None:
        self.folder = folder
        self.quarantine = quarantine
        self._subjects: dict[str, list[Record]] | None = None
        # Originals of one subfolder share one path, which saves memory.
        self._subfolder = lru_cache(maxsize=256)(folder.joinpath)

    def has_record(self, key: str) -> bool:
        """Return True if a record file of a cache key exists, valid or not."""
        return os.path.lexists(f"{self.folder}/{key[:2]}/{key}.json")

    def find(self, key: str) -> Original | None:
        """Return the original of a cache key, or None; its image is not read.

        Variants are derived from verified bytes and named after their SHA-256, so a build that
        derives none needs only the records.

        Raises:
            StoreError: If a file exists and cannot be read.
        """
        paths = [self._record_path(key)]
        try:
            original = Original(read_record(paths[0]), self._folder_of(key))
            paths.append(original.path)
            _check_length(original)
        except (OSError, ValueError) as error:
            self._handle_failure(error, *paths)
            return None
        return original

    def may_have(self, request: ImageRequest, sketch_server: str) -> bool:
        """Return True if `find_exact` may find an original: there is a record, valid or not."""
        return self.has_record(request.key) or bool(
            sketch_server and self.has_record(request.as_sketch.key)
        )

    def find_exact(self, request: ImageRequest, sketch_server: str) -> Original | None:
        """Return the original of a request, or the sketch that one server drew for it.

        Args:
            request: Request to look up.
            sketch_server: URL of the server whose sketches are accepted, since it would draw them
                again; ``""`` for none.

        Raises:
            StoreError: If something is there and cannot be read.
        """
        original = self.find(request.key)
        if original is not None or not sketch_server:
            return original
        sketch = self.find(request.as_sketch.key)
        return sketch if sketch and sketch.record.server == sketch_server else None

    def read(self, original: Original) -> bytes | None:
        """Return the image of an original; None if it is missing or damaged.

        Raises:
            StoreError: If the image cannot be read.
        """
        try:
            return read_image(original)
        except (OSError, ValueError) as error:
            self._handle_failure(error, self._record_path(original.record.key), original.path)
            return None

    def find_verified(self, key: str) -> Original | None:
        """Return the original of a cache key if its image has the recorded SHA-256, or None.

        Raises:
            StoreError: If a file exists and cannot be read.
        """
        original = self.find(key)
        return original if original is not None and self.read(original) is not None else None

    def require_writable(self) -> None:
        """Write and remove a file, so that a full disk is noticed before an image is charged.

        Raises:
            StoreError: If the folder cannot be written to.
        """
        probe = self.folder / f".{secrets.token_hex(8)}.tmp"
        try:
            write_atomic(probe, b"")
            probe.unlink()
        except OSError as error:
            raise cannot_store(self.folder, error) from None

    def put(self, record: Record, content: bytes) -> Original:
        """Store an original, or return the one that another build stored first.

        Raises:
            StoreError: If the folder cannot be written to.
        """
        record_path = self._record_path(record.key)
        original = Original(record, self._folder_of(record.key))
        try:
            write_atomic(original.path, content)
            if not write_first(record_path, serialize_record(record)):
                first = self.find_verified(record.key)
                if first is not None:
                    return first
                write_atomic(record_path, serialize_record(record))
        except OSError as error:
            raise cannot_store(self.folder, error) from None
        return original

    def find_by_subject(self, subject: str, model: str) -> Original | None:
        """Return an original of a real model that has a subject key, or None.

        Of several: the same model first, then the newest, then by cache key, so that every machine
        chooses the same one.

        Raises:
            StoreError: If a file exists and cannot be read.
        """
        if self._subjects is None:
            self._subjects = self._records_by_subject()
        candidates = sorted(self._subjects.get(subject, []), key=lambda each: each.key)
        candidates.sort(key=lambda each: each.created, reverse=True)
        candidates.sort(key=lambda each: each.model != model)
        return next(filter(None, (self.find(each.key) for each in candidates)), None)

    def records(self, *, skip_newer: bool = False) -> Iterator[Record]:
        """Yield every readable record in the order of cache keys; images are not read.

        Args:
            skip_newer: True to skip records that a newer version of mkdocs-imagegen wrote.

        Raises:
            StoreError: If a record is a Git LFS pointer.
            NewerVersionError: If a newer version wrote a record and `skip_newer` is False.
        """
        skipped = (OSError, ValueError, *([NewerVersionError] if skip_newer else []))
        for path in sorted(self.folder.glob(_RECORD_GLOB)):
            with contextlib.suppress(*skipped):
                yield read_record(path)

    def is_empty(self) -> bool:
        """Return True if the store has no record."""
        return next(self.folder.glob(_RECORD_GLOB), None) is None

    def remove(self, record: Record) -> None:
        """Delete an original for good; only a command of the user may call this.

        Raises:
            StoreError: If a file cannot be deleted.
        """
        record_path = self._record_path(record.key)
        try:
            record_path.unlink(missing_ok=True)
            record_path.with_name(record.file_name).unlink(missing_ok=True)
        except OSError as error:
            fault = f"original {record_path} cannot be deleted ({error.strerror or error})"
            raise StoreError(fault, hint="check the permissions") from None

    def put_in_quarantine(self, name: str, content: bytes) -> Path | None:
        """Write a charged response without a usable image to quarantine.

        Returns:
            The path of the file, or None if it cannot be written.
        """
        path = self.quarantine / f"{name}.{secrets.token_hex(4)}"
        try:
            write_atomic(path, content)
        except OSError:
            return None
        return path

    def _records_by_subject(self) -> dict[str, list[Record]]:
        subjects: dict[str, list[Record]] = {}
        # One record of a newer version must not hide all others.
        for record in self.records(skip_newer=True):
            if record.model != SKETCH_MODEL:
                subjects.setdefault(record.subject, []).append(record)
        return subjects

    def _record_path(self, key: str) -> Path:
        return self._folder_of(key) / f"{key}.json"

    def _folder_of(self, key: str) -> Path:
        return self._subfolder(key[:2])

    def _handle_failure(self, error: OSError | ValueError, *paths: Path) -> None:
        """Quarantine damaged files, ignore missing ones, raise an error for unreadable ones."""
        if isinstance(error, ValueError):
            self._quarantine(error, *paths)
        elif not isinstance(error, (FileNotFoundError, NotADirectoryError)):
            raise StoreError(
                f"original {paths[-1]} cannot be read ({error.strerror or error})"
                " and is not generated again",
                hint="check the permissions and the disk",
            ) from None

    def _quarantine(self, error: ValueError, *paths: Path) -> None:
        moved = [self._move(path) for path in paths]
        if all(moved):
            fate = f"was moved to {self.quarantine} ({error}); restore it from git or a backup"
        else:
            fate = f"cannot be moved to {self.quarantine} ({error}); check the permissions"
        log.warning("original %s is damaged and %s", paths[0], fate)

    def _move(self, path: Path) -> bool:
        if path.parent.is_symlink():
            return False  # the files may belong to another site
        try:
            self.quarantine.mkdir(parents=True, exist_ok=True)
            shutil.move(path, self.quarantine / f"{path.name}.{secrets.token_hex(4)}")
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return True


def read_record(path: Path) -> Record:
    """Return the record in a file named after its cache key.

    Raises:
        StoreError: If the file is a Git LFS pointer.
        NewerVersionError: If a newer version of mkdocs-imagegen wrote it.
        OSError: If the file is missing or cannot be read.
        ValueError: If it is not a valid record of this cache key.
    """
    content = _read_file(path, MAX_RECORD_BYTES)
    try:
        return parse_record(content, path.stem)
    except NewerVersionError as error:
        raise NewerVersionError(f"{path}: {error.fault}", hint=error.hint) from None


def read_image(original: Original) -> bytes:
    """Return the image of an original, verified by its SHA-256.

    Raises:
        StoreError: If the file is a Git LFS pointer.
        OSError: If the file is missing or cannot be read.
        ValueError: If its content differs from the record.
    """
    content = _read_file(original.path, MAX_ORIGINAL_BYTES)
    if hashlib.sha256(content).hexdigest() != original.record.sha256:
        raise ValueError("the image differs from the recorded SHA-256")
    return content


def _check_length(original: Original) -> None:
    path, length = original.path, original.record.bytes
    if path.stat().st_size != length:
        _read_file(path, MAX_ORIGINAL_BYTES)  # a Git LFS pointer raises another error
        raise ValueError(f"the image does not have the recorded {length} bytes")


def _read_file(path: Path, max_bytes: int) -> bytes:
    content = read_plain_file(path, max_bytes)
    if content.startswith(_LFS_POINTER):
        raise StoreError(f"{path} is a Git LFS pointer", hint="run `git lfs pull`")
    return content
