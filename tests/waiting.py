"""Waits for a condition, with one limit that only a hang of the product reaches."""

from __future__ import annotations

import time
from collections.abc import Callable

MAX_WAIT_S = 120.0
"""Limit of every wait. A loaded machine is slow, so no test counts seconds below it."""

_POLL_S = 0.02


def wait_until(
    is_met: Callable[[], object],
    describe: Callable[[], str] = str,
    *,
    timeout_s: float = MAX_WAIT_S,
) -> None:
    """Wait for a condition.

    Args:
        is_met: The condition; polled.
        describe: Text of the error.
        timeout_s: Seconds to wait.

    Raises:
        AssertionError: If the condition is not met in time.
    """
    end = time.monotonic() + timeout_s
    while not is_met():
        assert time.monotonic() < end, f"not met within {timeout_s:g} s: {describe()}"
        time.sleep(_POLL_S)
