"""Retry policy: which errors are retried, and after how many seconds.

Pure, apart from the sleep that the caller supplies. Only errors that were certainly not charged
are retried: no image API has an idempotency key, so a retry after an unknown outcome may be charged
a second time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tenacity import (
    RetryCallState,
    retry_if_exception,
    wait_random_exponential,
)
from tenacity.asyncio import AsyncRetrying
from tenacity.wait import wait_base

from mkdocs_imagegen.errors import Billing, GatewayError

MAX_ATTEMPTS = 6
MAX_BACKOFF_S = 30.0
MAX_WAIT_S = 120.0

Sleep = Callable[[float], Awaitable[None]]
"""Waits for a number of seconds; may raise StoppedError."""

FULL_JITTER = wait_random_exponential(multiplier=1, max=MAX_BACKOFF_S)
"""Random seconds before the next attempt: up to 1, 2, 4, 8, … 30."""


def can_retry(error: BaseException) -> bool:
    """Return True if the error was not charged and a retry may succeed."""
    return isinstance(error, GatewayError) and error.billing is Billing.UNBILLED


def retrying(timeout_s: float, sleep: Sleep, jitter: wait_base = FULL_JITTER) -> AsyncRetrying:
    """Return a caller that repeats a function until it succeeds or must not be retried.

    No attempt starts after the timeout; a running attempt is not cut short here. The error of the
    last attempt is raised.

    Args:
        timeout_s: Seconds within which the last attempt must start.
        sleep: Waits between two attempts.
        jitter: Random wait, added to the wait of the server.
    """

    def is_over(state: RetryCallState) -> bool:
        if state.attempt_number >= MAX_ATTEMPTS:
            return True
        waited = max(state.idle_for, state.seconds_since_start or 0.0)
        return waited + state.upcoming_sleep > timeout_s

    def next_wait_s(state: RetryCallState) -> float:
        return wait_s(state.outcome.exception() if state.outcome else None, jitter(state))

    return AsyncRetrying(
        retry=retry_if_exception(can_retry),
        stop=is_over,
        wait=next_wait_s,
        sleep=sleep,
        reraise=True,
    )


def wait_s(error: BaseException | None, jitter_s: float) -> float:
    """Return the seconds to wait after an error: the server's own wait and the jitter.

    The jitter is added, so that requests that were rejected together do not return together.
    """
    requested_s = getattr(error, "retry_after_s", None) or 0.0
    # In this order of arguments, NaN counts as 0: no comparison with it is true.
    return min(max(0.0, requested_s) + jitter_s, MAX_WAIT_S)
