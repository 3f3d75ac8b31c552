"""Images in the making: concurrent, equal requests once, joined, never dropped half way."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from dataclasses import replace
from typing import TYPE_CHECKING

from mkdocs_imagegen.errors import ImagegenError, NotGeneratedError, StoreError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.imaging.image import PageImage
from mkdocs_imagegen.jobs.event_loop import EventLoop
from mkdocs_imagegen.jobs.job import Job, JobKey, Result
from mkdocs_imagegen.jobs.signals import InterruptHandler
from mkdocs_imagegen.layout import Layout
from mkdocs_imagegen.originals.record import Record
from mkdocs_imagegen.originals.store import Original
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.spending.purchase import ClaimedElsewhereError, Purchaser

if TYPE_CHECKING:
    import anyio

_CLAIMED_ELSEWHERE_S = 0.5
"""Seconds after which an image is looked for again that another build is asking for."""

_TELL_EVERY_S = 10.0
_TELL_OF_OTHERS_S = 30.0
_STEP_S = 0.5


@dataclass(slots=True)
class _Order:
    """A request that is being asked, for all who want it; no result: another build asks it."""

    done: anyio.Event
    result: Result | None = None


class Scheduler:
    """Makes images in the background, and the files of each.

    A request's slot is free before its image is decoded: holding it made a cold build 1.35
    times as long as the gateway needs (fact sheet "performance", section 7).

    Args:
        purchaser: gets the images that are not there.
        read: the bytes of an original, verified; None if they are not what was stored.
        derive: makes the files of an original in a shape, from its bytes.
        concurrency: how many images are asked for at the same time.
        patience_s: seconds that one call may take.
        say: called with what is worth knowing while an end is waited for.
        ended: called with what became of each image that was asked for.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - one argument for each thing that it works with
        self,
        purchaser: Purchaser,
        read: Callable[[Original], bytes | None],
        derive: Callable[[Record, Layout, bytes], PageImage],
        concurrency: int,
        patience_s: float,
        say: Callable[[str], None],
        ended: Callable[[Result], None],
    ) -> None:
        self._buyer = purchaser
        self._read = read
        self._derive = derive
        self._concurrency = concurrency
        self._patience_s = patience_s
        self._say = say
        self._ended = ended
        self._futures: dict[JobKey, Future[Result]] = {}
        self._orders: dict[str, _Order] = {}
        self._told_of_others_at = 0.0
        self._background: EventLoop | None = None
        self._interrupts = InterruptHandler(self._start_nothing_more)

    def start(self, want: Job) -> Future[Result]:
        """Begin to make an image, or only its files; returns at once."""
        with self._interrupts.held_back():
            if want.key not in self._futures:
                if want.can_generate:
                    self._interrupts.install()
                self._background = loop = self._background or EventLoop(self._concurrency)
                self._futures[want.key] = loop.submit(self._work, want, loop)
            return self._futures[want.key]

    def join(self) -> dict[JobKey, Result]:
        """Every result; waits for all.

        Raises:
            KeyboardInterrupt: an interrupt came; what was in flight is kept.
            SystemExit: the same, of another signal.
        """
        with self._interrupts.held_back():
            # In short steps: on some systems a signal waits until a wait is over.
            while self._interrupts.came is None and self._is_busy(_STEP_S):
                pass
            if self._interrupts.came is not None:
                self.close()
            return {key: future.result() for key, future in self._futures.items()}

    def close(self) -> None:
        """Start nothing more, wait for what is in flight, and end the thread.

        Raises:
            KeyboardInterrupt: the first interrupt came while this waited.
            SystemExit: the same, of another signal.
        """
        with self._interrupts.ending():
            loop, self._background = self._background, None
            if loop is not None:
                loop.start_nothing_more()
                loop.wake()
                self._drain()
                try:
                    loop.call(self._buyer.aclose)
                finally:
                    loop.close()

    def _is_busy(self, patience_s: float) -> bool:
        return bool(wait_for(self._futures.values(), patience_s).not_done)

    def _start_nothing_more(self) -> None:
        if self._background is not None:
            self._background.start_nothing_more()

    def _drain(self) -> None:
        begun, told_at = time.monotonic(), 0.0
        while self._is_busy(_STEP_S if told_at else 0.0):
            now = time.monotonic()
            if now - told_at > _TELL_EVERY_S:
                told_at = now
                self._tell(self._patience_s - (now - begun))

    def _tell(self, left_s: float) -> None:
        if count := self._buyer.in_flight:
            more = (
                "; interrupt again to leave at once and lose them" if self._interrupts.came else ""
            )
            images = "1 image that is" if count == 1 else f"{count} images that are"
            self._say(f"waiting {max(left_s, 0):.0f} s at most for {images} paid for{more}")

    async def _work(self, want: Job, loop: EventLoop) -> Result:
        while True:
            async with loop.admission:
                try:
                    return await self._wanted(want, loop)
                except ClaimedElsewhereError:
                    self._tell_of_others()
                except Exception as error:  # noqa: BLE001 - one image's fault is not the build's
                    return Result(error=_worded(error))
            try:
                await loop.pause(_CLAIMED_ELSEWHERE_S)
            except ImagegenError as error:
                return Result(error=error)

    def _tell_of_others(self) -> None:
        # Whoever holds a claim is alive: the system frees those of a process that has ended.
        if time.monotonic() - self._told_of_others_at > _TELL_OF_OTHERS_S:
            if self._told_of_others_at:
                self._say("waiting for images that another build is asking for")
            self._told_of_others_at = time.monotonic()

    async def _wanted(self, want: Job, loop: EventLoop) -> Result:
        content = await loop.compute(self._content, want)
        if content is not None:
            result = Result(want.original, is_draft=want.is_draft)
        elif want.can_generate:
            result = await self._ordered(want.request, loop)
        else:
            result = Result(error=NotGeneratedError("what was stored is broken"))
        if loop.is_closing and result.alarm:
            self._say(result.alarm)  # nobody else will
        loop.refuse_when_closing()
        return await loop.compute(self._shown, result, want.layout, content)

    async def _ordered(self, request: ImageRequest, loop: EventLoop) -> Result:
        """The request's result; asked once, whoever wants it in whatever shape.

        Raises:
            ClaimedElsewhereError: another build is asking for it now.
        """
        order = self._orders.get(request.key)
        if order is None:
            order = self._orders[request.key] = _Order(loop.event())
            try:
                order.result = await self._made(request, loop)
            except BaseException:
                del self._orders[request.key]
                raise
            finally:
                order.done.set()
        await order.done.wait()
        if order.result is None:
            raise ClaimedElsewhereError
        return order.result

    async def _made(self, request: ImageRequest, loop: EventLoop) -> Result:
        try:
            result = await self._buyer.buy(request, loop)
        except ClaimedElsewhereError:
            raise
        except Exception as error:  # noqa: BLE001 - whoever else wants it would ask again, and pay
            result = Result(error=_worded(error))
        self._ended(result)
        return result

    def _content(self, want: Job) -> bytes | None:
        return None if want.original is None else self._read(want.original)

    def _shown(self, result: Result, layout: Layout, content: bytes | None) -> Result:
        if result.original is None:
            return result
        try:
            content = self._read(result.original) if content is None else content
            if content is None:
                fault = "what was stored is broken, and cannot be moved out of the way"
                return replace(result, error=StoreError(fault, hint="correct the rights"))
            image = self._derive(result.original.record, layout, content)
        except Exception as error:  # noqa: BLE001 - its cost and an alarm are told all the same
            return replace(result, error=_worded(error))
        return replace(result, image=image)


def _worded(error: Exception) -> ImagegenError:
    if isinstance(error, ImagegenError):
        return error
    if isinstance(error, (OSError, MemoryError)):
        fault = f"the image's files could not be made: {error}"
        return StoreError(fault, hint="make room, then build again")
    fault = f"something failed that should not: {type(error).__name__}: {error}"
    return NotGeneratedError(fault, hint="tell the makers of mkdocs-imagegen")
