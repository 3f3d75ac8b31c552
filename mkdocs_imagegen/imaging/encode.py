"""Image files from pixels: variants, blur and thumbnails.

An original is decoded once for all of its variants, which costs much less than decoding it for
each file. Every size is cut from the original. Cutting it from the next larger size would be
faster, but the bytes of a file would then depend on the other sizes of the page.

AVIF above speed 8 is larger than WebP for flat images with text, which are common in
documentation. The libaom options below were measured on photographs, drawings, flat images, text,
gradients and grain, with Pillow 13 and libaom 3.14. They save three tenths of the CPU time at speed
8 and a fifth at speed 6. At equal similarity, the mean bytes of each kind are at most 1.01 of those
without the options.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from mkdocs_imagegen.imaging.decode import DecodedImage, decode_image
from mkdocs_imagegen.imaging.image import THUMBNAIL_PX, Thumbnail
from mkdocs_imagegen.imaging.variants import Encoding, Variant
from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.page_layout import Focus

BLUR_WIDTH_PX = 16
_BLUR = {"quality": 50, "method": 4}
_THUMBNAIL = {"quality": 70, "method": 4}
_FAST_SPEED = 8
_REDUCING_GAP = 1.6
# Options of libaom, as `aomenc --help` lists them.
_AOM = {"disable-trellis-quant": "1", "enable-smooth-intra": "0"}
_AOM_FAST = {"use-intra-dct-only": "1", "enable-paeth-intra": "0", "dist-metric": "psnr"}
_XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    'Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/{0}"/>'
    "</rdf:RDF></x:xmpmeta>"
)


def convert_to_srgb(decoded: DecodedImage) -> Image.Image:
    """Return a copy of the pixels in sRGB, without metadata."""
    image, facts = decoded.pixels, decoded.facts
    if image.mode == "P":  # a color profile applies to colors, not to palette indexes
        image = image.convert("RGBA")
    mode = "RGBA" if facts.has_alpha else "RGB"
    profile = image.info.get("icc_profile")
    pixels = _apply_profile(image, profile, mode) if profile else image.convert(mode)
    pixels.info.clear()
    return pixels


def encode_variants(
    image: Image.Image, variants: Sequence[Variant]
) -> Iterator[tuple[Variant, bytes]]:
    """Yield each variant and its bytes; each size is cut once."""
    for size, focus in dict.fromkeys((each.size, each.focus) for each in variants):
        resized = image if image.size == size else _resize(image, size, focus)
        for variant in variants:
            if (variant.size, variant.focus) == (size, focus):
                yield variant, _encode(resized, variant)


def encode_blur(image: Image.Image, size: Size, focus: Focus) -> bytes:
    """Return the image as a WebP of a few pixels, for display while its file loads."""
    small = Size(BLUR_WIDTH_PX, max(1, round(BLUR_WIDTH_PX * size.height / size.width)))
    # The mean looks the same at this size and takes a quarter of the time.
    shrunk = image.resize(small, Image.Resampling.BOX, _crop(image, small, focus))
    return _save(shrunk, "WEBP", _BLUR)


def encode_thumbnail(content: bytes, max_px: int = THUMBNAIL_PX) -> Thumbnail:
    """Return the whole image as a small WebP, never enlarged.

    Args:
        content: Bytes of the original.
        max_px: Maximum length of the longer side.

    Raises:
        ImageError: If the bytes are not an image of a supported format and size.
    """
    image = convert_to_srgb(decode_image(content))
    image.thumbnail((max_px, max_px))
    encoded = base64.b64encode(_save(image, "WEBP", _THUMBNAIL)).decode()
    return Thumbnail(f"data:image/webp;base64,{encoded}", Size(*image.size))


def _apply_profile(image: Image.Image, profile: bytes, mode: str) -> Image.Image:
    try:
        converted = ImageCms.profileToProfile(
            image, io.BytesIO(profile), ImageCms.createProfile("sRGB"), outputMode=mode
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        # The profile is broken or belongs to another color model: the image is read as sRGB.
        converted = None
    return converted or image.convert(mode)


def _resize(image: Image.Image, size: Size, focus: Focus) -> Image.Image:
    # An image of 3.2 times the width or more is reduced by a whole number first. That saves half of
    # the time, and the similarity to an image that is resized at once is 0.99 for text.
    box = _crop(image, size, focus)
    return image.resize(size, Image.Resampling.LANCZOS, box, reducing_gap=_REDUCING_GAP)


def _crop(image: Image.Image, size: Size, focus: Focus) -> tuple[float, float, float, float]:
    """Return the largest box of an image with the aspect ratio of a size, around the focus."""
    scale = min(image.width / size.width, image.height / size.height)
    # Pillow refuses a box that rounding has moved out of the image.
    width, height = min(scale * size.width, image.width), min(scale * size.height, image.height)
    left = (image.width - width) * focus.left / 100
    top = (image.height - height) * focus.top / 100
    return left, top, min(left + width, image.width), min(top + height, image.height)


def _encode(image: Image.Image, variant: Variant) -> bytes:
    encoding = variant.encoding
    if encoding.format == "jpeg" and image.mode == "RGBA":
        image = _on_white(image)
    return _save(image, encoding.format.upper(), _options(encoding) | _provenance(variant))


def _provenance(variant: Variant) -> dict[str, Any]:
    """Return the options that write the source type, a word of IPTC's list, as XMP metadata.

    See https://cv.iptc.org/newscodes/digitalsourcetype/ for the list.
    """
    if not variant.source_type:
        return {}
    xmp = _XMP.format(variant.source_type)
    if variant.encoding.format != "png":
        return {"xmp": xmp.encode()}
    text = PngInfo()
    text.add_itxt("XML:com.adobe.xmp", xmp)
    return {"pnginfo": text}


def _options(encoding: Encoding) -> dict[str, Any]:
    match encoding.format:
        case "png":
            return {"optimize": True}
        case "jpeg":
            return {"quality": encoding.quality, "progressive": True}
        case "webp":
            return {"quality": encoding.quality, "method": 4}
    return _avif_options(encoding)


def _avif_options(encoding: Encoding) -> dict[str, Any]:
    # One thread per file: the files of several images are encoded at the same time.
    options = {"quality": encoding.quality, "speed": encoding.speed, "max_threads": 1}
    return options | {"advanced": _aom_options(is_fast=encoding.speed >= _FAST_SPEED)}


def _aom_options(*, is_fast: bool) -> Mapping[str, str]:
    """Return the options that the encoder accepts; none if it is not libaom."""
    options = _AOM | _AOM_FAST if is_fast else _AOM
    return {name: value for name, value in options.items() if _accepts(name, value)}


@cache
def _accepts(name: str, value: str) -> bool:
    try:
        _save(Image.new("RGB", (64, 64)), "AVIF", {"advanced": {name: value}})
    except (ValueError, RuntimeError, OSError):
        return False
    return True


def _on_white(image: Image.Image) -> Image.Image:
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white


def _save(image: Image.Image, kind: str, options: Mapping[str, Any]) -> bytes:
    output = io.BytesIO()
    image.save(output, kind, **options)
    return output.getvalue()
