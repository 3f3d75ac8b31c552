"""Evidence of charges in the folders of a site, read without the code of the package."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_IMAGE = re.compile(r"([0-9a-f]{64})\.([0-9a-f]{16})\.(?:png|jpg|webp|avif)")
_RECORD = re.compile(r"([0-9a-f]{64})\.json")
_OF_KEY = re.compile(r"([0-9a-f]{64})\.(?!attempts\.json)")
_PASSING = ("work/journal", "work/claims", "work/users.json", "work/.gitignore", ".gitattributes")
"""Files that builds remove and write again; all others stay."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Files of some originals folders.

    Attributes:
        files: SHA-256 of each file that must stay.
        images: SHA-256 of each intact image, by cache key.
        kept: Cache keys with a record or an image, in any condition.
        recorded: SHA-256 in each valid record whose image has the recorded length, by cache key.
        subjects: SHA-256 of each intact image with a valid record, by subject key.
        damaged: Subject keys of valid records whose image is not intact.
        answers: SHA-256 of each intact image in a journal, by cache key.
        open: Number of files in journals and quarantines, by cache key.
        attempts: Lines about failed requests, by cache key.
    """

    files: dict[Path, str]
    images: dict[str, set[str]]
    kept: set[str]
    recorded: dict[str, set[str]]
    subjects: dict[str, set[str]]
    damaged: set[str]
    answers: dict[str, set[str]]
    open: Counter[str]
    attempts: dict[str, set[str]]

    @property
    def shas(self) -> set[str]:
        """SHA-256 of every file and of every image in a journal."""
        return {*self.files.values(), *(sha for shas in self.answers.values() for sha in shas)}


def evidence_in(folders: Iterable[Path]) -> Evidence:
    """Read the files of some originals folders."""
    found = Evidence({}, {}, set(), {}, {}, set(), {}, Counter(), {})
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix not in (".tmp", ".lock"):
                _add(found, folder, path)
    return found


def _add(found: Evidence, folder: Path, path: Path) -> None:
    try:
        content = path.read_bytes()
    except FileNotFoundError:  # another process has removed it
        return
    name, sha256 = path.relative_to(folder).as_posix(), hashlib.sha256(content).hexdigest()
    key = path.name.partition(".")[0]
    if not name.startswith(_PASSING):
        found.files[path] = sha256
    if name.startswith("work/"):
        _add_open(found, path, key, content)
    elif path.name.endswith(".attempts.json"):
        lines = content.decode("utf-8", "replace").splitlines()
        begun = {_begun(each) for each in lines} - {""}
        found.attempts.setdefault(key, set()).update(begun)
    elif _OF_KEY.match(path.name):
        found.kept.add(key)
        _add_image(found, path, content, sha256)


def _add_image(found: Evidence, path: Path, content: bytes, sha256: str) -> None:
    image, record = _IMAGE.fullmatch(path.name), _RECORD.fullmatch(path.name)
    if image and sha256.startswith(image[2]):
        found.images.setdefault(image[1], set()).add(sha256)
    with contextlib.suppress(ValueError, KeyError, TypeError):
        fields = json.loads(content) if record else {}
        subject, sha256 = fields["subject"], fields["sha256"]
        images = list(path.parent.glob(f"{fields['key']}.{sha256[:16]}.*"))
        if any(each.stat().st_size == fields["bytes"] for each in images):
            found.recorded.setdefault(fields["key"], set()).add(sha256)
        if any(hashlib.sha256(each.read_bytes()).hexdigest() == sha256 for each in images):
            found.subjects.setdefault(subject, set()).add(sha256)
        else:
            found.damaged.add(subject)


def _add_open(found: Evidence, path: Path, key: str, content: bytes) -> None:
    if path.parent.name not in ("journal", "quarantine") or len(key) != 64:
        return
    found.open[key] += 1
    with contextlib.suppress(ValueError, KeyError, TypeError, IndexError):
        if path.suffix == ".answer":
            body = json.loads(content.partition(b"\n")[2])
            image = base64.b64decode(body["data"][0]["b64_json"], validate=True)
            shas = found.answers.setdefault(key, set())
            shas.add(hashlib.sha256(image).hexdigest())


def _begun(line: str) -> str:
    with contextlib.suppress(ValueError, KeyError, TypeError):
        fields = json.loads(line.strip().removesuffix(","))
        return str(fields["begun"]) if fields["billing"] != "refused" else ""
    return ""
