"""Shared by the tests of the gateway: images, bodies, handlers, and servers that misbehave."""

from __future__ import annotations

import base64
import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

import anyio
import pytest

from mkdocs_imagegen.gateway.client import Gateway
from mkdocs_imagegen.gateway.credentials import Credential
from mkdocs_imagegen.gateway.wire import ImageResponse
from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import GatewaySettings

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(64))
CANARY = "vck_canary0123456789abcdef"
REQUEST = ImageRequest("openai/gpt-image-1-mini", "A red balloon", Size(1024, 1024))


@dataclass(frozen=True, slots=True)
class Given:
    """Response of a handler."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def answer_body(image: bytes = PNG, **more: object) -> bytes:
    data = [{"b64_json": base64.b64encode(image).decode()}]
    return json.dumps({"created": 1, "data": data} | more).encode()


def error_body(kind: str, code: object = None, param: object = None, text: str = "no") -> bytes:
    error = {"message": text, "type": kind, "param": param, "code": code}
    return json.dumps({"error": error, "generationId": "gen_01"}).encode()


@dataclass
class Script:
    """Handler that gives its responses in order, then the last one again; records the requests."""

    answers: list[Given]
    asked: list[tuple[str, str, Mapping[str, str], bytes]] = field(default_factory=list)

    def __call__(self, *asked):
        self.asked.append(asked)
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


def generate(
    settings: GatewaySettings,
    credential: Credential | None = None,
    handler=None,
    save_body=None,
    request: ImageRequest = REQUEST,
) -> ImageResponse:
    async def once():
        gateway = Gateway(settings, credential, handler)
        try:
            return await gateway.generate(request, save_body)
        finally:
            await gateway.aclose()

    return anyio.run(once)


def http(body: bytes, status: str = "200 OK", **headers: object) -> bytes:
    """Return an HTTP/1.1 response as bytes, with the length of the body unless one is given."""
    lines = {"content_length": len(body)} | headers
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status}\r\n{head}connection: close\r\n\r\n".encode() + body


def _whole_request(connection: socket.socket) -> bytes:
    taken = b""
    while b"\r\n\r\n" not in taken:
        chunk = connection.recv(65536)
        if not chunk:
            return taken
        taken += chunk
    head, _, body = taken.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    while len(body) < int(length[1] if length else 0):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@dataclass
class Server:
    """Server on this machine that passes each connection to a script."""

    url: str
    asked: list[bytes]
    stopped: threading.Event


@contextmanager
def serving(script: Callable[[socket.socket, threading.Event], None]) -> Iterator[Server]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(f"http://127.0.0.1:{listener.getsockname()[1]}/v1", [], threading.Event())

    def handle(connection: socket.socket) -> None:
        with closing(connection), suppress(OSError):
            server.asked.append(_whole_request(connection))
            script(connection, server.stopped)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=handle, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stopped.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def closed_url() -> str:
    """Return the URL of a port on which no server listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"http://127.0.0.1:{taken.getsockname()[1]}/v1"


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class Toolbox:
    """Everything above, for tests that take the fixture ``tools``."""

    PNG = PNG
    CANARY = CANARY
    REQUEST = REQUEST
    Given = Given
    Script = Script
    answer_body = staticmethod(answer_body)
    error_body = staticmethod(error_body)
    generate = staticmethod(generate)
    http = staticmethod(http)
    serving = staticmethod(serving)
    closed_url = staticmethod(closed_url)
    reset = staticmethod(reset)


@pytest.fixture(scope="session")
def tools():
    return Toolbox
