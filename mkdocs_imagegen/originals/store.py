"""Store of originals: image files and their records in one folder."""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path

from mkdocs_imagegen.errors import StoreError
from mkdocs_imagegen.files import (
    cannot_store,
    link_or_copy,
    read_plain_file,
    write_atomic,
    write_first,
)
from mkdocs_imagegen.log import log
from mkdocs_imagegen.option_parsers import SKETCH_MODEL
from mkdocs_imagegen.originals.folders import create_folder, create_work_folder
from mkdocs_imagegen.originals.judge import (
    MAX_ORIGINAL_BYTES,
    Defect,
    DefectKind,
    Inspect,
    Original,
    Verdict,
    find_in_quarantine,
    find_unread,
    image_names,
    judge,
    read_image,
    read_records,
)
from mkdocs_imagegen.originals.record import Record, serialize_record, with_unknown_fields
from mkdocs_imagegen.originals.subjects import SubjectIndex
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings.gateway import SKETCH_URL

_KEY_DIGITS = 64
_NO_ORIGINALS = (".attempts.json", ".refused.json")


class OriginalStore:
    """Store of originals by cache key. Any thread may call any method.

    A build deletes no original, replaces no record and moves no file. An original of another
    folder is adopted by a link or a copy. An original that is damaged or cannot be read raises an
    error: it may be intact elsewhere, and generating the image again would charge for it twice.

    Args:
        folder: Folder of the originals; drafts are in a folder of their own in its working files.
        inspect: Decoder of images.
        cache: Cache folder, with the sketches of the embedded emulator; by default `folder`.
        earlier: Other folders that may have originals.
        can_write: False to write no file, also no adopted one.

    Attributes:
        folder: Folder of the originals.
        places: All folders of originals, in the order of lookup.
        quarantine: Folder for charged responses without a usable image.
        adopted: Number of originals adopted by this store, by folder.
        defects: Damaged files whose image was found nevertheless, by cache key.
        is_new: True if the folder had no originals before this store wrote to it.
        replaced: Cache keys of the originals that `replace` has stored.
    """

    def __init__(
        self,
        folder: Path,
        inspect: Inspect,
        *,
        cache: Path | None = None,
        earlier: Sequence[Path] = (),
        can_write: bool = True,
    ) -> None:
        self.folder = folder
        self.quarantine = folder / "work/quarantine"
        self.adopted: Counter[Path] = Counter()
        self.defects: dict[str, Defect] = {}
        self.is_new = False
        self.replaced: set[str] = set()
        self._inspect = inspect
        self._can_write = can_write
        self.places = (folder, *earlier)
        self._draft_places = (folder / "work/drafts", *self.places)
        self._subjects = SubjectIndex(self.places, cache, can_write=can_write)
        cache = cache or folder
        self._sketch_places = (cache / "sketches", *self.places)
        works = (each / "work/quarantine" for each in self.places)
        self._quarantines = (*works, cache / "quarantine")  # the latter of earlier versions
        self._lock = threading.Lock()
        # Originals of one subfolder share one path, which saves memory.
        self._subfolder = lru_cache(maxsize=1024)(Path)

    def may_have(self, request: ImageRequest, sketch_server: str) -> bool:
        """Return True if `find_exact` probably finds an original: there is a file of its name."""
        home, sketches = self.places[0], self._sketch_places[0]
        return any(_has_record(home, key) for key in (request.key, *request.subject_keys)) or bool(
            sketch_server and _has_record(sketches, request.as_sketch.key)
        )

    def find_exact(self, request: ImageRequest, sketch_server: str) -> Original | None:
        """Return the original of a request: an imported file, else the generated image, or None.

        The image is not read: variants are derived from verified bytes and named after their
        SHA-256, so a build that derives none needs only the records.

        Args:
            request: Request to look up.
            sketch_server: URL of the server whose sketches are accepted, since it would draw them
                again; ``""`` for none.

        Raises:
            StoreError: If an original is there and cannot be used.
        """
        if imported := [key for key in request.subject_keys if self._has_import(request, key)]:
            return self._find(self.places, imported[0])
        places = self._draft_places if request.is_draft else self.places
        if sketch_server and not _has_record(places[0], request.key):
            drafts = self._draft_places[:1] if request.is_draft else ()
            sketch = self._find((*self._sketch_places, *drafts), request.as_sketch.key)
            if sketch is not None and sketch.record.server == sketch_server:
                return sketch
        original = self._find(places, request.key, request)
        subjects = (self._find(self.places, key, request) for key in request.subject_keys)
        return original or next(filter(None, subjects), None)

    def find(self, key: str) -> Original | None:
        """Return the original of a cache key, or None.

        Raises:
            StoreError: If an original is there and cannot be used.
        """
        return self._find(self.places, key)

    def find_by_subject(self, request: ImageRequest, *, is_exact: bool = False) -> Original | None:
        """Return an original of a real model with the subject of a request, or None.

        Of several: one that answers the request first, then the same model, then the newest, then
        by cache key, so that every machine chooses the same one.

        Args:
            request: Request to look up.
            is_exact: True to return only an original that answers the request.

        Raises:
            StoreError: If an original is there and cannot be used.
        """
        found = chain.from_iterable(map(self._subjects.records, request.subject_keys))
        candidates = [each for each in found if each.answers(request) or not is_exact]
        candidates.sort(key=lambda each: each.key)
        candidates.sort(key=lambda each: each.created, reverse=True)
        candidates.sort(key=lambda each: (not each.answers(request), each.model != request.model))
        return next(filter(None, (self._find(self.places, each.key) for each in candidates)), None)

    def read(self, original: Original) -> tuple[Original, bytes]:
        """Return an original and its verified image; another one of its key if it is damaged.

        Raises:
            StoreError: If the image cannot be used.
        """
        with contextlib.suppress(OSError, ValueError, StoreError):
            return original, read_image(original)
        places = dict.fromkeys((original.folder.parent, *self.places))
        found = self._find(tuple(places), original.record.key, is_thorough=True)
        if found is None:
            if original.record.server == SKETCH_URL:
                with contextlib.suppress(OSError):
                    original.path.unlink(missing_ok=True)
                raise StoreError(
                    f"sketch {original.path} is damaged", hint="build again to draw it"
                )
            raise _unusable(Defect(original.path, DefectKind.DAMAGED, "it is missing"))
        return found, read_plain_file(found.path, MAX_ORIGINAL_BYTES)

    def require_writable(self, *, for_sketches: bool) -> None:
        """Write and remove a file, so that a full disk is noticed before an image is charged.

        Raises:
            StoreError: If the folder of originals, or that of sketches, cannot be written to.
        """
        folder = self._sketch_places[0] if for_sketches else self.folder
        probe = folder / f".{secrets.token_hex(8)}.tmp"
        try:
            if not for_sketches:
                self.is_new |= create_folder(folder)
            write_atomic(probe, b"")
            probe.unlink()
        except OSError as error:
            raise cannot_store(folder, error) from None

    def put(self, record: Record, content: bytes, *, is_draft: bool = False) -> Original:
        """Store an original, or return the one that another build stored first.

        The image of a later request with the same key is kept next to the first one.

        Raises:
            StoreError: If the folder cannot be written to.
        """
        home = self._home(record, is_draft=is_draft)
        original = Original(record, self._folder_of(home, record.key))
        path = original.folder / f"{record.key}.json"
        try:
            write_atomic(original.path, content)
            if home is self._sketch_places[0]:
                write_atomic(path, serialize_record(record))  # perhaps over a damaged one
            elif not write_first(path, serialize_record(record)):
                verdict = judge(original.folder, record.key, self._inspect)
                return verdict.original if verdict and verdict.original else original
        except OSError as error:
            raise cannot_store(home, error) from None
        return original

    def replace(
        self, record: Record, content: bytes, subjects: Sequence[str] = (), *, begun: str = ""
    ) -> Original:
        """Store an original in place of an earlier one, whose image stays next to the new one.

        The files imported under its subject keys before the request, at `begun` or else the time of
        the record, are put aside, but not for a sketch. Only a user's command may call it.

        Raises:
            StoreError: If the folder cannot be written to.
        """
        original = Original(record, self._folder_of(self._home(record), record.key))
        try:
            self.is_new |= create_folder(self.folder)
            write_atomic(original.path, content)
            write_atomic(original.folder / f"{record.key}.json", serialize_record(record))
            self.replaced.add(record.key)
            for key in subjects if record.model != SKETCH_MODEL else ():
                self._put_import_aside(key, begun or record.created)
        except OSError as error:
            raise cannot_store(self.folder, error) from None
        return original

    def put_aside(self, path: Path) -> Path:
        """Move a file to quarantine and return its path; only a command of the user may call this.

        Raises:
            OSError: If it cannot be moved.
        """
        create_work_folder(self.folder / "work")
        self.quarantine.mkdir(parents=True, exist_ok=True)
        return path.replace(self.quarantine / f"{path.name}.{secrets.token_hex(4)}")

    def _put_import_aside(self, key: str, begun: str) -> None:
        path = self._folder_of(self.folder, key) / f"{key}.json"
        found = find_unread(path.parent, key)
        if path.exists() and not (found and found.record.created > begun):
            for each in (path, *map(path.with_name, image_names(path.parent, key))):
                log.info("moved an imported file to %s", self.put_aside(each))

    def records(self, *, skip_newer: bool = False) -> Iterator[Record]:
        """Yield every readable record in the order of cache keys; images are not read.

        Args:
            skip_newer: True to skip records that a newer version of mkdocs-imagegen wrote.

        Raises:
            StoreError: If a record is a Git LFS pointer.
            NewerVersionError: If a newer version wrote a record and `skip_newer` is False.
        """
        yield from read_records(self.folder, skip_newer=skip_newer)

    def audit(self, key: str, request: ImageRequest | None = None) -> Verdict | None:
        """Return the judgment of a cache key in the originals folder; None without files."""
        return judge(self._folder_of(self.folder, key), key, self._inspect, request)

    def repair(self, original: Original) -> None:
        """Write the record of an original again, and put a damaged one aside.

        Only a command of the user may call this.

        Raises:
            StoreError: If the folder cannot be written to.
        """
        path = original.folder / f"{original.record.key}.json"
        content = serialize_record(original.record)
        try:
            if os.path.lexists(path):
                content = with_unknown_fields(content, self.put_aside(path).read_bytes())
            write_atomic(path, content)
            if original.name:
                link_or_copy(original.path, original.folder / original.record.file_name)
        except OSError as error:
            raise cannot_store(self.folder, error) from None

    def cache_keys(self) -> Iterator[str]:
        """Yield the cache keys of all records and images in the folder, sorted."""
        for subfolder in sorted(self.folder.glob("[0-9a-f][0-9a-f]")):
            names = (path.name for path in subfolder.glob(f"{subfolder.name}*"))
            known = {name.partition(".")[0] for name in names if not name.endswith(_NO_ORIGINALS)}
            yield from sorted(key for key in known if len(key) == _KEY_DIGITS)

    def remove(self, key: str) -> None:
        """Delete the original of a cache key for good; only a command of the user may call this.

        Raises:
            StoreError: If a file cannot be deleted.
        """
        folder = self._folder_of(self.folder, key)
        path = folder / f"{key}.json"
        try:
            path.unlink(missing_ok=True)
            for name in image_names(folder, key):
                (folder / name).unlink(missing_ok=True)
        except OSError as error:
            fault = f"original {path} cannot be deleted ({error.strerror or error})"
            raise StoreError(fault, hint="check the permissions") from None

    def put_in_quarantine(self, name: str, content: bytes) -> Path | None:
        """Write a charged response without a usable image; return its path, or None if it fails."""
        path = self.quarantine / f"{name}.{secrets.token_hex(4)}"
        try:
            create_work_folder(self.folder / "work")
            write_atomic(path, content)
        except OSError:
            return None
        return path

    def _home(self, record: Record, *, is_draft: bool = False) -> Path:
        if record.server == SKETCH_URL:
            return self._sketch_places[0]
        return self._draft_places[0] if is_draft else self.folder

    def _find(
        self,
        places: Sequence[Path],
        key: str,
        request: ImageRequest | None = None,
        *,
        is_thorough: bool = False,
    ) -> Original | None:
        """Return the original of a cache key in the first folder that has it.

        Args:
            places: Folders to look into; the original of another one than the first is adopted.
            key: Cache key.
            request: Request of the key, for an image whose record is lost.
            is_thorough: True to read every image; else a valid record and a length suffice.

        Raises:
            StoreError: If there is none, and one that cannot be used.
        """
        errors = []
        for folder in places:
            subfolder = self._folder_of(folder, key)
            try:
                found = None if is_thorough else find_unread(subfolder, key)
                found = found or self._judged(subfolder, key, request)
            except StoreError as error:
                if folder != self._sketch_places[0]:  # a sketch is free, and is drawn again
                    errors.append(error)
            else:
                if found is not None and folder is not places[0]:
                    return self._adopt(found, places[0])
                if found is not None:
                    self._complete(found)
                    return found
        if request is not None and (found := self._find_in_quarantine(request)):
            return found
        if errors:
            raise errors[0]
        return None

    def _has_import(self, request: ImageRequest, key: str) -> bool:
        """Return True if the imported file of a subject key comes before any generated image."""
        # A command that regenerates an image puts the import aside in the originals folder alone.
        home = next((folder for folder in self.places if _has_record(folder, key)), None)
        if home is None or home is self.folder:
            return home is not None
        generated = find_unread(self._folder_of(self.folder, request.key), request.key)
        imported = find_unread(self._folder_of(home, key), key)
        return not (generated and imported and generated.record.created > imported.record.created)

    def _judged(self, folder: Path, key: str, request: ImageRequest | None) -> Original | None:
        verdict = judge(folder, key, self._inspect, request)
        if verdict is None:
            return None
        if verdict.original is None:
            assert verdict.defect is not None  # noqa: S101 - one of both is there
            if verdict.defect.kind is DefectKind.ORPHANED:
                return None  # perhaps another build is storing it, and writes the record last
            raise _unusable(verdict.defect)
        if verdict.defect is not None:
            self.defects[key] = verdict.defect
        return verdict.original

    def _find_in_quarantine(self, request: ImageRequest) -> Original | None:
        """Return the original of an intact image that an earlier version put into quarantine."""
        for folder in self._quarantines if self._can_write else ():
            if found := find_in_quarantine(folder, request, self._inspect):
                with self._lock:
                    self.adopted[folder] += 1
                return self.put(*found)
        return None

    def _adopt(self, original: Original, home: Path) -> Original:
        """Return a copy of an original in another folder, made by a link if possible."""
        record, target = original.record, self._folder_of(home, original.record.key)
        adopted, name = Original(record, target), f"{record.key}.json"
        can_write = self._can_write and home in self._draft_places[:2]
        if not can_write or record.model == SKETCH_MODEL or adopted.path.exists():
            return original
        try:
            self.is_new |= create_folder(self.folder)
            link_or_copy(original.path, adopted.path)
            if not os.path.lexists(original.folder / name):
                write_first(target / name, serialize_record(record))
            else:
                link_or_copy(original.folder / name, target / name)
        except (OSError, ValueError):  # also a link, which is not copied
            return original
        with self._lock:
            self.adopted[original.folder.parent] += 1
        return adopted

    def _complete(self, original: Original) -> None:
        """Write the record of an original if it was lost, and no build is about to write it."""
        path = original.folder / f"{original.record.key}.json"
        intent = self.folder / f"work/journal/{original.record.key}.intent"
        is_lost = not os.path.lexists(path) and not os.path.lexists(intent)
        if original.record.is_rebuilt and self._can_write and is_lost:
            with contextlib.suppress(OSError):
                write_first(path, serialize_record(original.record))

    def _folder_of(self, folder: Path, key: str) -> Path:
        return self._subfolder(f"{folder}/{key[:2]}")


def _has_record(folder: Path, key: str) -> bool:
    return os.path.lexists(f"{folder}/{key[:2]}/{key}.json")


def _unusable(defect: Defect) -> StoreError:
    """Return the error for an original that cannot be shown, and must not be charged again."""
    fault = f"original {defect.path} cannot be used ({defect.text}) and is not generated again"
    if defect.kind is DefectKind.UNREADABLE:
        return StoreError(fault, hint=defect.hint or "check the permissions and the disk")
    again = "run `mkdocs-imagegen generate LOCATION --again`"
    return StoreError(fault, hint=f"restore it from git or a backup, or {again}")
