"""Variants of an original as bytes: decoded once, resized downwards, each format written.

Source of the choices: fact sheet "performance", section 1. Decoding once and resizing from the
next larger size costs a third less than starting anew for each file; AVIF above speed 8 loses to
WebP on flat pictures with text, which is what documentation has.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mkdocs_imagegen.pictures.decode import has_alpha, open_picture
from mkdocs_imagegen.pictures.variants import Encoding, Variant
from mkdocs_imagegen.shapes import Focus
from mkdocs_imagegen.values import Size

if TYPE_CHECKING:
    from PIL.Image import Image

BLUR_WIDTH_PX = 16
_XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    'Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/{0}"/>'
    "</rdf:RDF></x:xmpmeta>"
)


def encode(content: bytes, variants: Sequence[Variant]) -> Iterator[tuple[Variant, bytes]]:
    """The bytes of each variant, the widest first.

    Raises:
        PictureError: the original's bytes are no picture.
    """
    image = upright(open_picture(content))
    for shape in dict.fromkeys((variant.focus, _ratio(variant.size)) for variant in variants):
        same = [each for each in variants if (each.focus, _ratio(each.size)) == shape]
        same.sort(key=lambda each: each.size, reverse=True)
        current = image
        for variant in same:
            if current.size != variant.size:
                current = _resized(current, variant.size, variant.focus)
            yield variant, _written(current, variant)


def blurred(content: bytes, size: Size, focus: Focus) -> bytes:
    """The picture as a WebP of a few pixels, to stand in its place until it has come.

    Raises:
        PictureError: the original's bytes are no picture.
    """
    small = Size(BLUR_WIDTH_PX, max(1, round(BLUR_WIDTH_PX * size.height / size.width)))
    image = _resized(upright(open_picture(content)), small, focus)
    return _saved(image, "WEBP", {"quality": 50, "method": 4})


def upright(image: Image) -> Image:
    """The picture the right way up, in sRGB, with nothing but its pixels."""
    from PIL import ImageOps  # noqa: PLC0415 - see decode

    image = ImageOps.exif_transpose(image)
    mode = "RGBA" if has_alpha(image) else "RGB"
    profile = image.info.get("icc_profile")
    plain = _in_srgb(image, profile, mode) if profile else image.convert(mode)
    plain.info.clear()
    return plain


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


def _ratio(size: Size) -> float:
    # Sizes of one shape differ by the rounding of their height.
    return round(size.width / size.height, 2)


def _resized(image: Image, size: Size, focus: Focus) -> Image:
    from PIL import Image as images  # noqa: N813, PLC0415 - see decode
    from PIL import ImageOps  # noqa: PLC0415 - see decode

    centering = (focus.left / 100, focus.top / 100)
    return ImageOps.fit(image, size, images.Resampling.LANCZOS, centering=centering)


def _written(image: Image, variant: Variant) -> bytes:
    encoding = variant.encoding
    if encoding.format == "jpeg" and image.mode == "RGBA":
        image = _on_white(image)
    options = _OPTIONS[encoding.format](encoding) | _provenance(variant)
    return _saved(image, encoding.format.upper(), options)


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
    # One thread: several pictures are written at the same time already.
    return {"quality": encoding.quality, "speed": encoding.speed, "max_threads": 1}


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


def _saved(image: Image, kind: str, options: Mapping[str, Any]) -> bytes:
    output = io.BytesIO()
    image.save(output, kind, **options)
    return output.getvalue()
