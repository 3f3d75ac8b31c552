"""What an interrupt does while images are paid for.

MkDocs calls no hook on SIGTERM, and an interrupt that runs through the event loop would cut calls
that are already paid for. So the first signal only says that nothing more is to be started and
unwinds the build as usual; whoever closes the build then waits for what is in flight. The second
one leaves at once: every file is whole, since none is ever written in place.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import NoReturn

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_EXIT_AT_ONCE = 130
"""128 and the number of SIGINT, as shells tell it."""


class InterruptHandler:
    """Handlers of signals, for as long as there is something to lose.

    Args:
        stop: called when the first signal comes.
    """

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        self._before: dict[int, object] = {}
        self._held_back = 0
        self._is_late = False
        self.came: int | None = None
        """The number of the signal that came, if one did."""

    def install(self) -> None:
        """Take signals from now on; does nothing where only the main thread may."""
        if self._before or threading.current_thread() is not threading.main_thread():
            return
        for number in _SIGNALS:
            # What is ignored stays so; what another language handles could not be given back.
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                self._before[number] = signal.signal(number, self._first)

    @contextlib.contextmanager
    def held_back(self) -> Iterator[None]:
        """Let the first signal wait until the end; may be nested.

        An exception that comes out of a handler in the middle of a lock leaves it locked.

        Raises:
            KeyboardInterrupt: the first signal came meanwhile.
            SystemExit: the same, of another signal.
        """
        self._held_back += 1
        try:
            yield
        finally:
            self._held_back -= 1
        if self._is_late and not self._held_back:
            self._is_late = False
            _end(self.came or signal.SIGINT)

    @contextlib.contextmanager
    def ending(self) -> Iterator[None]:
        """The same; after it those handle signals who did before.

        Raises:
            KeyboardInterrupt: the first signal came meanwhile.
            SystemExit: the same, of another signal.
        """
        with self.held_back():
            try:
                yield
            finally:
                self._restore()

    def _restore(self) -> None:
        if threading.current_thread() is threading.main_thread():
            for number, handler in self._before.items():
                signal.signal(number, handler)  # type: ignore[arg-type]  # what it gave us
            self._before = {}

    def _first(self, number: int, frame: FrameType | None) -> None:
        if self.came is not None:
            _leave(number, frame)  # the second came while the first was being handled
        self.came = number
        self._stop()
        for each in self._before:
            signal.signal(each, _leave)
        if self._held_back:
            self._is_late = True
        else:
            _end(number)


def _end(number: int) -> NoReturn:
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(128 + number)


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    os._exit(_EXIT_AT_ONCE)
