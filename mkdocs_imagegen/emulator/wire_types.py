"""Types that travel between the modules of the emulator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.option_parsers import Size


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """HTTP request as received, with header names in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """HTTP response.

    Attributes:
        status: HTTP status.
        headers: Headers with names in lower case.
        body: Complete body, even if the transport does not deliver all of it.
        transport: Key in ``fault_transports.TRANSPORTS`` of the way a socket misbehaves; None for
            normal delivery. An in-process caller has no socket and ignores it.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    transport: str | None = None


@dataclass(frozen=True, slots=True)
class DrawRequest:
    """Validated request for images, with all defaults filled in.

    Attributes:
        requested_model: Model named in the request.
        model: Model that answers: the requested one, or the first fallback model on offer.
        prompt: Prompt as received.
        count: Number of images.
        size: Size in pixels.
        quality: Quality supported by the model.
        background: ``auto``, ``opaque`` or ``transparent``.
        output_format: ``png``, ``jpeg`` or ``webp``.
        compression: Quality from 0 to 100; None if the request has none.
        unsupported: Names of parameters that were ignored.
        references: Reference images, in order.
        mask: Editable area of the first reference image; None for the whole image.
        take: Number that selects an alternative sketch; shown on the label from 2 on.
    """

    requested_model: str
    model: str
    prompt: str
    count: int
    size: Size
    quality: str
    background: str
    output_format: str
    compression: int | None
    unsupported: tuple[str, ...] = ()
    references: tuple[bytes, ...] = field(default=(), repr=False)
    mask: bytes | None = field(default=None, repr=False)
    take: int = 1


@dataclass(frozen=True, slots=True)
class DrawResult:
    """Images that were drawn and charged, before they are serialized.

    Attributes:
        request: Request; the response repeats its values.
        created: Seconds since 1970.
        images: Images as base64 text, or as URLs.
        metadata: Metadata of the gateway and the provider; None to leave it out.
        is_url: True if ``images`` are URLs.
        is_camel_case: True to spell ``providerMetadata`` on the OpenAI-compatible path.
    """

    request: DrawRequest
    created: int
    images: tuple[str, ...]
    metadata: Mapping[str, Any] | None
    is_url: bool = False
    is_camel_case: bool = False
