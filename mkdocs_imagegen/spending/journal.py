"""What was asked for and not yet stored: written down before it is paid for.

An intent is on disk before the call, the raw answer before anything reads it. What a build leaves
here, because it was ended, the next one finds: an answer is stored as if it had just come, an
intent without one is a call whose outcome nobody knows (fact sheet "reliability", section 4.3).
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
    check_version,
    read_plain_file,
    write_atomic,
)
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.options import Size
from mkdocs_imagegen.request import ImageRequest

VERSION = 1
_MAX_INTENT_BYTES = 1_000_000
_MAX_BODY_BYTES = 128 * 2**20


@dataclass(frozen=True, slots=True)
class Intent:
    """A image that is about to be asked for.

    Attributes:
        request: what is asked.
        server: the address that is asked.
        output_format: the format that is asked for.
        price_usd: the list price in dollars; None where it is not known.
        begun: when, ISO 8601 in UTC.
    """

    request: ImageRequest
    server: str
    output_format: str
    price_usd: Decimal | None
    begun: str


class Journal:
    """The calls of all builds that share a cache folder.

    Whoever writes here, or takes something out, holds the claim on that key.

    Args:
        folder: where the files of calls are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.unknown_path = folder / "unknown.jsonl"

    def begin(self, intent: Intent) -> None:
        """Write down what is about to be asked for.

        Raises:
            StoreError: it cannot be written, and so nothing may be asked.
        """
        try:
            write_atomic(self._path(intent.request.key, "intent"), _to_json(intent))
        except OSError as error:
            raise cannot_store(self._folder, error) from None

    def spool(self, key: str, body: bytes) -> bool:
        """Keep a raw answer as it came; whether that worked."""
        try:
            write_atomic(self._path(key, "answer"), body)
        except OSError:
            return False
        return True

    def end(self, key: str) -> None:
        """Forget a call whose outcome is known and stored."""
        # The answer first: an intent alone is told, an answer alone would not be found.
        with contextlib.suppress(OSError):
            for kind in ("answer", "intent"):
                self._path(key, kind).unlink(missing_ok=True)

    def end_unknown(self, intent: Intent) -> None:
        """Forget a call whose outcome will never be known, but for a line in ``unknown.jsonl``."""
        line = json.dumps(_as_dict(intent), sort_keys=True, ensure_ascii=False) + "\n"
        with contextlib.suppress(OSError):
            _append(self.unknown_path, line.encode("utf-8", "replace"))
            self.end(intent.request.key)

    def keys(self) -> list[str]:
        """The keys of calls that are not ended, by this build or another."""
        try:
            return sorted(path.stem for path in self._folder.glob("*.intent"))
        except OSError:
            return []

    def find(self, key: str) -> Intent | None:
        """What was asked under that key, if a call of it is not ended.

        Raises:
            StoreError: that cannot be read now; nothing may be bought in its place.
        """
        try:
            return _from_json(self._read(key, "intent", _MAX_INTENT_BYTES), key)
        except ValueError:
            return None

    def answer(self, key: str) -> bytes | None:
        """The raw answer to a call that is not ended, if one came.

        Raises:
            StoreError: it cannot be read now; nothing may be bought in its place.
        """
        try:
            return self._read(key, "answer", _MAX_BODY_BYTES)
        except ValueError:
            return None

    def has_answer(self, key: str) -> bool:
        """Whether an answer came to a call that is not ended, be it readable now or not."""
        return os.path.isfile(self._path(key, "answer"))  # noqa: PTH113 - never raises

    def how_to_forget(self, key: str) -> str:
        """What a person does who does not want the answer to a call any more, in words."""
        return f"to pay for another image instead, delete {self._path(key, 'answer')}"

    def unknown(self) -> Iterator[Intent]:
        """Every call whose outcome will never be known, the oldest first."""
        with contextlib.suppress(OSError, ValueError):
            for line in read_plain_file(self.unknown_path, _MAX_BODY_BYTES).splitlines():
                with contextlib.suppress(ValueError, NewerVersionError):
                    yield _from_json(line)

    def _read(self, key: str, kind: str, most_bytes: int) -> bytes:
        """A file of a call.

        Raises:
            StoreError: it is there and cannot be read.
            ValueError: there is none, or it is no file of ours.
        """
        path = self._path(key, kind)
        try:
            return read_plain_file(path, most_bytes)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ValueError("there is none") from error
        except OSError as error:
            fault = f"what an earlier call brought cannot be read: {path}: {error.strerror}"
            hint = "correct the rights or the disk; nothing is bought in its place"
            raise StoreError(fault, hint=hint) from None

    def _path(self, key: str, kind: str) -> Path:
        return self._folder / f"{key}.{kind}"


def _append(path: Path, line: bytes) -> None:
    # One write of a whole line: builds at the same time do not mix theirs.
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | NO_LINKS, 0o666)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "no regular file")
        line = b"\n" + line if _is_torn(descriptor) else line
        if os.write(descriptor, line) < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_torn(descriptor: int) -> bool:
    """Whether the last line has no end, since the disk was full."""
    size = os.fstat(descriptor).st_size
    if not size:
        return False
    os.lseek(descriptor, -1, os.SEEK_END)  # what is appended goes to the end all the same
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
    """The intent that was written; with a key, only that of the key.

    Raises:
        ValueError: it is none.
        StoreError: a newer version wrote it.
    """
    try:
        fields: dict[str, Any] = json.loads(text)
        check_version(fields["version"], VERSION)
        asked = fields["request"] | {
            "size": Size(*map(int, fields["request"]["size"])),
            "references": tuple(map(str, fields["request"].get("references", ()))),
        }
        price = fields["price_usd"]
        intent = Intent(
            request=ImageRequest(**asked),
            server=str(fields["server"]),
            output_format=str(fields["output_format"]),
            price_usd=None if price is None else Decimal(str(price)),
            begun=str(fields["begun"]),
        )
        is_it = intent.request.key == fields["key"]
        if intent.price_usd is not None and not intent.price_usd >= 0:
            raise ValueError("a price that is none")
    except (TypeError, KeyError, AttributeError, ArithmeticError, RecursionError) as error:
        raise ValueError(f"no intent: {error}") from None
    if not is_it or key not in (None, intent.request.key):
        raise ValueError("another key's intent")
    return intent
