"""What a server's reply comes to: the body of a success, or an error; pure but for the key."""

from __future__ import annotations

from mkdocs_imagegen.errors import (
    AuthenticationError,
    InvalidResponseError,
    OutcomeUnknownError,
    ServerBusyError,
)
from mkdocs_imagegen.gateway.calls import Reply
from mkdocs_imagegen.gateway.credentials import Credential
from mkdocs_imagegen.gateway.failures import read_error

_SUCCESS = range(200, 300)


def for_nothing(error: OutcomeUnknownError) -> ServerBusyError:
    """The error of a call that costs nothing, whatever came of it."""
    hint = "asking costs nothing; try again later"
    return ServerBusyError(error.fault, hint=hint, status=error.status, request_id=error.request_id)


def body_of_success(reply: Reply, credential: Credential | None, now: float) -> bytes:
    """The body of a success, without the key, wherever the server repeats it.

    Args:
        reply: the server's.
        credential: the key, if there is one.
        now: seconds since 1970.

    Raises:
        GatewayError: it was none, or its body cannot be taken.
    """
    body = credential.redact(reply.body) if credential else reply.body
    if reply.status in _SUCCESS:
        if not reply.problem:
            return body
        fault = f"the server's answer cannot be used: {reply.problem}"
        raise InvalidResponseError(fault, body=body, status=reply.status)
    error = read_error(reply.status, reply.headers, reply.body, now)
    if isinstance(error, AuthenticationError) and credential:
        error.hint = credential.advice
    raise error
