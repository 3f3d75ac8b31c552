"""What an image's answer holds."""

from __future__ import annotations

from decimal import Decimal

from mkdocs_imagegen.frozen import dataclass


@dataclass(frozen=True, slots=True)
class ImageResponse:
    """One image as the server gave it.

    Attributes:
        image: the bytes, exactly as they came.
        mime: what the bytes are, by their first bytes and not by what was asked for.
        is_sketch: whether the emulator drew it; it never stands for a real model's image.
        cost_usd: dollars charged; None where neither the answer nor a price list tells.
        cost_is_estimate: whether ``cost_usd`` is the list price and not what was charged.
        model: the model that drew, which a fallback may have changed.
        provider: who ran the model, if the server says so.
        generation_id: the server's name for this call, if it gave one.
        warnings: what the server or the comparison with the request found worth saying.
    """

    image: bytes
    mime: str
    is_sketch: bool
    cost_usd: Decimal | None
    cost_is_estimate: bool
    model: str
    provider: str | None
    generation_id: str | None
    warnings: tuple[str, ...]
