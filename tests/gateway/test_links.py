"""Which addresses an image may be fetched from."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkdocs_imagegen.gateway.addresses import pinned
from mkdocs_imagegen.gateway.links import Link, is_public, read_link


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
        "localhost",
        "",
    ],
)
def test_an_address_inside_a_network_is_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "2606:4700::1111", "::ffff:93.184.215.14", "64:ff9b::5db8:d70e"]
)
def test_an_address_of_the_internet_is_public(address):
    assert is_public(address)


@given(st.ip_addresses(v=4, network="127.0.0.0/8") | st.ip_addresses(v=4, network="10.0.0.0/8"))
def test_no_way_of_carrying_a_private_address_makes_it_public(address):
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
def test_only_a_plain_https_address_is_read(url):
    with pytest.raises(ValueError, match=r"."):
        read_link(url)


@pytest.mark.parametrize(
    ("url", "link", "authority"),
    [
        ("https://x.example", Link("x.example", 443, "/"), "x.example"),
        ("https://x.example/a?b=c#d", Link("x.example", 443, "/a?b=c"), "x.example"),
        ("https://X.example:8443/a", Link("x.example", 8443, "/a"), "x.example:8443"),
        ("https://[2606:4700::1]/a", Link("2606:4700::1", 443, "/a"), "[2606:4700::1]"),
    ],
)
def test_a_link_is_taken_apart(url, link, authority):
    assert read_link(url) == link
    assert link.authority == authority


@given(st.text(max_size=50))
def test_whatever_the_link_it_is_read_or_refused(url):
    for text in (url, f"https://{url}"):
        try:
            assert read_link(text).target.startswith("/")
        except ValueError:
            continue


@pytest.mark.parametrize(
    ("address", "start"), [("93.184.215.14", "93.184.215.14"), ("2606::1", "[2606::1]")]
)
def test_a_pinned_call_goes_to_the_address_and_asks_for_the_name(address, start):
    call = pinned(Link("x.example", 443, "/a?b"), address, 5)
    assert call.url == f"https://{start}:443/a?b"
    assert call.headers["host"] == "x.example"
    assert (call.server_name, call.with_key) == ("x.example", False)
