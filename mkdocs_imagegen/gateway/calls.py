"""One HTTP call and its reply, as plain records, and a server inside this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Protocol

from mkdocs_imagegen.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP call.

    Attributes:
        method: the HTTP method.
        url: the whole address.
        deadline_s: seconds from its beginning to the last byte of the reply.
        content: the body, if it has one.
        with_key: whether the key goes with it.
        headers: headers beside those of every call.
        server_name: the name the server has to prove, where the address does not hold it.
    """

    method: str
    url: str
    deadline_s: float
    content: bytes | None = None
    with_key: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    server_name: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """A server's whole reply.

    Attributes:
        status: the HTTP status.
        headers: by name in lower case; never the key, even where the server repeats it.
        body: the decoded bytes, as many as were accepted; of a refusal, likewise without the key.
        problem: why the body is not complete, in words; None where it is.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    problem: str | None = None


class Progress:
    """Whether a connection is still being made, as the transport reports it.

    What it does not report counts as sent.
    """

    __slots__ = ("connecting",)

    def __init__(self) -> None:
        self.connecting = False

    async def trace(self, event: str, _info: Mapping[str, object]) -> None:
        """Take one report, like ``connection.connect_tcp.started``."""
        self.connecting = event.startswith("connection.")


class HandlerResponse(Protocol):
    """What a server inside this process answers."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers."""

    @property
    def body(self) -> bytes:
        """The whole body."""


Handler = Callable[[str, str, Mapping[str, str], bytes], HandlerResponse]
"""A server inside this process: method, path, headers (names in lower case), body."""

Keep = Callable[[bytes], object]
"""Puts a raw answer where it is safe, in a worker thread; must not raise."""
