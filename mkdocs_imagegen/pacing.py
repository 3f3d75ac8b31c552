"""When the next request may be sent: within the rate that the server accepts.

Pure; the event loop waits.
"""

from __future__ import annotations

import math

MAX_BACKOFF_S = 8.0
"""Longest wait that the server has not named.

Of several processes, one can be refused many times in a row. With long waits it would end last and
alone, and leave most of the account's rate unused.
"""

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
    one: so the rate of the account is found again and again, without a coordination of the
    processes that share it. The developer guide compares it with a window of requests in flight.

    Times are seconds of one clock, such as ``time.monotonic()``.

    Args:
        max_wait_s: Longest wait after a refusal without an accepted request. After it, no request
            is sent while others are in flight; the refusal of the last one ends the wait.
    """

    def __init__(self, max_wait_s: float) -> None:
        self._max_wait_s = max_wait_s
        self._in_flight = 0
        self._gap_s = _FIRST_GAP_S
        self._next_at = self._held_until = -math.inf
        self._hold_s = 0.0  # length of the hold after which no request was sent yet
        self._sent = 0  # since the last hold, without the refused ones
        self._sent_since: float | None = None
        self._holds = 0  # in a row without an accepted request
        self._refused_since: float | None = None
        self._lost_since: float | None = None
        self._deadline = math.inf

    def wait_s(self, now: float) -> float:
        """Return the seconds until the next request may be sent; 0 if it may be sent now."""
        if self._in_flight and now >= self._deadline:
            return math.inf
        return max(0.0, self._held_until - now, self._next_at - now)

    def begin(self, now: float) -> None:
        """Count a request that is sent now."""
        since = now if self._sent_since is None else self._sent_since
        if self._hold_s:
            gap_s = (now - since) / max(self._sent, 1)
            self._gap_s = min(gap_s, _MAX_GAP_IN_WAITS * self._hold_s, _MAX_GAP_S)
            self._hold_s, self._sent, since = 0.0, 0, now
        self._sent_since = since
        self._in_flight += 1
        self._sent += 1
        self._next_at = now + self._gap_s
        self._gap_s = max(_FIRST_GAP_S, self._gap_s * _GAP_FACTOR)

    def accept(self, now: float) -> None:
        """Count a request that the server has accepted, also one that fails later."""
        self._in_flight -= 1
        self._holds = 0
        self._refused_since = now if now < self._held_until else None
        self._lost_since, self._deadline = None, math.inf

    def cancel(self) -> None:
        """Count a request that was not sent after all."""
        self._in_flight -= 1
        self._sent -= 1
        self._next_at = -math.inf
        self._gap_s = min(_MAX_GAP_S, self._gap_s / _GAP_FACTOR)

    def refuse(
        self,
        begun: float,
        now: float,
        requested_s: float | None,
        jitter: float,
        max_lost_s: float | None = None,
    ) -> float | None:
        """Count a request that was not accepted.

        Args:
            begun: Time at which the request was sent.
            now: Time at which it ended.
            requested_s: Seconds to wait, as requested by the server; None for none.
            jitter: Random number from 0 to 1, so that processes do not return together.
            max_lost_s: Longest time without a connection, if there was none; None for a refusal by
                the server.

        Returns:
            None if it may be sent again later; else the seconds without an accepted request.
        """
        self._in_flight -= 1
        self._sent -= 1
        left_s = self._left_s(now, max_lost_s)
        named_s = requested_s or 0.0
        if named_s > self._max_wait_s or (not self._in_flight and named_s > left_s):
            return self._end(now)
        if left_s <= 0:
            if not self._in_flight:
                return self._end(now)
            return None  # the requests in flight decide
        if begun >= self._held_until:  # else it was sent together with one that began the hold
            self._holds += 1
            self._hold_s = max(_FIRST_GAP_S, min(self._backoff_s(named_s, jitter), left_s))
            self._held_until = now + self._hold_s
            self._next_at = min(self._next_at, now + left_s)
        self._held_until = max(self._held_until, now + named_s)
        return None

    def _left_s(self, now: float, max_lost_s: float | None) -> float:
        """Return the time that is left of the wait, and start its clocks."""
        since = self._refused_since = now if self._refused_since is None else self._refused_since
        left_s = self._max_wait_s - (now - since)
        if max_lost_s is None:
            self._lost_since = None  # a response proves a connection
        else:
            lost = self._lost_since = now if self._lost_since is None else self._lost_since
            left_s = min(left_s, max_lost_s - (now - lost))
        self._deadline = now + left_s
        return left_s

    def _backoff_s(self, named_s: float, jitter: float) -> float:
        doublings = self._holds - 2 if named_s else self._holds
        backoff_s = min(MAX_BACKOFF_S, 2.0 ** min(doublings, _MAX_DOUBLINGS))
        return max(named_s * (1 + jitter / 2), backoff_s * (1 + jitter) / 2)

    def _end(self, now: float) -> float:
        """Return the length of the wait, and forget it: a later request begins a new one."""
        waited_s = now - (now if self._refused_since is None else self._refused_since)
        self._held_until = self._next_at = -math.inf
        self._gap_s, self._hold_s, self._holds = _FIRST_GAP_S, 0.0, 0
        self._refused_since = self._lost_since = None
        self._deadline = math.inf
        return waited_s
