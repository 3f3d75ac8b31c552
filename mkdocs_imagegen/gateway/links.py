"""Which addresses an image may be fetched from; pure.

A server that answers with a link decides where this machine connects to, so the link is read
strictly and every address of its host must be a public one (fact sheet "reliability", section 5).
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from mkdocs_imagegen.frozen import dataclass

_HTTPS_PORT = 443
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Link:
    """A link taken apart: the host and port to connect to, and the path with its query."""

    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """Host and port as the ``Host`` header wants them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _HTTPS_PORT else f"{host}:{self.port}"


def read_link(url: str) -> Link:
    """The link taken apart.

    Raises:
        ValueError: it is not a plain https address; its text says why.
    """
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise ValueError("it holds characters that no address has")
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc:
        raise ValueError("only https addresses without a user name are fetched")
    query = f"?{parts.query}" if parts.query else ""
    return Link(parts.hostname, parts.port or _HTTPS_PORT, (parts.path or "/") + query)


def is_public(address: str) -> bool:
    """Whether an IP address can be reached from anywhere, so that fetching it betrays nothing.

    An address that carries another one (IPv4 in IPv6) is public where both are.
    """
    try:
        outer = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    # An IPv4 address written as IPv6 is judged as the IPv4 address it is.
    plain = getattr(outer, "ipv4_mapped", None) or outer
    return all(each.is_global and not each.is_multicast for each in (plain, _carried(plain)))


def _carried(address: _Address) -> _Address:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.sixtofour or (address.teredo or (None, address))[1]
