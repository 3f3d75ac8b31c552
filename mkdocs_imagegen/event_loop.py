"""One event loop in one background thread, and a few worker threads for blocking work.

Importing anyio takes 100 ms, so that this module is imported with the first job of a build.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from typing import TypeVar

import anyio
from anyio.from_thread import start_blocking_portal
from anyio.to_thread import run_sync

from mkdocs_imagegen.errors import StoppedError
from mkdocs_imagegen.pacing import Pace

T = TypeVar("T")

PIXEL_WORKERS = os.cpu_count() or 1
"""Number of worker threads that encode images."""

_FILE_WORKERS = 8
_CHECK_INTERVAL_S = 0.5
"""Time after which a request that waits for its turn is checked again."""

_MIN_FREE_WAIT_S = 5.0
"""Time that a free request may always take."""


class Turn:
    """The turn of one request, which ends in one of three ways.

    Args:
        pace: Pace of the requests.
    """

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._begun = time.monotonic()
        self._is_over = False
        pace.begin(self._begun)

    def cancel(self) -> None:
        """End the turn of a request that was not sent, if it has not ended."""
        if not self._is_over:
            self._is_over = True
            self._pace.cancel()

    def accept(self) -> None:
        """End the turn of a request that was accepted, also one that fails later."""
        self._is_over = True
        self._pace.accept(time.monotonic())

    def refuse(self, requested_s: float | None, max_lost_s: float | None) -> float | None:
        """End the turn of a request that was not accepted.

        Args:
            requested_s: Seconds to wait, as requested by the server; None for none.
            max_lost_s: Longest time without a connection, if there was none; else None.

        Returns:
            None if the request may be sent again; else the seconds without an accepted request.
        """
        self._is_over, now = True, time.monotonic()
        jitter = random.random()  # noqa: S311 - keeps processes apart, and no secret
        return self._pace.refuse(self._begun, now, requested_s, jitter, max_lost_s)


class EventLoop:
    """A running event loop, its limits, and its state: open or closing.

    Coroutines run on the thread of the loop. `submit`, `call`, `stop`, `wake` and `close` are
    called by other threads; all other methods by coroutines.

    Args:
        slots: Maximum number of requests in flight.
        max_wait_s: Longest wait for the server without an accepted request.

    Attributes:
        max_wait_s: Longest wait for the server without an accepted request.
        slots: Limit on the requests in flight.
        is_closing: True if no more work may start.
        price_list_lock: Lock on the request for the list of prices.
        unknown_price_lock: Lock on the only request of unknown price in flight.
    """

    def __init__(self, slots: int, max_wait_s: float) -> None:
        self.is_closing = False
        self.max_wait_s = max_wait_s
        self._pace = Pace(max_wait_s)
        self._stack = ExitStack()
        self._portal = self._stack.enter_context(start_blocking_portal())
        self.slots = self._portal.call(anyio.CapacityLimiter, slots)
        self._pixel_workers = self._portal.call(anyio.CapacityLimiter, PIXEL_WORKERS)
        self._file_workers = self._portal.call(anyio.CapacityLimiter, _FILE_WORKERS)
        self._closing = self._portal.call(anyio.Event)
        self._next_turn = self._portal.call(anyio.Lock)
        self.price_list_lock = self._portal.call(anyio.Lock)
        self.unknown_price_lock = self._portal.call(anyio.Lock)

    def submit(self, work: Callable[..., Awaitable[T]], *arguments: object) -> Future[T]:
        """Start a coroutine and return its future."""
        return self._portal.start_task_soon(work, *arguments)

    def call(self, work: Callable[..., Awaitable[T]], *arguments: object) -> T:
        """Run a coroutine to its end."""
        return self._portal.call(work, *arguments)

    async def file_work(self, work: Callable[..., T], *arguments: object) -> T:
        """Run a function that reads or writes small files in a worker thread.

        It never waits for an encoder, and a response that was charged is stored at once.
        """
        return await run_sync(work, *arguments, limiter=self._file_workers)

    async def pixel_work(self, work: Callable[..., T], *arguments: object) -> T:
        """Run a function that encodes images in a worker thread."""
        return await run_sync(work, *arguments, limiter=self._pixel_workers)

    async def pause(self, seconds: float) -> None:
        """Wait for a time that ends early if the loop is closing.

        Raises:
            StoppedError: If the loop is closing.
        """
        with anyio.move_on_after(seconds):
            await self._closing.wait()
        self.raise_if_closing()

    @asynccontextmanager
    async def turn(self, check: Callable[[], None]) -> AsyncIterator[Turn]:
        """Hold a slot, from the time at which the pace allows another request.

        Args:
            check: Raises an error if the request must not be sent any more.

        Raises:
            StoppedError: If the loop is closing.
        """
        async with AsyncExitStack() as stack:
            async with self._next_turn:
                await stack.enter_async_context(self.slots)
                while wait_s := self._pace.wait_s(time.monotonic()):
                    check()
                    await self.pause(min(wait_s, _CHECK_INTERVAL_S))
                check()
                turn = Turn(self._pace)
            stack.callback(turn.cancel)
            yield turn

    async def within_max_wait(self, work: Awaitable[T]) -> T | None:
        """Return the result of a free request; None if the server takes too long."""
        with anyio.move_on_after(max(self.max_wait_s, _MIN_FREE_WAIT_S)):
            return await work
        return None

    def raise_if_closing(self) -> None:
        """Raise an error if no more work may start.

        Raises:
            StoppedError: If the loop is closing.
        """
        if self.is_closing:
            raise StoppedError("the build was stopped before this image was requested")

    def stop(self) -> None:
        """Let no more work start; a signal handler may call this at any point."""
        self.is_closing = True

    def wake(self) -> None:
        """End every pause after `stop`."""
        self._portal.call(self._closing.set)

    def close(self) -> None:
        """End the loop and its thread; all work must have ended before."""
        self._stack.close()
