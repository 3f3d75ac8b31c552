"""One event loop in one thread, and a few worker threads for what computes."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import ExitStack
from typing import TypeVar

from mkdocs_imagegen.errors import StoppedError

T = TypeVar("T")


class EventLoop:
    """Runs coroutines beside the caller's thread.

    The slots bound what is asked for at the same time; admission also bounds what has been
    answered and waits for a worker, and so memory.

    Args:
        slots: how many requests are in flight at the same time.
    """

    def __init__(self, slots: int) -> None:
        # Costs 100 ms to import, and a build that makes nothing needs none of it.
        import anyio  # noqa: PLC0415
        from anyio.from_thread import start_blocking_portal  # noqa: PLC0415
        from anyio.to_thread import run_sync  # noqa: PLC0415

        self.event: Callable[[], anyio.Event] = anyio.Event
        self._run_sync = run_sync
        self._move_on_after = anyio.move_on_after
        self._is_closing = False
        self._stack = ExitStack()
        self._portal = self._stack.enter_context(start_blocking_portal())
        workers = os.cpu_count() or 1
        self.slots = self._portal.call(anyio.CapacityLimiter, slots)
        self.admission = self._portal.call(anyio.CapacityLimiter, slots + 2 * workers)
        self._workers = self._portal.call(anyio.CapacityLimiter, workers)
        self._closing = self._portal.call(anyio.Event)
        self.visiting = self._portal.call(anyio.Lock)
        """Held by who learns what the server offers."""

    def submit(self, work: Callable[..., Awaitable[T]], *arguments: object) -> Future[T]:
        """Start a coroutine; returns at once."""
        return self._portal.start_task_soon(work, *arguments)

    def call(self, work: Callable[..., Awaitable[T]], *arguments: object) -> T:
        """Run a coroutine to its end."""
        return self._portal.call(work, *arguments)

    async def compute(self, work: Callable[..., T], *arguments: object) -> T:
        """Run a function in a worker thread, from inside the loop."""
        return await self._run_sync(work, *arguments, limiter=self._workers)

    async def pause(self, seconds: float) -> None:
        """Wait, unless there is nothing more to wait for.

        Raises:
            StoppedError: nothing more is to be started.
        """
        with self._move_on_after(seconds):
            await self._closing.wait()
        self.refuse_when_closing()

    def refuse_when_closing(self) -> None:
        """Let nothing begin once the end is near.

        Raises:
            StoppedError: it is.
        """
        if self._is_closing:
            raise StoppedError("the build was stopped before its turn")

    @property
    def is_closing(self) -> bool:
        """Whether nothing more is to be started."""
        return self._is_closing

    def start_nothing_more(self) -> None:
        """Note that the end is near; may be called by a signal's handler."""
        self._is_closing = True

    def wake(self) -> None:
        """End every pause, once nothing more is to be started."""
        self._portal.call(self._closing.set)

    def close(self) -> None:
        """End the loop and its thread; nothing may be running any more."""
        self._stack.close()
