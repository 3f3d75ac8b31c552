"""Bytes to the server, and an answer from its bytes; pure."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NoReturn

from mkdocs_imagegen.errors import InvalidResponseError, RejectedRequestError
from mkdocs_imagegen.gateway.answer import ImageResponse
from mkdocs_imagegen.gateway.bodies import strict_json
from mkdocs_imagegen.gateway.catalogue import estimate_usd
from mkdocs_imagegen.gateway.quoting import identifier, name, quoted
from mkdocs_imagegen.request import SKETCH_MARK, ImageRequest
from mkdocs_imagegen.settings import GatewaySettings

_MAX_WARNINGS = 20
_DOLLARS = re.compile(r"\d{1,6}(\.\d{1,30})?(e-\d{1,2})?", re.ASCII | re.IGNORECASE)
_DATA_URL = re.compile(r"data:[^,]{0,200},", re.IGNORECASE)
_AVIF_BRANDS = (b"avif", b"avis")
_BRANDS_END = 64


def request_body(request: ImageRequest, settings: GatewaySettings) -> dict[str, object]:
    """What is posted: the standard names at the top, and provider options where they are known.

    ``quality`` is always sent, since a server's own default is the dearest on some models.
    """
    body: dict[str, object] = {
        "model": request.model,
        "prompt": request.prompt,
        "n": 1,
        "size": str(request.size),
        "quality": request.quality,
        "output_format": settings.output_format,
    }
    if request.background != "auto":
        body["background"] = request.background
    if settings.send_response_format == "true":
        body["response_format"] = "b64_json"
    if settings.provider_options and sends_provider_options(settings):
        body["providerOptions"] = dict(settings.provider_options)
    return body


def sends_provider_options(settings: GatewaySettings) -> bool:
    """Whether ``providerOptions`` goes to this server: other servers refuse the field."""
    if settings.send_provider_options == "auto":
        return settings.is_vercel
    return settings.send_provider_options == "true"


def encoded(body: Mapping[str, object]) -> bytes:
    """The body as JSON.

    Raises:
        RejectedRequestError: a provider option is nothing that JSON can express.
    """
    try:
        return json.dumps(body, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError):
        fault = "gateway.provider_options hold a value that JSON cannot express"
    raise RejectedRequestError(fault, hint="put dates and the like in quotes")


def read_answer(
    body: bytes, request: ImageRequest, settings: GatewaySettings, fetched: bytes | None = None
) -> ImageResponse:
    """The image in a success, with what the server says about it.

    Args:
        body: the whole answer.
        request: what was asked.
        settings: how it was asked.
        fetched: the image's bytes, where the answer held only a link to them.

    Raises:
        InvalidResponseError: there is no usable image in it; the error holds the body.
    """
    answer = _mapping_of(body)
    image = fetched if fetched is not None else _image(_first_image(answer, body), body)
    mime = mime_of(image) or _bad("what it holds is no PNG, JPEG, WebP or AVIF image", body)
    metadata = _metadata(answer)
    gateway = _inside(metadata, "gateway")
    routing = _inside(gateway, "routing")
    is_sketch = _inside(metadata, "imagegen").get("sketch") is True or SKETCH_MARK in image
    charged = dollars(gateway.get("cost"))
    listed = None if is_sketch else estimate_usd(request)
    return ImageResponse(
        image=image,
        mime=mime,
        is_sketch=is_sketch,
        cost_usd=charged if charged is not None else listed,
        cost_is_estimate=charged is None and listed is not None,
        model=name(routing.get("canonicalSlug")) or request.model,
        provider=name(routing.get("finalProvider")) or name(routing.get("resolvedProvider")),
        generation_id=identifier(gateway.get("generationId")),
        warnings=(*_warnings(answer), *_format_warning(settings.output_format, mime)),
    )


def image_link(body: bytes) -> str | None:
    """The link that an answer holds in place of an image; None where it holds neither or data.

    Raises:
        InvalidResponseError: the body is no answer at all.
    """
    first = _first_image(_mapping_of(body), body)
    url = first.get("url")
    if first.get("b64_json") or not isinstance(url, str) or _DATA_URL.match(url):
        return None
    return url or None


def mime_of(image: bytes) -> str | None:
    """What the bytes are, by the first of them; None where that is no image we accept."""
    if image.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if image.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if image[:4] == b"RIFF" and image[8:12] == b"WEBP":
        return "image/webp"
    return "image/avif" if _is_avif(image) else None


def dollars(value: object) -> Decimal | None:
    """An amount as servers write it, text or number; None where it is no amount of money."""
    text = "" if isinstance(value, bool) else str(value)[:50] if _is_scalar(value) else ""
    return Decimal(text) if _DOLLARS.fullmatch(text) else None


def _is_scalar(value: object) -> bool:
    return isinstance(value, (str, float)) or (isinstance(value, int) and abs(value) < 2**53)


def _is_avif(image: bytes) -> bool:
    """Whether the file's brands name AVIF: the major one, or one that it is compatible with."""
    if image[4:8] != b"ftyp":
        return False
    end = min(int.from_bytes(image[:4], "big"), _BRANDS_END)
    return any(image[at : at + 4] in _AVIF_BRANDS for at in range(8, end, 4))


def _mapping_of(body: bytes) -> Mapping[str, object]:
    try:
        answer = strict_json(body)
    except ValueError:
        answer = None
    return answer if isinstance(answer, Mapping) else _bad("it is no JSON object", body)


def _first_image(answer: Mapping[str, object], body: bytes) -> Mapping[str, object]:
    data = answer.get("data")
    if isinstance(data, Sequence) and data and isinstance(data[0], Mapping):
        return data[0]
    error = answer.get("error")
    said = error.get("message") if isinstance(error, Mapping) else error
    text = f': "{quoted(said)}"' if isinstance(said, str) else ""
    return _bad(f'"data" holds no image{text}', body)


def _image(entry: Mapping[str, object], body: bytes) -> bytes:
    text = entry.get("b64_json") or entry.get("url")
    if not isinstance(text, str):
        return _bad("the image's data is missing", body)
    if text is entry.get("url") and not _DATA_URL.match(text):
        hint = "set gateway.send_response_format to true, or allow links with gateway.accept_urls"
        raise InvalidResponseError(
            "the server answered with a link, not an image", hint=hint, body=body
        )
    if prefix := _DATA_URL.match(text):
        text = text[prefix.end() :]
    try:
        return _decoded(text)
    except ValueError:
        return _bad("the image's data is no base64", body)


def _decoded(text: str) -> bytes:
    """The bytes of a text in base64, in one line as it comes from gateways, or in several.

    Raises:
        ValueError: it is no base64.
    """
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return base64.b64decode("".join(text.split()), validate=True)


def _metadata(answer: Mapping[str, object]) -> Mapping[str, object]:
    snake, camel = _inside(answer, "provider_metadata"), _inside(answer, "providerMetadata")
    return snake or camel


def _inside(outer: Mapping[str, object], key: str) -> Mapping[str, object]:
    inner = outer.get(key)
    return inner if isinstance(inner, Mapping) else {}


def _warnings(answer: Mapping[str, object]) -> list[str]:
    given = answer.get("warnings")
    listed = given[:_MAX_WARNINGS] if isinstance(given, list) else []
    return [text for each in listed if (text := _warning(each))]


def _warning(given: object) -> str:
    if isinstance(given, str):
        return quoted(given)
    if not isinstance(given, Mapping):
        return ""
    parts = (given.get(key) for key in ("type", "feature", "setting", "details", "message"))
    return quoted(": ".join(part for part in parts if isinstance(part, str) and part))


def _format_warning(asked: str, mime: str) -> list[str]:
    got = mime.removeprefix("image/")
    return [] if got == asked else [f"asked for {asked}, got {got}"]


def _bad(fault: str, body: bytes) -> NoReturn:
    raise InvalidResponseError(f"the server's answer cannot be used: {fault}", body=body)
