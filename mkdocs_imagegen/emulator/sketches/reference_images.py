"""Reference images and masks: validated like at the gateway, and shown in sketches."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence

from PIL import Image, ImageOps

from mkdocs_imagegen.emulator.responses import invalid_parameter
from mkdocs_imagegen.emulator.wire_types import DrawRequest
from mkdocs_imagegen.option_parsers import MAX_PIXELS

_FORMATS = ("PNG", "JPEG", "WEBP")
_FRAME = (255, 253, 248)
_EDITABLE_TINT = (240, 96, 72)


def check_references(request: DrawRequest) -> None:
    """Raise an error for reference images and masks that the gateway rejects.

    Raises:
        RefusedError: If an image or the mask is invalid.
    """
    opened = [_open(each, "image") for each in request.references]
    if request.mask is None:
        return
    mask = _open(request.mask, "mask")
    if mask.format != "PNG":
        raise invalid_parameter("The mask must be a PNG.", "mask", "invalid_image_format")
    if mask.size != opened[0].size:
        message = "The mask must have the same size as the image."
        raise invalid_parameter(message, "mask", "invalid_image_size")
    if not mask.has_transparency_data:
        message = "The mask has no alpha channel."
        raise invalid_parameter(message, "mask", "invalid_image_format")


def paste_references(image: Image.Image, references: Sequence[bytes], mask: bytes | None) -> None:
    """Paste thumbnails of the reference images into a sketch, in a row along its upper edge.

    The editable area of the mask is tinted on the first thumbnail.
    """
    gap = max(2, min(image.size) // 50)
    room = (image.width - gap) // len(references) - gap
    side = max(1, min(min(image.size) // 5, room))
    edge = max(1, side // 24)
    for number, content in enumerate(references):
        thumbnail = _thumbnail(content, side)
        if mask is not None and number == 0:
            clear = ImageOps.invert(_open(mask, "mask").convert("RGBA").getchannel("A"))
            tint = Image.new("RGB", thumbnail.size, _EDITABLE_TINT)
            thumbnail = Image.composite(tint, thumbnail, ImageOps.fit(clear, thumbnail.size))
        left = image.width - (len(references) - number) * (side + gap)
        framed = ImageOps.expand(thumbnail, edge, _FRAME).resize((side, side)).convert(image.mode)
        image.paste(framed, (max(0, left), gap))


def _thumbnail(content: bytes, side: int) -> Image.Image:
    whole = _open(content, "image")
    shown = Image.new("RGB", whole.size, _FRAME)
    layer = whole.convert("RGBA")
    shown.paste(layer, mask=layer.getchannel("A"))
    return ImageOps.fit(shown, (side, side))


def _open(content: bytes, name: str) -> Image.Image:
    try:
        return _decode(content)
    except Exception:  # noqa: BLE001 - image decoders raise many types of errors
        message = "Invalid image file or mode; send a PNG, JPEG or WebP."
        raise invalid_parameter(message, name, "invalid_image_file") from None


def _decode(content: bytes) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        image = Image.open(io.BytesIO(content), formats=_FORMATS)
    if image.width * image.height > MAX_PIXELS:
        raise ValueError("too many pixels")
    image.load()
    return image
