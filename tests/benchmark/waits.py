"""A build that records its waits: ``python -m tests.benchmark.waits FILE ARGUMENT ...``.

The arguments are those of ``mkdocs``. The file is written at the end, as JSON, with the seconds of
each wait, and with the numbers of images that were decoded and of files that were encoded.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from mkdocs.__main__ import cli
from PIL import Image

from mkdocs_imagegen.event_loop import EventLoop, Turn
from mkdocs_imagegen.imaging.encode import BLUR_WIDTH_PX

_METHODS = {"file work": "file_work", "pixel work": "pixel_work"}
SLOT = "request slot"


@dataclass(slots=True)
class Waits:
    """Waits and work on pixels of one build.

    Attributes:
        seconds: Seconds of each wait for a worker thread or for a request slot, by kind.
        decoded: Number of images that were decoded.
        encoded: Number of files that were encoded, without the blurred previews.
    """

    seconds: dict[str, list[float]] = field(
        default_factory=lambda: {each: [] for each in (*_METHODS, SLOT)}
    )
    decoded: int = 0
    encoded: int = 0

    def record(self) -> None:
        """Record all later waits of this process."""
        wrappers: list[tuple[Any, str, Callable[[Callable[..., Any]], Callable[..., Any]]]] = [
            *((EventLoop, name, partial(self._timed, kind)) for kind, name in _METHODS.items()),
            (EventLoop, "turn", self._timed_turn),
            (Image, "open", self._decoding),
            (Image.Image, "save", self._encoding),
        ]
        for owner, name, wrapped in wrappers:
            setattr(owner, name, wrapped(getattr(owner, name)))

    def _timed(self, kind: str, method: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
        async def timed(loop: EventLoop, work: Callable[..., Any], *arguments: object) -> Any:
            begun = time.monotonic()

            def noted(*given: object) -> Any:
                self.seconds[kind].append(time.monotonic() - begun)
                return work(*given)

            return await method(loop, noted, *arguments)

        return timed

    def _timed_turn(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @asynccontextmanager
        async def timed(loop: EventLoop, check: Callable[[], None]) -> AsyncIterator[Turn]:
            begun = time.monotonic()
            async with method(loop, check) as turn:
                self.seconds[SLOT].append(time.monotonic() - begun)
                yield turn

        return timed

    def _decoding(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: object, **more: object) -> Any:
            self.decoded += 1
            return function(*arguments, **more)

        return counted

    def _encoding(self, method: Callable[..., None]) -> Callable[..., None]:
        def counted(image: Image.Image, *arguments: object, **more: object) -> None:
            self.encoded += image.width > BLUR_WIDTH_PX
            method(image, *arguments, **more)

        return counted


def p99(values: Sequence[float]) -> float:
    """Return the 99th percentile: the smallest value that 99 % of all do not exceed."""
    return sorted(values)[math.ceil(0.99 * len(values)) - 1]


def read_waits(path: Path) -> Waits:
    """Return the waits that a build has written."""
    return Waits(**json.loads(path.read_text()))


def main() -> None:
    """Run MkDocs, and write the waits."""
    path, *arguments = sys.argv[1:]
    waits = Waits()
    waits.record()
    try:
        cli(arguments)
    finally:
        Path(path).write_text(json.dumps(asdict(waits)))


if __name__ == "__main__":
    main()
