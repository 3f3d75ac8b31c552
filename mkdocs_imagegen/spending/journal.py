"""The journal: a write-ahead log of paid requests before their images are stored.

An intent is on disk before the request is sent, and the raw response before it is decoded. The
next build finds the files of a build that was killed: it stores the image of a response, and
lists an intent without a response, since that request may have been charged.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

from mkdocs_imagegen.errors import NewerVersionError, StoreError
from mkdocs_imagegen.files import (
    NO_LINKS,
    cannot_store,
    read_plain_file,
    write_atomic,
)
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.originals.record import check_version
from mkdocs_imagegen.request import ImageRequest

VERSION = 1
_MAX_INTENT_BYTES = 1_000_000
_MAX_RESPONSE_BYTES = 128 * 2**20


@dataclass(frozen=True, slots=True)
class Intent:
    """An image that is about to be requested.

    Attributes:
        request: The request.
        server: URL of the server.
        output_format: Requested output format.
        price_usd: List price in dollars, or None if it is unknown.
        begun: Time of the request, ISO 8601 in UTC.
    """

    request: ImageRequest
    server: str
    output_format: str
    price_usd: Decimal | None
    begun: str


class Journal:
    """The journal of all builds that share a cache folder.

    A caller that writes or removes files of a cache key holds the claim on that key.

    Args:
        folder: Folder of the journal.

    Attributes:
        unknown_path: List of requests without a known outcome.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.unknown_path = folder / "unknown.jsonl"

    def begin(self, intent: Intent) -> None:
        """Write an intent.

        Raises:
            StoreError: If it cannot be written, so that the request must not be sent.
        """
        try:
            write_atomic(self._path(intent.request.key, "intent"), _to_json(intent))
        except OSError as error:
            raise cannot_store(self._folder, error) from None

    def save_response(self, key: str, body: bytes) -> bool:
        """Write a raw response; return True if it was written."""
        try:
            write_atomic(self._path(key, "answer"), body)
        except OSError:
            return False
        return True

    def end(self, key: str) -> None:
        """Remove the files of a request with a known outcome."""
        # The response first: an intent alone is listed, a response alone would not be found.
        with contextlib.suppress(OSError):
            for kind in ("answer", "intent"):
                self._path(key, kind).unlink(missing_ok=True)

    def end_as_unknown(self, intent: Intent) -> None:
        """Replace the files of a request by a line in the list of unknown outcomes."""
        line = json.dumps(_as_dict(intent), sort_keys=True, ensure_ascii=False) + "\n"
        with contextlib.suppress(OSError):
            _append(self.unknown_path, line.encode("utf-8", "replace"))
            self.end(intent.request.key)

    def open_keys(self) -> list[str]:
        """Return the cache keys of all requests that have not ended, of this build or another."""
        try:
            return sorted(path.stem for path in self._folder.glob("*.intent"))
        except OSError:
            return []

    def find_intent(self, key: str) -> Intent | None:
        """Return the intent of a cache key, if its request has not ended.

        Raises:
            StoreError: If it cannot be read now, so that no other request may be sent.
        """
        try:
            return _from_json(self._read(key, "intent", _MAX_INTENT_BYTES), key)
        except ValueError:
            return None

    def find_response(self, key: str) -> bytes | None:
        """Return the raw response of a cache key, if there is one and its request has not ended.

        Raises:
            StoreError: If it cannot be read now, so that no other request may be sent.
        """
        try:
            return self._read(key, "answer", _MAX_RESPONSE_BYTES)
        except ValueError:
            return None

    def has_response(self, key: str) -> bool:
        """Return True if there is a raw response of a cache key, readable or not."""
        return os.path.isfile(self._path(key, "answer"))  # noqa: PTH113 - never raises

    def deletion_hint(self, key: str) -> str:
        """Return the next step for giving up the response of a cache key."""
        return f"to generate another image instead, delete {self._path(key, 'answer')}"

    def unknown_intents(self) -> Iterator[Intent]:
        """Yield the listed requests without a known outcome, the oldest first."""
        with contextlib.suppress(OSError, ValueError):
            for line in read_plain_file(self.unknown_path, _MAX_RESPONSE_BYTES).splitlines():
                with contextlib.suppress(ValueError, NewerVersionError):
                    yield _from_json(line)

    def _read(self, key: str, kind: str, max_bytes: int) -> bytes:
        """Return the content of a file.

        Raises:
            StoreError: If the file exists and cannot be read.
            ValueError: If there is no file, or the journal has not written it.
        """
        path = self._path(key, kind)
        try:
            return read_plain_file(path, max_bytes)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ValueError("no such file") from error
        except OSError as error:
            fault = f"the journal of an earlier request cannot be read: {path}: {error.strerror}"
            hint = "check the permissions and the disk; until then the image is not generated"
            raise StoreError(fault, hint=hint) from None

    def _path(self, key: str, kind: str) -> Path:
        return self._folder / f"{key}.{kind}"


def _append(path: Path, line: bytes) -> None:
    # One write of a whole line, so that lines of concurrent builds do not mix.
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | NO_LINKS, 0o666)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        line = b"\n" + line if _is_torn(descriptor) else line
        if os.write(descriptor, line) < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_torn(descriptor: int) -> bool:
    """Return True if the last line is cut off, as on a full disk."""
    size = os.fstat(descriptor).st_size
    if not size:
        return False
    os.lseek(descriptor, -1, os.SEEK_END)  # O_APPEND still writes at the end
    return os.read(descriptor, 1) != b"\n"


def _as_dict(intent: Intent) -> dict[str, object]:
    price = None if intent.price_usd is None else str(intent.price_usd)
    return asdict(intent) | {
        "version": VERSION,
        "key": intent.request.key,
        "price_usd": price,
    }


def _to_json(intent: Intent) -> bytes:
    return json.dumps(_as_dict(intent), sort_keys=True).encode()


def _from_json(text: bytes, key: str | None = None) -> Intent:
    """Return the intent that a file describes.

    Args:
        text: Content of the file.
        key: Cache key that the intent must have; None for any.

    Raises:
        ValueError: If the content is not such an intent.
        StoreError: If a newer version has written it.
    """
    try:
        fields: dict[str, Any] = json.loads(text)
        check_version(fields["version"], VERSION)
        request = fields["request"] | {
            "size": Size(*map(int, fields["request"]["size"])),
            "references": tuple(map(str, fields["request"].get("references", ()))),
        }
        price = fields["price_usd"]
        intent = Intent(
            request=ImageRequest(**request),
            server=str(fields["server"]),
            output_format=str(fields["output_format"]),
            price_usd=None if price is None else Decimal(str(price)),
            begun=str(fields["begun"]),
        )
        is_it = intent.request.key == fields["key"]
        if intent.price_usd is not None and not intent.price_usd >= 0:
            raise ValueError("not a price")
    except (TypeError, KeyError, AttributeError, ArithmeticError, RecursionError) as error:
        raise ValueError(f"not an intent: {error}") from None
    if not is_it or key not in (None, intent.request.key):
        raise ValueError("intent of another cache key")
    return intent
