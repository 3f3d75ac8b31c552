"""One HTTP exchange of the client: request, response, bounded body, progress of the connection."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from typing import Protocol

from mkdocs_imagegen.frozen import dataclass

SUCCESS = range(200, 300)
"""HTTP statuses whose body may be an image."""

MAX_BODY_BYTES = 64 * 2**20
"""Decoded bytes of a successful response: an image of 48 MB as base64."""

MAX_ERROR_BODY_BYTES = 2**20
"""Decoded bytes of any other response; its type, code and message come first."""

_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
_STEP_BYTES = 2**18


@dataclass(frozen=True, slots=True)
class ClientRequest:
    """One HTTP request.

    Attributes:
        method: HTTP method.
        url: Absolute URL.
        timeout_s: Seconds from the first byte of the request to the last byte of the response.
        body: Whole body, or None for no body.
        has_credential: True if the credential is sent with it.
        headers: Headers in addition to those of every request.
        server_name: Host name that the server's certificate must prove, if the URL has an IP
            address.
        model: Model that the request names; ``""`` for none.
    """

    method: str
    url: str
    timeout_s: float
    body: bytes | None = field(default=None, repr=False)
    has_credential: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    server_name: str | None = None
    model: str = ""


@dataclass(frozen=True, slots=True)
class ClientResponse:
    """One HTTP response, read completely.

    Attributes:
        status: HTTP status.
        headers: Headers by lower-case name, without the credential if the server repeats it.
        body: Decoded bytes up to the limit. An error's body is without the credential.
        problem: Reason why the body is incomplete, or None if it is complete.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    problem: str | None = None


class ConnectionTrace:
    """State of a connection as the transport reports it; an unreported one counts as sent.

    Attributes:
        is_connecting: True while the connection is established.
    """

    __slots__ = ("is_connecting",)

    def __init__(self) -> None:
        self.is_connecting = False

    async def note(self, event: str, _info: Mapping[str, object]) -> None:
        """Take one event of httpcore's ``trace`` extension: ``connection.connect_tcp.started``."""
        self.is_connecting = event.startswith("connection.")


class BoundedBody:
    """Collector of a body's chunks that decodes them and stops at a limit.

    The decoder returns its output in steps: without them, it expands one megabyte to a gigabyte.

    Args:
        encoding: Value of the ``Content-Encoding`` header, or ``""``.
        limit: Maximum number of decoded bytes.

    Attributes:
        problem: Reason why the body is incomplete, or None if it is complete.
    """

    def __init__(self, encoding: str, limit: int) -> None:
        self._limit = limit
        # `BytesIO` gives its bytes away without a copy.
        self._content = io.BytesIO()
        self._decoder = None
        self.problem: str | None = None
        name = encoding.strip().lower()
        if name in ("gzip", "x-gzip", "deflate"):
            self._decoder = zlib.decompressobj(_GZIP_OR_ZLIB)
        elif name not in ("", "identity"):
            self.problem = f'its encoding "{name[:20]}" was not requested'

    def add(self, chunk: bytes) -> bool:
        """Add one chunk; return False if no more chunks are needed.

        Bytes after the end of a compressed body are ignored.
        """
        try:
            for step in self._decoded(chunk):
                self._content.write(step)
                if self._content.tell() > self._limit:
                    self._content.truncate(self._limit)
                    self.problem = f"it is longer than {self._limit} bytes"
                    return False
        except zlib.error:
            self.problem = "its compression is broken"
            return False
        return self._decoder is None or not self._decoder.eof

    def finish(self) -> bytes:
        """Return the collected bytes after the last chunk."""
        content = self._content.getvalue()
        if content and self._decoder and not self._decoder.eof and not self.problem:
            self.problem = "its compression ends too early"
        return content

    def _decoded(self, chunk: bytes) -> Iterator[bytes]:
        if self._decoder is None:
            yield chunk
            return
        is_full = True
        while is_full and not self._decoder.eof:
            step = self._decoder.decompress(chunk, _STEP_BYTES)
            yield step
            chunk = self._decoder.unconsumed_tail
            is_full = len(step) == _STEP_BYTES


def body_for(status: int, encoding: str) -> BoundedBody:
    """Return the collector for the body of a response, with the limit for its status."""
    return BoundedBody(encoding, MAX_BODY_BYTES if status in SUCCESS else MAX_ERROR_BODY_BYTES)


class HandlerResponse(Protocol):
    """Response of a server in this process: the emulator's, which this package cannot import."""

    @property
    def status(self) -> int:
        """HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """HTTP headers."""

    @property
    def body(self) -> bytes:
        """Whole body."""


Handler = Callable[[str, str, Mapping[str, str], bytes], HandlerResponse]
"""Server in this process: method, path, headers by lower-case name, body."""

SaveBody = Callable[[bytes], object]
"""Writes a response body to disk, in a worker thread; must not raise."""
