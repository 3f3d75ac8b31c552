"""The fields and the images of a request, as JSON or as a form; pure.

Source: fact sheet "gateway protocol", sections 1.4, 6.2 and 7.2.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from mkdocs_imagegen.emulator.bodies import RefusalError, invalid, nested
from mkdocs_imagegen.emulator.records import Call
from mkdocs_imagegen.frozen import dataclass

MOST_IMAGES = 16
LARGEST_IMAGE = 50 * 2**20
LARGEST_MASK = 4 * 2**20

_MOST_PARTS = 64
_NUMBERS = ("n", "output_compression")
_BOUNDARY = re.compile(r"multipart/form-data\s*;.*?boundary=\"?([^\";,\s]{1,200})", re.IGNORECASE)
_NAME = re.compile(rb"content-disposition:[^\r\n]*?[;\s]name=\"([^\"\r\n]*)\"", re.IGNORECASE)
_DATA = re.compile(r"data:[^,]{0,100};base64,")


@dataclass(frozen=True, slots=True)
class Form:
    """What a request says, and the images that it brings.

    Attributes:
        fields: everything but the images.
        images: the images to follow, in order.
        mask: where the first of them may change; None for everywhere.
    """

    fields: Mapping[str, Any]
    images: tuple[bytes, ...] = ()
    mask: bytes | None = None


def read_form(call: Call) -> Form:
    """What a request to ``/v1/images/edits`` says.

    Raises:
        RefusalError: with the gateway's answer.
    """
    boundary = _BOUNDARY.match(call.headers.get("content-type", ""))
    if boundary:
        return _of_parts(_parts(call.body, boundary[1].encode("latin-1")))
    fields = dict(read_fields(call.body))
    images, mask = fields.pop("images", None), fields.pop("mask", None)
    if images is not None and not isinstance(images, list):
        raise invalid("'images' is a list of objects with 'image_url'.", "images")
    listed = tuple(_of_address(each, "images") for each in images or ())
    return _checked(Form(fields, listed, _of_address(mask, "mask") if mask else None))


def read_native_form(fields: Mapping[str, Any]) -> Form:
    """What the AI SDK says, with its ``files`` and ``mask``.

    Raises:
        RefusalError: with the gateway's answer.
    """
    said = {name: value for name, value in fields.items() if name not in ("files", "mask")}
    files, mask = fields.get("files") or [], fields.get("mask")
    if not isinstance(files, list):
        raise invalid("'files' is a list.", "files")
    images = tuple(_of_file(each, "files") for each in files)
    return _checked(Form(said, images, _of_file(mask, "mask") if mask else None))


def read_fields(body: bytes) -> Mapping[str, Any]:
    """The JSON object of a body.

    Raises:
        RefusalError: 400 where it is none.
    """
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        message = "The body of the request is not a JSON object."
        raise RefusalError(nested(400, "invalid_request_error", message))
    return fields


def _checked(form: Form) -> Form:
    if len(form.images) > MOST_IMAGES:
        message = f"Too many images: {len(form.images)}; at most {MOST_IMAGES} are accepted."
        raise invalid(message, "image", "array_above_max_length")
    if any(len(each) > LARGEST_IMAGE for each in form.images):
        raise invalid("An image is larger than 50 MB.", "image", "image_too_large")
    if form.mask is not None and len(form.mask) >= LARGEST_MASK:
        raise invalid("The mask must be smaller than 4 MB.", "mask", "image_too_large")
    return form


def _of_address(said: object, name: str) -> bytes:
    if not isinstance(said, dict) or set(said) != {"image_url"}:
        message = f"Each of '{name}' is an object with 'image_url'; 'file_id' is not supported."
        raise invalid(message, name)
    return _data(said["image_url"], name)


def _data(address: object, name: str) -> bytes:
    data = _DATA.match(address) if isinstance(address, str) else None
    if data is None:
        raise invalid("The emulator fetches no address: send a data: URL.", name)
    return _decoded(data.string[data.end() :], name)


def _of_file(said: object, name: str) -> bytes:
    if isinstance(said, dict) and said.get("type") == "file":
        return _decoded(said.get("data"), name)
    if isinstance(said, dict) and said.get("type") == "url":
        return _data(said.get("url"), name)
    raise invalid(f"Each of '{name}' is a file or a url.", name)


def _decoded(text: object, name: str) -> bytes:
    try:
        return base64.b64decode(str(text), validate=True)
    except ValueError:
        raise invalid("The data is no base64.", name) from None


def _parts(body: bytes, boundary: bytes) -> Iterator[tuple[str, bytes]]:
    """The parts of a form, each with its name."""
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary, _MOST_PARTS)
    if not pieces[-1].startswith(b"--"):
        raise invalid("The form has no end, or too many parts.", "body")
    for piece in pieces[1:-1]:
        head, _, content = piece.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if name is None:
            raise invalid("A part of the form has no name.", "body")
        yield name[1].decode("utf-8", "replace"), content


def _of_parts(parts: Iterator[tuple[str, bytes]]) -> Form:
    fields: dict[str, Any] = {}
    images: list[bytes] = []
    mask = None
    for name, content in parts:
        if name in ("image", "image[]"):
            images.append(content)
        elif name == "mask":
            mask = content
        else:
            fields[name] = _value(name, content.decode("utf-8", "replace"))
    return _checked(Form(fields, tuple(images), mask))


def _value(name: str, text: str) -> object:
    """A field of a form, which is text, as JSON would have it."""
    if name in _NUMBERS and text.isascii() and text.isdigit():
        return int(text[:9])
    return read_fields(text.encode()) if name == "providerOptions" else text
