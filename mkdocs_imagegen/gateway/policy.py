"""Which errors are asked again, and when; pure but for the sleep that is handed in.

Only what certainly was not charged is asked again (fact sheet "reliability", section 4.1): a
request whose outcome is unknown would be paid for twice.
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

ATTEMPTS = 6
MAX_BACKOFF_S = 30.0
MAX_ASKED_WAIT_S = 120.0

Sleep = Callable[[float], Awaitable[None]]
FULL_JITTER = wait_random_exponential(multiplier=1, max=MAX_BACKOFF_S)
"""Seconds before the next attempt: any time up to 1, then up to 2, 4, 8, … 30."""


def may_ask_again(error: BaseException) -> bool:
    """Whether the error says that nothing was charged and that asking again may help."""
    return isinstance(error, GatewayError) and error.billing is Billing.UNBILLED


def asking(deadline_s: float, sleep: Sleep, jitter: wait_base = FULL_JITTER) -> AsyncRetrying:
    """Calls a function until it succeeds, its error may not be asked again, or time is up.

    No attempt begins later than the deadline; the one that runs then is not cut short here. The
    error that comes out is the last attempt's own.

    Args:
        deadline_s: seconds within which the last attempt has to begin.
        sleep: waits so many seconds.
        jitter: the wait where the server asks for none.
    """

    def is_over(state: RetryCallState) -> bool:
        if state.attempt_number >= ATTEMPTS:
            return True
        waited = max(state.idle_for, state.seconds_since_start or 0.0)
        return waited + state.upcoming_sleep > deadline_s

    def wait_s(state: RetryCallState) -> float:
        return pause_s(state.outcome.exception() if state.outcome else None, jitter(state))

    return AsyncRetrying(
        retry=retry_if_exception(may_ask_again),
        stop=is_over,
        wait=wait_s,
        sleep=sleep,
        reraise=True,
    )


def pause_s(error: BaseException | None, jitter_s: float) -> float:
    """Seconds to wait after an error: what the server asked for, up to a limit, and the jitter.

    The jitter comes on top, so that requests refused together do not come back together.
    """
    asked_s = getattr(error, "retry_after_s", None) or 0.0
    # In this order no comparison with NaN holds, and nothing was asked for.
    return min(max(0.0, asked_s) + jitter_s, MAX_ASKED_WAIT_S)
