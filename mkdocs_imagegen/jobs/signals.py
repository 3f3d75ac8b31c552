"""Handlers of the signals that end a process, while paid requests run.

MkDocs calls no hook on SIGTERM or SIGHUP (a closed terminal), and an interrupt that passes through
the event loop would cut off requests that are already charged. So the first signal only stops new
requests and unwinds the build as usual; closing the build then waits for the images in flight. The
second signal ends the process at once: every file is whole, since no file is ever written in place.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import NoReturn

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
"""SIGBREAK is the Ctrl-Break of Windows, which has no SIGHUP."""

_SIGNALS = tuple(getattr(signal, name) for name in _NAMES if hasattr(signal, name))
_EXIT_CODE = 130
"""128 plus the number of SIGINT, the exit code that shells report for it."""


class InterruptHandler:
    """Signal handlers that are installed while there are paid requests to lose.

    Used by the main thread; on other threads it installs no handler.

    Args:
        stop: Function that stops new requests, called by the first signal.

    Attributes:
        received: Number of the signal that was received, or None.
    """

    def __init__(self, stop: Callable[[], None]) -> None:
        self.received: int | None = None
        self._stop = stop
        self._previous: dict[int, object] = {}
        self._depth = 0
        self._is_deferred = False

    def install(self) -> None:
        """Install the handlers, unless they are installed or this is not the main thread."""
        if self._previous or threading.current_thread() is not threading.main_thread():
            return
        for number in _SIGNALS:
            # An ignored signal stays ignored; a handler outside Python could not be restored.
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                self._previous[number] = signal.signal(number, self._on_first)

    @contextlib.contextmanager
    def deferred(self) -> Iterator[None]:
        """Defer the exception of the first signal to the end of the block; blocks may be nested.

        An exception that a handler raises while a lock is held leaves the lock held for ever.

        Raises:
            KeyboardInterrupt: If SIGINT was received in the block.
            SystemExit: If another signal was received in the block.
        """
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
        if self._is_deferred and not self._depth:
            self._is_deferred = False
            _raise(self.received or signal.SIGINT)

    @contextlib.contextmanager
    def closing(self) -> Iterator[None]:
        """Defer the exception of the first signal, and restore the previous handlers.

        Raises:
            KeyboardInterrupt: If SIGINT was received in the block.
            SystemExit: If another signal was received in the block.
        """
        with self.deferred():
            try:
                yield
            finally:
                self._restore()

    def _restore(self) -> None:
        if threading.current_thread() is threading.main_thread():
            for number, handler in self._previous.items():
                signal.signal(number, handler)  # type: ignore[arg-type]  # what it gave us
            self._previous = {}

    def _on_first(self, number: int, frame: FrameType | None) -> None:
        if self.received is not None:
            _exit(number, frame)  # the second signal came while the first one was handled
        self.received = number
        self._stop()
        for each in self._previous:
            signal.signal(each, _exit)
        if self._depth:
            self._is_deferred = True
        else:
            _raise(number)


def _raise(number: int) -> NoReturn:
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(128 + number)


def _exit(_number: int, _frame: FrameType | None) -> NoReturn:
    os._exit(_EXIT_CODE)
