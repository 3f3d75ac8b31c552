"""Reference images and masks: found by the hash of their bytes, and checked.

Only the path is kept. The bytes are read and verified when they are sent.
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
from mkdocs_imagegen.imaging.decode import inspect_image
from mkdocs_imagegen.option_parsers import did_you_mean
from mkdocs_imagegen.originals.judge import Original
from mkdocs_imagegen.originals.record import ImageFacts
from mkdocs_imagegen.request import ImageRequest

MAX_REFERENCE_BYTES = 50 * 2**20
MAX_MASK_BYTES = 4 * 2**20
"""Limits of https://developers.openai.com/api/docs/guides/image-generation."""

_MIMES = ("image/png", "image/jpeg", "image/webp")
_ACCEPTED = "accepted: a PNG, JPEG or WebP file in the docs folder, up to 50 MB"
_MASK_ACCEPTED = "accepted: a PNG of the first reference's size, partly transparent, up to 4 MB"
_MAX_SIMILAR = 5_000


class ReferenceFiles:
    """The reference images and masks of one run, by the hash of their bytes.

    The thread of the build adds and checks files; `read` is also called on worker threads.
    """

    def __init__(self) -> None:
        self._paths: dict[str, Path] = {}
        self._hashes: dict[tuple[Path, int, int], str] = {}
        self._decoded: dict[str, ImageFacts] = {}

    def add_file(self, file: FileReference, docs: Path) -> str:
        """Return the hash of an image in the docs folder.

        Raises:
            OptionError: If the file is missing, outside the folder, or not supported.
        """
        name = f"{docs.name}/{file.path}"
        try:
            path = _path_in_docs(file, docs)
            status = path.stat()
            version = (path, status.st_mtime_ns, status.st_size)
            if version not in self._hashes:
                self._hashes[version] = _hash_of(name, read_plain_file(path, MAX_REFERENCE_BYTES))
        except (OSError, ValueError) as error:
            reason = (isinstance(error, OSError) and error.strerror) or error
            raise OptionError(f"{name} cannot be read: {reason}", accepted=_ACCEPTED) from None
        self._paths[self._hashes[version]] = path
        return self._hashes[version]

    def add_original(self, original: Original) -> str:
        """Return the hash of an original that is used as a reference image.

        Raises:
            OptionError: If its format is not supported in requests.
        """
        record = original.record
        if record.mime not in _MIMES:
            fault = f"a {record.mime.removeprefix('image/')} image cannot be a reference image"
            raise OptionError(fault, accepted="accepted: png, jpeg or webp")
        self._paths.setdefault(record.sha256, original.path)
        return record.sha256

    def check(self, request: ImageRequest) -> None:
        """Decode the reference images and the mask of a request before it is sent.

        Raises:
            OptionError: If one is not an image or has changed, or if the mask does not fit.
        """
        sizes = [self._inspect(each, _ACCEPTED).size for each in request.references]
        if not request.mask:
            return
        mask, name = self._inspect(request.mask, _MASK_ACCEPTED), self._name(request.mask)
        length = self._paths[request.mask].stat().st_size
        if mask.mime != "image/png" or length >= MAX_MASK_BYTES:
            raise OptionError(f"mask {name} cannot be used", accepted=_MASK_ACCEPTED)
        if mask.size != sizes[0]:
            fault = f"mask {name} is {mask.size}, but the first reference image is {sizes[0]}"
            raise OptionError(fault, accepted=_MASK_ACCEPTED)
        if not mask.has_alpha:
            fault = f"mask {name} has no transparent pixels"
            raise OptionError(fault, accepted=_MASK_ACCEPTED)

    def read(self, request: ImageRequest) -> Attachments:
        """Return the bytes of a request's reference images and mask.

        Raises:
            OptionError: If a file has changed since the lookup, or is missing.
        """
        mask = self._attachment(request.mask) if request.mask else None
        return Attachments(tuple(map(self._attachment, request.references)), mask)

    def _attachment(self, sha256: str) -> Attachment:
        content = self._bytes(sha256)
        return Attachment(content, mime_of(content) or "")

    def _inspect(self, sha256: str, accepted: str) -> ImageFacts:
        if sha256 not in self._decoded:
            try:
                self._decoded[sha256] = inspect_image(self._bytes(sha256))
            except ImageError as error:
                raise OptionError(f"{self._name(sha256)}: {error}", accepted=accepted) from None
        return self._decoded[sha256]

    def _bytes(self, sha256: str) -> bytes:
        path = self._paths.get(sha256)
        try:
            content = read_plain_file(path, MAX_REFERENCE_BYTES) if path else b""
        except (OSError, ValueError):
            content = b""
        if hashlib.sha256(content).hexdigest() != sha256:
            fault = f"{self._name(sha256)} was changed during the build"
            raise OptionError(fault, hint="build again")
        return content

    def _name(self, sha256: str) -> str:
        path = self._paths.get(sha256)
        return path.name if path else "a reference image"


def _hash_of(name: str, content: bytes) -> str:
    if mime_of(content) not in _MIMES:
        raise OptionError(f"{name} cannot be used as a reference image", accepted=_ACCEPTED)
    return hashlib.sha256(content).hexdigest()


def _path_in_docs(file: FileReference, docs: Path) -> Path:
    """Return the path of a file after following links, if it is in the docs folder."""
    root, name = docs.resolve(), f"{docs.name}/{file.path}"
    path = _resolved(root / file.path)
    if not path.is_relative_to(root):
        hint = "copy the file itself into it; links to other folders are not followed"
        raise OptionError(f"{name} is outside the docs folder", accepted=_ACCEPTED, hint=hint)
    if not path.is_file():
        similar = did_you_mean(str(file), _similar_files(root))
        raise OptionError(f"file {name} does not exist", accepted=_ACCEPTED, hint=similar)
    return path


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path  # links in a cycle


def _similar_files(root: Path) -> Iterator[str]:
    endings = {".png", ".jpg", ".jpeg", ".webp"}
    for path in islice(root.rglob("*"), _MAX_SIMILAR):
        if path.suffix.lower() in endings:
            yield f"/{path.relative_to(root).as_posix()}"
