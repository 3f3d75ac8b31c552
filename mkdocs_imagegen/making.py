"""Pictures in the making: concurrent, equal requests once, joined, never dropped half way."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

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
from mkdocs_imagegen.pictures.picture import Picture
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.shapes import Shape

if TYPE_CHECKING:
    import anyio


class Draws(Protocol):
    """What draws pictures: the gateway's client."""

    async def generate(self, request: ImageRequest) -> Answer:
        """The picture.

        Raises:
            GatewayError: there is none.
        """

    async def aclose(self) -> None:
        """Close its connections."""


class NotMadeError(ImagegenError):
    """A picture that was not asked for, and why."""


class StoppedError(NotMadeError):
    """The run was stopped before this picture's turn came."""


@dataclass(frozen=True, slots=True)
class Want:
    """A picture that a page shows.

    Attributes:
        request: what to ask for.
        shape: how the page shows it.
        kept: the original that is there; None where there is none.
        may_make: whether it may be made if there is none, or if what is there is broken.
    """

    request: ImageRequest
    shape: Shape
    kept: Kept | None
    may_make: bool


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one picture.

    Attributes:
        kept: the original, if there is one now.
        picture: what the page shows of it.
        made: whether it was asked for in this build, and not only fitted.
        error: why there is none.
        seconds: how long the asking took, the wait for its turn not counted.
        remarks: what is worth telling although it worked.
    """

    kept: Kept | None = None
    picture: Picture | None = None
    made: bool = False
    error: ImagegenError | None = None
    seconds: float = 0.0
    remarks: tuple[str, ...] = ()


@dataclass(slots=True)
class _Order:
    """A request that is being asked, for all who want it."""

    done: anyio.Event
    result: Result = field(default_factory=Result)


class Maker:
    """Makes pictures in the background, and the files of each.

    A request's slot is free before its picture is decoded: holding it made a cold build 1.35
    times as long as the gateway needs (fact sheet "performance", section 7).

    Args:
        open_gateway: makes the client; called when the first picture is asked for.
        server: the address of the server, for the records.
        store: where originals are kept.
        derive: makes the files of an original in a shape, from its bytes.
        concurrency: how many pictures are asked for at the same time.
    """

    def __init__(
        self,
        open_gateway: Callable[[], Draws],
        server: str,
        store: OriginalStore,
        derive: Callable[[Original, Shape, bytes], Picture],
        concurrency: int,
    ) -> None:
        self._open_gateway = open_gateway
        self._server = server
        self._store = store
        self._derive = derive
        self._concurrency = concurrency
        self._futures: dict[tuple[str, Shape], Future[Result]] = {}
        self._orders: dict[str, _Order] = {}
        self._background: Background | None = None
        self._gateway: Draws | None = None
        self._stop: StoppedError | None = None

    def start(self, want: Want) -> None:
        """Begin to make a picture, or only its files; returns at once."""
        key = (want.request.key, want.shape)
        if key not in self._futures:
            self._background = self._background or Background(self._concurrency)
            self._futures[key] = self._background.submit(self._work, want, self._background)

    def join(self) -> dict[tuple[str, Shape], Result]:
        """Every result, by the request's key and the shape; waits for all.

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

    async def _work(self, want: Want, background: Background) -> Result:
        async with background.admission:
            content = await background.compute(self._read, want)
            if content is not None and want.kept is not None:
                result = Result(want.kept)
            elif want.may_make:
                result = await self._ordered(want.request, background)
                content = await background.compute(_bytes_of, result)
            else:
                result = Result(error=StoreError("what was stored is broken"))
            return await background.compute(self._shown, result, want.shape, content)

    async def _ordered(self, request: ImageRequest, background: Background) -> Result:
        """The request's result; asked once, whoever wants it in whatever shape."""
        order = self._orders.get(request.key)
        if order is None:
            order = self._orders[request.key] = _Order(background.event())
            try:
                order.result = await self._made(request, background)
            finally:
                order.done.set()
        await order.done.wait()
        return order.result

    async def _made(self, request: ImageRequest, background: Background) -> Result:
        begun = time.monotonic()
        try:
            async with background.slots:
                begun = time.monotonic()
                answer = await self._ask(request)
            result = await background.compute(self._keep, request, answer)
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

    def _read(self, want: Want) -> bytes | None:
        return None if want.kept is None else self._store.read(want.kept)

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
        return Result(kept, made=True, remarks=tuple(remarks))

    def _decoded(self, request: ImageRequest, answer: Answer) -> Decoded:
        try:
            return inspect(answer.image)
        except PictureError as error:
            path = self._store.keep_garbage(f"{request.key}.picture", answer.image)
            hint = f"the bytes are in {path}" if path else None
            raise BadAnswerError(f"the picture that came is broken: {error}", hint=hint) from None

    def _shown(self, result: Result, shape: Shape, content: bytes | None) -> Result:
        if result.kept is None or content is None:
            return result
        try:
            picture = self._derive(result.kept.original, shape, content)
        except ImagegenError as error:
            return replace(result, error=error)
        return replace(result, picture=picture)


def _bytes_of(result: Result) -> bytes | None:
    return result.kept.path.read_bytes() if result.kept else None


def _original(asked: ImageRequest, answer: Answer, decoded: Decoded, server: str) -> Original:
    return Original(
        key=asked.key,
        subject=asked.subject_key,
        sha256=hashlib.sha256(answer.image).hexdigest(),
        bytes=len(answer.image),
        mime=decoded.mime,
        width=decoded.size.width,
        height=decoded.size.height,
        has_alpha=decoded.has_alpha,
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
