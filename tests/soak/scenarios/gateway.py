"""Gateway whose images look like those of a real model, and whose bill lists every image."""

from __future__ import annotations

import base64
import hashlib
import io
import itertools
import random
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest
from PIL import Image

from mkdocs_imagegen.emulator import protocol
from mkdocs_imagegen.emulator.faults import OK, FaultCase
from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.wire_types import DrawRequest, DrawResult, HttpRequest, HttpResponse
from mkdocs_imagegen.request import ImageRequest
from tests.soak.builds.sites import Latency
from tests.waiting import wait_until

FREE_FAULTS = (
    *("internal-error", "unavailable", "moderation-blocked", "retry-after-ms", "reset", "closed"),
    *("invalid-value", "html", "insufficient-funds"),
)
CHARGED_FAULTS = (
    *("lost", "hung-up", "cut", "cut-head", "short-length", "half-image", "not-an-image"),
    *("bad-base64", "empty-data", "truncated-json", "html-200", "late-error", "late-timeout"),
    *("wrong-format", "wrong-size", "no-metadata", "url", "data-url", "accepted", "chunked"),
)
_LATENCY_S = (0.0, 0.15)
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Charge:
    """An image that was drawn and charged, delivered or not."""

    request: ImageRequest
    sha256: str

    @property
    def key(self) -> str:
        return self.request.key


class BillingGateway(Emulator):
    """Emulator that lists its charges, and does not mark its images as sketches."""

    def __init__(self) -> None:
        super().__init__(require_key=False, pause=Latency(*_LATENCY_S), latency_s=1e-6)
        self._lock = threading.Lock()
        self._charges: list[Charge] = []
        self._faults: deque[str] = deque()
        self.requests = 0

    def plan(self, faults: Sequence[str]) -> None:
        """Set the faults of the next image requests; none after these."""
        with self._lock:
            self._faults = deque(faults)

    def charges(self) -> list[Charge]:
        """Return all charges, after the last response."""
        wait_until(lambda: len(self._charges) == self.bill.images)
        with self._lock:
            return list(self._charges)

    def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> HttpResponse:
        with self._lock:
            self.requests += 1
        return super().handle(method, path, headers, body)

    def _fault_name(self, request: HttpRequest) -> str:
        with self._lock:
            is_image = request.method == "POST"
            return self._faults.popleft() if is_image and self._faults else OK

    def _draw(self, request: DrawRequest, fault: FaultCase) -> DrawResult:
        result = super()._draw(request, fault)
        asked = ImageRequest(request.requested_model, request.prompt, request.size, request.quality)
        sha256 = hashlib.sha256(base64.b64decode(result.images[0])).hexdigest()
        with self._lock:
            self._charges.append(Charge(asked, sha256))
        metadata = {k: v for k, v in (result.metadata or {}).items() if k != "imagegen"}
        return replace(result, metadata=metadata)


def random_faults(rng: random.Random) -> list[str]:
    """Return the faults of some requests; every second one has none."""
    kinds = (OK, OK, rng.choice(FREE_FAULTS), rng.choice(CHARGED_FAULTS))
    return [rng.choice(kinds) for _ in range(rng.randint(1, 12))]


@contextmanager
def drawing_quickly() -> Iterator[None]:
    """Draw images of one color; no two have the same bytes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(protocol, "_draw_images", _draw_images)
        yield


def _draw_images(request: DrawRequest) -> tuple[str, ...]:
    number, file = next(_numbers), io.BytesIO()
    color = tuple(random.Random(number).randbytes(3))  # noqa: S311 - a color
    image = Image.new("RGB", request.size, color)
    if request.output_format == "png":
        image.save(file, "PNG", compress_level=1)
        file.write(b"%d" % number)  # decoders ignore what follows the image
    else:
        image.save(file, "JPEG", comment=b"image %d" % number)
    return (base64.b64encode(file.getvalue()).decode("ascii"),)
