"""Audit of an originals folder: reads every file and writes to no file."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from pathlib import Path

from mkdocs_imagegen.errors import StoreError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.originals.store import Original, read_image, read_record

_KEY_DIGITS = 64


class DefectKind(enum.Enum):
    """Kind of a defect; the values add up to the exit code of `verify`."""

    CORRUPT = 1
    INCOMPLETE = 2
    UNREADABLE = 4


@dataclass(frozen=True, slots=True)
class Defect:
    """File that is not as it was stored.

    Attributes:
        path: The file.
        kind: Kind of the defect.
        text: Description of the defect.
    """

    path: Path
    kind: DefectKind
    text: str


def audit(folder: Path) -> tuple[int, list[Defect]]:
    """Return the number of intact originals, and the defects of all others."""
    intact, defects = 0, list(_find_strays(folder))
    for record_path in sorted(folder.glob("??/*.json")):
        if len(record_path.stem) == _KEY_DIGITS:
            defect = _find_defect(record_path)
            intact += defect is None
            defects += [defect] if defect else []
    return intact, defects


def _find_defect(record_path: Path) -> Defect | None:
    try:
        record = read_record(record_path)
    except (OSError, ValueError, StoreError) as error:
        return _describe(record_path, error)
    original = Original(record, record_path.parent)
    try:
        read_image(original)
    except FileNotFoundError:
        return Defect(record_path, DefectKind.INCOMPLETE, "its image is missing")
    except (OSError, ValueError, StoreError) as error:
        return _describe(original.path, error)
    return None


def _describe(path: Path, error: OSError | ValueError | StoreError) -> Defect:
    kind = DefectKind.CORRUPT if isinstance(error, ValueError) else DefectKind.UNREADABLE
    text = error.strerror if isinstance(error, OSError) else None
    return Defect(path, kind, text or str(error))


def _find_strays(folder: Path) -> Iterator[Defect]:
    """Yield images without a record: a build was killed between both, or a user deleted it."""
    for image in sorted(folder.glob("??/*.*.*")):
        key, _, rest = image.name.partition(".")
        is_image = len(key) == _KEY_DIGITS and not rest.endswith("json")
        if is_image and not image.with_name(f"{key}.json").exists():
            yield Defect(image, DefectKind.INCOMPLETE, "its record is missing")
