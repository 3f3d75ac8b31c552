"""Answers as bytes: JSON, and the shapes an error comes in; pure.

Source: fact sheet "gateway protocol", section 4.1.
"""

from __future__ import annotations

import json
from typing import Any

from mkdocs_imagegen.emulator.records import Response


class RefusalError(Exception):
    """The request is answered with an error.

    Args:
        response: the answer.
    """

    def __init__(self, response: Response) -> None:
        self.response = response
        super().__init__(f"answered with {response.status}")


def as_json(status: int, payload: Any) -> Response:  # noqa: ANN401 - whatever JSON can say
    """An answer of JSON."""
    body = json.dumps(payload, separators=(",", ":")).encode("ascii")
    return Response(status, {"content-type": "application/json; charset=utf-8"}, body)


def nested(
    status: int,
    kind: str,
    message: str,
    *,
    param: Any = None,  # noqa: ANN401 - null, text or an object
    code: str | None = None,
) -> Response:
    """An error of shape A, the normal one; C and D are the same with other words in it."""
    error = {"message": message, "type": kind, "param": param, "code": code}
    return as_json(status, {"error": error})


def flat(status: int, kind: str, message: str) -> Response:
    """An error of shape B, where ``error`` is a plain text."""
    return as_json(status, {"error": message, "type": kind, "statusCode": status})


def wrapped(status: int, message: str) -> Response:
    """An error of shape C: what the provider said, wrapped by the gateway."""
    param = {
        "statusCode": status,
        "name": "AI_APICallError",
        "message": message,
        "url": "https://api.openai.com/v1/images/generations",
        "isRetryable": status >= 500,  # noqa: PLR2004 - the server's own fault
        "type": "AI_APICallError",
    }
    return nested(status, "AI_APICallError", message, param=param)


def page(status: int, title: str) -> Response:
    """Shape E: a page of HTML from something that stands in front."""
    text = (
        f"<!doctype html>\n<html><head><title>{title}</title></head><body>{title}</body></html>\n"
    )
    return Response(status, {"content-type": "text/html; charset=utf-8"}, text.encode())


def invalid(message: str, param: str, code: str = "invalid_value") -> RefusalError:
    """The refusal of one parameter."""
    return RefusalError(nested(400, "invalid_request_error", message, param=param, code=code))
