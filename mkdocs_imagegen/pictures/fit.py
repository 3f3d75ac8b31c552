"""An original, fitted to the layout and ready for the web."""

from __future__ import annotations

import io

from mkdocs_imagegen.pictures.decode import open_picture
from mkdocs_imagegen.values import Size

WEBP_QUALITY = 90
WEBP_METHOD = 4


def fit(content: bytes, layout: Size) -> bytes:
    """The picture as WebP in exactly the layout's size: scaled to cover it, cut at the centre.

    Raises:
        PictureError: the bytes are no picture.
    """
    from PIL import Image, ImageOps  # noqa: PLC0415 - see decode

    image = open_picture(content)
    has_alpha = image.has_transparency_data
    plain = image.convert("RGBA" if has_alpha else "RGB")
    if plain.size != layout:
        plain = ImageOps.fit(plain, layout, Image.Resampling.LANCZOS)
    output = io.BytesIO()
    plain.save(output, "WEBP", quality=WEBP_QUALITY, method=WEBP_METHOD)
    return output.getvalue()
