"""Fetching a link from the public addresses of its host, and from nowhere else."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import anyio

from mkdocs_imagegen.errors import GatewayError
from mkdocs_imagegen.gateway.calls import Call, Reply
from mkdocs_imagegen.gateway.links import Link, is_public, read_link
from mkdocs_imagegen.gateway.quoting import quoted

LOOK_UP_S = 20.0
Attempt = Callable[[Call], Awaitable[Reply | GatewayError]]


async def fetch(url: str, attempt: Attempt, deadline_s: float) -> bytes | str:
    """The bytes behind a link; or why they cannot be had, in words.

    Args:
        url: the link, as the server gave it.
        attempt: makes one call, without following anything.
        deadline_s: seconds that each address of the host may take.
    """
    try:
        link = read_link(url)
    except ValueError as error:
        return quoted(str(error))
    fault = "its host has no address, or one that is not public"
    for address in await public_addresses(link):
        outcome = await attempt(pinned(link, address, deadline_s))
        if isinstance(outcome, GatewayError):
            fault = outcome.fault
        elif outcome.status != HTTPStatus.OK or outcome.problem:
            fault = outcome.problem or f"its server answered with status {outcome.status}"
        else:
            return outcome.body
    return fault


async def public_addresses(link: Link) -> list[str]:
    """The addresses of a link's host, best first; none at all if one of them is not public."""
    found: list[str] = []
    with anyio.move_on_after(LOOK_UP_S):
        try:
            rows = await anyio.getaddrinfo(link.host, link.port, type=socket.SOCK_STREAM)
            found = [str(row[4][0]) for row in rows]
        except (OSError, UnicodeError):
            return []
    return found if all(map(is_public, found)) else []


def pinned(link: Link, address: str, deadline_s: float) -> Call:
    """The call that fetches a link from one address, under the name that the link gives.

    Looking the name up again when connecting could give another address than the one checked.
    """
    host = f"[{address}]" if ":" in address else address
    url = f"https://{host}:{link.port}{link.target}"
    headers = {"host": link.authority, "accept": "image/*"}
    return Call("GET", url, deadline_s, headers=headers, server_name=link.host)
