"""Wire format of the OpenAI-compatible image API: requests encoded, responses decoded.

Pure: no I/O, clock or environment. A request with reference images goes to ``/images/edits``.
Vercel's AI Gateway gets it as JSON, which also carries ``providerOptions``; every other server gets
``multipart/form-data``, the only form that all of them read. Sources:
https://vercel.com/docs/ai-gateway/sdks-and-apis/rest-api and
https://developers.openai.com/api/reference/resources/images.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from decimal import Decimal
from typing import NoReturn

from mkdocs_imagegen.errors import InvalidResponseError, RejectedRequestError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.gateway.exchange import ClientRequest
from mkdocs_imagegen.gateway.untrusted import (
    as_mapping,
    parse_object,
    parse_usd,
    safe_id,
    safe_name,
    safe_text,
)
from mkdocs_imagegen.request import SKETCH_MARK, TAKE_HEADER, ImageRequest
from mkdocs_imagegen.settings import GatewaySettings

_JSON = {"content-type": "application/json"}
_MAX_WARNINGS = 20
_WARNING_KEYS = ("type", "feature", "setting", "details", "message")
_DATA_URL = re.compile(r"data:[^,]{0,200},", re.IGNORECASE)
_AVIF_BRANDS = (b"avif", b"avis")
_BRANDS_END = 64


@dataclass(frozen=True, slots=True)
class Attachment:
    """An image that is sent with a request."""

    content: bytes = field(repr=False)
    mime: str


@dataclass(frozen=True, slots=True)
class Attachments:
    """All images that are sent with a request.

    Attributes:
        references: Reference images, in order.
        mask: Mask of the first reference image, or None.
    """

    references: tuple[Attachment, ...] = ()
    mask: Attachment | None = None


NO_ATTACHMENTS = Attachments()


@dataclass(frozen=True, slots=True)
class ImageResponse:
    """One image from a server.

    Attributes:
        image: Bytes exactly as received.
        mime: MIME type from the file signature, not from the request.
        is_sketch: True if the emulator drew the image, which is no original of a real model.
        cost_usd: Dollars charged, or None if the server names no cost.
        model: Model that generated the image: a fallback, if AI Gateway was told of any.
        quality: Quality of the image, if the server names it; else ``""``.
        generation_id: The server's identifier of the request, if it gives one.
        warnings: Warnings of the server, and of the comparison with the request.
    """

    image: bytes
    mime: str
    is_sketch: bool
    cost_usd: Decimal | None
    model: str
    quality: str
    generation_id: str | None
    warnings: tuple[str, ...]


def encode_request(
    request: ImageRequest, settings: GatewaySettings, attachments: Attachments, base_url: str
) -> ClientRequest:
    """Return the HTTP request that generates an image.

    Raises:
        RejectedRequestError: If JSON cannot express a provider option.
    """
    fields = request_fields(request, settings)
    # Only the emulator reads the take. A real model generates another image for each request.
    take = {TAKE_HEADER: str(request.take)} if settings.is_sketch and request.take > 1 else {}
    path, content_type = "images/edits", _JSON
    if not attachments.references:
        path, body = "images/generations", encode_json(fields)
    elif settings.is_vercel:
        body = encode_json(fields | _data_urls(attachments))
    else:
        body, content_type = _encode_form(fields, attachments)
    return ClientRequest(
        "POST",
        f"{base_url}/{path}",
        settings.timeout,
        body,
        has_credential=True,
        headers=content_type | take,
        model=request.model,
    )


def request_fields(request: ImageRequest, settings: GatewaySettings) -> dict[str, object]:
    """Return the body's fields except the attachments.

    ``quality`` is always sent: the default of some models is their most expensive one.
    """
    fields: dict[str, object] = {
        "model": request.model,
        "prompt": request.prompt,
        "n": 1,
        "size": str(request.size),
        "quality": request.quality,
        "output_format": settings.output_format,
    }
    if request.background != "auto":
        fields["background"] = request.background
    if settings.send_response_format == "true":
        fields["response_format"] = "b64_json"
    if settings.provider_options and sends_provider_options(settings):
        fields["providerOptions"] = dict(settings.provider_options)
    return fields


def sends_provider_options(settings: GatewaySettings) -> bool:
    """Return True if the server gets ``providerOptions``, a field that OpenAI's API rejects."""
    if settings.send_provider_options == "auto":
        return settings.is_vercel
    return settings.send_provider_options == "true"


def encode_json(fields: Mapping[str, object]) -> bytes:
    """Return the fields as JSON.

    Raises:
        RejectedRequestError: If JSON cannot express a provider option.
    """
    try:
        return json.dumps(fields, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError):
        fault = "gateway.provider_options have a value that JSON cannot express"
    raise RejectedRequestError(fault, hint="put dates and similar values in quotes")


def decode_response(
    body: bytes, request: ImageRequest, settings: GatewaySettings, fetched: bytes | None = None
) -> ImageResponse:
    """Return the image in the body of a successful response, with the server's metadata.

    Args:
        body: Whole body.
        request: Request that was sent.
        settings: Settings with which it was sent.
        fetched: Bytes of the image if the body only has a link to it.

    Raises:
        InvalidResponseError: If the body has no usable image. The error keeps the body.
    """
    response = _object(body)
    image = fetched if fetched is not None else _image(_first_image(response, body), body)
    mime = mime_of(image) or _raise("its data is not a PNG, JPEG, WebP or AVIF image", body)
    metadata = _metadata(response)
    gateway = as_mapping(metadata.get("gateway"))
    routing = as_mapping(gateway.get("routing"))
    has_mark = as_mapping(metadata.get("imagegen")).get("sketch") is True
    return ImageResponse(
        image=image,
        mime=mime,
        is_sketch=has_mark or SKETCH_MARK in image,
        cost_usd=parse_usd(gateway.get("cost")),
        model=safe_name(routing.get("canonicalSlug")) or request.model,
        quality=safe_name(response.get("quality")) or "",
        generation_id=safe_id(gateway.get("generationId")),
        warnings=(*_warnings(response), *_format_warning(settings.output_format, mime)),
    )


def image_link(body: bytes) -> str | None:
    """Return the link in a response without image data, or None.

    Raises:
        InvalidResponseError: If the body is not a response with an image or a link.
    """
    first = _first_image(_object(body), body)
    url = first.get("url")
    if first.get("b64_json") or not isinstance(url, str) or _DATA_URL.match(url):
        return None
    return url or None


def mime_of(image: bytes) -> str | None:
    """Return the MIME type from the file signature, or None if the format is not supported."""
    if image.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if image.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if image[:4] == b"RIFF" and image[8:12] == b"WEBP":
        return "image/webp"
    return "image/avif" if _is_avif(image) else None


def _data_urls(attachments: Attachments) -> dict[str, object]:
    images = [{"image_url": _data_url(each)} for each in attachments.references]
    mask = {"mask": {"image_url": _data_url(attachments.mask)}} if attachments.mask else {}
    return {"images": images, **mask}


def _data_url(attachment: Attachment) -> str:
    return f"data:{attachment.mime};base64,{base64.b64encode(attachment.content).decode('ascii')}"


def _encode_form(
    fields: Mapping[str, object], attachments: Attachments
) -> tuple[bytes, dict[str, str]]:
    """Return a multipart body and its header; equal requests give equal bytes."""
    parts = [*_text_parts(fields), *_file_parts(attachments)]
    boundary = hashlib.sha256(b"".join(each for pair in parts for each in pair)).hexdigest()
    line = f"--{boundary}\r\n".encode()
    pieces = (each for head, content in parts for each in (line, head, content, b"\r\n"))
    body = b"".join([*pieces, f"--{boundary}--\r\n".encode()])
    return body, {"content-type": f"multipart/form-data; boundary={boundary}"}


def _text_parts(fields: Mapping[str, object]) -> Iterator[tuple[bytes, bytes]]:
    for name, value in fields.items():
        text = json.dumps(value) if isinstance(value, dict) else str(value)
        # A lone surrogate from a broken file name or escape cannot be encoded as UTF-8.
        yield _part_head(name), text.encode("utf-8", "replace")


def _file_parts(attachments: Attachments) -> Iterator[tuple[bytes, bytes]]:
    name = "image" if len(attachments.references) == 1 else "image[]"
    for number, each in enumerate(attachments.references, 1):
        yield _part_head(name, f"reference-{number}", each.mime), each.content
    if attachments.mask:
        yield _part_head("mask", "mask", attachments.mask.mime), attachments.mask.content


def _part_head(name: str, file: str = "", mime: str = "") -> bytes:
    head = f'Content-Disposition: form-data; name="{name}"'
    if file:
        head += f'; filename="{file}.{mime.partition("/")[2]}"\r\nContent-Type: {mime}'
    return f"{head}\r\n\r\n".encode()


def _is_avif(image: bytes) -> bool:
    """Return True if AVIF is the major or a compatible brand of an ISO media file."""
    if image[4:8] != b"ftyp":
        return False
    end = min(int.from_bytes(image[:4], "big"), _BRANDS_END)
    return any(image[at : at + 4] in _AVIF_BRANDS for at in range(8, end, 4))


def _object(body: bytes) -> Mapping[str, object]:
    response = parse_object(body)
    return response if response is not None else _raise("it is not a JSON object", body)


def _first_image(response: Mapping[str, object], body: bytes) -> Mapping[str, object]:
    data = response.get("data")
    if isinstance(data, Sequence) and data and isinstance(data[0], Mapping):
        return data[0]
    error = response.get("error")
    message = error.get("message") if isinstance(error, Mapping) else error
    text = f': "{safe_text(message)}"' if isinstance(message, str) else ""
    return _raise(f'"data" has no image{text}', body)


def _image(entry: Mapping[str, object], body: bytes) -> bytes:
    text = entry.get("b64_json") or entry.get("url")
    if not isinstance(text, str):
        return _raise("the image's data is missing", body)
    if text is entry.get("url") and not _DATA_URL.match(text):
        fault = "the server returned a link instead of an image"
        hint = "set gateway.send_response_format to true, or allow links with gateway.accept_urls"
        raise InvalidResponseError(fault, hint=hint, body=body)
    if prefix := _DATA_URL.match(text):
        text = text[prefix.end() :]
    try:
        return _decode_base64(text)
    except ValueError:
        return _raise("the image's data is not base64", body)


def _decode_base64(text: str) -> bytes:
    """Return the bytes of a text in base64, on one line as gateways send it, or on several.

    Raises:
        ValueError: If the text is not base64.
    """
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return base64.b64decode("".join(text.split()), validate=True)


def _metadata(response: Mapping[str, object]) -> Mapping[str, object]:
    snake, camel = response.get("provider_metadata"), response.get("providerMetadata")
    return as_mapping(snake) or as_mapping(camel)


def _warnings(response: Mapping[str, object]) -> list[str]:
    given = response.get("warnings")
    listed = given[:_MAX_WARNINGS] if isinstance(given, list) else []
    return [text for each in listed if (text := _warning(each))]


def _warning(given: object) -> str:
    if isinstance(given, str):
        return safe_text(given)
    parts = (as_mapping(given).get(key) for key in _WARNING_KEYS)
    return safe_text(": ".join(part for part in parts if isinstance(part, str) and part))


def _format_warning(requested: str, mime: str) -> list[str]:
    received = mime.removeprefix("image/")
    return [] if received == requested else [f"requested {requested}, received {received}"]


def _raise(fault: str, body: bytes) -> NoReturn:
    raise InvalidResponseError(f"the server's response cannot be used: {fault}", body=body)
