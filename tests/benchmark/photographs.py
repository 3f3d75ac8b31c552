"""Images of four kinds: photograph-like, flat with text, sketches, and sketches with alpha."""

from __future__ import annotations

import io

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from mkdocs_imagegen.emulator.sketches.drawing import draw
from tests.emulator.support import draw_request

KINDS = ("photo", "photo", "flat", "sketch", "alpha")
"""Kinds in the order of the images: two fifths are like photographs."""

WIDTH, HEIGHT = 1536, 1024
_SIZE = (WIDTH, HEIGHT)


def kind_of(index: int) -> str:
    """Return the kind of an image."""
    return KINDS[index % len(KINDS)]


def image(index: int) -> bytes:
    """Return an image as PNG."""
    kind = kind_of(index)
    if kind == "photo":
        return _png(photograph(index))
    return _png(_flat(index)) if kind == "flat" else _drawn(index, has_alpha=kind == "alpha")


def photograph(index: int) -> Image.Image:
    """Draw gradients, shapes of all sizes, and grain."""
    image = Image.merge("RGB", [Image.linear_gradient("L").rotate(90 * each) for each in range(3)])
    image = image.resize(_SIZE)
    for size in (6, 30, 150):
        noise = Image.effect_noise((WIDTH // size, HEIGHT // size), 60 + index)
        noise = noise.resize(_SIZE, Image.Resampling.BICUBIC).convert("RGB")
        image = ImageChops.overlay(image, noise)
    grain = Image.effect_noise(_SIZE, 4).filter(ImageFilter.GaussianBlur(0.7)).convert("RGB")
    return ImageChops.overlay(image, grain)


def _flat(index: int) -> Image.Image:
    """Draw boxes with text and lines between them, as in documentation."""
    image = Image.new("RGB", _SIZE, "white")
    pen = ImageDraw.Draw(image)
    for row in range(4):
        for column in range(4):
            left, top = 60 + column * 370, 60 + row * 240
            color = f"hsl({(index * 37 + row * 60 + column * 25) % 360}, 60%, 80%)"
            pen.line((left + 150, top + 80, left + 500, top + 320), "black", 3)
            pen.rounded_rectangle((left, top, left + 300, top + 160), 14, color, "black", 3)
            text = f"Step {row}.{column}\nof number {index}"
            pen.text((left + 24, top + 40), text, "black", ImageFont.load_default(26 + row * 4))
    return image


def _drawn(index: int, *, has_alpha: bool) -> bytes:
    """Return a sketch of the emulator, with a transparent background if it has alpha."""
    prompt = f"A harbour with {index} boats at dusk"
    background = "transparent" if has_alpha else "auto"
    return draw(draw_request(prompt, WIDTH, HEIGHT, background=background), seed=str(index))


def _png(image: Image.Image) -> bytes:
    output = io.BytesIO()
    image.save(output, "PNG", compress_level=3)
    return output.getvalue()
