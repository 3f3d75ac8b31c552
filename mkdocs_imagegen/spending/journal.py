"""The journal: a write-ahead log of paid requests before their images are stored.

An intent is on disk before the request is sent, and the raw response before it is decoded. The
next build finds the files of a build that was killed: it stores the image of a response, and
notes an intent without a response as an attempt that may have been charged.

``<key>.intent`` is JSON. ``<key>.<8 hex digits>.answer`` is the intent on one line, then the body:
it needs no other file, and is never overwritten. In earlier versions ``<key>.answer`` has the body
alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

from mkdocs_imagegen.errors import NewerVersionError, StoreError
from mkdocs_imagegen.files import cannot_store, read_plain_file, write_atomic
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.originals.record import check_version
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import GatewaySettings

VERSION = 2
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
        begun: Time of the request, ISO 8601 in UTC; ``""`` if the intent is lost.
        timeout_s: Timeout of the request.
        replaces: True if the image takes the place of an existing original.
        sent_model: Model that is sent in place of the requested one; ``""`` if it is the same.
        sent_quality: Quality that is sent in place of the requested one; ``""`` if it is the same.
    """

    request: ImageRequest
    server: str
    output_format: str
    price_usd: Decimal | None
    begun: str
    timeout_s: float = 0.0
    replaces: bool = False
    sent_model: str = ""
    sent_quality: str = ""

    @property
    def sent(self) -> ImageRequest:
        """The request as it is sent."""
        model, quality = self.request.model, self.request.quality
        return replace(
            self.request, model=self.sent_model or model, quality=self.sent_quality or quality
        )


def intent_of(
    request: ImageRequest,
    sent: ImageRequest,
    gateway: GatewaySettings,
    price_usd: Decimal | None = None,
    *,
    replaces: bool = False,
) -> Intent:
    """Return the intent of a request that is sent now.

    Args:
        request: The request.
        sent: The request as it is sent.
        gateway: Server and output format.
        price_usd: List price in dollars, or None if it is unknown.
        replaces: True if the image takes the place of an existing original.
    """
    return Intent(
        request=request,
        server=gateway.url,
        output_format=gateway.output_format,
        price_usd=price_usd,
        begun=datetime.now(timezone.utc).isoformat(),
        timeout_s=gateway.timeout,
        replaces=replaces,
        sent_model=sent.model if sent.model != request.model else "",
        sent_quality=sent.quality if sent.quality != request.quality else "",
    )


@dataclass(frozen=True, slots=True)
class SavedResponse:
    """A raw response in the journal.

    Attributes:
        intent: Intent of its request.
        body: Body as received.
        path: File of the response.
    """

    intent: Intent
    body: bytes
    path: Path


class Journal:
    """The journal of all builds that share an originals folder.

    A caller that writes or removes files of a cache key holds the claim on that key.

    Args:
        folder: Folder of the journal.
        earlier: Folders of the journals of earlier versions, which are read and emptied.
    """

    def __init__(self, folder: Path, earlier: Sequence[Path] = ()) -> None:
        self.folder = folder
        self._folders = (folder, *earlier)

    def begin(self, intent: Intent) -> None:
        """Write an intent.

        Raises:
            StoreError: If it cannot be written, so that the request must not be sent.
        """
        try:
            write_atomic(self.folder / f"{intent.request.key}.intent", _to_json(intent))
        except OSError as error:
            raise cannot_store(self.folder, error) from None

    def save_response(self, intent: Intent, body: bytes) -> bool:
        """Write a raw response; return True if it was written."""
        name = f"{intent.request.key}.{secrets.token_hex(4)}.answer"
        try:
            write_atomic(self.folder / name, _to_json(intent) + b"\n" + body)
        except OSError:
            return False
        return True

    def end(self, key: str) -> None:
        """Remove the files of a request with a known outcome."""
        # The intent first: alone it is listed as unknown, and a response alone names its image.
        with contextlib.suppress(OSError, StoreError):
            for path in self._files(key, ".intent") + self._files(key, ".answer"):
                path.unlink(missing_ok=True)

    def remove(self, response: SavedResponse) -> None:
        """Remove one response, whose image is stored or is in quarantine."""
        with contextlib.suppress(OSError):
            response.path.unlink()

    def open_keys(self) -> list[str]:
        """Return the cache keys of all requests that have not ended, of this build or another.

        Raises:
            StoreError: If a folder cannot be listed now.
        """
        return sorted({path.name.partition(".")[0] for path in self._files("")})

    def find_intent(self, key: str) -> Intent | None:
        """Return the intent of a cache key, if its request has not ended.

        Raises:
            StoreError: If it cannot be read now, so that no other request may be sent.
        """
        for path in self._files(key, ".intent"):
            with contextlib.suppress(ValueError):
                return _from_json(_read(path, _MAX_INTENT_BYTES), key)
        return None

    def find_responses(self, key: str, request: ImageRequest | None = None) -> list[SavedResponse]:
        """Return the raw responses of a cache key whose request has not ended.

        Args:
            key: Cache key.
            request: Request of the key, for a response whose intent is lost.

        Raises:
            StoreError: If one cannot be read now, so that no other request may be sent.
        """
        found = []
        for path in self._files(key, ".answer"):
            with contextlib.suppress(ValueError):
                content = _read(path, _MAX_RESPONSE_BYTES)
                first, _, body = content.partition(b"\n")
                try:
                    found.append(SavedResponse(_from_json(first, key), body, path))
                except ValueError:  # of an earlier version, without its intent
                    intent = self.find_intent(key) or _lost_intent(request)
                    found += [SavedResponse(intent, content, path)] if intent else []
        return found

    def has_response(self, key: str) -> bool:
        """Return True if there is a raw response of a cache key, readable or not."""
        try:
            return bool(self._files(key, ".answer"))
        except StoreError:
            return True  # perhaps

    def deletion_hint(self, key: str) -> str:
        """Return the next step for giving up the response of a cache key."""
        files = [self.folder / f"{key}.*.answer"]
        with contextlib.suppress(StoreError):
            files = self._files(key, ".answer")
        return f"to generate another image instead, delete {', '.join(map(str, files))}"

    def unknown_intents(self) -> Iterator[Intent]:
        """Yield the requests without a known outcome that earlier versions have listed."""
        for folder in self._folders:
            with contextlib.suppress(OSError, ValueError):
                lines = read_plain_file(folder / "unknown.jsonl", _MAX_RESPONSE_BYTES)
                for line in lines.splitlines():
                    with contextlib.suppress(ValueError, NewerVersionError):
                        yield _from_json(line)

    def _files(self, key: str, *endings: str) -> list[Path]:
        """Return the files of a cache key, or of all keys for ``""``, of this journal first.

        Raises:
            StoreError: If a folder cannot be listed now, so that a response may be in it.
        """
        found = []
        for folder in self._folders:
            try:
                names = sorted(os.listdir(folder))  # noqa: PTH208 - names alone are needed
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                raise _unreadable(folder, error) from None
            found += [folder / name for name in names if name.startswith(key)]
        return [path for path in found if path.suffix in (endings or (".answer", ".intent"))]


def _read(path: Path, max_bytes: int) -> bytes:
    """Return the content of a file.

    Raises:
        StoreError: If the file exists and cannot be read.
        ValueError: If there is no file, or the journal has not written it.
    """
    try:
        return read_plain_file(path, max_bytes)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ValueError("no such file") from error
    except OSError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: OSError) -> StoreError:
    fault = f"the journal of an earlier request cannot be read: {path}: {error.strerror}"
    hint = "check the permissions and the disk; until then the image is not generated"
    return StoreError(fault, hint=hint)


def _lost_intent(request: ImageRequest | None) -> Intent | None:
    return Intent(request, "", "", None, "") if request else None


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
        check_version(fields["version"], 1, VERSION)
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
            timeout_s=float(fields.get("timeout_s", 0)),
            replaces=fields.get("replaces") is True,
            sent_model=str(fields.get("sent_model", "")),
            sent_quality=str(fields.get("sent_quality", "")),
        )
        is_it = intent.request.key == fields["key"]
        if intent.price_usd is not None and not intent.price_usd >= 0:
            raise ValueError("not a price")
    except (TypeError, KeyError, AttributeError, ArithmeticError, RecursionError) as error:
        raise ValueError(f"not an intent: {error}") from None
    if not is_it or key not in (None, intent.request.key):
        raise ValueError("intent of another cache key")
    return intent
