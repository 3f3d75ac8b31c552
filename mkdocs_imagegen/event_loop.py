"""One event loop in one background thread, and a few worker threads for blocking work.

Importing anyio takes 100 ms, so that this module is imported with the first job of a build.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import ExitStack
from typing import TypeVar

import anyio
from anyio.from_thread import start_blocking_portal
from anyio.to_thread import run_sync

from mkdocs_imagegen.errors import StoppedError

T = TypeVar("T")


class EventLoop:
    """A running event loop, its limits, and its state: open or closing.

    Coroutines run on the thread of the loop. `submit`, `call`, `stop`, `wake` and `close` are
    called by other threads; `compute` and `pause` by coroutines.

    Args:
        slots: Maximum number of requests in flight.

    Attributes:
        slots: Limit on the requests in flight.
        admission: Limit on all work that has begun. It also counts images that wait for a worker
            thread, and so bounds memory.
        is_closing: True if no more work may start.
        price_list_lock: Lock on the request for the list of prices.
        unknown_price_lock: Lock on the only request of unknown price in flight.
    """

    def __init__(self, slots: int) -> None:
        self.is_closing = False
        self._stack = ExitStack()
        self._portal = self._stack.enter_context(start_blocking_portal())
        workers = os.cpu_count() or 1
        self.slots = self._portal.call(anyio.CapacityLimiter, slots)
        self.admission = self._portal.call(anyio.CapacityLimiter, slots + 2 * workers)
        self._workers = self._portal.call(anyio.CapacityLimiter, workers)
        self._closing = self._portal.call(anyio.Event)
        self.price_list_lock = self._portal.call(anyio.Lock)
        self.unknown_price_lock = self._portal.call(anyio.Lock)

    def submit(self, work: Callable[..., Awaitable[T]], *arguments: object) -> Future[T]:
        """Start a coroutine and return its future."""
        return self._portal.start_task_soon(work, *arguments)

    def call(self, work: Callable[..., Awaitable[T]], *arguments: object) -> T:
        """Run a coroutine to its end."""
        return self._portal.call(work, *arguments)

    async def compute(self, work: Callable[..., T], *arguments: object) -> T:
        """Run a function in a worker thread."""
        return await run_sync(work, *arguments, limiter=self._workers)

    async def pause(self, seconds: float) -> None:
        """Wait for a time that ends early if the loop is closing.

        Raises:
            StoppedError: If the loop is closing.
        """
        with anyio.move_on_after(seconds):
            await self._closing.wait()
        self.raise_if_closing()

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
