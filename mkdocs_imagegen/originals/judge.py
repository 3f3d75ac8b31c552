"""The judgment of one original, the same for a build and for `verify`.

The record says which image belongs to a cache key, and the name of an image contains the key and
the start of its SHA-256. So an image without a usable record is still found, and is not generated
again.
"""

from __future__ import annotations

import contextlib
import enum
import hashlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from mkdocs_imagegen.errors import ImageError, NewerVersionError, StoreError
from mkdocs_imagegen.files import read_plain_file
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.originals.record import (
    MAX_RECORD_BYTES,
    ImageFacts,
    Record,
    minimal_record,
    parse_record,
)
from mkdocs_imagegen.request import ImageRequest

MAX_ORIGINAL_BYTES = 64 * 1024 * 1024
_SUBFOLDERS, _RECORDS = "??", f"{64 * '?'}.json"
RECORD_GLOB = f"{_SUBFOLDERS}/{_RECORDS}"
LFS_POINTER = b"version https://git-lfs"
_IMAGE_NAME = re.compile(
    r"[0-9a-f]{64}\.(?:([0-9a-f]{16})\.(?:png|jpg|webp|avif)|picture|answer)(?:\.[0-9a-f]{8})?"
)
"""Name of an image, with an ending in quarantine; ``picture`` was charged and not decoded."""
_CONFLICT = re.compile(
    rb"^<{7}[^\n]*\n(.*?)(?:^\|{7}[^\n]*\n.*?)?^={7}\n.*?^>{7}[^\n]*\n", re.DOTALL | re.MULTILINE
)
"""A conflict of git; the group is the current branch (https://git-scm.com/docs/git-merge)."""
_COMPARED = ("sha256", "bytes", "mime", "width", "height", "has_alpha")

Inspect = Callable[[bytes], ImageFacts]
"""Function that decodes an image; raises ImageError if it is not a supported one."""


class DefectKind(enum.Enum):
    """Kind of a defect; the values add up to the exit code of `verify`."""

    DAMAGED = 1
    UNREADABLE = 4
    ORPHANED = 8


@dataclass(frozen=True, slots=True)
class Defect:
    """File that is not as it was stored.

    Attributes:
        path: The file.
        kind: Kind of the defect.
        text: Description of the defect.
        hint: Next step; ``""`` for the usual one of the kind.
    """

    path: Path
    kind: DefectKind
    text: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Original:
    """Record of an original, and the folder with its image.

    The path is computed at each use: thousands of them would take more memory than the records.

    Attributes:
        record: The record.
        folder: Folder of the image.
        name: Name of an image that was renamed; ``""`` if its name fits the record.
    """

    record: Record
    folder: Path
    name: str = ""

    @property
    def path(self) -> Path:
        """Path of the image file."""
        return self.folder / (self.name or self.record.file_name)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgment of one cache key in one folder.

    Attributes:
        original: Original that a build can show, with the facts of its image; None without one.
        defect: First defect, or None.
    """

    original: Original | None
    defect: Defect | None


def judge(
    folder: Path, key: str, inspect: Inspect, request: ImageRequest | None = None
) -> Verdict | None:
    """Return the judgment of a cache key after reading its files; None if it has none.

    Args:
        folder: Folder of the record and the images.
        key: Cache key.
        inspect: Decoder.
        request: Request of the key, for an image whose record is lost.
    """
    path = folder / f"{key}.json"
    record, defect = _judge_record(path)
    if defect is not None and defect.kind is DefectKind.UNREADABLE:
        return Verdict(None, defect)
    first = [record.file_name] if record else []
    try:
        names = dict.fromkeys([*first, *image_names(folder, key)])
    except OSError as error:
        return Verdict(None, _unreadable(folder, error))
    for name in names:
        image = folder / name
        try:
            found = judge_image(image, inspect, record, request)
        except FileNotFoundError:
            defect = defect or Defect(path, DefectKind.DAMAGED, "its image is missing")
        except (ValueError, ImageError) as error:
            defect = defect or Defect(image, DefectKind.DAMAGED, str(error))
        except (OSError, StoreError) as error:
            return Verdict(None, _unreadable(image, error))
        else:
            if found is not None:
                defect = defect or differences(path, record, found)
                return _with_name(Original(found, folder), image, defect)
            defect = defect or Defect(image, DefectKind.ORPHANED, "its record is missing")
    return Verdict(None, defect) if defect else None


def _with_name(original: Original, image: Path, defect: Defect | None) -> Verdict:
    if original.path == image:
        return Verdict(original, defect)
    text = f"its name should be {original.record.file_name}"
    renamed = replace(original, name=image.name)
    return Verdict(renamed, defect or Defect(image, DefectKind.DAMAGED, text))


def differences(path: Path, record: Record | None, found: Record) -> Defect | None:
    """Return the defect of a record whose facts differ from those of its image, or None.

    Args:
        path: File of the record.
        record: Record as it was read; None if it is lost.
        found: Record with the facts of the image.
    """
    if record is None or not record.is_decoded:
        return None
    # The first records have no `has_alpha`; those of their version have no size of the request.
    compared = _COMPARED if record.asked_size else _COMPARED[:-1]
    pairs = [(name, getattr(record, name), getattr(found, name)) for name in compared]
    wrong = [f"{name} {said} instead of {right}" for name, said, right in pairs if said != right]
    text = f"it differs from its image: {', '.join(wrong)}"
    return Defect(path, DefectKind.DAMAGED, text) if wrong else None


def is_record(path: Path) -> bool:
    """Return True if a file has the path of a record, and not of a copy."""
    return path.match(RECORD_GLOB) and path.stem.startswith(path.parent.name)


def read_record(path: Path) -> Record:
    """Return the record in a file named after its cache key.

    Raises:
        StoreError: If the file is a Git LFS pointer, or of a newer version of mkdocs-imagegen.
        OSError: If the file is missing or cannot be read.
        ValueError: If it is not a valid record of this cache key.
    """
    return parse_record(read_content(path, MAX_RECORD_BYTES), path.stem)


def read_records(folder: Path, *, skip_newer: bool) -> Iterator[Record]:
    """Yield every readable record in a folder of originals, in the order of cache keys.

    Args:
        folder: Folder of originals.
        skip_newer: True to skip records that a newer version of mkdocs-imagegen wrote.

    Raises:
        StoreError: If a record is a Git LFS pointer, or a newer version wrote it.
    """
    skipped = (OSError, ValueError, *([NewerVersionError] if skip_newer else []))
    for subfolder in sorted(folder.glob(_SUBFOLDERS)):
        for path in sorted(subfolder.glob(_RECORDS)):
            with contextlib.suppress(*skipped):
                yield read_record(path)


def find_unread(folder: Path, key: str) -> Original | None:
    """Return the original of a valid record if its image has the recorded length."""
    try:
        original = Original(read_record(folder / f"{key}.json"), folder)
        return original if original.path.stat().st_size == original.record.bytes else None
    except (OSError, ValueError, StoreError):
        return None


def read_image(original: Original) -> bytes:
    """Return the image of an original, verified by its SHA-256.

    Raises:
        StoreError: If the file is a Git LFS pointer.
        OSError: If the file is missing or cannot be read.
        ValueError: If its content differs from the record.
    """
    content = read_content(original.path, MAX_ORIGINAL_BYTES)
    if hashlib.sha256(content).hexdigest() != original.record.sha256:
        raise ValueError("the image differs from the recorded SHA-256")
    return content


def judge_image(
    path: Path, inspect: Inspect, record: Record | None, request: ImageRequest | None
) -> Record | None:
    """Return the record that fits an image; None if the record is lost and no request is given.

    Args:
        path: File of the image.
        inspect: Decoder.
        record: Record of the cache key, or None.
        request: Request of the cache key, for a lost record.

    Raises:
        ImageError: If the image cannot be decoded.
        StoreError: If the file is a Git LFS pointer.
        OSError: If the file is missing or cannot be read.
        ValueError: If its content does not fit its name.
    """
    content = read_content(path, MAX_ORIGINAL_BYTES)
    sha256, name = hashlib.sha256(content).hexdigest(), _IMAGE_NAME.fullmatch(path.name)
    if name is None or name[1] not in (None, sha256[:16]):
        raise ValueError("the image differs from the SHA-256 in its name")
    facts = inspect(content)
    if record is None:
        key = path.name.partition(".")[0]
        return minimal_record(key, request, sha256, len(content), facts) if request else None
    return replace(record.with_facts(facts), sha256=sha256, bytes=len(content))


def find_in_quarantine(
    folder: Path, request: ImageRequest, inspect: Inspect
) -> tuple[Record, bytes] | None:
    """Return the record and the bytes of an intact image of a request, or None.

    Args:
        folder: Quarantine folder.
        request: Request of the image.
        inspect: Decoder.
    """
    names: list[str] = []
    with contextlib.suppress(OSError):
        names = image_names(folder, request.key)
    for name in names:
        with contextlib.suppress(OSError, ValueError, ImageError, StoreError):
            record = judge_image(folder / name, inspect, None, request)
            if record is not None:
                return record, (folder / name).read_bytes()
    return None


def image_names(folder: Path, key: str) -> list[str]:
    """Return the names of the images of a cache key, sorted; of a missing folder none.

    Raises:
        OSError: If the folder cannot be listed, so that an image may be in it.
    """
    try:
        names = os.listdir(folder)  # noqa: PTH208 - names alone are needed
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(each for each in names if each.startswith(key) and _IMAGE_NAME.fullmatch(each))


def _judge_record(path: Path) -> tuple[Record | None, Defect | None]:
    try:
        return read_record(path), None
    except (FileNotFoundError, NotADirectoryError):
        return None, None
    except ValueError as error:
        return _our_side(path), Defect(path, DefectKind.DAMAGED, str(error))
    except (OSError, StoreError) as error:
        return None, _unreadable(path, error)


def _our_side(path: Path) -> Record | None:
    """Return the record in a file after resolving conflicts in favor of the current branch."""
    try:
        content = read_content(path, MAX_RECORD_BYTES)
        return parse_record(_CONFLICT.sub(rb"\1", content), path.stem)
    except (OSError, ValueError, StoreError):
        return None


def _unreadable(path: Path, error: OSError | StoreError) -> Defect:
    if isinstance(error, OSError):
        return Defect(path, DefectKind.UNREADABLE, error.strerror or str(error))
    return Defect(path, DefectKind.UNREADABLE, error.fault, error.hint or "")


def read_content(path: Path, max_bytes: int) -> bytes:
    """Return the content of a file of an original.

    Raises:
        StoreError: If the file is a Git LFS pointer.
        OSError: If the file is missing or cannot be read.
        ValueError: If it is not a regular file, or is too large.
    """
    content = read_plain_file(path, max_bytes)
    if content.startswith(LFS_POINTER):
        raise StoreError("it is a Git LFS pointer", hint="run `git lfs pull`")
    return content
