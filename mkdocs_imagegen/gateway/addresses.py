"""Fetching a link from the public addresses of its host, and from nowhere else."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import anyio

from mkdocs_imagegen.errors import GatewayError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.gateway.calls import Call, Reply
from mkdocs_imagegen.gateway.links import Link, is_public, read_link
from mkdocs_imagegen.gateway.quoting import quoted

LOOK_UP_S = 20.0
Attempt = Callable[[Call], Awaitable[Reply | GatewayError]]


_NOT_NOW = frozenset({408, 425, 429, *range(500, 600)})
"""Statuses of a server that may answer otherwise when it is asked again."""


@dataclass(frozen=True, slots=True)
class Unfetched:
    """Why what a link leads to cannot be had, and whether it may be had later."""

    fault: str
    is_for_now: bool = False


async def fetch(url: str, attempt: Attempt, deadline_s: float) -> bytes | Unfetched:
    """The bytes behind a link; or why they cannot be had.

    Args:
        url: the link, as the server gave it.
        attempt: makes one call, without following anything.
        deadline_s: seconds that each address of the host may take.
    """
    try:
        link = read_link(url)
    except ValueError as error:
        return Unfetched(quoted(str(error)))
    addresses = await _addresses(link)
    if not all(map(is_public, addresses)):
        return Unfetched("its host has an address that is not public")
    unfetched = Unfetched("its host has no address", is_for_now=True)
    for address in addresses:
        fetched = _fetched(await attempt(pinned(link, address, deadline_s)))
        if isinstance(fetched, bytes) or not fetched.is_for_now:
            return fetched
        unfetched = fetched
    return unfetched


def _fetched(outcome: Reply | GatewayError) -> bytes | Unfetched:
    if isinstance(outcome, GatewayError):
        return Unfetched(outcome.fault, is_for_now=True)
    if outcome.status != HTTPStatus.OK:
        fault = f"its server answered with status {outcome.status}"
        return Unfetched(fault, is_for_now=outcome.status in _NOT_NOW)
    return Unfetched(outcome.problem) if outcome.problem else outcome.body


async def _addresses(link: Link) -> list[str]:
    """The addresses of a link's host, best first."""
    found: list[str] = []
    with anyio.move_on_after(LOOK_UP_S):
        try:
            rows = await anyio.getaddrinfo(link.host, link.port, type=socket.SOCK_STREAM)
            found = [str(row[4][0]) for row in rows]
        except (OSError, UnicodeError):
            return []
    return found


def pinned(link: Link, address: str, deadline_s: float) -> Call:
    """The call that fetches a link from one address, under the name that the link gives.

    Looking the name up again when connecting could give another address than the one checked.
    """
    host = f"[{address}]" if ":" in address else address
    url = f"https://{host}:{link.port}{link.target}"
    headers = {"host": link.authority, "accept": "image/*"}
    return Call("GET", url, deadline_s, headers=headers, server_name=link.host)
