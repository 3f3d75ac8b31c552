"""The client with servers on real sockets that misbehave."""

import gzip
import json
import socket
import threading
import time

import anyio
import pytest

from mkdocs_imagegen.errors import (
    InvalidResponseError,
    OutcomeUnknownError,
    RejectedRequestError,
    UnreachableError,
)
from mkdocs_imagegen.gateway import exchange
from mkdocs_imagegen.gateway.client import Gateway
from mkdocs_imagegen.settings import GatewaySettings


def settings_for(server, **chosen):
    return GatewaySettings(url=server.url, auth="none", output_format="png", **chosen)


def send_all(data):
    return lambda connection, _stopped: connection.sendall(data)


def test_image_is_received_over_a_socket(tools):
    with tools.serving(send_all(tools.http(tools.answer_body()))) as server:
        assert tools.generate(settings_for(server)).image == tools.PNG
    head, _, body = server.asked[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/images/generations HTTP/1.1\r\n")
    assert json.loads(body)["model"] == "openai/gpt-image-1-mini"


def _drip(connection, stopped):
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
    while not stopped.wait(0.05):
        connection.sendall(b"x")


def _drip_head(connection, stopped):
    connection.sendall(b"HTTP/1.1 200 OK\r\nx: ")
    while not stopped.wait(0.05):
        connection.sendall(b"x")


def _silence(_connection, stopped):
    stopped.wait(10)


@pytest.mark.parametrize("script", [_drip, _drip_head, _silence])
def test_outcome_is_unknown_when_a_slow_response_exceeds_the_timeout(tools, script):
    begun = time.monotonic()
    with tools.serving(script) as server:
        with pytest.raises(OutcomeUnknownError, match=r"within 1 s.*may have been charged"):
            tools.generate(settings_for(server, timeout=1.0))
        assert time.monotonic() - begun < 2
    assert len(server.asked) == 1


def _cut(tools):
    return tools.http(tools.answer_body(), content_length=10_000)


BROKEN = {
    "reset before an answer": lambda _tools: None,
    "closed before an answer": lambda _tools: b"",
    "cut body": _cut,
    "garbage": lambda _tools: b"hello\r\n\r\n",
    "half a head": lambda _tools: b"HTTP/1.1 200 OK\r\ncontent-le",
    "enormous head": lambda _tools: b"HTTP/1.1 200 OK\r\nx: " + b"y" * 1_000_000 + b"\r\n\r\n",
    "bad chunks": lambda _tools: b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
}


@pytest.mark.parametrize("fault", BROKEN)
def test_broken_connection_is_not_retried_when_the_request_was_sent(tools, fault):
    data = BROKEN[fault](tools)

    def script(connection, _stopped):
        tools.reset(connection) if data is None else connection.sendall(data)

    with tools.serving(script) as server, pytest.raises(OutcomeUnknownError):
        tools.generate(settings_for(server))
    assert len(server.asked) == 1


def test_decompression_bomb_is_cut_off_at_the_limit(tools, monkeypatch):
    monkeypatch.setattr(exchange, "MAX_BODY_BYTES", 1_000_000)
    bomb = tools.http(gzip.compress(bytes(30_000_000)), content_encoding="gzip")
    too_long = pytest.raises(InvalidResponseError, match="longer than 1000000 bytes")
    with tools.serving(send_all(bomb)) as server, too_long as caught:
        tools.generate(settings_for(server))
    assert len(caught.value.body) == 1_000_000


def test_compressed_body_is_decoded_although_it_was_not_requested(tools):
    data = tools.http(gzip.compress(tools.answer_body()), content_encoding="gzip")
    with tools.serving(send_all(data)) as server:
        assert tools.generate(settings_for(server)).image == tools.PNG


@pytest.mark.parametrize(
    ("body", "encoding", "fault"),
    [(b"abc", "br", "was not requested"), (b"abc", "gzip", "compression is broken")],
)
def test_success_in_a_broken_encoding_is_billed(tools, body, encoding, fault):
    data = tools.http(body, content_encoding=encoding)
    with tools.serving(send_all(data)) as server, pytest.raises(InvalidResponseError, match=fault):
        tools.generate(settings_for(server))


def test_redirect_is_not_followed(tools):
    with tools.serving(_silence) as other:
        data = tools.http(b"", "307 Temporary Redirect", location=f"{other.url}/x")
        with tools.serving(send_all(data)) as server, pytest.raises(RejectedRequestError):
            tools.generate(settings_for(server))
        assert other.asked == []
    assert len(server.asked) == 1


def test_closed_port_is_reported(tools):
    with pytest.raises(UnreachableError, match="no connection to the server"):
        tools.generate(GatewaySettings(url=tools.closed_url(), auth="none"))


def test_timeout_while_connecting_is_not_charged(tools):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
        settings = GatewaySettings(url=f"http://127.0.0.1:{port}/v1", auth="none", timeout=1.0)
        with pytest.raises(
            UnreachableError,
            match=r"server \(none to 127.0.0.1 within 1 s\); check",
        ):
            tools.generate(settings)
        for each in waiting:
            each.close()


def test_connection_is_not_reused(tools):
    # The outcome of a request is unknown if the server closes a reused connection.
    def script(connection, stopped):
        body = tools.answer_body()
        head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n".encode()
        connection.sendall(head + body)
        stopped.wait(10)

    async def two(server):
        gateway = Gateway(settings_for(server), None)
        for _ in range(2):
            await gateway.generate(tools.REQUEST)
        await gateway.aclose()

    with tools.serving(script) as server:
        anyio.run(two, server)
    assert len(server.asked) == 2


def test_many_images_are_requested_at_the_same_time(tools):
    all_are_open = threading.Barrier(40)

    def script(connection, _stopped):
        all_are_open.wait(60)
        connection.sendall(tools.http(tools.answer_body()))

    async def many(server):
        gateway = Gateway(settings_for(server), None)
        async with anyio.create_task_group() as group:
            for _ in range(40):
                group.start_soon(gateway.generate, tools.REQUEST)
        await gateway.aclose()

    with tools.serving(script) as server:
        anyio.run(many, server)
    assert len(server.asked) == 40
