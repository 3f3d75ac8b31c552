"""Links to an image, and the addresses that they are fetched from."""

import base64
import ipaddress
import json
import socket

import anyio
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkdocs_imagegen.errors import DownloadError, InvalidResponseError
from mkdocs_imagegen.gateway.client import Gateway
from mkdocs_imagegen.gateway.credentials import find_credential
from mkdocs_imagegen.gateway.links import Link, is_public, parse_link, pinned_request
from mkdocs_imagegen.settings import GatewaySettings


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - an address to refuse
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:224.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "::127.0.0.1",
        "fec0::1",
        "64:ff9b:1::7f00:1",
        "3fff::1",
        "5f00::1",
        "::ffff:0:127.0.0.1",
        "192.0.0.8",
        "localhost",
        "",
    ],
)
def test_private_address_is_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "2606:4700::1111", "::ffff:93.184.215.14", "64:ff9b::5db8:d70e"]
)
def test_internet_address_is_public(address):
    assert is_public(address)


@given(st.ip_addresses(v=4, network="127.0.0.0/8") | st.ip_addresses(v=4, network="10.0.0.0/8"))
def test_private_address_is_not_public_when_embedded_in_ipv6(address):
    for carried in (
        address,
        ipaddress.IPv6Address((0xFFFF << 32) | int(address)),
        ipaddress.IPv6Address((0x64FF9B << 96) | int(address)),
        ipaddress.IPv6Address((0x2002 << 112) | (int(address) << 80)),
    ):
        assert not is_public(str(carried))


@pytest.mark.parametrize(
    "url",
    [
        "http://x.example/a",
        "ftp://x.example/a",
        "file:///etc/passwd",
        "//x.example/a",
        "https:///a",
        "https://user:word@x.example/a",
        "https://x.example:99999/a",
        "https://x.example:port/a",
        "https://[::1/a",
        "https://x.example/a b",
        "https://x.example/a\r\nhost: y",
        "https://x.example\\@y.example/",
        "https://exämple.org/",
    ],
)
def test_link_is_rejected_unless_it_is_a_plain_https_url(url):
    with pytest.raises(ValueError, match=r"."):
        parse_link(url)


@pytest.mark.parametrize(
    ("url", "link", "authority"),
    [
        ("https://x.example", Link("x.example", 443, "/"), "x.example"),
        ("https://x.example/a?b=c#d", Link("x.example", 443, "/a?b=c"), "x.example"),
        ("https://X.example:8443/a", Link("x.example", 8443, "/a"), "x.example:8443"),
        ("https://[2606:4700::1]/a", Link("2606:4700::1", 443, "/a"), "[2606:4700::1]"),
    ],
)
def test_link_is_parsed(url, link, authority):
    assert parse_link(url) == link
    assert link.authority == authority


@given(st.text(max_size=50))
def test_link_of_any_text_is_parsed_or_rejected(url):
    for text in (url, f"https://{url}"):
        try:
            assert parse_link(text).target.startswith("/")
        except ValueError:
            continue


@pytest.mark.parametrize(
    ("address", "start"), [("93.184.215.14", "93.184.215.14"), ("2606::1", "[2606::1]")]
)
def test_pinned_request_connects_to_the_address_with_the_host_name(address, start):
    call = pinned_request(Link("x.example", 443, "/a?b"), address, 5)
    assert call.url == f"https://{start}:443/a?b"
    assert call.headers["host"] == "x.example"
    assert (call.server_name, call.has_credential) == ("x.example", False)


LINK = json.dumps({"data": [{"url": "https://images.example/a.png?sig=1"}]}).encode()
SKETCH = GatewaySettings(url="sketch:", output_format="png")
LINKING = GatewaySettings(url="http://127.0.0.1:1/v1", auth="none", accept_urls=True)


def streamed(status, body=b"", **headers):
    return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))


class Web:
    """Transport of the server and of the link's host, and a resolver of names."""

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


def test_link_is_fetched_from_the_checked_address_without_the_credential(tools, monkeypatch):
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
def test_link_is_not_fetched_when_an_address_is_private(tools, monkeypatch, addresses):
    web = Web(tools, monkeypatch, addresses)
    with pytest.raises(InvalidResponseError, match="not public") as caught:
        web.generate(tools)
    assert web.asked == []
    assert caught.value.body == LINK


@pytest.mark.parametrize("url", ["http://images.example/a", "https://u@images.example/"])
def test_link_is_not_looked_up_unless_it_is_plain_https(tools, monkeypatch, url):
    link = json.dumps({"data": [{"url": url}]}).encode()
    web = Web(tools, monkeypatch, ["93.184.215.14"], link=link)
    with pytest.raises(InvalidResponseError, match="only https") as caught:
        web.generate(tools)
    assert (web.looked_up, caught.value.body) == ([], link)


def test_redirect_of_a_link_is_not_followed(tools, monkeypatch):
    away = streamed(302, location="https://other.example/")
    web = Web(tools, monkeypatch, ["93.184.215.14"], away)
    with pytest.raises(InvalidResponseError, match="status 302"):
        web.generate(tools)
    assert len(web.asked) == 1


def test_second_address_is_tried_when_the_first_is_unreachable(tools, monkeypatch):
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
def test_status_decides_whether_a_link_can_be_fetched_later(tools, monkeypatch, status, kind):
    addresses = ["93.184.215.14", "93.184.215.15"]
    web = Web(tools, monkeypatch, addresses, lambda: streamed(status))
    with pytest.raises(InvalidResponseError, match=f"status {status}") as caught:
        web.generate(tools)
    assert (type(caught.value), caught.value.body) == (kind, LINK)
    assert len(web.asked) == (2 if kind is DownloadError else 1)


@pytest.mark.parametrize("addresses", [[], ["93.184.215.14"]])
def test_link_can_be_fetched_later_when_the_network_is_down(tools, monkeypatch, addresses):
    web = Web(tools, monkeypatch, addresses, httpx.ConnectError("no route"))
    with pytest.raises(DownloadError, match="cannot be fetched"):
        web.generate(tools)


def test_link_is_rejected_when_accept_urls_is_off(tools, monkeypatch):
    web = Web(tools, monkeypatch, ["93.184.215.14"])
    server = tools.Script([tools.Given(body=LINK)])
    with pytest.raises(InvalidResponseError, match="accept_urls"):
        tools.generate(SKETCH, handler=server)
    assert web.looked_up == []


def test_data_url_is_accepted_when_accept_urls_is_off(tools):
    url = "data:image/png;base64," + base64.b64encode(tools.PNG).decode()
    server = tools.Script([tools.Given(body=json.dumps({"data": [{"url": url}]}).encode())])
    assert tools.generate(SKETCH, handler=server).image == tools.PNG
