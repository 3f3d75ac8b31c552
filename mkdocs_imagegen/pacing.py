"""When the next request may be sent: within the rate that the server accepts.

Pure; the event loop waits.
"""

from __future__ import annotations

import math

MAX_BACKOFF_S = 30.0
"""Longest wait that the server has not named."""

_FIRST_GAP_S = 0.02
_GAP_FACTOR = 0.8
_MAX_GAP_S = 6.0
_MAX_GAP_IN_WAITS = 4
_MAX_DOUBLINGS = 10


class Pace:
    """The pace of the requests to one server.

    At first, requests follow each other in 20 ms, so that a refusal arrives before all of them are
    sent. A refusal holds all requests until the server accepts some again. After that, their
    distance is that of the requests that were accepted before, and decreases by a fifth with each
    one that is accepted: so the rate of the account is found again and again, without a
    coordination of the processes that share it. The developer guide compares it with a window of
    requests in flight.

    Times are seconds of one clock, such as ``time.monotonic()``.

    Args:
        max_wait_s: Longest wait without an accepted request, counted while none is in flight.
    """

    def __init__(self, max_wait_s: float) -> None:
        self._max_wait_s = max_wait_s
        self._in_flight = 0
        self._accepted = 0  # since the last hold
        self._since: float | None = None  # time of the first request since the last hold
        self._gap_s = _FIRST_GAP_S
        self._next_at = self._held_until = -math.inf
        self._hold_s = 0.0  # length of the hold after which no request was sent yet
        self._refusals = 0  # holds in a row without an accepted request
        self._waited_s = 0.0
        self._idle_from: float | None = None

    def wait_s(self, now: float) -> float:
        """Return the seconds until the next request may be sent; 0 if it may be sent now."""
        return max(0.0, self._held_until - now, self._next_at - now)

    def begin(self, now: float) -> None:
        """Count a request that is sent now."""
        since = now if self._since is None else self._since
        if self._hold_s:
            gap_s = (now - since) / max(self._accepted, 1)
            self._gap_s = min(gap_s, _MAX_GAP_IN_WAITS * self._hold_s, _MAX_GAP_S)
            self._hold_s, self._accepted, since = 0.0, 0, now
        self._since = since
        self._waited_s = self._waited_until(now)
        self._idle_from = None
        self._in_flight += 1
        self._accepted += 1
        self._next_at = now + self._gap_s
        self._gap_s = max(_FIRST_GAP_S, self._gap_s * _GAP_FACTOR)

    def accept(self) -> None:
        """Count a request that the server has accepted, also one that fails later."""
        self._in_flight -= 1
        self._waited_s, self._idle_from = 0.0, None

    def cancel(self) -> None:
        """Count a request that was not sent after all."""
        self._in_flight -= 1
        self._accepted -= 1
        self._next_at = -math.inf

    def refuse(
        self, begun: float, now: float, requested_s: float | None, jitter: float, max_wait_s: float
    ) -> bool:
        """Count a request that was not accepted; return True if it may be sent again later.

        Args:
            begun: Time at which the request was sent.
            now: Time at which it ended.
            requested_s: Seconds to wait, as requested by the server; None for none.
            jitter: Random number from 0 to 1, so that processes do not return together.
            max_wait_s: Longest wait for this kind of refusal, in place of a longer one.
        """
        self._in_flight -= 1
        self._accepted -= 1
        if not self._in_flight and self._idle_from is None:
            self._idle_from = now
        named_s = requested_s or 0.0
        left_s = min(self._max_wait_s, max_wait_s)
        if not self._in_flight:  # else their success may start the wait again
            left_s -= self._waited_until(now)
        if named_s > left_s or left_s <= 0:
            self._held_until = self._next_at = -math.inf
            self._gap_s, self._hold_s, self._refusals = _FIRST_GAP_S, 0.0, 0
            self._waited_s, self._idle_from = 0.0, None
            return False
        if begun >= self._held_until:  # else it was sent together with one that began the hold
            self._refusals = 1 if self._accepted > 0 else self._refusals + 1
            self._hold_s = min(max(self._backoff_s(named_s, jitter), _FIRST_GAP_S), left_s)
            self._held_until, self._next_at = now + self._hold_s, -math.inf
        self._held_until = max(self._held_until, now + named_s)
        return True

    def _backoff_s(self, named_s: float, jitter: float) -> float:
        doublings = self._refusals - 2 if named_s else self._refusals
        backoff_s = min(MAX_BACKOFF_S, 2.0 ** min(doublings, _MAX_DOUBLINGS))
        return max(named_s * (1 + jitter / 2), backoff_s * (1 + jitter) / 2)

    def _waited_until(self, now: float) -> float:
        return self._waited_s + (0.0 if self._idle_from is None else now - self._idle_from)
