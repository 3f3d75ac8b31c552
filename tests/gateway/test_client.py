"""The client with servers in this process."""

import base64
import json
import socket
import time
from dataclasses import replace

import anyio
import httpx
import pytest

from mkdocs_imagegen.errors import (
    AuthenticationError,
    CredentialError,
    InvalidResponseError,
    ModerationError,
    OutcomeUnknownError,
    RateLimitedError,
    RejectedRequestError,
    ServerBusyError,
    UnreachableError,
)
from mkdocs_imagegen.gateway import client
from mkdocs_imagegen.gateway.client import Gateway
from mkdocs_imagegen.gateway.credentials import find_credential
from mkdocs_imagegen.gateway.wire import Attachment, Attachments
from mkdocs_imagegen.settings import GatewaySettings

SKETCH = GatewaySettings(url="sketch:", output_format="png")
LOCAL = GatewaySettings(url="http://127.0.0.1:1/v1", auth="none", output_format="png")
REFERENCE = Attachments((Attachment(b"\x89PNG", "image/png"),))


def test_gateway_generates_an_image(tools):
    server = tools.Script([tools.Given(body=tools.answer_body())])
    assert tools.generate(SKETCH, handler=server).image == tools.PNG
    ((method, path, headers, body),) = server.asked
    assert (method, path) == ("POST", "/v1/images/generations")
    assert headers["content-type"] == "application/json"
    assert headers["accept-encoding"] == "identity"
    assert json.loads(body)["prompt"] == "A red balloon"


@pytest.mark.parametrize("status", [500, 504, 408])
def test_failed_free_request_is_not_reported_as_charged(tools, status):
    server = tools.Script([tools.Given(status, body=b"")])

    async def once():
        return await Gateway(SKETCH, None, server).fetch_offers()

    with pytest.raises(ServerBusyError, match="; the request is free; try again later") as caught:
        anyio.run(once)
    assert "charged" not in str(caught.value)


def test_embedded_server_opens_no_socket(tools, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("a socket was opened")

    server = tools.Script([tools.Given(body=tools.answer_body())])

    async def once():
        gateway = Gateway(SKETCH, None, server)
        monkeypatch.setattr(socket, "socket", refuse)
        monkeypatch.setattr(socket, "getaddrinfo", refuse)
        return await gateway.generate(tools.REQUEST)

    assert anyio.run(once).image == tools.PNG


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [("bearer", "authorization", "Bearer k-123456"), ("api-key", "api-key", "k-123456")],
)
def test_credential_is_sent_in_the_configured_header_only(tools, auth, header, value):
    settings = GatewaySettings(url="https://x.example/v1", auth=auth, key_env="K")
    credential = find_credential({"K": "k-123456"}, settings, 0)
    server = tools.Script([tools.Given(body=tools.answer_body())])
    tools.generate(settings, credential, server)
    headers = server.asked[0][2]
    assert headers[header] == value
    assert {"authorization", "api-key"} & set(headers) == {header}


def test_redaction_leaves_the_data_of_an_image_alone(tools):
    image = tools.PNG * 20
    key = base64.b64encode(image).decode()[400:412]
    body = tools.answer_body(image, note=f"your key is {key}")
    settings = GatewaySettings(url="https://x.example/v1", key_env="K")
    credential = find_credential({"K": key}, settings, 0)
    kept = []
    server = tools.Script([tools.Given(body=body)])
    assert tools.generate(settings, credential, server, save_body=kept.append).image == image
    assert b"your key is [redacted]" in kept[0]


def test_request_is_not_sent_when_the_credential_is_missing(tools):
    with pytest.raises(CredentialError, match="AI_GATEWAY_API_KEY"):
        tools.generate(GatewaySettings())


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((429, {}, b""), RateLimitedError),
        ((503, {"retry-after": "0"}, b""), ServerBusyError),
        ((503, {}, b""), OutcomeUnknownError),
        ((500, {"retry-after": "1"}, b""), OutcomeUnknownError),
        ((504, {}, b"<html>"), OutcomeUnknownError),
        ((401, {}, b""), AuthenticationError),
        ((302, {"location": "http://127.0.0.1/"}, b""), RejectedRequestError),
        ((400, {}, b'{"error":{"code":"moderation_blocked"}}'), ModerationError),
        ((200, {}, b'{"data":[]}'), InvalidResponseError),
        ((204, {}, b""), InvalidResponseError),
        ((200, {"content-encoding": "br"}, b"abc"), InvalidResponseError),
    ],
)
def test_request_is_sent_once_whatever_the_response(tools, answer, kind):
    server = tools.Script([tools.Given(*answer)])
    with pytest.raises(kind):
        tools.generate(SKETCH, handler=server)
    assert len(server.asked) == 1


def test_charged_body_is_saved_before_it_is_decoded(tools):
    server = tools.Script([tools.Given(body=b"garbage")])
    kept = []
    with pytest.raises(InvalidResponseError):
        tools.generate(SKETCH, handler=server, save_body=kept.append)
    assert kept == [b"garbage"]


def test_error_body_is_not_saved(tools):
    kept = []
    with pytest.raises(AuthenticationError):
        tools.generate(SKETCH, handler=tools.Script([tools.Given(401)]), save_body=kept.append)
    assert kept == []


def test_outcome_is_unknown_when_an_embedded_server_raises(tools):
    def broken(*_asked):
        raise ZeroDivisionError("oh")

    with pytest.raises(OutcomeUnknownError, match="ZeroDivisionError"):
        tools.generate(SKETCH, handler=broken)


def test_timeout_applies_to_an_embedded_server(tools):
    def slow(*_asked):
        time.sleep(2)
        return tools.Given()

    begun = time.monotonic()
    with pytest.raises(OutcomeUnknownError, match=r"within 1 s"):
        tools.generate(GatewaySettings(url="sketch:", timeout=1.0), handler=slow)
    assert time.monotonic() - begun < 1.8


def test_repeated_edit_with_references_has_equal_bytes(tools):
    server = tools.Script([tools.Given(body=tools.answer_body())])

    async def twice():
        gateway = Gateway(GatewaySettings(url="sketch:"), None, server)
        try:
            await gateway.generate(tools.REQUEST, None, REFERENCE)
            return await gateway.generate(tools.REQUEST, None, REFERENCE)
        finally:
            await gateway.aclose()

    assert anyio.run(twice).image == tools.PNG
    assert [path for _, path, _, _ in server.asked] == ["/v1/images/edits"] * 2
    (_, _, headers, body), again = server.asked
    assert headers["content-type"].startswith("multipart/form-data; boundary=")
    assert again[3] == body


def test_zero_data_retention_is_rejected_before_the_request(tools):
    options = {"gateway": {"zeroDataRetention": True}}
    server = tools.Script([tools.Given(body=tools.answer_body())])
    settings = GatewaySettings(provider_options=options)
    with pytest.raises(RejectedRequestError, match="zero data retention"):
        tools.generate(settings, handler=server)
    assert server.asked == []


def test_unusable_proxy_is_reported_without_its_url(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "gopher://user:canary@proxy.example")
    with pytest.raises(UnreachableError, match="HTTPS_PROXY") as caught:
        Gateway(LOCAL, None)
    assert "canary" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_server_on_this_machine_is_reached_without_proxy(tools, monkeypatch, host):
    for name in ("HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, tools.closed_url())
        monkeypatch.setenv(name.lower(), tools.closed_url())
    with tools.serving(lambda link, _: link.sendall(tools.http(tools.answer_body()))) as server:
        settings = replace(LOCAL, url=server.url.replace("127.0.0.1", host), key_env="KEY")
        credential = find_credential({"KEY": "key-of-this-machine"}, settings, 0)
        assert tools.generate(settings, credential).image == tools.PNG
    (asked,) = server.asked
    assert asked.startswith(b"POST /v1/images/generations")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_proxy_of_the_environment_is_for_other_machines_only(monkeypatch, host):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://proxy.example:3128")
    client = Gateway(LOCAL, None)._http
    assert client._transport_for_url(httpx.URL(f"http://{host}:8080/v1")) is client._transport
    elsewhere = httpx.URL("https://ai-gateway.vercel.sh/v1")
    assert client._transport_for_url(elsewhere) is not client._transport
    anyio.run(client.aclose)


def every_http_error():
    found = {httpx.InvalidURL, httpx.CookieConflict, httpx.StreamError}
    pending = [httpx.HTTPError, httpx.StreamError]
    while pending:
        found |= set(below := pending.pop().__subclasses__())
        pending += below
    return sorted(found, key=lambda kind: kind.__name__)


NOT_SENT = {"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError"}
NOT_SENDABLE = {"InvalidURL", "UnsupportedProtocol"}


@pytest.mark.parametrize("kind", every_http_error())
def test_httpx_exception_becomes_an_error_of_the_package(kind):
    expected = OutcomeUnknownError
    if kind.__name__ in NOT_SENT:
        expected = UnreachableError
    elif kind.__name__ in NOT_SENDABLE:
        expected = RejectedRequestError
    assert type(client.transport_error(kind, "detail")) is expected
