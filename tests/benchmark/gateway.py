"""An emulator with prepared images: a real gateway uses no CPU of the machine to draw them."""

from __future__ import annotations

import io
import math
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from itertools import count
from typing import Any

from PIL import Image

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import EmulatorServer
from mkdocs_imagegen.emulator.sketches import drawing
from mkdocs_imagegen.emulator.wire_types import DrawRequest, HttpResponse
from mkdocs_imagegen.settings import Settings
from tests.emulator.support import draw_request

_SKETCH, _NO_SKETCH = b'"imagegen":{"sketch":true}', b'"imagegen":{"sketch":false}'
_RESERVED = b"benchmark image 00000000"
_SIGMA = math.log(46 / 18) / 1.645

Draw = Callable[[str, int, int], bytes]
"""Function that returns an image for a prompt, a width and a height."""


@contextmanager
def gateway(
    draw: Draw | None = None, latencies_s: Sequence[float] = ()
) -> Iterator[dict[str, Any]]:
    """Serve an emulator on a socket, and yield the option ``gateway`` for it.

    Args:
        draw: Function that returns each image; by default, all images of one size look equal and
            differ in their metadata.
        latencies_s: Seconds before each response, in the order of the requests; none by default.
    """
    left = iter(latencies_s)
    drawing_function = draw or PreparedImages()
    before = drawing.draw

    def drawn(request: DrawRequest, **_: object) -> bytes:
        return drawing_function(request.prompt, *request.size)

    drawing.draw = drawn
    try:
        with EmulatorServer(
            _Unmarked(
                require_key=False,
                pause=lambda _: time.sleep(next(left, 0.0)),
                balance_usd=Decimal(10**6),
            )
        ) as server:
            yield {"url": server.url, "auth": "none"}
    finally:
        drawing.draw = before


class _Unmarked(Emulator):
    """Emulator that does not mark images as sketches, which have another lookup."""

    def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> HttpResponse:
        response = super().handle(method, path, headers, body)
        assert _SKETCH in response.body or b"b64_json" not in response.body
        return replace(response, body=response.body.replace(_SKETCH, _NO_SKETCH))


class PreparedImages:
    """Images that differ by a number in the metadata, so that all files differ.

    Args:
        images: Images with the metadata of `with_number`, which are sent in turn; by default, one
            drawing per size.
    """

    def __init__(self, images: Sequence[bytes] = ()) -> None:
        self._images, self._numbers = images, count(1)
        if not images:
            _prepared(*Settings().size)  # and not while a build waits

    def __call__(self, _prompt: str, width: int, height: int) -> bytes:
        each = next(self._numbers)
        images = self._images or [_prepared(width, height)]
        number = b"%08d" % each
        return images[each % len(images)].replace(_RESERVED, _RESERVED[: -len(number)] + number)


_original_draw = drawing.draw


@lru_cache
def _prepared(width: int, height: int) -> bytes:
    drawn = _original_draw(draw_request("A quiet harbour", width, height), seed="0")
    return with_number(Image.open(io.BytesIO(drawn)))


def with_number(image: Image.Image) -> bytes:
    """Encode an image like a gateway, with metadata in which a number can be replaced."""
    return webp(image, 80, _RESERVED)


def webp(image: Image.Image, quality: int, metadata: bytes) -> bytes:
    """Encode an image with metadata."""
    output = io.BytesIO()
    image.save(output, "WEBP", quality=quality, xmp=metadata)
    return output.getvalue()


def latencies(number: int, median_s: float, seed: int) -> list[float]:
    """Return random latencies with the distribution of a real gateway, in seconds.

    Log-normal, with a median of 18 s and a 95th percentile of 46 s as measured, scaled by a factor.

    Args:
        number: Number of latencies.
        median_s: Median in seconds.
        seed: Seed of the latencies.
    """
    draws = random.Random(seed)  # noqa: S311 - not a secret
    return [median_s * math.exp(draws.gauss(0, _SIGMA)) for _ in range(number)]


def makespan_of(durations: Sequence[float], workers: int) -> float:
    """Return the end of the last task, if each starts in order when a worker is free."""
    free = [0.0] * workers
    for each in durations:
        soonest = min(range(workers), key=free.__getitem__)
        free[soonest] += each
    return max(free)
