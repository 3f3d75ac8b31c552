"""The client, with servers inside this process."""

import base64
import json
import socket
import time

import anyio
import httpx
import pytest

from mkdocs_imagegen.errors import (
    AuthenticationError,
    CredentialError,
    DownloadError,
    InvalidResponseError,
    ModelUnavailableError,
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
from mkdocs_imagegen.settings import GatewaySettings

SKETCH = GatewaySettings(url="sketch:", output_format="png")
LOCAL = GatewaySettings(url="http://127.0.0.1:1/v1", auth="none", output_format="png")
MODELS = json.dumps(
    {"data": [{"id": "openai/gpt-image-2", "type": "image", "pricing": {"image": "0.05"}}]}
).encode()


def test_a_image_is_asked_for_and_comes_back(tools):
    server = tools.Script([tools.Given(body=tools.answer_body())])
    assert tools.generate(SKETCH, handler=server).image == tools.PNG
    ((method, path, headers, body),) = server.asked
    assert (method, path) == ("POST", "/v1/images/generations")
    assert headers["content-type"] == "application/json"
    assert headers["accept-encoding"] == "identity"
    assert json.loads(body)["prompt"] == "A red balloon"


@pytest.mark.parametrize("status", [500, 504, 408])
def test_what_costs_nothing_is_never_told_as_charged(tools, status):
    server = tools.Script([tools.Given(status, body=b"")])

    async def once():
        return await Gateway(SKETCH, None, server).models()

    with pytest.raises(ServerBusyError, match="; asking costs nothing; try again later") as caught:
        anyio.run(once)
    assert "charged" not in str(caught.value)


def test_a_server_inside_this_process_opens_no_socket(tools, monkeypatch):
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
def test_the_key_goes_into_the_one_header_that_the_server_wants(tools, auth, header, value):
    settings = GatewaySettings(url="https://x.example/v1", auth=auth, key_env="K")
    credential = find_credential({"K": "k-123456"}, settings, 0)
    server = tools.Script([tools.Given(body=tools.answer_body())])
    tools.generate(settings, credential, server)
    headers = server.asked[0][2]
    assert headers[header] == value
    assert {"authorization", "api-key"} & set(headers) == {header}


def test_a_server_that_wants_a_key_is_not_asked_without_one(tools):
    with pytest.raises(CredentialError, match="AI_GATEWAY_API_KEY"):
        tools.generate(GatewaySettings())


def test_what_was_not_charged_is_asked_again_until_it_succeeds(tools):
    answers = [
        tools.Given(429, {"Retry-After": "3"}, tools.error_body("rate_limit_exceeded")),
        tools.Given(503, {"Retry-After": "5"}),
        tools.Given(body=tools.answer_body()),
    ]
    server, naps = tools.Script(answers), tools.Naps()
    assert tools.generate(SKETCH, handler=server, sleep=naps).image == tools.PNG
    assert 3 <= naps.taken[0] <= 4
    assert 5 <= naps.taken[1] <= 7


@pytest.mark.parametrize(
    ("answer", "kind", "times"),
    [
        ((429, {}, b""), RateLimitedError, 6),
        ((503, {"retry-after": "0"}, b""), ServerBusyError, 6),
        ((503, {}, b""), OutcomeUnknownError, 1),
        ((500, {"retry-after": "1"}, b""), OutcomeUnknownError, 1),
        ((504, {}, b"<html>"), OutcomeUnknownError, 1),
        ((401, {}, b""), AuthenticationError, 1),
        ((302, {"location": "http://127.0.0.1/"}, b""), RejectedRequestError, 1),
        ((400, {}, b'{"error":{"code":"moderation_blocked"}}'), ModerationError, 1),
        ((200, {}, b'{"data":[]}'), InvalidResponseError, 1),
        ((204, {}, b""), InvalidResponseError, 1),
        ((200, {"content-encoding": "br"}, b"abc"), InvalidResponseError, 1),
    ],
)
def test_each_refusal_is_asked_as_often_as_its_billing_class_allows(tools, answer, kind, times):
    server = tools.Script([tools.Given(*answer)])
    with pytest.raises(kind):
        tools.generate(SKETCH, handler=server)
    assert len(server.asked) == times


def test_a_body_that_was_paid_for_is_kept_before_anything_reads_it(tools):
    server = tools.Script([tools.Given(body=b"garbage")])
    kept = []
    with pytest.raises(InvalidResponseError):
        tools.generate(SKETCH, handler=server, keep=kept.append)
    assert kept == [b"garbage"]


def test_a_refusal_is_not_kept(tools):
    kept = []
    with pytest.raises(AuthenticationError):
        tools.generate(SKETCH, handler=tools.Script([tools.Given(401)]), keep=kept.append)
    assert kept == []


def test_a_server_inside_this_process_that_fails_leaves_the_outcome_unknown(tools):
    def broken(*_asked):
        raise ZeroDivisionError("oh")

    with pytest.raises(OutcomeUnknownError, match="ZeroDivisionError"):
        tools.generate(SKETCH, handler=broken)


def test_the_deadline_holds_for_a_server_inside_this_process(tools):
    def slow(*_asked):
        time.sleep(2)
        return tools.Given()

    begun = time.monotonic()
    with pytest.raises(OutcomeUnknownError, match=r"within 1 s"):
        tools.generate(GatewaySettings(url="sketch:", timeout=1.0), handler=slow)
    assert time.monotonic() - begun < 1.8


def test_a_model_that_is_gone_is_told_with_what_is_offered_now(tools):
    gone = tools.Given(404, body=tools.error_body("model_not_found"))

    def server(_method, path, *_rest):
        return tools.Given(body=MODELS) if path == "/v1/models" else gone

    with pytest.raises(ModelUnavailableError) as caught:
        tools.generate(SKETCH, handler=server)
    assert "it offers: openai/gpt-image-2 ($0.05 an image)" in str(caught.value)
    assert caught.value.__context__ is None


def test_a_model_that_is_gone_is_told_even_if_the_list_cannot_be_had(tools):
    server = tools.Script([tools.Given(404, body=tools.error_body("model_not_found"))])
    with pytest.raises(ModelUnavailableError, match="set `model`") as caught:
        tools.generate(SKETCH, handler=server)
    assert caught.value.accepted is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize("list_answer", [(200, {}, MODELS), (500, {}, b"")])
def test_the_list_of_models_is_asked_for_once_however_many_images_need_it(tools, list_answer):
    asked = []

    def server(_method, path, *_rest):
        asked.append(path)
        gone = tools.Given(404, {}, tools.error_body("model_not_found"))
        return tools.Given(*list_answer) if path == "/v1/models" else gone

    async def many():
        gateway = Gateway(SKETCH, None, server)

        async def one():
            with pytest.raises(ModelUnavailableError):
                await gateway.generate(tools.REQUEST)

        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(one)

    anyio.run(many)
    assert asked.count("/v1/models") == 1


def test_zero_data_retention_is_refused_before_the_call(tools):
    options = {"gateway": {"zeroDataRetention": True}}
    server = tools.Script([tools.Given(body=tools.answer_body())])
    settings = GatewaySettings(provider_options=options)
    with pytest.raises(RejectedRequestError, match="zero data retention"):
        tools.generate(settings, handler=server)
    assert server.asked == []


def test_a_proxy_that_cannot_be_used_is_told_without_its_address(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "gopher://user:canary@proxy.example")
    with pytest.raises(UnreachableError, match="HTTPS_PROXY") as caught:
        Gateway(LOCAL, None)
    assert "canary" not in str(caught.value)
    assert caught.value.__context__ is None


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
def test_every_error_of_the_http_library_becomes_exactly_one_of_ours(kind):
    expected = OutcomeUnknownError
    if kind.__name__ in NOT_SENT:
        expected = UnreachableError
    elif kind.__name__ in NOT_SENDABLE:
        expected = RejectedRequestError
    assert type(client.translated(kind, "detail")) is expected


# Links


LINK = json.dumps({"data": [{"url": "https://images.example/a.png?sig=1"}]}).encode()
LINKING = GatewaySettings(url="http://127.0.0.1:1/v1", auth="none", accept_urls=True)


def streamed(status, body=b"", **headers):
    return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))


class Web:
    """A transport that plays both the server and the host of the link, and a resolver."""

    def __init__(self, tools, monkeypatch, addresses, answer=None, link=LINK):
        self.asked = []
        self.looked_up = []
        self.answer = answer or streamed(200, tools.PNG)
        self.link = link
        self.addresses = addresses
        monkeypatch.setattr(anyio, "getaddrinfo", self.look_up)

    async def look_up(self, host, port, **_options):
        self.looked_up.append(host)
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in self.addresses
        ]

    def __call__(self, request):
        if request.method == "POST":
            return streamed(200, self.link)
        self.asked.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer() if callable(self.answer) else self.answer

    def generate(self, tools, credential=None):
        async def once():
            gateway = Gateway(LINKING, credential)
            gateway._http = httpx.AsyncClient(transport=httpx.MockTransport(self))
            return await gateway.generate(tools.REQUEST)

        return anyio.run(once)


def test_a_link_is_fetched_from_the_address_that_was_checked_without_the_key(tools, monkeypatch):
    web = Web(tools, monkeypatch, ["93.184.215.14"])
    named = GatewaySettings(url="http://127.0.0.1:1/v1", key_env="K")
    assert web.generate(tools, find_credential({"K": "k-123456"}, named, 0)).image == tools.PNG
    (request,) = web.asked
    assert str(request.url) == "https://93.184.215.14/a.png?sig=1"
    assert request.headers["host"] == "images.example"
    assert request.extensions["sni_hostname"] == "images.example"
    assert not {"authorization", "api-key"} & set(request.headers)


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["93.184.215.14", "10.0.0.1"], ["169.254.169.254"], ["::1"]],
)
def test_a_link_into_a_private_network_is_not_fetched(tools, monkeypatch, addresses):
    web = Web(tools, monkeypatch, addresses)
    with pytest.raises(InvalidResponseError, match="not public") as caught:
        web.generate(tools)
    assert web.asked == []
    assert caught.value.body == LINK


@pytest.mark.parametrize("url", ["http://images.example/a", "https://u@images.example/"])
def test_a_link_that_is_not_plain_https_is_not_even_looked_up(tools, monkeypatch, url):
    link = json.dumps({"data": [{"url": url}]}).encode()
    web = Web(tools, monkeypatch, ["93.184.215.14"], link=link)
    with pytest.raises(InvalidResponseError, match="only https") as caught:
        web.generate(tools)
    assert (web.looked_up, caught.value.body) == ([], link)


def test_a_link_that_sends_on_is_not_followed(tools, monkeypatch):
    away = streamed(302, location="https://other.example/")
    web = Web(tools, monkeypatch, ["93.184.215.14"], away)
    with pytest.raises(InvalidResponseError, match="status 302"):
        web.generate(tools)
    assert len(web.asked) == 1


def test_a_second_address_is_tried_when_the_first_does_not_answer(tools, monkeypatch):
    web = Web(tools, monkeypatch, ["93.184.215.14", "93.184.215.15"], httpx.ConnectError("no"))
    with pytest.raises(InvalidResponseError, match="ConnectError") as caught:
        web.generate(tools)
    assert [request.url.host for request in web.asked] == web.addresses
    assert caught.value.body == LINK


@pytest.mark.parametrize(
    ("status", "kind"),
    [(status, DownloadError) for status in (408, 425, 429, 500, 503, 599)]
    + [(status, InvalidResponseError) for status in (204, 301, 400, 401, 403, 404, 410)],
)
def test_a_status_says_whether_a_link_may_be_fetched_later(tools, monkeypatch, status, kind):
    addresses = ["93.184.215.14", "93.184.215.15"]
    web = Web(tools, monkeypatch, addresses, lambda: streamed(status))
    with pytest.raises(InvalidResponseError, match=f"status {status}") as caught:
        web.generate(tools)
    assert (type(caught.value), caught.value.body) == (kind, LINK)
    assert len(web.asked) == (2 if kind is DownloadError else 1)


@pytest.mark.parametrize("addresses", [[], ["93.184.215.14"]])
def test_without_a_network_a_link_may_be_fetched_later(tools, monkeypatch, addresses):
    web = Web(tools, monkeypatch, addresses, httpx.ConnectError("no route"))
    with pytest.raises(DownloadError, match="cannot be fetched"):
        web.generate(tools)


def test_a_link_without_leave_is_refused_and_nothing_is_looked_up(tools, monkeypatch):
    web = Web(tools, monkeypatch, ["93.184.215.14"])
    server = tools.Script([tools.Given(body=LINK)])
    with pytest.raises(InvalidResponseError, match="accept_urls"):
        tools.generate(SKETCH, handler=server)
    assert web.looked_up == []


def test_a_data_link_needs_no_leave(tools):
    url = "data:image/png;base64," + base64.b64encode(tools.PNG).decode()
    server = tools.Script([tools.Given(body=json.dumps({"data": [{"url": url}]}).encode())])
    assert tools.generate(SKETCH, handler=server).image == tools.PNG
