"""The files of all originals."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

from mkdocs_imagegen.errors import NewerVersionError, StoreError
from mkdocs_imagegen.files import (
    cannot_store,
    read_plain_file,
    write_atomic,
    write_first,
)
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.options import SKETCH_MODEL
from mkdocs_imagegen.originals.record import (
    MAX_RECORD_BYTES,
    Record,
    from_json,
    to_json,
)
from mkdocs_imagegen.request import ImageRequest

MAX_ORIGINAL_BYTES = 64 * 1024 * 1024
_GIT_LFS = b"version https://git-lfs"
_RECORDS = f"??/{64 * '?'}.json"


@dataclass(frozen=True, slots=True)
class Original:
    """An original, and the folder in which it is."""

    record: Record
    folder: Path

    @property
    def path(self) -> Path:
        """Where its bytes are; made when asked for, since a path takes more room than a record."""
        return self.folder / self.record.file_name


class OriginalStore:
    """Originals in a folder, by key.

    Nothing here ever deletes or evicts an original. What is not exactly what was written counts as
    missing, is moved to quarantine and reported once; what cannot be read at all is an error, since
    it may be whole.

    Args:
        folder: where the originals are.
        quarantine: where entries go that are not what they should be.
        warn: called with a text when an entry was put there.
    """

    def __init__(self, folder: Path, quarantine: Path, warn: Callable[[str], None]) -> None:
        self.folder = folder
        self.quarantine = quarantine
        self._warn = warn
        self._subjects: dict[str, list[Record]] | None = None
        self._subfolder = lru_cache(maxsize=256)(folder.joinpath)

    def has_record(self, key: str) -> bool:
        """Whether there is a record of that key, whatever it says."""
        return os.path.lexists(f"{self.folder}/{key[:2]}/{key}.json")

    def find(self, key: str) -> Original | None:
        """The original of that key, by its record; its bytes are only verified when they are read.

        What a page shows is made from verified bytes and kept under their hash, so a build in
        which nothing has to be made needs none of them.

        Raises:
            StoreError: something is there and cannot be read; nothing may be bought in its place.
        """
        record_path = self._record_path(key)
        try:
            record = _recorded(record_path, key)
        except (OSError, ValueError) as error:
            self._judge(error, record_path)
            return None
        original = Original(record, self._folder_of(key))
        path = original.path
        try:
            if path.stat().st_size != record.bytes:
                _no_pointer(path, MAX_ORIGINAL_BYTES)
                raise ValueError("the image has another length than was stored")  # noqa: TRY301
        except (OSError, ValueError) as error:
            self._judge(error, record_path, path)
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
        """The bytes of an original, verified; None if they are not what was stored.

        Raises:
            StoreError: they cannot be read.
        """
        record_path = self._record_path(original.record.key)
        try:
            content = read_plain_file(original.path, MAX_ORIGINAL_BYTES)
            if _sha256(content) != original.record.sha256:
                raise ValueError("the image's bytes are not those that were stored")  # noqa: TRY301
        except (OSError, ValueError) as error:
            self._judge(error, record_path, original.path)
            return None
        return content

    def get(self, key: str) -> Original | None:
        """The original of that key, verified to the byte; None if there is none.

        Raises:
            StoreError: something is there and cannot be read.
        """
        original = self.find(key)
        return original if original is not None and self.read(original) is not None else None

    def check(self) -> None:
        """Make sure that the folder takes files, before anything is paid for.

        Raises:
            StoreError: it does not.
        """
        probe = self.folder / f".{secrets.token_hex(8)}.tmp"
        try:
            write_atomic(probe, b"")
            probe.unlink()
        except OSError as error:
            raise cannot_store(self.folder, error) from None

    def put(self, record: Record, content: bytes) -> Original:
        """Keep an original; the one that is there already, if another build was first.

        Raises:
            StoreError: it cannot be written.
        """
        record_path = self._record_path(record.key)
        original = Original(record, self._folder_of(record.key))
        try:
            write_atomic(original.path, content)
            if not write_first(record_path, to_json(record)):
                first = self.get(record.key)
                if first is not None:
                    return first
                write_atomic(record_path, to_json(record))
        except OSError as error:
            raise cannot_store(self.folder, error) from None
        return original

    def find_subject(self, subject: str, model: str) -> Original | None:
        """The original of a real model that shows that subject, if there is one.

        Of several: the same model first, then the newest, then by key, so that every machine
        chooses alike.

        Raises:
            StoreError: something is there and cannot be read.
        """
        if self._subjects is None:
            self._subjects = self._by_subject()
        candidates = sorted(self._subjects.get(subject, []), key=lambda each: each.key)
        candidates.sort(key=lambda each: each.created, reverse=True)
        candidates.sort(key=lambda each: each.model != model)
        return next(filter(None, (self.find(each.key) for each in candidates)), None)

    def originals(self) -> Iterator[Record]:
        """Every record that can be read, in the order of their keys; images are not read.

        Raises:
            StoreError: one is a pointer of git-lfs, or was written by a newer version.
        """
        for path in sorted(self.folder.glob(_RECORDS)):
            with contextlib.suppress(OSError, ValueError):
                yield _recorded(path, path.stem)

    def _readable(self) -> Iterator[Record]:
        """The same, without those of a newer version: one of them must not stop all others."""
        for path in sorted(self.folder.glob(_RECORDS)):
            with contextlib.suppress(OSError, ValueError, NewerVersionError):
                yield _recorded(path, path.stem)

    def is_empty(self) -> bool:
        """Whether there is no original yet."""
        return next(self.folder.glob(_RECORDS), None) is None

    def remove(self, record: Record) -> None:
        """Remove an original for ever; only a person may ask for that.

        Raises:
            StoreError: it cannot be removed.
        """
        record_path = self._record_path(record.key)
        try:
            record_path.unlink(missing_ok=True)
            record_path.with_name(record.file_name).unlink(missing_ok=True)
        except OSError as error:
            fault = f"{record_path} cannot be removed: {error.strerror or error}"
            raise StoreError(fault, hint="correct the rights") from None

    def keep_garbage(self, name: str, content: bytes) -> Path | None:
        """Put an answer that was paid for and is no image where a person can look at it."""
        path = self.quarantine / f"{name}.{secrets.token_hex(4)}"
        try:
            write_atomic(path, content)
        except OSError:
            return None
        return path

    def _by_subject(self) -> dict[str, list[Record]]:
        subjects: dict[str, list[Record]] = {}
        for record in self._readable():
            if record.model != SKETCH_MODEL:
                subjects.setdefault(record.subject, []).append(record)
        return subjects

    def _record_path(self, key: str) -> Path:
        return self._folder_of(key) / f"{key}.json"

    def _folder_of(self, key: str) -> Path:
        return self._subfolder(key[:2])

    def _judge(self, error: OSError | ValueError, *entry: Path) -> None:
        """Nothing there is a miss; what is broken is set aside; what cannot be read is an error."""
        if isinstance(error, ValueError):
            moved = [self._move(path) for path in entry]
            where = f"moved to {self.quarantine}" if all(moved) else "left where it is"
            self._warn(f"{entry[0]}: a stored image is broken and was {where}: {error}")
        elif not isinstance(error, (FileNotFoundError, NotADirectoryError)):
            raise StoreError(
                f"a stored image cannot be read: {entry[-1]}: {error.strerror or error}",
                hint="correct the rights or the disk; nothing is bought in its place",
            ) from None

    def _move(self, path: Path) -> bool:
        if path.parent.is_symlink():
            return False  # what lies behind a link is not ours to move
        try:
            self.quarantine.mkdir(parents=True, exist_ok=True)
            shutil.move(path, self.quarantine / f"{path.name}.{secrets.token_hex(4)}")
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return True


def _recorded(record_path: Path, key: str) -> Record:
    """The original of that key, which a record is about.

    Raises:
        StoreError: it is a pointer of git-lfs, or a newer version wrote it.
        OSError: there is no record, or it cannot be read.
        ValueError: it is no record.
    """
    text = _no_pointer(record_path, MAX_RECORD_BYTES)
    try:
        return from_json(text, key)
    except NewerVersionError as error:
        raise NewerVersionError(f"{record_path}: {error.fault}", hint=error.hint) from None


def _no_pointer(path: Path, most_bytes: int) -> bytes:
    """The content of a file, unless git-lfs has left a pointer in its place.

    Raises:
        StoreError: it has.
        OSError: there is no file, or it cannot be read.
        ValueError: it is no regular file, or larger than ``most_bytes``.
    """
    content = read_plain_file(path, most_bytes)
    if content.startswith(_GIT_LFS):
        raise StoreError(f"{path} is a pointer of git-lfs", hint="run `git lfs pull`")
    return content


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
