"""Every original read again, and nothing changed."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Iterator
from pathlib import Path

from mkdocs_imagegen.errors import StoreError
from mkdocs_imagegen.files import read_plain_file
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.originals.record import MAX_RECORD_BYTES, Record, from_json
from mkdocs_imagegen.originals.store import MAX_ORIGINAL_BYTES

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
    for record_path in sorted(folder.glob("??/*.json")):
        if len(record_path.stem) == _KEY_DIGITS:
            fault = _fault_of(record_path)
            whole += fault is None
            faults += [fault] if fault else []
    return whole, faults


def _fault_of(record_path: Path) -> Fault | None:
    try:
        record = from_json(read_plain_file(record_path, MAX_RECORD_BYTES), record_path.stem)
    except StoreError as error:
        return Fault(record_path, FaultKind.UNREADABLE, str(error))
    except (OSError, ValueError) as error:
        return _fault(record_path, error)
    image = record_path.with_name(record.file_name)
    try:
        _compare(image, record)
    except FileNotFoundError:
        return Fault(record_path, FaultKind.INCOMPLETE, "its image is not there")
    except (OSError, ValueError) as error:
        return _fault(image, error)
    return None


def _compare(image: Path, record: Record) -> None:
    content = read_plain_file(image, MAX_ORIGINAL_BYTES)
    if hashlib.sha256(content).hexdigest() != record.sha256:
        raise ValueError("its bytes are not those that were stored")


def _fault(path: Path, error: OSError | ValueError) -> Fault:
    if isinstance(error, OSError):
        return Fault(path, FaultKind.UNREADABLE, error.strerror or str(error))
    return Fault(path, FaultKind.CORRUPT, str(error))


def _strays(folder: Path) -> Iterator[Fault]:
    """Images without a record: a build was killed between the two, or somebody removed it."""
    for image in sorted(folder.glob("??/*.*.*")):
        key, _, rest = image.name.partition(".")
        is_image = len(key) == _KEY_DIGITS and not rest.endswith("json")
        if is_image and not image.with_name(f"{key}.json").exists():
            yield Fault(image, FaultKind.INCOMPLETE, "it has no record")
