"""Links to an image: parsed strictly, and fetched only from public addresses.

A server that responds with a link decides which host this machine connects to: server-side request
forgery, https://owasp.org/www-community/attacks/Server_Side_Request_Forgery. Only https is
accepted, every address of the host must be public, and the connection goes to the checked address.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from urllib.parse import urlsplit

import anyio

from mkdocs_imagegen.errors import GatewayError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.gateway.exchange import ClientRequest, ClientResponse
from mkdocs_imagegen.gateway.untrusted import safe_text

LOOKUP_TIMEOUT_S = 20.0
Send = Callable[[ClientRequest], Awaitable[ClientResponse | GatewayError]]
"""Sends one request and follows no redirect."""

_HTTPS_PORT = 443
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
_RESERVED = (ipaddress.ip_network("192.0.0.0/24"), ipaddress.ip_network("3fff::/20"))
"""Networks of IANA's special-purpose registries that some versions of Python take for public."""

_TRANSIENT = frozenset({408, 425, 429, *range(500, 600)})
"""HTTP statuses of a server whose next response may be another one."""

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Link:
    """A parsed link: host and port to connect to, and the path with its query."""

    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """Value of the ``Host`` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _HTTPS_PORT else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class FetchFailure:
    """Reason why an image could not be fetched.

    Attributes:
        fault: The reason.
        is_transient: True if the image may be fetched later.
    """

    fault: str
    is_transient: bool = False


async def fetch_image(url: str, send: Send, timeout_s: float) -> bytes | FetchFailure:
    """Return the bytes behind a link, or the reason why they could not be fetched.

    Args:
        url: Link from the server.
        send: Sends one request.
        timeout_s: Seconds for each address of the host.
    """
    try:
        link = parse_link(url)
    except ValueError as error:
        return FetchFailure(safe_text(str(error)))
    addresses = await _look_up(link)
    if not all(map(is_public, addresses)):
        return FetchFailure("its host has an address that is not public")
    failure = FetchFailure("its host has no address", is_transient=True)
    for address in addresses:
        result = _content(await send(pinned_request(link, address, timeout_s)))
        if isinstance(result, bytes) or not result.is_transient:
            return result
        failure = result
    return failure


def parse_link(url: str) -> Link:
    """Return the parts of a link.

    Raises:
        ValueError: If it is not a plain https URL.
    """
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise ValueError("it has characters that are not valid in a URL")
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc:
        raise ValueError("only https URLs without a user name are fetched")
    query = f"?{parts.query}" if parts.query else ""
    return Link(parts.hostname, parts.port or _HTTPS_PORT, (parts.path or "/") + query)


def is_public(address: str) -> bool:
    """Return True if every network can reach an IP address, so that a request reveals no secret.

    An IPv6 address that contains an IPv4 address is public if both are.
    """
    try:
        outer = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    # The operating system connects to the IPv4 address that is mapped.
    plain = getattr(outer, "ipv4_mapped", None) or outer
    return all(map(_is_public, (plain, _embedded(plain))))


def _is_public(address: _Address) -> bool:
    is_ipv4 = isinstance(address, ipaddress.IPv4Address)
    is_assigned = is_ipv4 or address in _GLOBAL_UNICAST or address in _NAT64
    is_reserved = address.is_multicast or any(address in each for each in _RESERVED)
    return is_assigned and address.is_global and not is_reserved


def pinned_request(link: Link, address: str, timeout_s: float) -> ClientRequest:
    """Return the request that fetches a link from one IP address, with the link's host name.

    A second look-up of the name, at connection time, could return another address than the one
    that was checked.
    """
    host = f"[{address}]" if ":" in address else address
    url = f"https://{host}:{link.port}{link.target}"
    headers = {"host": link.authority, "accept": "image/*"}
    return ClientRequest("GET", url, timeout_s, headers=headers, server_name=link.host)


def _content(result: ClientResponse | GatewayError) -> bytes | FetchFailure:
    if isinstance(result, GatewayError):
        return FetchFailure(result.fault, is_transient=True)
    if result.status != HTTPStatus.OK:
        fault = f"its server returned status {result.status}"
        return FetchFailure(fault, is_transient=result.status in _TRANSIENT)
    return FetchFailure(result.problem) if result.problem else result.body


async def _look_up(link: Link) -> list[str]:
    """Return the IP addresses of a link's host, the preferred one first."""
    found: list[str] = []
    with anyio.move_on_after(LOOKUP_TIMEOUT_S):
        try:
            rows = await anyio.getaddrinfo(link.host, link.port, type=socket.SOCK_STREAM)
            found = [str(row[4][0]) for row in rows]
        except (OSError, UnicodeError):
            return []
    return found


def _embedded(address: _Address) -> _Address:
    """Return the IPv4 address in a NAT64, 6to4 or Teredo address, else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.sixtofour or (address.teredo or (None, address))[1]
