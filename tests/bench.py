"""A maker of images whose server is a function; everything else is as in a build."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from mkdocs_imagegen.gateway.offers import Offer
from mkdocs_imagegen.gateway.wire import ImageResponse, decode_response
from mkdocs_imagegen.gateway_opening import open_gateway
from mkdocs_imagegen.jobs.job import Job, Result
from mkdocs_imagegen.jobs.scheduler import Scheduler
from mkdocs_imagegen.options import Size
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import GatewaySettings, read_settings
from mkdocs_imagegen.spending.journal import Intent
from mkdocs_imagegen.spending.prices import PriceList
from mkdocs_imagegen.spending.purchase import Purchaser
from mkdocs_imagegen.spending.run import Run
from mkdocs_imagegen.spending.stores import Stores

MODEL = "openai/gpt-image-1-mini"
SERVER = "https://x.example/v1"
NO_LIMIT = {"images": None, "usd": None}


def _png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, "PNG")
    return file.getvalue()


PNG = _png()
BODY = json.dumps({"data": [{"b64_json": base64.b64encode(PNG).decode()}]}).encode()
"""A whole answer, which tells no cost."""


def request(number: int = 0) -> ImageRequest:
    return ImageRequest(MODEL, f"prompt {number}", Size(1024, 1024))


def intent(asked: ImageRequest, server: str = SERVER) -> Intent:
    return Intent(asked, server, "png", None, "2026-11-23T17:00:00+00:00")


def want(asked: ImageRequest, layout: str = "A", **more: Any) -> Job:
    facts = {"original": None, "can_generate": True} | more
    return Job((asked.key, layout, False), asked, **facts)  # type: ignore[arg-type]  # any shape


class Studio:
    """A server in this process.

    Args:
        before: what it does before it answers; may raise, and may keep an answer itself.
        offers: what it offers; may raise.
    """

    def __init__(
        self,
        before: Callable[..., Awaitable[None]] | None = None,
        offers: Callable[[], Awaitable[tuple[Offer, ...]]] | None = None,
    ) -> None:
        self._before = before
        self._offers = offers
        self.asked: list[str] = []
        self.opened: list[bytes] = []
        self.visits = 0

    async def generate(self, asked: ImageRequest, keep: Any = None, _: Any = None) -> ImageResponse:
        self.asked.append(asked.prompt)
        if self._before is not None:
            await self._before(asked, keep)
        keep(BODY)
        return decode_response(BODY, asked, GatewaySettings())

    async def open_response(self, body: bytes, asked: ImageRequest) -> ImageResponse:
        self.opened.append(body)
        return decode_response(BODY, asked, GatewaySettings())

    async def fetch_offers(self) -> tuple[Offer, ...]:
        self.visits += 1
        return await self._offers() if self._offers else ()

    async def aclose(self) -> None:
        pass


class Bench:
    """All that makes images, and what it told.

    Args:
        folder: of the site.
        studio: the server; None for the emulator in this process.
        derive: makes the files of an original.
        patience_s: seconds that one call may take.
        options: of the site.
    """

    def __init__(
        self,
        folder: Path,
        studio: Studio | None = None,
        *,
        derive: Callable[..., Any] = lambda *_: "files",
        patience_s: float = 20,
        **options: Any,
    ) -> None:
        given = {"gateway": {"url": SERVER}, "budget": NO_LIMIT, "concurrency": 2} | options
        self.settings = read_settings(given, folder)
        self.studio = studio or Studio()
        self.said: list[str] = []
        self.run = Run()
        self.stores = Stores(self.settings, self.said.append)
        opened = partial(open_gateway, self.settings, None)
        self.price_list = PriceList(
            self.settings.cache_path / "offers.json",
            self.settings.gateway.url,
            self.run,
            self.said.append,
        )
        self.purchaser = Purchaser(
            self.settings,
            self.run,
            self.stores,
            self.price_list,
            opened if self.settings.gateway.is_sketch else lambda _: self.studio,
        )
        self.scheduler = Scheduler(
            self.purchaser,
            self.stores.store.read,
            derive,
            self.settings.concurrency,
            patience_s,
            self.said.append,
            lambda _: None,
        )

    @property
    def journal(self) -> list[str]:
        """The files of calls that are not ended."""
        folder = self.stores.journal.unknown_path.parent
        files = [*folder.glob("*.intent"), *folder.glob("*.answer")]
        return sorted(path.name for path in files)

    def make(self, *wants: Job) -> list[Result]:
        """What becomes of each."""
        for each in wants:
            self.scheduler.start(each)
        results = self.scheduler.join()
        return [results[each.key] for each in wants]

    def stored(self) -> list[str]:
        """The prompts of all originals."""
        return sorted(each.prompt for each in self.stores.store.records())
