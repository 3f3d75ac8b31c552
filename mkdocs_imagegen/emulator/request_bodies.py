"""Decoding of request bodies: JSON objects and multipart forms, with their images.

The limits are those of https://developers.openai.com/api/docs/guides/image-generation.
Pure: no I/O, clock or environment.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from mkdocs_imagegen.emulator.responses import RefusedError, invalid_parameter, nested_error
from mkdocs_imagegen.emulator.wire_types import HttpRequest
from mkdocs_imagegen.frozen import dataclass

MAX_REFERENCES = 16
MAX_REFERENCE_BYTES = 50 * 2**20
MAX_MASK_BYTES = 4 * 2**20

_MAX_PARTS = 64
_NUMBERS = ("n", "output_compression")
_BOUNDARY = re.compile(r"multipart/form-data\s*;.*?boundary=\"?([^\";,\s]{1,200})", re.IGNORECASE)
_NAME = re.compile(rb"content-disposition:[^\r\n]*?[;\s]name=\"([^\"\r\n]*)\"", re.IGNORECASE)
_DATA_URL = re.compile(r"data:[^,]{0,100};base64,")


@dataclass(frozen=True, slots=True)
class RequestBody:
    """Decoded body of a request.

    Attributes:
        fields: All fields but the images.
        references: Reference images, in order.
        mask: Editable area of the first reference image; None for the whole image.
    """

    fields: Mapping[str, Any]
    references: tuple[bytes, ...] = ()
    mask: bytes | None = None


def decode_edit(request: HttpRequest) -> RequestBody:
    """Decode a request to ``/v1/images/edits``, as JSON or as a multipart form.

    Raises:
        RefusedError: If the body is malformed.
    """
    boundary = _BOUNDARY.match(request.headers.get("content-type", ""))
    if boundary:
        return _from_parts(_parts(request.body, boundary[1].encode("latin-1")))
    fields = dict(decode_json(request.body))
    images, mask = fields.pop("images", None), fields.pop("mask", None)
    if images is not None and not isinstance(images, list):
        raise invalid_parameter("'images' is a list of objects with 'image_url'.", "images")
    listed = tuple(_from_image_url(each, "images") for each in images or ())
    return _limited(RequestBody(fields, listed, _from_image_url(mask, "mask") if mask else None))


def decode_sdk_files(fields: Mapping[str, Any]) -> RequestBody:
    """Decode the ``files`` and the ``mask`` of a request from the AI SDK.

    Raises:
        RefusedError: If a file or the mask is malformed.
    """
    others = {name: value for name, value in fields.items() if name not in ("files", "mask")}
    files, mask = fields.get("files") or [], fields.get("mask")
    if not isinstance(files, list):
        raise invalid_parameter("'files' is a list.", "files")
    images = tuple(_from_file(each, "files") for each in files)
    return _limited(RequestBody(others, images, _from_file(mask, "mask") if mask else None))


def decode_json(body: bytes) -> Mapping[str, Any]:
    """Decode a JSON object.

    Raises:
        RefusedError: If the body is not a JSON object.
    """
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        message = "The body of the request is not a JSON object."
        raise RefusedError(nested_error(400, "invalid_request_error", message))
    return fields


def _limited(body: RequestBody) -> RequestBody:
    if len(body.references) > MAX_REFERENCES:
        message = f"Too many images: {len(body.references)}; at most {MAX_REFERENCES} are accepted."
        raise invalid_parameter(message, "image", "array_above_max_length")
    if any(len(each) > MAX_REFERENCE_BYTES for each in body.references):
        raise invalid_parameter("An image is larger than 50 MB.", "image", "image_too_large")
    if body.mask is not None and len(body.mask) >= MAX_MASK_BYTES:
        raise invalid_parameter("The mask must be smaller than 4 MB.", "mask", "image_too_large")
    return body


def _from_image_url(value: object, name: str) -> bytes:
    if not isinstance(value, dict) or set(value) != {"image_url"}:
        message = f"Each of '{name}' is an object with 'image_url'; 'file_id' is not supported."
        raise invalid_parameter(message, name)
    return _from_data_url(value["image_url"], name)


def _from_data_url(url: object, name: str) -> bytes:
    data = _DATA_URL.match(url) if isinstance(url, str) else None
    if data is None:
        raise invalid_parameter("The emulator downloads no files: send a data: URL.", name)
    return _decode_base64(data.string[data.end() :], name)


def _from_file(value: object, name: str) -> bytes:
    if isinstance(value, dict) and value.get("type") == "file":
        return _decode_base64(value.get("data"), name)
    if isinstance(value, dict) and value.get("type") == "url":
        return _from_data_url(value.get("url"), name)
    raise invalid_parameter(f"Each of '{name}' is a file or a url.", name)


def _decode_base64(text: object, name: str) -> bytes:
    try:
        return base64.b64decode(str(text), validate=True)
    except ValueError:
        raise invalid_parameter("The data is not valid base64.", name) from None


def _parts(body: bytes, boundary: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of each part of a form."""
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary, _MAX_PARTS)
    if not pieces[-1].startswith(b"--"):
        raise invalid_parameter("The form has no end or too many parts.", "body")
    for piece in pieces[1:-1]:
        head, _, content = piece.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if name is None:
            raise invalid_parameter("A part of the form has no name.", "body")
        yield name[1].decode("utf-8", "replace"), content


def _from_parts(parts: Iterator[tuple[str, bytes]]) -> RequestBody:
    fields: dict[str, Any] = {}
    images: list[bytes] = []
    mask = None
    for name, content in parts:
        if name in ("image", "image[]"):
            images.append(content)
        elif name == "mask":
            mask = content
        else:
            fields[name] = _typed(name, content.decode("utf-8", "replace"))
    return _limited(RequestBody(fields, tuple(images), mask))


def _typed(name: str, text: str) -> object:
    """Convert the text of a form field to the type that JSON would have."""
    if name in _NUMBERS and text.isascii() and text.isdigit():
        return int(text[:9])
    return decode_json(text.encode()) if name == "providerOptions" else text
