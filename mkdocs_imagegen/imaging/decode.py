"""The only place where foreign bytes become an image.

Only allowed formats are opened, the number of pixels is limited before anything is decoded, and
every exception of the decoders is caught: Pillow raises OSError, SyntaxError, ValueError and
RuntimeError for broken files.
"""

from __future__ import annotations

import contextlib
import io
import threading
import warnings
from typing import TYPE_CHECKING

from mkdocs_imagegen.errors import ImageError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.option_parsers import MAX_PIXELS, MAX_SIDE_PX, Size
from mkdocs_imagegen.originals.record import ImageFacts

if TYPE_CHECKING:
    from PIL.Image import Image

_FORMATS = ("PNG", "JPEG", "WEBP", "AVIF")
_MIMES = {name: f"image/{name.lower()}" for name in _FORMATS} | {"MPO": "image/jpeg"}
_FEATURES = {"image/webp": "webp", "image/avif": "avif", "image/jpeg": "jpg"}
_OPAQUE = 255
_WARNINGS = threading.Lock()
"""Lock of the warning filters, which belong to the whole process."""


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """An image in memory.

    Attributes:
        pixels: The pixels, turned upright, with the color profile of the file.
        facts: Type, size and transparency of the file.
    """

    pixels: Image
    facts: ImageFacts


ImageInput = bytes | DecodedImage
"""The bytes of an image, or the image if it is decoded already."""


def decode_image(content: bytes) -> DecodedImage:
    """Decode all of an image.

    Raises:
        ImageError: If the bytes are not an image of a supported format and size.
    """
    try:
        image = _decode(content)
        facts = ImageFacts(_MIMES[image.format or ""], Size(*image.size), has_alpha(image))
    except ImageError:
        raise
    except Exception as error:
        raise ImageError(f"the bytes are not a valid image ({type(error).__name__})") from error
    return DecodedImage(image, facts)


def inspect_image(content: bytes) -> ImageFacts:
    """Return type, size and transparency of an image after decoding all of it.

    Raises:
        ImageError: If the bytes are not an image of a supported format and size.
    """
    return decode_image(content).facts


def has_codec(mime: str) -> bool:
    """Return True if this Pillow reads and writes a media type; it can be built without some."""
    from PIL import features  # noqa: PLC0415 - takes 60 ms

    name = _FEATURES.get(mime)
    return name is None or bool(features.check(name))


def has_alpha(image: Image) -> bool:
    """Return True if a pixel is transparent; an alpha channel that is full everywhere is not."""
    if not image.has_transparency_data:
        return False
    # A conversion copies the pixels, which takes time if the image is large.
    whole = image if "A" in image.getbands() else image.convert("RGBA")
    lowest = whole.getchannel("A").getextrema()[0]
    return isinstance(lowest, (int, float)) and lowest < _OPAQUE


def _decode(content: bytes) -> Image:
    # Takes 60 ms to import, which a build that only reuses images saves.
    from PIL import Image, ImageOps  # noqa: PLC0415

    with _WARNINGS, warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        image = Image.open(io.BytesIO(content), formats=_FORMATS)
    if image.width * image.height > MAX_PIXELS or max(image.size) > MAX_SIDE_PX:
        raise ImageError(
            f"the image has {image.width}x{image.height} pixels",
            accepted=f"supported: up to {MAX_SIDE_PX} per side and {MAX_PIXELS} in total",
        )
    image.load()
    if image.mode == "P" and image.palette is None:
        raise ValueError("no palette")
    # Pillow fails to write some EXIF data back; the image is then used as it is stored.
    with contextlib.suppress(Exception):
        ImageOps.exif_transpose(image, in_place=True)
    return image
