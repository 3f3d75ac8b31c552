"""The pace of requests: refusals, holds, and the end of the wait; against simulated servers."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mkdocs_imagegen.pacing import MAX_BACKOFF_S, Pace

NEVER = math.inf
TRIP_S = 0.01


def started(max_wait_s: float = 300.0, *, requests: int = 1) -> Pace:
    """Return a pace with requests in flight."""
    pace = Pace(max_wait_s)
    for _ in range(requests):
        pace.begin(0)
    return pace


def test_first_requests_follow_each_other_in_a_short_time():
    pace = started()
    assert 0.01 <= pace.wait_s(0) <= 0.05
    assert pace.wait_s(1) == 0


def test_refusal_holds_all_requests_for_the_time_that_the_server_names():
    pace = started()
    assert pace.refuse(0, 0.1, 7.0, 0.0) is None
    assert pace.wait_s(0.1) == 7
    assert pace.wait_s(7.1) == 0


def test_jitter_lengthens_the_hold_up_to_half():
    pace = started()
    pace.refuse(0, 0, 8.0, 1.0)
    assert pace.wait_s(0) == 12


def test_holds_without_a_named_time_double_up_to_their_limit():
    pace, now, waits = Pace(NEVER), 0.0, []
    for _ in range(9):
        pace.begin(now)
        assert pace.refuse(now, now, None, 1.0) is None
        waits.append(pace.wait_s(now))
        now += waits[-1]
    assert waits[:2] == [2, 4]
    assert set(waits[2:]) == {MAX_BACKOFF_S}


def test_server_that_names_no_time_at_all_is_not_asked_without_end():
    pace, now, asked = Pace(20.0), 0.0, 0
    while True:
        asked += 1
        pace.begin(now)
        if (waited_s := pace.refuse(now, now, 0.001, 0.0)) is not None:
            break
        now += pace.wait_s(now)
    assert asked < 12
    assert waited_s == now <= 20


def test_requests_that_were_sent_together_hold_once():
    pace = Pace(300.0)
    for number in range(8):
        pace.begin(number * 0.02)
    for number in range(8):
        pace.refuse(number * 0.02, 0.2, None, 1.0)
    assert pace.wait_s(0.2) == 2


def test_longer_wait_of_a_later_refusal_counts():
    pace = started(requests=2)
    pace.refuse(0, 1, 2.0, 0.0)
    pace.refuse(0, 1, 60.0, 0.0)
    assert pace.wait_s(1) == 60


def test_wait_beyond_the_limit_is_not_waited_for():
    pace = started(requests=2)
    assert pace.refuse(0, 0, 301.0, 0.0) == 0
    assert pace.wait_s(1) == 0


def test_connection_is_waited_for_less_long():
    pace = started()
    assert pace.refuse(0, 0, None, 0.0, 30.0) is None
    pace.begin(31)
    assert pace.refuse(31, 31, None, 0.0, 30.0) == 31


def test_refusal_by_the_server_proves_a_connection():
    pace = started()
    assert pace.refuse(0, 0, 40.0, 0.0) is None
    pace.begin(40)
    assert pace.refuse(40, 40, None, 0.0, 30.0) is None
    pace.begin(60)
    assert pace.refuse(60, 60, 20.0, 0.0) is None
    pace.begin(80)
    assert pace.refuse(80, 80, None, 0.0, 30.0) is None


def test_requests_in_flight_decide_after_the_wait():
    pace = started(10.0, requests=3)
    pace.refuse(0, 0, 1.0, 0.0)
    assert pace.wait_s(9) == 0
    assert pace.wait_s(10) == NEVER
    assert pace.refuse(0, 50, 1.0, 0.0) is None
    pace.accept(50)
    assert pace.wait_s(60) == 0


def test_last_refusal_after_the_wait_ends_it():
    pace = started(10.0, requests=2)
    pace.refuse(0, 0, 1.0, 0.0)
    assert pace.refuse(0, 50, 1.0, 0.0) == 50


@pytest.mark.parametrize("seconds", [0.1, 5.0, 10.0])
@pytest.mark.parametrize("concurrency", [1, 2, 8])
def test_slow_refusals_end_the_wait_too(concurrency, seconds):
    pace, now, in_flight = Pace(30.0), 0.0, []
    while now < 1000:
        now += 0.05
        while len(in_flight) < concurrency and pace.wait_s(now) == 0:
            pace.begin(now)
            in_flight.append(now)
        for begun in [each for each in in_flight if each + seconds <= now]:
            in_flight.remove(begun)
            if pace.refuse(begun, now, None, 0.5) is not None:
                assert now <= 30 + 2 * seconds + 1
                return
    pytest.fail("the wait does not end")


def test_accepted_request_starts_the_wait_again():
    pace = started(10.0)
    assert pace.refuse(0, 0, 9.0, 0.0) is None
    pace.begin(9)
    pace.accept(9)
    pace.begin(15)
    assert pace.refuse(15, 15, 9.0, 0.0) is None
    pace.begin(24)
    assert pace.refuse(24, 24, 9.0, 0.0) == 9


def test_wait_begins_with_a_request_that_is_accepted_during_a_hold():
    pace = started(10.0, requests=2)
    assert pace.refuse(0, 0, 9.0, 0.0) is None
    pace.accept(1)
    pace.begin(9)
    assert pace.refuse(9, 9, 9.0, 0.0) == 8


def test_request_that_was_not_sent_does_not_start_the_wait_again():
    pace = started(10.0)
    assert pace.refuse(0, 0, 9.0, 0.0) is None
    pace.begin(9)
    pace.cancel()
    pace.begin(9)
    assert pace.refuse(9, 9, 9.0, 0.0) == 9


def test_request_that_was_not_sent_delays_no_other():
    pace = started()
    pace.cancel()
    assert pace.wait_s(0) == 0


def test_wait_that_has_ended_can_begin_again():
    pace = started(10.0)
    assert pace.refuse(0, 0, 11.0, 0.0) == 0
    pace.begin(100)
    assert pace.refuse(100, 100, 9.0, 0.0) is None


waits = st.none() | st.floats(0, 86_400)


@given(st.lists(st.tuples(waits, st.floats(0, 1), st.booleans()), max_size=30), st.floats(0, 900))
@example([(None, 0.0, each % 2 == 1) for each in range(5)], 1.0)
def test_wait_after_a_refusal_stays_within_its_limit(outcomes, max_wait_s):
    pace, now, refused_at = Pace(max_wait_s), 0.0, None
    for named_s, jitter, is_accepted in outcomes:
        now += pace.wait_s(now)
        assert now - (now if refused_at is None else refused_at) <= max_wait_s + 0.05
        pace.begin(now)
        if is_accepted:
            pace.accept(now)
            refused_at = None
        elif pace.refuse(now, now, named_s, jitter) is not None:
            refused_at = None
        else:
            refused_at = now if refused_at is None else refused_at


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
            pace.accept(now)
            send(now)

        def refuse(now: float, begun: float, named_s: float | None) -> None:
            nonlocal left, in_flight
            left, in_flight = left + 1, in_flight - 1
            jitter = random.random()  # noqa: S311 - no secret
            assert pace.refuse(begun, now, named_s, jitter) is None
            send(now)

        self._at(at, send)


@pytest.mark.parametrize("names_wait", [True, False])
@pytest.mark.parametrize("latency_s", [0.05, 1.0, 15.0])
@pytest.mark.parametrize("concurrency", [8, 32, 64])
@pytest.mark.parametrize("processes", [1, 4])
def test_rate_of_an_account_is_used_with_few_refusals(
    processes, concurrency, latency_s, names_wait
):
    images = 60
    for seed in range(20):
        random.seed(seed)
        simulation = Simulation(names_wait, latency_s)
        simulation.run(processes, concurrency, images)
        ideal_s = (images - 5) / simulation.server.per_s
        assert simulation.refused <= 2 * images
        assert simulation.last_at <= 1.15 * ideal_s
