"""The images that a sketch follows: checked as the gateway checks them, and shown in it."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence

from PIL import Image, ImageOps

from mkdocs_imagegen.emulator.bodies import invalid
from mkdocs_imagegen.emulator.records import Job
from mkdocs_imagegen.options import MAX_PIXELS

_FORMATS = ("PNG", "JPEG", "WEBP")
_FRAME = (255, 253, 248)
_MAY_CHANGE = (240, 96, 72)


def check(job: Job) -> None:
    """Refuse images and masks that the gateway refuses.

    Raises:
        RefusalError: with the gateway's answer.
    """
    opened = [_opened(each, "image") for each in job.references]
    if job.mask is None:
        return
    mask = _opened(job.mask, "mask")
    if mask.format != "PNG":
        raise invalid("The mask must be a PNG.", "mask", "invalid_image_format")
    if mask.size != opened[0].size:
        message = "The mask must have the same size as the image."
        raise invalid(message, "mask", "invalid_image_size")
    if not mask.has_transparency_data:
        message = "The mask has no alpha channel."
        raise invalid(message, "mask", "invalid_image_format")


def show(image: Image.Image, references: Sequence[bytes], mask: bytes | None) -> None:
    """Paste small copies of the images into a sketch, in a row along its upper edge.

    Where the mask lets the first one change, its copy is tinted.
    """
    gap = max(2, min(image.size) // 50)
    room = (image.width - gap) // len(references) - gap
    side = max(1, min(min(image.size) // 5, room))
    edge = max(1, side // 24)
    for number, content in enumerate(references):
        small = _small(content, side)
        if mask is not None and number == 0:
            clear = ImageOps.invert(_opened(mask, "mask").convert("RGBA").getchannel("A"))
            tint = Image.new("RGB", small.size, _MAY_CHANGE)
            small = Image.composite(tint, small, ImageOps.fit(clear, small.size))
        left = image.width - (len(references) - number) * (side + gap)
        framed = ImageOps.expand(small, edge, _FRAME).resize((side, side)).convert(image.mode)
        image.paste(framed, (max(0, left), gap))


def _small(content: bytes, side: int) -> Image.Image:
    whole = _opened(content, "image")
    quoted_value = Image.new("RGB", whole.size, _FRAME)
    layer = whole.convert("RGBA")
    quoted_value.paste(layer, mask=layer.getchannel("A"))
    return ImageOps.fit(quoted_value, (side, side))


def _opened(content: bytes, name: str) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content), formats=_FORMATS)
        if image.width * image.height > MAX_PIXELS:
            raise ValueError("too many pixels")  # noqa: TRY301 - all refusals leave here alike
        image.load()
    except Exception:  # noqa: BLE001 - decoders raise whatever they like
        message = "Invalid image file or mode; send a PNG, JPEG or WebP."
        raise invalid(message, name, "invalid_image_file") from None
    return image
