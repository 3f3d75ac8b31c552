"""A scheduler whose server is a function; everything else is as in a build."""

from __future__ import annotations

import base64
import io
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from mkdocs_imagegen.gateway.offers import Offer
from mkdocs_imagegen.gateway.wire import ImageResponse, decode_response
from mkdocs_imagegen.hosts.gateway import gateway_factory
from mkdocs_imagegen.jobs.job import Job, Result
from mkdocs_imagegen.jobs.progress import Progress
from mkdocs_imagegen.jobs.scheduler import Scheduler
from mkdocs_imagegen.log import log, run_filter
from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.pipeline.context import Run
from mkdocs_imagegen.pipeline.lookup import open_originals
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import GatewaySettings, read_settings
from mkdocs_imagegen.spending.journal import Intent
from mkdocs_imagegen.spending.purchase import Purchaser
from mkdocs_imagegen.spending.storing import open_stores

MODEL = "openai/gpt-image-1-mini"
SERVER = "https://x.example/v1"
NO_LIMIT = {"images": None, "usd": None}


def _png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, "PNG")
    return file.getvalue()


def body_of(image: bytes) -> bytes:
    return json.dumps({"data": [{"b64_json": base64.b64encode(image).decode()}]}).encode()


PNG = _png()
BODY = body_of(PNG)
"""A whole answer, which tells no cost."""


def request(number: int = 0) -> ImageRequest:
    return ImageRequest(MODEL, f"prompt {number}", Size(1024, 1024))


def intent(asked: ImageRequest, server: str = SERVER) -> Intent:
    return Intent(asked, server, "png", None, "2026-11-23T17:00:00+00:00")


def job(asked: ImageRequest, layout: str = "A", **more: Any) -> Job:
    facts = {"original": None} | more
    exact_options = facts.get("exact_options", frozenset())
    return Job((asked.key, layout, exact_options), asked, **facts)  # type: ignore[arg-type]  # any


class FakeGateway:
    """A server in this process.

    Args:
        before: what it does before it answers; may raise, and may keep an answer itself.
        offers: what it offers; may raise.
        body: what it answers.
    """

    def __init__(
        self,
        before: Callable[..., Awaitable[None]] | None = None,
        offers: Callable[[], Awaitable[tuple[Offer, ...]]] | None = None,
        body: bytes = BODY,
    ) -> None:
        self._before = before
        self._body = body
        self._offers = offers
        self.asked: list[str] = []
        self.opened: list[bytes] = []
        self.visits = 0

    async def generate(self, asked: ImageRequest, keep: Any = None, _: Any = None) -> ImageResponse:
        self.asked.append(asked.prompt)
        if self._before is not None:
            await self._before(asked, keep)
        keep(self._body)
        return decode_response(self._body, asked, GatewaySettings())

    async def open_response(self, body: bytes, asked: ImageRequest) -> ImageResponse:
        self.opened.append(body)
        return decode_response(BODY, asked, GatewaySettings())

    async def fetch_offers(self) -> tuple[Offer, ...]:
        self.visits += 1
        return await self._offers() if self._offers else ()

    async def aclose(self) -> None:
        pass


class LogTexts(logging.Handler):
    """The texts that the package has logged, without its prefix, while this handler is attached."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        run_filter.begin_run()
        log.setLevel(logging.INFO)
        log.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage().removeprefix("imagegen: "))

    def close(self) -> None:
        log.removeHandler(self)
        log.setLevel(logging.NOTSET)
        super().close()


class Bench:
    """A scheduler with everything that it needs, and the texts that it has logged.

    Args:
        folder: Folder of the site.
        client: The client; None for the emulator in this process.
        derive: Function that writes the files of an original.
        timeout_s: Seconds that one call may take.
        run: State of a run with several builds.
        options: Options of the site.
    """

    def __init__(
        self,
        folder: Path,
        client: FakeGateway | None = None,
        *,
        derive: Callable[..., Any] = lambda *_: "files",
        timeout_s: float = 20,
        run: Run | None = None,
        **options: Any,
    ) -> None:
        given = {"gateway": {"url": SERVER}, "budget": NO_LIMIT, "concurrency": 2} | options
        settings = read_settings(given, folder)
        self.settings = replace(settings, gateway=replace(settings.gateway, timeout=timeout_s))
        self.client: Any = client or FakeGateway()
        self.logged = LogTexts()
        self.run = run or Run()
        originals = open_originals(self.settings, can_write=True)
        self.stores = open_stores(self.settings, originals)
        opened = gateway_factory(self.settings)
        self.purchaser = Purchaser(
            self.settings,
            self.stores,
            self.run.ledger,
            opened if self.settings.gateway.is_sketch else lambda *_: self.client,
            self.run.reference_files.read,
        )
        self.scheduler = Scheduler(self.settings, self.purchaser, originals, derive, Progress())

    def close(self) -> None:
        """Close the scheduler."""
        self.scheduler.close()
        self.logged.close()

    @property
    def said(self) -> list[str]:
        """The texts that were logged."""
        return self.logged.texts

    @property
    def journal(self) -> list[str]:
        """The files of calls that are not ended."""
        folder = self.stores.journal.folder
        files = [*folder.glob("*.intent"), *folder.glob("*.answer")]
        return sorted(path.name for path in files)

    def run_jobs(self, *jobs: Job) -> list[Result]:
        """What becomes of each."""
        for each in jobs:
            self.scheduler.start(each)
        results = self.scheduler.join()
        return [results[each.key] for each in jobs]

    def stored(self) -> list[str]:
        """The prompts of all originals."""
        return sorted(each.prompt for each in self.stores.originals.records())
