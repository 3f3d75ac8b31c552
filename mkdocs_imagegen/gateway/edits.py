"""A request as it is posted: for an image from words, or for one that follows others; pure.

A request with references goes to ``/images/edits``. Vercel's gateway gets JSON, which it documents
and which carries ``providerOptions`` as they are; every other server gets ``multipart/form-data``,
the only form that all of them read (fact sheet "gateway protocol", sections 1.4 and 9).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import field

from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.gateway.wire import encoded, request_body
from mkdocs_imagegen.request import TAKE_HEADER, ImageRequest
from mkdocs_imagegen.settings import GatewaySettings

_JSON = {"content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class Attachment:
    """A image that goes with a request."""

    content: bytes = field(repr=False)
    mime: str


@dataclass(frozen=True, slots=True)
class Attached:
    """All images that go with a request.

    Attributes:
        references: those to follow, in order.
        mask: where the first may change; None for everywhere.
    """

    references: tuple[Attachment, ...] = ()
    mask: Attachment | None = None


NOTHING = Attached()


@dataclass(frozen=True, slots=True)
class Posted:
    """What is posted, and where.

    Attributes:
        path: below the server's address.
        content: the whole body.
        headers: what they say of the body.
    """

    path: str
    content: bytes = field(repr=False)
    headers: Mapping[str, str]


def posted(request: ImageRequest, settings: GatewaySettings, attached: Attached) -> Posted:
    """The request, ready to be sent.

    Raises:
        RejectedRequestError: a provider option is nothing that JSON can express.
    """
    body = request_body(request, settings)
    # Real servers know nothing of takes: asked again, they draw another image anyway.
    take = {TAKE_HEADER: str(request.take)} if settings.is_sketch and request.take > 1 else {}
    if not attached.references:
        return Posted("images/generations", encoded(body), _JSON | take)
    if settings.is_vercel:
        return Posted("images/edits", encoded(body | _addresses(attached)), _JSON)
    content, kind = _multipart(body, attached)
    return Posted("images/edits", content, {"content-type": kind} | take)


def _addresses(attached: Attached) -> dict[str, object]:
    images = [{"image_url": _data(each)} for each in attached.references]
    mask = {"mask": {"image_url": _data(attached.mask)}} if attached.mask else {}
    return {"images": images, **mask}


def _data(attachment: Attachment) -> str:
    return f"data:{attachment.mime};base64,{base64.b64encode(attachment.content).decode('ascii')}"


def _multipart(body: Mapping[str, object], attached: Attached) -> tuple[bytes, str]:
    """The body and its content type; the same request gives the same bytes."""
    parts = [*_texts(body), *_files(attached)]
    boundary = hashlib.sha256(b"".join(each for pair in parts for each in pair)).hexdigest()
    line = f"--{boundary}\r\n".encode()
    pieces = (each for head, content in parts for each in (line, head, content, b"\r\n"))
    content = b"".join([*pieces, f"--{boundary}--\r\n".encode()])
    return content, f"multipart/form-data; boundary={boundary}"


def _texts(body: Mapping[str, object]) -> Iterator[tuple[bytes, bytes]]:
    for name, value in body.items():
        text = json.dumps(value) if isinstance(value, dict) else str(value)
        # A lone surrogate is no UTF-8; it can only come from a broken file name or escape.
        yield _head(name), text.encode("utf-8", "replace")


def _files(attached: Attached) -> Iterator[tuple[bytes, bytes]]:
    name = "image" if len(attached.references) == 1 else "image[]"
    for number, each in enumerate(attached.references, 1):
        yield _head(name, f"reference-{number}", each.mime), each.content
    if attached.mask:
        yield _head("mask", "mask", attached.mask.mime), attached.mask.content


def _head(name: str, file: str = "", mime: str = "") -> bytes:
    head = f'Content-Disposition: form-data; name="{name}"'
    if file:
        head += f'; filename="{file}.{mime.partition("/")[2]}"\r\nContent-Type: {mime}'
    return f"{head}\r\n\r\n".encode()
