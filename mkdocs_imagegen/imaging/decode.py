"""The only place where foreign bytes become an image.

Allowed formats only, a limit on pixels before anything is decoded, and every exception of the
decoders caught: broken files made Pillow raise OSError, SyntaxError, ValueError and RuntimeError
(fact sheet "reliability", section 5).
"""

from __future__ import annotations

import contextlib
import io
import threading
import warnings
from typing import TYPE_CHECKING

from mkdocs_imagegen.errors import ImageError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.options import MAX_PIXELS, MAX_SIDE_PX, Size

if TYPE_CHECKING:
    from PIL.Image import Image

_FORMATS = ("PNG", "JPEG", "WEBP", "AVIF")
_MIMES = {name: f"image/{name.lower()}" for name in _FORMATS} | {"MPO": "image/jpeg"}
_WARNINGS = threading.Lock()
"""What is done with warnings belongs to the whole process."""


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """A image that was decoded to its last pixel."""

    mime: str
    size: Size
    has_alpha: bool


def inspect_image(content: bytes) -> ImageInfo:
    """What the bytes are, after decoding all of them.

    Raises:
        ImageError: they are no image of a format and size that is accepted.
    """
    image = open_image(content)
    return ImageInfo(_MIMES[image.format or ""], Size(*image.size), has_alpha(image))


def has_alpha(image: Image) -> bool:
    """Whether some of the image is transparent; a channel that is full everywhere is none."""
    if not image.has_transparency_data:
        return False
    # Pixels of a large image are not copied where they can be looked at as they are.
    whole = image if "A" in image.getbands() else image.convert("RGBA")
    lowest = whole.getchannel("A").getextrema()[0]
    return isinstance(lowest, (int, float)) and lowest < 255  # noqa: PLR2004 - wholly opaque


def open_image(content: bytes) -> Image:
    """The decoded image, the right way up.

    Raises:
        ImageError: the bytes are no image of a format and size that is accepted.
    """
    # Costs 60 ms to import, and a build that makes nothing needs none of it.
    from PIL import Image  # noqa: PLC0415

    try:
        with _WARNINGS, warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content), formats=_FORMATS)
        if image.width * image.height > MAX_PIXELS or max(image.size) > MAX_SIDE_PX:
            raise ImageError(  # noqa: TRY301 - all refusals leave here alike
                f"a image of {image.width}x{image.height} pixels",
                accepted=f"up to {MAX_SIDE_PX} a side and {MAX_PIXELS} pixels",
            )
        image.load()
        if image.mode == "P" and image.palette is None:
            raise ValueError("numbers of colours, and no colours")  # noqa: TRY301 - as above
    except ImageError:
        raise
    except Exception as error:  # noqa: BLE001 - decoders raise whatever they like
        raise ImageError(f"the bytes are no image: {type(error).__name__}") from None
    _turn_upright(image)
    return image


def _turn_upright(image: Image) -> None:
    from PIL import ImageOps  # noqa: PLC0415 - see above

    # What EXIF says is no part of the image: where it is broken the image stands as it is.
    with contextlib.suppress(Exception):
        ImageOps.exif_transpose(image, in_place=True)
