"""Variants of an original as bytes: decoded once, each size cut from it, each format written.

Source of the choices: fact sheet "performance", section 1. Decoding once costs much less than
starting anew for each file; AVIF above speed 8 loses to WebP on flat images with text, which is
what documentation has. At speed 8 the options of libaom below take a fifth of its CPU time away and
3 % of the bytes at equal similarity, also of flat images; at speed 6 the first alone takes a
sixth and 5 %. Every size is made of the original and never of the next larger one, which
would be 4 % faster: else a file's bytes would depend on which others are made beside it.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mkdocs_imagegen.imaging.decode import has_alpha, open_image
from mkdocs_imagegen.imaging.image import THUMBNAIL_PX, Thumbnail
from mkdocs_imagegen.imaging.variants import Encoding, Variant
from mkdocs_imagegen.layout import Focus
from mkdocs_imagegen.options import Size

if TYPE_CHECKING:
    from PIL.Image import Image, Resampling

BLUR_WIDTH_PX = 16
_THUMBNAIL_QUALITY = 70
_FAST_SPEED = 8
_AOM = {"disable-trellis-quant": "1"}
_AOM_FAST = {"use-intra-dct-only": "1"}
"""Options of libaom, which other encoders of AVIF refuse."""
_XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    'Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/{0}"/>'
    "</rdf:RDF></x:xmpmeta>"
)


def open_srgb(content: bytes) -> Image:
    """The image in sRGB, the right way up, with nothing but its pixels.

    Raises:
        ImageError: the bytes are no image.
    """
    image = open_image(content)
    if image.mode == "P":  # its pixels are numbers of colours, and no colours yet
        image = image.convert("RGBA")
    mode = "RGBA" if has_alpha(image) else "RGB"
    profile = image.info.get("icc_profile")
    pixels = _in_srgb(image, profile, mode) if profile else image.convert(mode)
    pixels.info.clear()
    return pixels


def encode_variants(image: Image, variants: Sequence[Variant]) -> Iterator[tuple[Variant, bytes]]:
    """The bytes of each variant, each size cut out once."""
    for size, focus in dict.fromkeys((each.size, each.focus) for each in variants):
        resized = image if image.size == size else _resized(image, size, focus)
        for variant in variants:
            if (variant.size, variant.focus) == (size, focus):
                yield variant, _written(resized, variant)


def encode_blur(image: Image, size: Size, focus: Focus) -> bytes:
    """The image as a WebP of a few pixels, to stand in its place until it has come."""
    from PIL import Image as images  # noqa: N813, PLC0415 - see decode

    small = Size(BLUR_WIDTH_PX, max(1, round(BLUR_WIDTH_PX * size.height / size.width)))
    # A mean of the pixels is all that is seen of it, and takes a quarter of the time.
    shrunk = _resized(image, small, focus, images.Resampling.BOX)
    return saved(shrunk, "WEBP", {"quality": 50, "method": 4})


def encode_thumbnail(content: bytes, max_px: int = THUMBNAIL_PX) -> Thumbnail:
    """Return the whole image as a small WebP, never enlarged.

    Args:
        content: Bytes of the original.
        max_px: Maximum length of the longer side.

    Raises:
        ImageError: If the bytes are not a supported image.
    """
    image = open_srgb(content)
    image.thumbnail((max_px, max_px))
    encoded = saved(image, "WEBP", {"quality": _THUMBNAIL_QUALITY, "method": 4})
    url = f"data:image/webp;base64,{base64.b64encode(encoded).decode()}"
    return Thumbnail(url, Size(*image.size))


def _in_srgb(image: Image, profile: bytes, mode: str) -> Image:
    from PIL import ImageCms  # noqa: PLC0415 - see decode

    try:
        converted = ImageCms.profileToProfile(
            image, io.BytesIO(profile), ImageCms.createProfile("sRGB"), outputMode=mode
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        # A profile that is broken, or of another kind of colours, is as good as none.
        converted = None
    return converted or image.convert(mode)


def _resized(image: Image, size: Size, focus: Focus, method: Resampling | None = None) -> Image:
    from PIL import Image as images  # noqa: N813, PLC0415 - see decode
    from PIL import ImageOps  # noqa: PLC0415 - see decode

    centering = (focus.left / 100, focus.top / 100)
    return ImageOps.fit(image, size, method or images.Resampling.LANCZOS, centering=centering)


def _written(image: Image, variant: Variant) -> bytes:
    encoding = variant.encoding
    if encoding.format == "jpeg" and image.mode == "RGBA":
        image = _on_white(image)
    options = _OPTIONS[encoding.format](encoding) | _provenance(variant)
    return saved(image, encoding.format.upper(), options)


def _provenance(variant: Variant) -> dict[str, Any]:
    if not variant.source_type:
        return {}
    xmp = _XMP.format(variant.source_type)
    return (
        {"pnginfo": _png_text(xmp)} if variant.encoding.format == "png" else {"xmp": xmp.encode()}
    )


def _jpeg(encoding: Encoding) -> dict[str, Any]:
    return {"quality": encoding.quality, "progressive": True}


def _webp(encoding: Encoding) -> dict[str, Any]:
    return {"quality": encoding.quality, "method": 4}


def _avif(encoding: Encoding) -> dict[str, Any]:
    # One thread: several images are written at the same time already.
    options = {"quality": encoding.quality, "speed": encoding.speed, "max_threads": 1}
    if not _has_aom():
        return options
    is_fast = encoding.speed >= _FAST_SPEED
    return options | {"advanced": _AOM | _AOM_FAST if is_fast else _AOM}


def _has_aom() -> bool:
    from PIL import _avif as encoders  # noqa: PLC0415 - see decode; nothing public tells this

    return bool(encoders.encoder_codec_available("aom"))


def _png(_: Encoding) -> dict[str, Any]:
    return {"optimize": True}


_OPTIONS: Mapping[str, Any] = {"jpeg": _jpeg, "webp": _webp, "avif": _avif, "png": _png}


def _png_text(xmp: str) -> object:
    from PIL.PngImagePlugin import PngInfo  # noqa: PLC0415 - see decode

    text = PngInfo()
    text.add_itxt("XML:com.adobe.xmp", xmp)
    return text


def _on_white(image: Image) -> Image:
    from PIL import Image as images  # noqa: N813, PLC0415 - see decode

    white = images.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white


def saved(image: Image, kind: str, options: Mapping[str, Any]) -> bytes:
    """The image as a file of that kind, by Pillow's names."""
    output = io.BytesIO()
    image.save(output, kind, **options)
    return output.getvalue()
