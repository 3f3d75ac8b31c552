"""Every original read again, and nothing changed."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Iterator
from pathlib import Path

from mkdocs_imagegen.errors import StoreError
from mkdocs_imagegen.files import read_plain_file
from mkdocs_imagegen.originals.record import LARGEST_RECORD_BYTES, Original, from_json
from mkdocs_imagegen.originals.store import LARGEST_ORIGINAL_BYTES
from mkdocs_imagegen.records import dataclass

_KEY_DIGITS = 64


class FaultKind(enum.Enum):
    """What is wrong with a file; the values add up to an exit code."""

    CORRUPT = 1
    INCOMPLETE = 2
    UNREADABLE = 4


@dataclass(frozen=True, slots=True)
class Fault:
    """One file that is not as it was stored.

    Attributes:
        path: the file.
        kind: what kind of fault.
        text: what is wrong, in words.
    """

    path: Path
    kind: FaultKind
    text: str


def audit(folder: Path) -> tuple[int, list[Fault]]:
    """How many originals are whole, and what is wrong with the others."""
    whole, faults = 0, list(_strays(folder))
    for record in sorted(folder.glob("??/*.json")):
        if len(record.stem) == _KEY_DIGITS:
            fault = _fault_of(record)
            whole += fault is None
            faults += [fault] if fault else []
    return whole, faults


def _fault_of(record: Path) -> Fault | None:
    try:
        original = from_json(read_plain_file(record, LARGEST_RECORD_BYTES), record.stem)
    except StoreError as error:
        return Fault(record, FaultKind.UNREADABLE, str(error))
    except (OSError, ValueError) as error:
        return _fault(record, error)
    picture = record.with_name(original.file_name)
    try:
        _compare(picture, original)
    except FileNotFoundError:
        return Fault(record, FaultKind.INCOMPLETE, "its picture is not there")
    except (OSError, ValueError) as error:
        return _fault(picture, error)
    return None


def _compare(picture: Path, original: Original) -> None:
    content = read_plain_file(picture, LARGEST_ORIGINAL_BYTES)
    if hashlib.sha256(content).hexdigest() != original.sha256:
        raise ValueError("its bytes are not those that were stored")


def _fault(path: Path, error: OSError | ValueError) -> Fault:
    if isinstance(error, OSError):
        return Fault(path, FaultKind.UNREADABLE, error.strerror or str(error))
    return Fault(path, FaultKind.CORRUPT, str(error))


def _strays(folder: Path) -> Iterator[Fault]:
    """Pictures without a record: a build was killed between the two, or somebody removed it."""
    for picture in sorted(folder.glob("??/*.*.*")):
        key, _, rest = picture.name.partition(".")
        is_picture = len(key) == _KEY_DIGITS and not rest.endswith("json")
        if is_picture and not picture.with_name(f"{key}.json").exists():
            yield Fault(picture, FaultKind.INCOMPLETE, "it has no record")
