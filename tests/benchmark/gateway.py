"""An emulator that draws nothing while it is measured: a real gateway draws elsewhere."""

from __future__ import annotations

import io
import math
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from itertools import count
from typing import Any

from PIL import Image

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import serve
from mkdocs_imagegen.emulator.sketches import drawing
from mkdocs_imagegen.emulator.wire_types import HttpResponse

_SKETCH, _NO_SKETCH = b'"imagegen":{"sketch":true}', b'"imagegen":{"sketch":false}'
_RESERVED = b"benchmark image 00000000"

Draw = Callable[[str, int, int], bytes]
"""A image of a prompt, by its words, width and height."""


@contextmanager
def gateway(
    draw: Draw | None = None, pause: Callable[[float], None] = time.sleep
) -> Iterator[dict[str, Any]]:
    """An emulator on a socket; the setting ``gateway`` for it.

    Args:
        draw: gives each image; by default all of one size look the same, in other bytes.
        pause: called before each answer.
    """
    given = draw or _Alike()
    before = drawing.draw

    def drawn(prompt: str, width: int, height: int, **_: object) -> bytes:
        return given(prompt, width, height)

    drawing.draw = drawn
    try:
        with serve(_LikeReal(require_key=False, pause=pause, balance_usd=Decimal(10**6))) as server:
            yield {"url": server.url, "auth": "none"}
    finally:
        drawing.draw = before


class _LikeReal(Emulator):
    """Does not say that its images are sketches, which are looked up in another way."""

    def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> HttpResponse:
        response = super().handle(method, path, headers, body)
        assert _SKETCH in response.body or b"b64_json" not in response.body
        return replace(response, body=response.body.replace(_SKETCH, _NO_SKETCH))


class _Alike:
    """One drawing for each size, with a number in its metadata, so that no two files are equal."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def __call__(self, _prompt: str, width: int, height: int) -> bytes:
        number = b"%08d" % next(self._numbers)
        return _canned(width, height).replace(_RESERVED, _RESERVED[: -len(number)] + number)


_original_draw = drawing.draw


@lru_cache
def _canned(width: int, height: int) -> bytes:
    drawn = _original_draw(
        "A quiet harbour", width, height, background="auto", output_format="png", seed="0"
    )
    return webp(Image.open(io.BytesIO(drawn)), 80, _RESERVED)


def webp(image: Image.Image, quality: int, metadata: bytes) -> bytes:
    """A image with any bytes in its metadata."""
    output = io.BytesIO()
    image.save(output, "WEBP", quality=quality, xmp=metadata)
    return output.getvalue()


class Latencies:
    """Waits as long as a real gateway did: most answers are quick, a few take very long.

    Log-normal, with the median and the 95th percentile of 18 s and 46 s that were seen, all of it
    faster by one factor.

    Args:
        median_s: of the answers.
        seed: another one gives other latencies.
    """

    _SIGMA = math.log(46 / 18) / 1.645

    def __init__(self, median_s: float, seed: int) -> None:
        self.drawn: list[float] = []
        self._median_s = median_s
        self._random = random.Random(seed)  # noqa: S311 - no secret hangs on it
        self._lock = threading.Lock()

    def __call__(self, _seconds: float) -> None:
        with self._lock:
            each = self._median_s * math.exp(self._random.gauss(0, self._SIGMA))
            self.drawn.append(each)
        time.sleep(each)


def makespan_of(durations: list[float], workers: int) -> float:
    """When the last is done, if each begins as soon as one of the workers is free, in order."""
    free = [0.0] * workers
    for each in durations:
        soonest = min(range(workers), key=free.__getitem__)
        free[soonest] += each
    return max(free)
