"""Retries: which errors, and after how long."""

import anyio
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tenacity import wait_fixed

from mkdocs_imagegen import errors
from mkdocs_imagegen.errors import Billing, GatewayError, RateLimitedError, ServerBusyError
from mkdocs_imagegen.gateway.policy import (
    FULL_JITTER,
    MAX_ATTEMPTS,
    MAX_WAIT_S,
    can_retry,
    retrying,
    wait_s,
)

EVERY = [
    each
    for each in vars(errors).values()
    if isinstance(each, type) and issubclass(each, GatewayError) and each is not GatewayError
]


def outcome(tools, raised, deadline_s=300.0, jitter=FULL_JITTER):
    """Return the waits, the number of attempts and the result if attempts end as in ``raised``."""
    naps, asked = tools.Naps(), []

    async def attempt():
        asked.append(None)
        error = raised[min(len(asked), len(raised)) - 1]
        if error is not None:
            raise error
        return "image"

    async def run():
        return await retrying(deadline_s, naps, jitter)(attempt)

    try:
        result = anyio.run(run)
    except GatewayError as error:
        result = error
    return naps.taken, len(asked), result


@pytest.mark.parametrize("kind", EVERY)
def test_error_is_retried_only_if_unbilled(tools, kind):
    naps, asked, result = outcome(tools, [kind("x")])
    assert isinstance(result, kind)
    unbilled = kind.billing is Billing.UNBILLED
    assert asked == (MAX_ATTEMPTS if unbilled else 1)
    assert len(naps) == asked - 1
    assert can_retry(kind("x")) is unbilled


def test_other_exception_is_not_retried():
    assert not can_retry(RuntimeError())


def test_later_success_is_the_result(tools):
    naps, asked, result = outcome(tools, [RateLimitedError("x"), ServerBusyError("x"), None])
    assert (asked, result, len(naps)) == (3, "image", 2)


def test_unknown_outcome_ends_the_retries(tools):
    unknown = errors.OutcomeUnknownError("x")
    _, asked, result = outcome(tools, [RateLimitedError("x"), unknown, None])
    assert (asked, result) == (2, unknown)


def test_wait_is_random_and_grows_from_one_second(tools):
    runs = [outcome(tools, [RateLimitedError("x")])[0] for _ in range(50)]
    for attempt, longest in enumerate([1, 2, 4, 8, 16]):
        waits = [run[attempt] for run in runs]
        assert all(0 <= wait <= longest for wait in waits)
        assert max(waits) > longest / 2 > min(waits)


def test_jitter_is_added_to_the_wait_of_the_server(tools):
    error = RateLimitedError("x", retry_after_s=7.0)
    naps, _, _ = outcome(tools, [error, None], jitter=wait_fixed(0.5))
    assert naps == [7.5]


@given(st.floats() | st.none(), st.floats(min_value=0, max_value=30))
@example(float("nan"), 1.0)
def test_wait_is_at_most_two_minutes(asked_s, jitter_s):
    waited_s = wait_s(ServerBusyError("x", retry_after_s=asked_s), jitter_s)
    assert jitter_s <= waited_s <= 120
    assert waited_s == 120 or not asked_s or not waited_s < asked_s


@given(st.lists(st.floats(min_value=0, max_value=120), min_size=1, max_size=6), st.floats(1, 300))
def test_sum_of_waits_stays_within_the_timeout(tools, asked_s, deadline_s):
    raised = [RateLimitedError("x", retry_after_s=each) for each in asked_s]
    naps, asked, _ = outcome(tools, raised, deadline_s)
    assert sum(naps) <= deadline_s
    assert asked <= MAX_ATTEMPTS


def error_of(kind, requested_s):
    error = kind("x")
    error.retry_after_s = requested_s
    return error


waits = st.none() | st.floats() | st.floats(0, 200)
outcomes = st.none() | st.builds(error_of, st.sampled_from(EVERY), waits)


@given(st.lists(outcomes, min_size=1, max_size=9), st.floats(0, 1000), st.floats(0, 30))
def test_retries_end_within_their_bounds_for_any_errors(tools, raised, deadline_s, jitter_s):
    naps, asked, result = outcome(tools, raised, deadline_s, wait_fixed(jitter_s))
    happened = (raised + [raised[-1]] * MAX_ATTEMPTS)[:asked]
    assert asked == len(naps) + 1 <= MAX_ATTEMPTS
    assert sum(naps) <= deadline_s
    assert all(0 <= nap <= MAX_WAIT_S for nap in naps)
    assert all(each is not None and each.billing is Billing.UNBILLED for each in happened[:-1])
    assert result is happened[-1] or (happened[-1] is None and result == "image")


def test_duration_of_attempts_counts_against_the_timeout(tools):
    naps, asked = tools.Naps(), []

    async def slow():
        asked.append(None)
        await anyio.sleep(0.06)
        raise RateLimitedError("x")

    async def run():
        await retrying(0.1, naps, wait_fixed(0))(slow)

    with pytest.raises(RateLimitedError):
        anyio.run(run)
    assert len(asked) == 2
