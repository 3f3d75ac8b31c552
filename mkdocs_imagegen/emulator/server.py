"""The emulator on a socket."""

from __future__ import annotations

import json
import select
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

from mkdocs_imagegen.emulator.bodies import nested
from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.records import Response, Seen
from mkdocs_imagegen.emulator.transports import RESETTING, RESTS, TRANSPORTS

LARGEST_BODY = 64 * 1024 * 1024
"""The most bytes a request may have; those with images need most of it."""

_IDLE_S = 60.0
_Request = socket.socket | tuple[bytes, socket.socket]


class Server:
    """A running emulator; also a context manager that closes it.

    Attributes:
        emulator: what answers.
        url: the address to give to a client, up to and with ``/v1``.
    """

    def __init__(self, emulator: Emulator, listening: _Listening, log: Path | None) -> None:
        self.emulator = emulator
        self.url = f"http://{listening.shown_address}/v1"
        self._listening = listening
        self._unwatch = emulator.watch(_to_file(log)) if log else lambda: None
        self._thread = threading.Thread(
            target=lambda: listening.serve_forever(poll_interval=0.05), name="imagegen-emulator"
        )
        self._thread.start()

    def close(self) -> None:
        """Stop answering, close every connection, and wait until that is done."""
        self._listening.closing.set()
        self._listening.shutdown()
        self._listening.hang_up()
        self._listening.server_close()
        self._thread.join()
        self._unwatch()
        self._unwatch = lambda: None

    def wait(self) -> None:
        """Wait until another thread closes the server."""
        while self._thread.is_alive():
            self._thread.join(timeout=0.5)

    def __enter__(self) -> Server:  # noqa: PYI034 - typing.Self came with Python 3.11
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def serve(
    emulator: Emulator,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    log: Path | None = None,
    slow_s: float = 5.0,
) -> Server:
    """Answer on a socket, in threads of its own.

    Args:
        emulator: what answers.
        host: the address to listen on.
        port: 0 takes any free one.
        log: a file that gets one line of JSON for each request.
        slow_s: seconds that the faults ``slow``, ``drip-head`` and ``drip`` take.

    Raises:
        OSError: nothing can listen there.
    """
    return Server(emulator, _Listening((host, port), emulator, slow_s), log)


serving = serve
"""The same, as it reads after ``with``."""


def run_forever(
    emulator: Emulator,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    log: Path | None = None,
    started: Callable[[str], None] = lambda _: None,
) -> None:
    """Answer on a socket until the program is interrupted.

    Args:
        emulator: what answers.
        host: the address to listen on.
        port: 0 takes any free one.
        log: a file that gets one line of JSON for each request.
        started: told the address, once there is one.

    Raises:
        OSError: nothing can listen there.
    """
    with serve(emulator, host=host, port=port, log=log) as server, suppress(KeyboardInterrupt):
        started(server.url)
        server.wait()


class _Listening(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128  # with the usual 5, connections made at once are reset

    def __init__(self, address: tuple[str, int], emulator: Emulator, slow_s: float) -> None:
        self.emulator, self.slow_s = emulator, slow_s
        self.closing = threading.Event()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, _Handler)

    @property
    def shown_address(self) -> str:
        host, port = self.server_address[:2]
        return f"[{host!s}]:{port}" if ":" in str(host) else f"{host!s}:{port}"

    def hang_up(self) -> None:
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def process_request(self, request: _Request, client_address: Any) -> None:  # noqa: ANN401 - as in the base class
        with self._lock:
            self._open.add(_socket(request))
        super().process_request(request, client_address)

    def shutdown_request(self, request: _Request) -> None:
        with self._lock:
            self._open.discard(_socket(request))
        super().shutdown_request(request)

    def handle_error(self, request: _Request, client_address: Any) -> None:  # noqa: ANN401 - as in the base class
        """A client that went away is no error of ours; the rest is printed."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def _socket(request: _Request) -> socket.socket:
    return request[1] if isinstance(request, tuple) else request


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "mkdocs-imagegen-emulator"
    sys_version = ""
    disable_nagle_algorithm = True
    timeout = _IDLE_S
    server: _Listening

    def _answer(self) -> None:
        body = self._read()
        if body is None:
            self.close_connection = True
            self._send(nested(413, "invalid_request_error", "The request is too large."))
            return
        headers = dict(self.headers.items())
        self._send(self.server.emulator.handle(self.command, self.path, headers, body))

    # The names that http.server looks for.
    do_GET = do_HEAD = do_POST = _answer  # noqa: N815
    do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer  # noqa: N815

    def _read(self) -> bytes | None:
        length = self.headers.get("content-length", "0")
        chunked = self.headers.get("transfer-encoding") is not None
        if chunked or not length.isdecimal() or int(length[:12]) > LARGEST_BODY:
            return None
        return self.rfile.read(int(length))

    def _send(self, response: Response) -> None:
        if response.transport:
            self._misbehave(TRANSPORTS[response.transport](response))
            self._end(reset=response.transport in RESETTING)
            return
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    def _misbehave(self, pieces: Iterable[bytes | None]) -> None:
        for piece in pieces:
            if piece is not None:
                self.wfile.write(piece)
            elif self.server.closing.wait(self.server.slow_s / RESTS) or self._is_left():
                return

    def _is_left(self) -> bool:
        """Whether the client has closed its side."""
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(readable) and not self.connection.recv(1, socket.MSG_PEEK)

    def _end(self, *, reset: bool) -> None:
        self.close_connection = True
        if reset:
            self._reset()

    def _reset(self) -> None:
        """Close so that the client sees a reset, not an orderly end."""
        at_once = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        self.rfile.close()
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base class
        """Say nothing: requests go to the log that was asked for."""


def _to_file(path: Path) -> Callable[[Seen], None]:
    def write(seen: Seen) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(seen)) + "\n")

    return write
