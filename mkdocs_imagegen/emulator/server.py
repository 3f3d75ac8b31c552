"""HTTP server of the emulator."""

from __future__ import annotations

import json
import select
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from mkdocs_imagegen.emulator.fault_transports import PAUSES, TRANSPORTS
from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.responses import nested_error
from mkdocs_imagegen.emulator.state import LogEntry
from mkdocs_imagegen.emulator.wire_types import HttpResponse

MAX_REQUEST_BYTES = 64 * 1024 * 1024
"""Maximum size of a request body, most of which is for reference images."""

_IDLE_S = 60.0
_Request = socket.socket | tuple[bytes, socket.socket]


class EmulatorServer(AbstractContextManager["EmulatorServer"]):
    """Running HTTP server of an emulator; as a context manager it closes itself.

    Args:
        emulator: Emulator that answers the requests.
        host: Address to listen on.
        port: Port to listen on; 0 for any free port.
        log: File that receives a line of JSON per request.
        slow_s: Seconds that the faults ``slow``, ``drip-head`` and ``drip`` take.

    Attributes:
        emulator: Emulator that answers the requests.
        url: Base URL for a client, including ``/v1``.

    Raises:
        OSError: If the address or the port is not available.
    """

    def __init__(
        self,
        emulator: Emulator,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        log: Path | None = None,
        slow_s: float = 5.0,
    ) -> None:
        self.emulator = emulator
        self._listener = listener = _Listener((host, port), emulator, slow_s)
        self.url = f"http://{listener.address_text}/v1"
        self._unwatch = emulator.watch(_log_writer(log)) if log else lambda: None
        self._thread = threading.Thread(
            target=lambda: listener.serve_forever(poll_interval=0.05), name="imagegen-emulator"
        )
        self._thread.start()

    def close(self) -> None:
        """Stop the server, close every connection and wait for both."""
        self._listener.closing.set()
        self._listener.shutdown()
        self._listener.close_connections()
        self._listener.server_close()
        self._thread.join()
        self._unwatch()
        self._unwatch = lambda: None

    def wait(self) -> None:
        """Wait until another thread closes the server."""
        while self._thread.is_alive():
            self._thread.join(timeout=0.5)

    def __exit__(self, *_: object) -> None:
        self.close()


class _Listener(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128  # with the default of 5, simultaneous connections are reset

    def __init__(self, address: tuple[str, int], emulator: Emulator, slow_s: float) -> None:
        self.emulator, self.slow_s = emulator, slow_s
        self.closing = threading.Event()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, _Handler)

    @property
    def address_text(self) -> str:
        host, port = self.server_address[:2]
        return f"[{host!s}]:{port}" if ":" in str(host) else f"{host!s}:{port}"

    def close_connections(self) -> None:
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def process_request(self, request: _Request, client_address: object) -> None:
        with self._lock:
            self._open.add(_socket(request))
        super().process_request(request, client_address)

    def shutdown_request(self, request: _Request) -> None:
        with self._lock:
            self._open.discard(_socket(request))
        super().shutdown_request(request)

    def handle_error(self, request: _Request, client_address: object) -> None:
        """Print errors other than those of a closed connection."""
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
    server: _Listener

    def respond(self) -> None:
        """Read the request and send the response."""
        body = self._read()
        if body is None:
            self.close_connection = True
            self._send(nested_error(413, "invalid_request_error", "The request is too large."))
            return
        headers = dict(self.headers.items())
        self._send(self.server.emulator.handle(self.command, self.path, headers, body))

    def _read(self) -> bytes | None:
        length = self.headers.get("content-length", "0")
        chunked = self.headers.get("transfer-encoding") is not None
        if chunked or not length.isdecimal() or int(length[:12]) > MAX_REQUEST_BYTES:
            return None
        return self.rfile.read(int(length))

    def _send(self, response: HttpResponse) -> None:
        if response.transport:
            self._send_pieces(TRANSPORTS[response.transport](response))
            self.close_connection = True
            if response.transport == "reset":
                self._reset()
            return
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    def _send_pieces(self, pieces: Iterable[bytes | None]) -> None:
        for piece in pieces:
            if piece is not None:
                self.wfile.write(piece)
            elif self.server.closing.wait(self.server.slow_s / PAUSES) or self._is_client_gone():
                return

    def _is_client_gone(self) -> bool:
        """Return True if the client has closed its side."""
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(readable) and not self.connection.recv(1, socket.MSG_PEEK)

    def _reset(self) -> None:
        """Close the connection so that the client sees a reset."""
        zero_linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, zero_linger)
        self.rfile.close()
        self.connection.close()

    def log_message(self, *_: object) -> None:
        """Do not print requests; they go to the log file."""


# http.server looks for a method of this name for each HTTP method.
for _method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
    setattr(_Handler, f"do_{_method}", _Handler.respond)


def _log_writer(path: Path) -> Callable[[LogEntry], None]:
    def write(entry: LogEntry) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(entry)) + "\n")

    return write
