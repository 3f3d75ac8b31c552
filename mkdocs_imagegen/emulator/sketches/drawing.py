"""Drawing of a sketch: a calm composition that follows the prompt, and a small label.

The same arguments give the same bytes with the same version of Pillow, on every machine: the font
is built into Pillow and uses its basic layout engine.
"""

from __future__ import annotations

import io
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from mkdocs_imagegen.emulator.sketches.composition import MIN_FONT_PX, Scene, compose, label_area
from mkdocs_imagegen.emulator.sketches.palettes import Color
from mkdocs_imagegen.emulator.sketches.reference_images import paste_references
from mkdocs_imagegen.emulator.wire_types import DrawRequest
from mkdocs_imagegen.request import SKETCH_MARK

MAX_SCENE_PX = 1536
"""Longer side of a painted scene; for a larger image, the scene is scaled up before lettering."""

_SMALL_PX = 768
_XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf='
    b'"http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    b'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreatorTool="%s"/></rdf:RDF></x:xmpmeta>'
) % SKETCH_MARK


def draw(request: DrawRequest, seed: str) -> bytes:
    """Draw a sketch and return the bytes of its image file.

    The words of the prompt's first paragraph select the motif and the palette. A transparent
    background cuts out a disc, if the format supports transparency. Thumbnails of the reference
    images are shown in the sketch.

    Args:
        request: Request for the sketch.
        seed: Seed; another seed gives another drawing of the same prompt.
    """
    is_round = request.background == "transparent" and request.output_format != "jpeg"
    scene_size = _scene_size(*request.size)
    scene = compose(request.prompt, scene_size, seed, request.take, is_round=is_round)
    image = _paint(scene, *scene_size)
    if image.size != request.size:
        image = image.resize(request.size)
    if is_round:
        image.putalpha(_disc_alpha(*request.size))
    _draw_label(image, scene.palette.text, request.take, is_centered=is_round)
    if request.references:
        paste_references(image, request.references, request.mask)
    return _encode(image, request.output_format, request.compression)


def _scene_size(width: int, height: int) -> tuple[int, int]:
    shrink = max(1.0, max(width, height) / MAX_SCENE_PX)
    return max(1, round(width / shrink)), max(1, round(height / shrink))


def _paint(scene: Scene, width: int, height: int) -> Image.Image:
    fine = 2 if max(width, height) > _SMALL_PX else 4
    top, horizon = scene.palette.sky
    column = Image.new("RGB", (1, height * fine), top)
    column.paste(horizon, mask=Image.linear_gradient("L").resize(column.size))
    image = column.resize((width * fine, height * fine), Image.Resampling.NEAREST)
    solid, clear = ImageDraw.Draw(image), ImageDraw.Draw(image, "RGBA")
    for points, color, opacity in scene.shapes:
        outline = [(round(x * fine), round(y * fine)) for x, y in points]
        if opacity < 1:
            clear.polygon(outline, fill=(*color, round(255 * opacity)))
        else:
            solid.polygon(outline, fill=color)
    return image.reduce(fine)


def _disc_alpha(width: int, height: int) -> Image.Image:
    side = max(1, round(min(width, height) * 0.94))
    disc = Image.new("L", (side * 2, side * 2))
    ImageDraw.Draw(disc).ellipse((0, 0, side * 2 - 1, side * 2 - 1), fill=255)
    alpha = Image.new("L", (width, height))
    alpha.paste(disc.reduce(2), ((width - side) // 2, (height - side) // 2))
    return alpha


@lru_cache(maxsize=32)
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise OSError("Pillow was built without FreeType, which sketches need for text")
    return font.font_variant(layout_engine=ImageFont.Layout.BASIC)


def _draw_label(image: Image.Image, color: Color, take: int, *, is_centered: bool) -> None:
    area = label_area(*image.size)
    font = _font(max(MIN_FONT_PX, round(min(image.size) * 0.042)))
    long = f"sketch {image.width}x{image.height}" + (f", take {take}" if take > 1 else "")
    room = area.right - area.left
    text = next((each for each in (long, "sketch") if font.getlength(each) <= room), None)
    if text is None or font.size > image.height:
        return
    x = area.left + (room - font.getlength(text)) / 2 * is_centered
    place = round(x), round(area.bottom - font.size * 0.3)
    ImageDraw.Draw(image).text(place, text, color, font, anchor="ls")


def _encode(image: Image.Image, output_format: str, compression: int | None) -> bytes:
    file = io.BytesIO()
    if output_format == "png":
        notes = PngImagePlugin.PngInfo()
        notes.add_itxt("XML:com.adobe.xmp", _XMP.decode("ascii"))
        image.save(file, "PNG", compress_level=3, pnginfo=notes)
    elif output_format == "webp":
        quality = 88 if compression is None else compression
        image.save(file, "WEBP", quality=quality, method=0, xmp=_XMP)
    else:
        quality = 88 if compression is None else max(1, compression)
        image.save(file, "JPEG", quality=quality, xmp=_XMP)
    return file.getvalue()
