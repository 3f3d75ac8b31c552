"""The pace of requests: refusals, holds, and the end of the wait; against simulated servers."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkdocs_imagegen.pacing import MAX_BACKOFF_S, Pace

NEVER = math.inf
TRIP_S = 0.01


def started(max_wait_s: float = 300.0, *, at: float = 0.0) -> Pace:
    """Return a pace with one request in flight."""
    pace = Pace(max_wait_s)
    pace.begin(at)
    return pace


def test_first_requests_follow_each_other_in_a_short_time():
    pace = started()
    assert 0.01 <= pace.wait_s(0) <= 0.05
    assert pace.wait_s(1) == 0


def test_refusal_holds_all_requests_for_the_time_that_the_server_names():
    pace = started()
    assert pace.refuse(0, 0.1, 7.0, 0.0, NEVER)
    assert pace.wait_s(0.1) == 7
    assert pace.wait_s(7.1) == 0


def test_jitter_lengthens_the_hold_up_to_half():
    pace = started()
    assert pace.refuse(0, 0, 8.0, 1.0, NEVER)
    assert pace.wait_s(0) == 12


def test_holds_without_a_named_time_double_up_to_their_limit():
    pace, now, waits = Pace(NEVER), 0.0, []
    for _ in range(9):
        pace.begin(now)
        assert pace.refuse(now, now, None, 1.0, NEVER)
        waits.append(pace.wait_s(now))
        now += waits[-1]
    assert waits[:4] == [2, 4, 8, 16]
    assert set(waits[4:]) == {MAX_BACKOFF_S}


def test_server_that_names_no_time_at_all_is_not_asked_without_end():
    pace, now, asked = Pace(20.0), 0.0, 0
    while True:
        asked += 1
        pace.begin(now)
        if not pace.refuse(now, now, 0.001, 0.0, NEVER):
            break
        now += pace.wait_s(now)
    assert asked < 12
    assert now <= 20


def test_requests_that_were_sent_together_hold_once():
    pace = Pace(300.0)
    for number in range(8):
        pace.begin(number * 0.02)
    for number in range(8):
        assert pace.refuse(number * 0.02, 0.2, None, 1.0, NEVER)
    assert pace.wait_s(0.2) == 2


def test_longer_wait_of_a_later_refusal_counts():
    pace = Pace(300.0)
    pace.begin(0)
    pace.begin(0)
    pace.refuse(0, 1, 2.0, 0.0, NEVER)
    pace.refuse(0, 1, 60.0, 0.0, NEVER)
    assert pace.wait_s(1) == 60


def test_wait_beyond_the_limit_is_not_waited_for():
    pace = started(300.0)
    assert not pace.refuse(0, 0, 301.0, 0.0, NEVER)
    assert pace.wait_s(1) == 0


def test_limit_of_one_kind_of_refusal_is_shorter():
    pace = started(300.0)
    assert not pace.refuse(0, 0, 31.0, 0.0, 30.0)


def test_clock_of_the_wait_stands_still_while_a_request_is_in_flight():
    pace = Pace(10.0)
    pace.begin(0)
    pace.begin(0)
    assert pace.refuse(0, 1, 9.0, 0.0, NEVER)
    pace.begin(500)
    assert pace.refuse(500, 501, 9.0, 0.0, NEVER)  # the other one may still be accepted
    pace.accept()
    pace.begin(600)
    assert pace.refuse(600, 601, 9.0, 0.0, NEVER)


def test_accepted_request_starts_the_wait_again():
    pace = started(10.0)
    assert pace.refuse(0, 0, 9.0, 0.0, NEVER)
    pace.begin(9)
    pace.accept()
    pace.begin(10)
    assert pace.refuse(10, 10, 9.0, 0.0, NEVER)
    pace.begin(19)
    assert not pace.refuse(19, 19, 9.0, 0.0, NEVER)


def test_request_that_was_not_sent_does_not_start_the_wait_again():
    pace = started(10.0)
    assert pace.refuse(0, 0, 9.0, 0.0, NEVER)
    pace.begin(9)
    pace.cancel()
    pace.begin(9)
    assert not pace.refuse(9, 9, 9.0, 0.0, NEVER)


def test_request_that_was_not_sent_delays_no_other():
    pace = started()
    pace.cancel()
    assert pace.wait_s(0) == 0


def test_wait_that_has_ended_can_begin_again():
    pace = started(10.0)
    assert not pace.refuse(0, 0, 11.0, 0.0, NEVER)
    pace.begin(100)
    assert pace.refuse(100, 100, 9.0, 0.0, NEVER)


waits = st.none() | st.floats(0, 86_400)


@given(st.lists(st.tuples(waits, st.floats(0, 1), st.booleans()), max_size=30), st.floats(0, 900))
def test_wait_without_an_accepted_request_stays_within_its_limit(outcomes, max_wait_s):
    pace, now, waited_s = Pace(max_wait_s), 0.0, 0.0
    for named_s, jitter, is_accepted in outcomes:
        wait_s = pace.wait_s(now)
        now, waited_s = now + wait_s, waited_s + wait_s
        pace.begin(now)
        if is_accepted:
            pace.accept()
            waited_s = 0.0
        elif not pace.refuse(now, now, named_s, jitter, NEVER):
            waited_s = 0.0
        assert waited_s <= max_wait_s + 1  # the short distances of requests without a hold


@dataclass
class TokenBucket:
    """Server that accepts a number of requests per second, and five at once."""

    per_s: float = 0.5
    tokens: float = 5.0
    at: float = 0.0

    def refuse_until(self, now: float) -> float | None:
        self.tokens, self.at = min(5.0, self.tokens + (now - self.at) * self.per_s), now
        if self.tokens >= 1 - 1e-9:
            self.tokens -= 1
            return None
        return math.ceil((1 - self.tokens) / self.per_s)


@dataclass
class Simulation:
    """Processes with a pace each, which share the rate limit of one account.

    Attributes:
        names_wait: True if the server says how long to wait.
        latency_s: Seconds until an accepted request is answered; a refusal takes no time.
    """

    names_wait: bool
    latency_s: float
    refused: int = 0
    last_at: float = 0.0
    server: TokenBucket = field(default_factory=TokenBucket)
    _events: list[tuple[float, int, Callable[[float], None]]] = field(default_factory=list)
    _order: count[int] = field(default_factory=count)

    def run(self, processes: int, concurrency: int, images: int) -> None:
        for number in range(processes):
            self._start(Pace(NEVER), concurrency, images // processes, number * 0.03)
        while self._events:
            now, _, event = heapq.heappop(self._events)
            event(now)

    def _at(self, time: float, event: Callable[[float], None]) -> None:
        heapq.heappush(self._events, (time, next(self._order), event))

    def _start(self, pace: Pace, concurrency: int, images: int, at: float) -> None:
        left, in_flight = images, 0

        def send(now: float) -> None:
            nonlocal left, in_flight
            while left and in_flight < concurrency:
                if wait_s := pace.wait_s(now):
                    self._at(now + wait_s, send)
                    return
                left, in_flight = left - 1, in_flight + 1
                pace.begin(now)
                self._at(now + TRIP_S, lambda then, begun=now: arrive(then, begun))

        def arrive(now: float, begun: float) -> None:
            self.last_at, wait_s = now, self.server.refuse_until(now)
            if wait_s is None:
                self._at(now + self.latency_s, accept)
            else:
                self.refused += 1
                named_s = wait_s if self.names_wait else None
                self._at(now + TRIP_S, lambda then: refuse(then, begun, named_s))

        def accept(now: float) -> None:
            nonlocal in_flight
            in_flight -= 1
            pace.accept()
            send(now)

        def refuse(now: float, begun: float, named_s: float | None) -> None:
            nonlocal left, in_flight
            left, in_flight = left + 1, in_flight - 1
            jitter = random.random()  # noqa: S311 - no secret
            assert pace.refuse(begun, now, named_s, jitter, NEVER)
            send(now)

        self._at(at, send)


@pytest.mark.parametrize("names_wait", [True, False])
@pytest.mark.parametrize("latency_s", [0.05, 1.0, 15.0])
@pytest.mark.parametrize("concurrency", [8, 32, 64])
@pytest.mark.parametrize("processes", [1, 4])
def test_rate_of_an_account_is_used_with_few_refusals(
    processes, concurrency, latency_s, names_wait
):
    random.seed(1)
    images = 60
    simulation = Simulation(names_wait, latency_s)
    simulation.run(processes, concurrency, images)
    ideal_s = (images - 5) / simulation.server.per_s
    assert simulation.refused <= 1.5 * images
    assert simulation.last_at <= (1.15 if names_wait else 1.35) * ideal_s
