"""A small image that stands inside a page, as an address that holds its own bytes."""

from __future__ import annotations

import base64

from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.imaging.encode import plain, saved
from mkdocs_imagegen.options import Size

SMALL_PX = 320
_QUALITY = 70


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small image.

    Attributes:
        address: a ``data:`` address with all of its bytes.
        size: width and height in pixels.
    """

    address: str
    size: Size


def thumbnail(content: bytes, largest_px: int = SMALL_PX) -> Thumbnail:
    """A image made small, as WebP, as a whole and never larger than it is.

    Args:
        content: the original's bytes.
        largest_px: the longer side.

    Raises:
        ImageError: the bytes are no image.
    """
    image = plain(content)
    image.thumbnail((largest_px, largest_px))
    encoded = base64.b64encode(saved(image, "WEBP", {"quality": _QUALITY, "method": 4})).decode()
    return Thumbnail(f"data:image/webp;base64,{encoded}", Size(*image.size))
