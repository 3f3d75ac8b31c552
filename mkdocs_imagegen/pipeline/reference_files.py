"""Images that others follow: where their bytes are, by their hash, and whether they will do.

Only the place is kept. The bytes are read when they are sent, and are verified then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from mkdocs_imagegen.directives.references import FileReference
from mkdocs_imagegen.errors import ImageError, OptionError
from mkdocs_imagegen.files import read_plain_file
from mkdocs_imagegen.gateway.wire import Attachment, Attachments, mime_of
from mkdocs_imagegen.imaging.decode import ImageInfo, inspect_image
from mkdocs_imagegen.options import did_you_mean
from mkdocs_imagegen.originals.store import Original
from mkdocs_imagegen.request import ImageRequest

MAX_REFERENCE = 50 * 2**20
MAX_MASK = 4 * 2**20
"""Bytes that the gateway takes (fact sheet "gateway protocol", section 7.2)."""

_MIMES = ("image/png", "image/jpeg", "image/webp")
_ACCEPTED = "accepted: a PNG, JPEG or WebP file in the docs folder, up to 50 MB"
_MASK_ACCEPTED = "accepted: a PNG of the first reference's size, partly transparent, up to 4 MB"
_MAX_NEAR = 5_000


class ReferenceFiles:
    """Images that requests name by the hash of their bytes."""

    def __init__(self) -> None:
        self._paths: dict[str, Path] = {}
        self._hashes: dict[tuple[Path, int, int], str] = {}
        self._decoded: dict[str, ImageInfo] = {}

    def add_file(self, file: FileReference, docs: Path) -> str:
        """The hash of an image in the docs folder.

        Raises:
            OptionError: there is none, it lies outside, or it is none that is accepted.
        """
        try:
            path = _inside(file, docs)
            facts = path.stat()
            seen = (path, facts.st_mtime_ns, facts.st_size)
            if seen not in self._hashes:
                self._hashes[seen] = _hash_of(file, read_plain_file(path, MAX_REFERENCE))
        except (OSError, ValueError) as error:
            reason = (isinstance(error, OSError) and error.strerror) or error
            raise OptionError(f"{file} cannot be read: {reason}", accepted=_ACCEPTED) from None
        self._paths[self._hashes[seen]] = path
        return self._hashes[seen]

    def add_original(self, original: Original) -> str:
        """The hash of an image of ours.

        Raises:
            OptionError: it is of a kind that no request takes.
        """
        record = original.record
        if record.mime not in _MIMES:
            fault = f"the image that it follows is {record.mime.removeprefix('image/')}"
            raise OptionError(fault, accepted="accepted: png, jpeg or webp")
        self._paths.setdefault(record.sha256, original.path)
        return record.sha256

    def check(self, request: ImageRequest) -> None:
        """Decode what a request names, before it is asked for.

        Raises:
            OptionError: something is no image, has changed, or is no mask for it.
        """
        sizes = [self._inspect(each, _ACCEPTED).size for each in request.references]
        if not request.mask:
            return
        mask, name = self._inspect(request.mask, _MASK_ACCEPTED), self._name(request.mask)
        length = self._paths[request.mask].stat().st_size
        if mask.mime != "image/png" or length >= MAX_MASK:
            raise OptionError(f"the mask {name} cannot be used", accepted=_MASK_ACCEPTED)
        if mask.size != sizes[0]:
            fault = f"the mask {name} is {mask.size}, and the first reference {sizes[0]}"
            raise OptionError(fault, accepted=_MASK_ACCEPTED)
        if not mask.has_alpha:
            fault = f"the mask {name} is transparent nowhere, so nothing may change"
            raise OptionError(fault, accepted=_MASK_ACCEPTED)

    def read(self, request: ImageRequest) -> Attachments:
        """The images that go with a request.

        Raises:
            OptionError: one has changed since it was looked up, or is gone.
        """
        mask = self._attachment(request.mask) if request.mask else None
        return Attachments(tuple(map(self._attachment, request.references)), mask)

    def _attachment(self, sha256: str) -> Attachment:
        content = self._bytes(sha256)
        return Attachment(content, mime_of(content) or "")

    def _inspect(self, sha256: str, accepted: str) -> ImageInfo:
        if sha256 not in self._decoded:
            try:
                self._decoded[sha256] = inspect_image(self._bytes(sha256))
            except ImageError as error:
                raise OptionError(f"{self._name(sha256)}: {error}", accepted=accepted) from None
        return self._decoded[sha256]

    def _bytes(self, sha256: str) -> bytes:
        path = self._paths.get(sha256)
        try:
            content = read_plain_file(path, MAX_REFERENCE) if path else b""
        except (OSError, ValueError):
            content = b""
        if hashlib.sha256(content).hexdigest() != sha256:
            fault = f"{self._name(sha256)} is not what it was when it was looked up"
            raise OptionError(fault, hint="build again")
        return content

    def _name(self, sha256: str) -> str:
        path = self._paths.get(sha256)
        return path.name if path else "a image that it follows"


def _hash_of(file: FileReference, content: bytes) -> str:
    if mime_of(content) not in _MIMES:
        raise OptionError(f"{file} is no image that can be followed", accepted=_ACCEPTED)
    return hashlib.sha256(content).hexdigest()


def _inside(file: FileReference, docs: Path) -> Path:
    """The file itself, wherever links lead, as long as that is in the docs folder."""
    root = docs.resolve()
    path = _resolved(root / file.path)
    if not path.is_relative_to(root):
        hint = "put the file itself there; links that lead elsewhere are not followed"
        raise OptionError(f"{file} lies outside the docs folder", accepted=_ACCEPTED, hint=hint)
    if not path.is_file():
        close = did_you_mean(str(file), _near(root))
        raise OptionError(f"there is no file {file}", accepted=_ACCEPTED, hint=close)
    return path


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path  # a ring of links, which is no file either


def _near(root: Path) -> Iterator[str]:
    endings = {".png", ".jpg", ".jpeg", ".webp"}
    for path in islice(root.rglob("*"), _MAX_NEAR):
        if path.suffix.lower() in endings:
            yield f"/{path.relative_to(root).as_posix()}"
