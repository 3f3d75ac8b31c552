"""Pictures in the making: concurrent, equal requests once, joined, never dropped half way."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Protocol

from mkdocs_imagegen.background import Background
from mkdocs_imagegen.errors import (
    BadAnswerError,
    Billing,
    GatewayError,
    ImagegenError,
    PictureError,
    StoreError,
)
from mkdocs_imagegen.gateway.answer import Answer
from mkdocs_imagegen.originals.record import Original
from mkdocs_imagegen.originals.store import Kept, OriginalStore
from mkdocs_imagegen.pictures.decode import Decoded, inspect
from mkdocs_imagegen.pictures.fit import fit
from mkdocs_imagegen.pictures.picture import Picture, needs_fitting, public_name
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.values import Size


class Draws(Protocol):
    """What draws pictures: the gateway's client."""

    async def generate(self, request: ImageRequest) -> Answer:
        """The picture.

        Raises:
            GatewayError: there is none.
        """

    async def aclose(self) -> None:
        """Close its connections."""


class StoppedError(ImagegenError):
    """The run was stopped before this picture's turn came."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one request.

    Attributes:
        kept: the original, if there is one now.
        picture: what the page shows of it.
        made: whether it was asked for in this build, and not only fitted.
        error: why there is none.
        seconds: how long it took, the wait for its turn not counted.
        remarks: what is worth telling although it worked.
    """

    kept: Kept | None = None
    picture: Picture | None = None
    made: bool = False
    error: ImagegenError | None = None
    seconds: float = 0.0
    remarks: tuple[str, ...] = ()


class Maker:
    """Makes pictures in the background, and fits them.

    A request's slot is free before its picture is decoded: holding it made a cold build 1.35
    times as long as the gateway needs (fact sheet "performance", section 7).

    Args:
        open_gateway: makes the client; called when the first picture is asked for.
        server: the address of the server, for the records.
        store: where originals are kept.
        concurrency: how many pictures are asked for at the same time.
    """

    def __init__(
        self,
        open_gateway: Callable[[], Draws],
        server: str,
        store: OriginalStore,
        concurrency: int,
    ) -> None:
        self._open_gateway = open_gateway
        self._server = server
        self._store = store
        self._concurrency = concurrency
        self._futures: dict[str, Future[Result]] = {}
        self._background: Background | None = None
        self._gateway: Draws | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._stop: StoppedError | None = None

    def start(self, request: ImageRequest, kept: Kept | None = None) -> None:
        """Make a picture, or only fit the one that is kept; returns at once."""
        if request.key in self._futures:
            return
        if self._background is None:
            self._background = Background(self._concurrency)
            self._folder = tempfile.TemporaryDirectory(prefix="imagegen-")
        work = self._background.submit(self._work, request, kept, self._background)
        self._futures[request.key] = work

    def join(self) -> dict[str, Result]:
        """Every result, by the request's key; waits for all.

        An interrupt stops what has not begun, waits for what is in flight, and goes on.
        """
        try:
            wait_for(self._futures.values())
        except KeyboardInterrupt:
            self.close()
            raise
        return {key: future.result() for key, future in self._futures.items()}

    def close(self) -> None:
        """Start nothing more, wait for what is in flight, and end the thread."""
        self._stop = self._stop or StoppedError("the build was stopped before its turn")
        wait_for(self._futures.values())
        background, self._background = self._background, None
        if background is not None:
            if self._gateway is not None:
                background.call(self._gateway.aclose)
            background.close()
        if self._folder is not None:
            self._folder.cleanup()

    async def _work(
        self, request: ImageRequest, kept: Kept | None, background: Background
    ) -> Result:
        begun = time.monotonic()
        async with background.admission:
            try:
                if kept is None:
                    async with background.slots:
                        begun = time.monotonic()
                        answer = await self._ask(request)
                    result = await background.compute(self._keep, request, answer)
                else:
                    result = await background.compute(self._fitted, kept, request.size)
            except ImagegenError as error:
                result = Result(error=error)
        return replace(result, seconds=time.monotonic() - begun)

    async def _ask(self, request: ImageRequest) -> Answer:
        if self._stop is not None:
            raise self._stop
        self._gateway = self._gateway or self._open_gateway()
        try:
            return await self._gateway.generate(request)
        except GatewayError as error:
            if error.billing is Billing.PERMANENT:
                self._stop = StoppedError("the gateway's answer stopped the run")
            if error.body:
                self._store.keep_garbage(f"{request.key}.answer", error.body)
            raise

    def _keep(self, request: ImageRequest, answer: Answer) -> Result:
        decoded = self._decoded(request, answer)
        asked = request.as_sketch if answer.is_sketch else request
        original = _original(asked, answer, decoded, self._server)
        remarks = list(answer.warnings)
        if decoded.size != request.size:
            remarks.append(f"asked for {request.size}, got {decoded.size}: it is cut to fit")
        try:
            kept = self._store.put(original, answer.image)
        except StoreError as error:
            kept = _rescued(original, answer.image)
            remarks.append(f"{error}; this picture is in {kept.path}: move it to a safe place")
        return replace(self._fitted(kept, request.size), made=True, remarks=tuple(remarks))

    def _decoded(self, request: ImageRequest, answer: Answer) -> Decoded:
        try:
            return inspect(answer.image)
        except PictureError as error:
            path = self._store.keep_garbage(f"{request.key}.picture", answer.image)
            hint = f"the bytes are in {path}" if path else None
            raise BadAnswerError(f"the picture that came is broken: {error}", hint=hint) from None

    def _fitted(self, kept: Kept, layout: Size) -> Result:
        name = public_name(kept.original, layout)
        if not needs_fitting(kept.original, layout):
            return Result(kept, Picture(name, kept.path))
        assert self._folder is not None  # noqa: S101 - made together with the thread this runs in
        path = Path(self._folder.name) / Path(name).name
        path.write_bytes(fit(kept.path.read_bytes(), layout))
        return Result(kept, Picture(name, path))


def _original(asked: ImageRequest, answer: Answer, decoded: Decoded, server: str) -> Original:
    return Original(
        key=asked.key,
        subject=asked.subject_key,
        sha256=hashlib.sha256(answer.image).hexdigest(),
        bytes=len(answer.image),
        mime=decoded.mime,
        width=decoded.size.width,
        height=decoded.size.height,
        model=asked.model,
        answered_by=answer.model,
        prompt=asked.prompt,
        take=asked.take,
        cost_usd=answer.cost_usd,
        cost_is_estimate=answer.cost_is_estimate,
        generation_id=answer.generation_id,
        server=server,
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        warnings=answer.warnings,
    )


def _rescued(original: Original, content: bytes) -> Kept:
    """The picture in the system's folder for temporary files, since the store did not take it.

    Raises:
        StoreError: that folder does not take it either.
    """
    try:
        path = Path(tempfile.mkdtemp(prefix="imagegen-rescued-")) / original.file_name
        path.write_bytes(content)
    except OSError as error:
        raise StoreError(f"a picture that was paid for could be kept nowhere: {error}") from None
    return Kept(original, path)
