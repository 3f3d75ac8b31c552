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
from typing import TYPE_CHECKING

from mkdocs_imagegen.building.background import Background
from mkdocs_imagegen.building.run import Run
from mkdocs_imagegen.building.wanted import Draws, Result, Want, WantKey
from mkdocs_imagegen.errors import (
    BadAnswerError,
    GatewayError,
    ImagegenError,
    NotMadeError,
    PictureError,
    StoppedError,
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
        run: what happened before, and is not to be asked again.
        open_gateway: makes the client; called when the first picture is asked for.
        server: the address of the server, for the records.
        store: where originals are kept.
        derive: makes the files of an original in a shape, from its bytes.
        concurrency: how many pictures are asked for at the same time.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - one argument for each room it works with
        self,
        run: Run,
        open_gateway: Callable[[], Draws],
        server: str,
        store: OriginalStore,
        derive: Callable[[Original, Shape, bytes], Picture],
        concurrency: int,
    ) -> None:
        self._run = run
        self._open_gateway = open_gateway
        self._server = server
        self._store = store
        self._derive = derive
        self._concurrency = concurrency
        self._futures: dict[WantKey, Future[Result]] = {}
        self._orders: dict[str, _Order] = {}
        self._background: Background | None = None
        self._gateway: Draws | None = None
        self._is_closing = False

    def start(self, want: Want) -> None:
        """Begin to make a picture, or only its files; returns at once."""
        if want.key not in self._futures:
            self._background = self._background or Background(self._concurrency)
            self._futures[want.key] = self._background.submit(self._work, want, self._background)

    def in_flight(self) -> int:
        """How many pictures are not done yet."""
        return sum(not future.done() for future in self._futures.values())

    def join(self) -> dict[WantKey, Result]:
        """Every result; waits for all.

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
        self._is_closing = True
        wait_for(self._futures.values())
        background, self._background = self._background, None
        if background is not None:
            if self._gateway is not None:
                background.call(self._gateway.aclose)
            background.close()

    async def _work(self, want: Want, background: Background) -> Result:
        async with background.admission:
            try:
                return await self._wanted(want, background)
            except ImagegenError as error:
                return Result(error=error)
            except (OSError, MemoryError) as error:
                fault = f"the picture's files could not be made: {error}"
                return Result(error=StoreError(fault, hint="make room, then build again"))

    async def _wanted(self, want: Want, background: Background) -> Result:
        content = await background.compute(self._read, want)
        if content is not None:
            result = Result(want.kept)
        elif want.may_make:
            result = await self._ordered(want.request, background)
            content = await background.compute(_bytes_of, result)
        else:
            result = Result(error=NotMadeError("what was stored is broken"))
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
                answer = await self._ask(request, background)
            result = await background.compute(self._keep, request, answer)
        except ImagegenError as error:
            result = Result(error=error)
        return replace(result, seconds=time.monotonic() - begun)

    async def _ask(self, request: ImageRequest, background: Background) -> Answer:
        if self._is_closing:
            raise StoppedError("the build was stopped before its turn")
        self._run.refuse_in_vain(request.key, request.model)
        if self._gateway is None:
            await self._open(background)
        assert self._gateway is not None  # noqa: S101 - opened above
        try:
            return await self._gateway.generate(request)
        except GatewayError as error:
            self._run.note_failure(error, request.key, request.model)
            if error.body:
                path = self._store.keep_garbage(f"{request.key}.answer", error.body)
                error.hint = "; ".join(filter(None, (error.hint, _where_it_is(path))))
            raise

    async def _open(self, background: Background) -> None:
        try:
            await background.compute(self._store.check)
        except StoreError as error:
            self._run.stop(str(error))
            raise
        self._gateway = self._gateway or self._open_gateway()

    def _read(self, want: Want) -> bytes | None:
        return None if want.kept is None else self._store.read(want.kept)

    def _keep(self, request: ImageRequest, answer: Answer) -> Result:
        decoded = self._decoded(request, answer)
        asked = request.as_sketch if answer.is_sketch else request
        original = _original(asked, answer, decoded, self._server)
        remarks = list(answer.warnings)
        if decoded.size != request.size:
            remarks.append(f"asked for {request.size}, got {decoded.size}: it is cut to fit")
        alarm = ""
        try:
            kept = self._store.put(original, answer.image)
        except StoreError as error:
            kept = _rescued(original, answer.image)
            alarm = f"{error}; this picture is in {kept.path}: move it to a safe place"
        return Result(kept, made=True, remarks=tuple(remarks), alarm=alarm)

    def _decoded(self, request: ImageRequest, answer: Answer) -> Decoded:
        try:
            return inspect(answer.image)
        except PictureError as error:
            path = self._store.keep_garbage(f"{request.key}.picture", answer.image)
            fault = f"the picture that came is broken, and was paid for: {error}"
            bad = BadAnswerError(fault, hint=_where_it_is(path))
            self._run.note_failure(bad, request.key, request.model)
            raise bad from None

    def _shown(self, result: Result, shape: Shape, content: bytes | None) -> Result:
        if result.kept is None or content is None:
            return result
        try:
            picture = self._derive(result.kept.original, shape, content)
        except ImagegenError as error:
            return replace(result, error=error)
        return replace(result, picture=picture)


def _where_it_is(path: Path | None) -> str | None:
    return f"the answer is in {path}" if path else None


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
