"""Draws a sketch: a scene in the colours of its prompt, and a label that says what it is.

The same arguments give the same bytes with the same
version of Pillow, on every machine: the font is the one built into it, laid out by its own
engine.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from mkdocs_imagegen.emulator.insets import show
from mkdocs_imagegen.emulator.lettering import Box, Panel, Run, lay_out
from mkdocs_imagegen.emulator.scenes import compose
from mkdocs_imagegen.emulator.shapes import Area, Colour, Disc, Fill, Glow, Palette, Scene, Shape
from mkdocs_imagegen.request import SKETCH_MARK

LARGEST_SCENE_PX = 1536
"""The longer side of a painted scene; a larger image is enlarged before it is lettered."""

_FINE = 2
_PAPER = Colour(255, 253, 248)
_XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf='
    b'"http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    b'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreatorTool="%s"/></rdf:RDF></x:xmpmeta>'
) % SKETCH_MARK


def draw(  # noqa: PLR0913 - one argument for each thing that fixes the pixels
    prompt: str,
    width: int,
    height: int,
    *,
    background: str,
    output_format: str,
    seed: str,
    label: str = "sketch",
    compression: int | None = None,
    references: Sequence[bytes] = (),
    mask: bytes | None = None,
) -> bytes:
    """The file of a sketch.

    Args:
        prompt: its words are shown, and choose what is drawn.
        width: in pixels.
        height: in pixels.
        background: ``transparent`` leaves what is around the subject out, where the format can.
        output_format: ``png``, ``jpeg`` or ``webp``.
        seed: another one gives another drawing of the same prompt.
        label: the word on the tag.
        compression: quality from 0 to 100 for jpeg and webp.
        references: images that it follows; small copies of them are shown in it.
        mask: where the first of them may change; None for everywhere.
    """
    scene = compose(prompt, *_scene_size(width, height), seed)
    image = _painted(scene, *_scene_size(width, height)).resize((width, height))
    panel = lay_out(prompt, label, width, height, _measure)
    if background == "transparent" and output_format != "jpeg":
        image.putalpha(_cut_out(width, height))
    _letter(image, panel, scene.palette)
    if references:
        show(image, references, mask)
    return _encoded(image, output_format, compression)


def _scene_size(width: int, height: int) -> tuple[int, int]:
    shrink = max(1.0, max(width, height) / LARGEST_SCENE_PX)
    return max(1, round(width / shrink)), max(1, round(height / shrink))


def _painted(scene: Scene, width: int, height: int) -> Image.Image:
    image = Image.new("RGB", (width, height))
    image.paste(_faded(scene.ground, width, height))
    for shape in scene.shapes:
        _paint(image, shape)
    return image


def _paint(image: Image.Image, shape: Shape) -> None:
    if isinstance(shape, Glow):
        _shine(image, shape)
        return
    box = _visible(image, _bounds(shape))
    if box is None:
        return
    left, top, right, bottom = box
    mask = Image.new("L", ((right - left) * _FINE, (bottom - top) * _FINE))
    _stencil(mask, shape, left, top)
    ink = _faded(shape.fill, right - left, bottom - top)
    image.paste(ink, (left, top), mask.reduce(_FINE))


def _stencil(mask: Image.Image, shape: Area | Disc, left: int, top: int) -> None:
    pen, grey = ImageDraw.Draw(mask), round(255 * shape.fill.opacity)
    if isinstance(shape, Area):
        pen.polygon([((x - left) * _FINE, (y - top) * _FINE) for x, y in shape.points], fill=grey)
        return
    (x, y), radius = shape.centre, shape.radius
    edges = (x - radius - left, y - radius - top, x + radius - left, y + radius - top)
    pen.ellipse([edge * _FINE for edge in edges], fill=grey)


def _shine(image: Image.Image, glow: Glow) -> None:
    (x, y), radius = glow.centre, max(1, round(glow.radius))
    edge = 180
    shares = [max(0.0, 1 - far / edge) ** 2.2 for far in range(256)]
    fading = [round(255 * glow.opacity * share) for share in shares]
    light = Image.radial_gradient("L").point(fading).resize((2 * radius, 2 * radius))
    image.paste(glow.colour, (round(x) - radius, round(y) - radius), light)


def _bounds(shape: Area | Disc) -> tuple[float, float, float, float]:
    if isinstance(shape, Disc):
        (x, y), radius = shape.centre, shape.radius
        return x - radius, y - radius, x + radius, y + radius
    across, down = zip(*shape.points, strict=True)
    return min(across), min(down), max(across), max(down)


def _visible(
    image: Image.Image, bounds: tuple[float, float, float, float]
) -> tuple[int, int, int, int] | None:
    left, top = max(0, int(bounds[0]) - 1), max(0, int(bounds[1]) - 1)
    right, bottom = min(image.width, int(bounds[2]) + 2), min(image.height, int(bounds[3]) + 2)
    return (left, top, right, bottom) if left < right and top < bottom else None


def _faded(fill: Fill, width: int, height: int) -> Image.Image | Colour:
    if fill.top == fill.bottom:
        return fill.top
    column = Image.new("RGB", (1, height), fill.top)
    column.paste(fill.bottom, mask=Image.linear_gradient("L").resize((1, height)))
    return column.resize((width, height), Image.Resampling.NEAREST)


def _cut_out(width: int, height: int) -> Image.Image:
    alpha = Image.new("L", (width, height))
    side = min(width, height) * 0.94
    box = ((width - side) / 2, (height - side) / 2, (width + side) / 2, (height + side) / 2)
    _round(alpha, Box(*box), side * 0.5, 255)
    return alpha


@lru_cache(maxsize=32)
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise OSError("this Pillow was built without FreeType, so it cannot letter a sketch")
    return font.font_variant(layout_engine=ImageFont.Layout.BASIC)


def _measure(text: str, size: int) -> float:
    return _font(size).getlength(text)


def _letter(image: Image.Image, panel: Panel, palette: Palette) -> None:
    if panel.box:
        radius = min(image.size) * 0.016
        _shade(image, panel.box, radius, palette.ink)
        _round(image, panel.box, radius, _PAPER)
    for run in panel.words:
        _write(image, run, palette.ink)
    if panel.note:
        _write(image, panel.note, palette.ink.towards(_PAPER, 0.4))
    if panel.tag_box and panel.tag:
        _round(image, panel.tag_box, panel.tag.size, palette.ink)
        _write(image, panel.tag, _PAPER)


def _shade(image: Image.Image, box: Box, radius: float, colour: Colour) -> None:
    for step, share in ((0.9, 0.1), (0.6, 0.12), (0.3, 0.14)):
        far = radius * step
        wide = Box(box.left - far / 3, box.top, box.right + far / 3, box.bottom + far * 1.3)
        _round(image, wide, radius + far / 3, colour, share)


def _round(
    image: Image.Image, box: Box, radius: float, colour: Colour | int, opacity: float = 1.0
) -> None:
    left, top, right, bottom = (round(edge) for edge in box)
    mask = Image.new("L", ((right - left) * _FINE, (bottom - top) * _FINE))
    edges = (0, 0, mask.width - 1, mask.height - 1)
    ImageDraw.Draw(mask).rounded_rectangle(edges, radius * _FINE, fill=round(255 * opacity))
    image.paste(colour, (left, top), mask.reduce(_FINE))


def _write(image: Image.Image, run: Run, colour: Colour) -> None:
    if run.bar is not None:
        half = run.size * 0.22
        bar = Box(run.x, run.y - half, run.x + run.bar, run.y + half)
        _round(image, bar, half, colour.towards(_PAPER, 0.55))
        return
    place, font = (round(run.x), round(run.y + run.size * 0.36)), _font(run.size)
    ImageDraw.Draw(image).text(place, run.text, colour, font, anchor="ls")


def _encoded(image: Image.Image, output_format: str, compression: int | None) -> bytes:
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
