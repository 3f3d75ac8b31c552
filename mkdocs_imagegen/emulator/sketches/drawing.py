"""Drawing of a sketch: a scene that matches the prompt, and a label that says it is a sketch.

The same arguments give the same bytes with the same version of Pillow, on every machine: the font
is built into Pillow and uses its basic layout engine.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from mkdocs_imagegen.emulator.sketches.landscapes import balloons, hills, peaks, sea
from mkdocs_imagegen.emulator.sketches.patterns import arches, circles, leaves, tiles
from mkdocs_imagegen.emulator.sketches.primitives import (
    PALETTES,
    Area,
    Color,
    Disc,
    Fill,
    Glow,
    Palette,
    Primitive,
    Scene,
    SeededRandom,
    choose_by_word,
    word_set,
)
from mkdocs_imagegen.emulator.sketches.reference_images import paste_references
from mkdocs_imagegen.emulator.sketches.text_layout import Box, Panel, TextRun, lay_out
from mkdocs_imagegen.request import SKETCH_MARK

MAX_SCENE_PX = 1536
"""Longer side of a painted scene; for a larger image, the scene is scaled up before lettering."""

Family = Callable[[SeededRandom, Palette, float, float], Scene]

FAMILIES: tuple[tuple[frozenset[str], Family], ...] = (
    (word_set("field forest hill hills landscape meadow valley"), hills),
    (word_set("alpine mountain mountains peak peaks snow"), peaks),
    (word_set("beach boat harbour harbor ocean sea ship wave waves"), sea),
    (word_set("airship balloon balloons birthday party sky"), balloons),
    (word_set("ball bubble bubbles circle circles planet"), circles),
    (word_set("arch arches bridge door gate rainbow"), arches),
    (word_set("flower flowers garden leaf leaves plant plants"), leaves),
    (word_set("blocks code data grid mosaic network pattern tile tiles"), tiles),
)
"""Families of scenes, each with the prompt words that select it."""

_FINE = 2
_PAPER = Color(255, 253, 248)
_XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf='
    b'"http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    b'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreatorTool="%s"/></rdf:RDF></x:xmpmeta>'
) % SKETCH_MARK


def draw(  # noqa: PLR0913 - one argument for each input of the pixels
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
    """Draw a sketch and return the bytes of its image file.

    Args:
        prompt: Prompt; its words are shown, and select the scene and the palette.
        width: Width in pixels.
        height: Height in pixels.
        background: ``transparent`` cuts out a disc, if the format supports transparency.
        output_format: ``png``, ``jpeg`` or ``webp``.
        seed: Seed; another seed gives another drawing of the same prompt.
        label: Text of the tag.
        compression: Quality from 0 to 100 for jpeg and webp.
        references: Reference images; their thumbnails are shown in the sketch.
        mask: Editable area of the first reference image; None for the whole image.
    """
    scene = compose(prompt, *_scene_size(width, height), seed)
    image = _paint_scene(scene, *_scene_size(width, height)).resize((width, height))
    panel = lay_out(prompt, label, width, height, _measure)
    if background == "transparent" and output_format != "jpeg":
        image.putalpha(_disc_alpha(width, height))
    _draw_label(image, panel, scene.palette)
    if references:
        paste_references(image, references, mask)
    return _encode(image, output_format, compression)


def compose(prompt: str, width: int, height: int, seed: str) -> Scene:
    """Compose the scene for a prompt; its earliest matching word selects, else the seed."""
    rng = SeededRandom(f"{seed}\n{prompt}")
    any_palette, any_family = rng.pick(PALETTES), rng.pick(FAMILIES)[1]
    by_words = [(palette.words, palette) for palette in PALETTES]
    palette = choose_by_word(prompt, by_words) or any_palette
    family = choose_by_word(prompt, FAMILIES) or any_family
    return family(rng, palette, width, height)


def _scene_size(width: int, height: int) -> tuple[int, int]:
    shrink = max(1.0, max(width, height) / MAX_SCENE_PX)
    return max(1, round(width / shrink)), max(1, round(height / shrink))


def _paint_scene(scene: Scene, width: int, height: int) -> Image.Image:
    image = Image.new("RGB", (width, height))
    image.paste(_gradient(scene.ground, width, height))
    for shape in scene.shapes:
        _paint(image, shape)
    return image


def _paint(image: Image.Image, shape: Primitive) -> None:
    if isinstance(shape, Glow):
        _paint_glow(image, shape)
        return
    box = _visible(image, _bounds(shape))
    if box is None:
        return
    left, top, right, bottom = box
    mask = Image.new("L", ((right - left) * _FINE, (bottom - top) * _FINE))
    _draw_mask(mask, shape, left, top)
    ink = _gradient(shape.fill, right - left, bottom - top)
    image.paste(ink, (left, top), mask.reduce(_FINE))


def _draw_mask(mask: Image.Image, shape: Area | Disc, left: int, top: int) -> None:
    pen, grey = ImageDraw.Draw(mask), round(255 * shape.fill.opacity)
    if isinstance(shape, Area):
        pen.polygon([((x - left) * _FINE, (y - top) * _FINE) for x, y in shape.points], fill=grey)
        return
    (x, y), radius = shape.center, shape.radius
    edges = (x - radius - left, y - radius - top, x + radius - left, y + radius - top)
    pen.ellipse([edge * _FINE for edge in edges], fill=grey)


def _paint_glow(image: Image.Image, glow: Glow) -> None:
    (x, y), radius = glow.center, max(1, round(glow.radius))
    edge = 180
    shares = [max(0.0, 1 - far / edge) ** 2.2 for far in range(256)]
    fading = [round(255 * glow.opacity * share) for share in shares]
    light = Image.radial_gradient("L").point(fading).resize((2 * radius, 2 * radius))
    image.paste(glow.color, (round(x) - radius, round(y) - radius), light)


def _bounds(shape: Area | Disc) -> tuple[float, float, float, float]:
    if isinstance(shape, Disc):
        (x, y), radius = shape.center, shape.radius
        return x - radius, y - radius, x + radius, y + radius
    across, down = zip(*shape.points, strict=True)
    return min(across), min(down), max(across), max(down)


def _visible(
    image: Image.Image, bounds: tuple[float, float, float, float]
) -> tuple[int, int, int, int] | None:
    left, top = max(0, int(bounds[0]) - 1), max(0, int(bounds[1]) - 1)
    right, bottom = min(image.width, int(bounds[2]) + 2), min(image.height, int(bounds[3]) + 2)
    return (left, top, right, bottom) if left < right and top < bottom else None


def _gradient(fill: Fill, width: int, height: int) -> Image.Image | Color:
    if fill.top == fill.bottom:
        return fill.top
    column = Image.new("RGB", (1, height), fill.top)
    column.paste(fill.bottom, mask=Image.linear_gradient("L").resize((1, height)))
    return column.resize((width, height), Image.Resampling.NEAREST)


def _disc_alpha(width: int, height: int) -> Image.Image:
    alpha = Image.new("L", (width, height))
    side = min(width, height) * 0.94
    box = ((width - side) / 2, (height - side) / 2, (width + side) / 2, (height + side) / 2)
    _rounded_box(alpha, Box(*box), side * 0.5, 255)
    return alpha


@lru_cache(maxsize=32)
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise OSError("Pillow was built without FreeType, which sketches need for text")
    return font.font_variant(layout_engine=ImageFont.Layout.BASIC)


def _measure(text: str, size: int) -> float:
    return _font(size).getlength(text)


def _draw_label(image: Image.Image, panel: Panel, palette: Palette) -> None:
    if panel.box:
        radius = min(image.size) * 0.016
        _draw_shadow(image, panel.box, radius, palette.ink)
        _rounded_box(image, panel.box, radius, _PAPER)
    for run in panel.words:
        _draw_text(image, run, palette.ink)
    if panel.note:
        _draw_text(image, panel.note, palette.ink.towards(_PAPER, 0.4))
    if panel.tag_box and panel.tag:
        _rounded_box(image, panel.tag_box, panel.tag.size, palette.ink)
        _draw_text(image, panel.tag, _PAPER)


def _draw_shadow(image: Image.Image, box: Box, radius: float, color: Color) -> None:
    for step, share in ((0.9, 0.1), (0.6, 0.12), (0.3, 0.14)):
        far = radius * step
        wide = Box(box.left - far / 3, box.top, box.right + far / 3, box.bottom + far * 1.3)
        _rounded_box(image, wide, radius + far / 3, color, share)


def _rounded_box(
    image: Image.Image, box: Box, radius: float, color: Color | int, opacity: float = 1.0
) -> None:
    left, top, right, bottom = (round(edge) for edge in box)
    mask = Image.new("L", ((right - left) * _FINE, (bottom - top) * _FINE))
    edges = (0, 0, mask.width - 1, mask.height - 1)
    ImageDraw.Draw(mask).rounded_rectangle(edges, radius * _FINE, fill=round(255 * opacity))
    image.paste(color, (left, top), mask.reduce(_FINE))


def _draw_text(image: Image.Image, run: TextRun, color: Color) -> None:
    if run.bar is not None:
        half = run.size * 0.22
        bar = Box(run.x, run.y - half, run.x + run.bar, run.y + half)
        _rounded_box(image, bar, half, color.towards(_PAPER, 0.55))
        return
    place, font = (round(run.x), round(run.y + run.size * 0.36)), _font(run.size)
    ImageDraw.Draw(image).text(place, run.text, color, font, anchor="ls")


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
