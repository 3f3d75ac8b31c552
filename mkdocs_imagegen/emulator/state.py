"""Balance, counters, fault plan and request log of an emulator."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from mkdocs_imagegen.emulator.responses import decimal_text, generation_id
from mkdocs_imagegen.frozen import dataclass

MAX_REMEMBERED = 10_000
"""Number of the latest requests and generations that are kept."""

BURST = 5
"""Number of requests that a rate limit accepts at once."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """Log entry of a request, without the value of a credential.

    Attributes:
        method: HTTP method.
        path: Path without the query.
        model: Requested model, if there is one.
        prompt: Prompt, if there is one.
        fault: Name of the requested fault; ``ok`` for no fault.
        status: Status of the response.
        credential: Kind of credential sent: ``bearer``, ``api-key`` or ``none``.
    """

    method: str
    path: str
    model: str | None
    prompt: str | None
    fault: str
    status: int
    credential: str


@dataclass(frozen=True, slots=True)
class Bill:
    """Number of images drawn, delivered or not, and the dollars charged for them."""

    images: int
    usd: Decimal


class EmulatorState:
    """State that changes from request to request; safe to use from several threads.

    Args:
        balance_usd: Credit in dollars.
        plan: Names of faults, one per image request.
        per_minute: Rate limit in image requests per minute, a token bucket; None for no limit.
    """

    def __init__(
        self, balance_usd: Decimal, plan: Sequence[str], per_minute: float | None = None
    ) -> None:
        self._lock = threading.Lock()
        self._balance, self._spent = balance_usd, Decimal(0)
        self._images = self._requests = self._generations = 0
        self._plan = deque(plan)
        self._per_s = per_minute / 60 if per_minute else 0.0
        self._tokens, self._counted_at = float(BURST), 0.0
        self._log: deque[LogEntry] = deque(maxlen=MAX_REMEMBERED)
        self._watchers: list[Callable[[LogEntry], None]] = []
        self._records: OrderedDict[str, dict[str, Any]] = OrderedDict()

    @property
    def bill(self) -> Bill:
        """Images drawn and dollars charged so far."""
        with self._lock:
            return Bill(self._images, self._spent)

    @property
    def log(self) -> tuple[LogEntry, ...]:
        """Log entries of the latest requests, in order."""
        with self._lock:
            return tuple(self._log)

    @property
    def credits(self) -> dict[str, str]:
        """Body of ``GET /v1/credits``."""
        with self._lock:
            return {"balance": decimal_text(self._balance), "total_used": decimal_text(self._spent)}

    def next_fault(self, otherwise: str) -> str:
        """Return and remove the next fault of the plan; ``otherwise`` if the plan is used up."""
        with self._lock:
            return self._plan.popleft() if self._plan else otherwise

    def next_request(self) -> int:
        """Return the number of the next request, counted from 1."""
        with self._lock:
            self._requests += 1
            return self._requests

    def refuse_until(self, now: float) -> float:
        """Return the seconds to wait for the rate limit; 0 for a request that is accepted."""
        with self._lock:
            if not self._per_s:
                return 0.0
            added = max(0.0, now - self._counted_at) * self._per_s
            self._tokens, self._counted_at = min(BURST, self._tokens + added), now
            if self._tokens < 1:
                return (1 - self._tokens) / self._per_s
            self._tokens -= 1
            return 0.0

    def charge(self, usd: Decimal, images: int) -> str | None:
        """Charge for images and return the generation id, or None if the balance is too low."""
        with self._lock:
            if usd > self._balance:
                return None
            self._balance -= usd
            self._spent += usd
            self._images += images
            self._generations += 1
            return generation_id(self._generations)

    def remember(self, record: dict[str, Any]) -> None:
        """Keep a record for ``GET /v1/generation``."""
        with self._lock:
            self._records[record["id"]] = record
            while len(self._records) > MAX_REMEMBERED:
                self._records.popitem(last=False)

    def generation(self, name: str) -> dict[str, Any] | None:
        """Return the record with the given generation id, if there is one."""
        with self._lock:
            return self._records.get(name)

    def add_to_log(self, entry: LogEntry) -> None:
        """Add a log entry and pass it to the watchers."""
        with self._lock:
            self._log.append(entry)
            for watcher in self._watchers:
                watcher(entry)

    def watch(self, watcher: Callable[[LogEntry], None]) -> Callable[[], None]:
        """Call ``watcher`` for every later log entry; return a function that ends this."""
        with self._lock:
            self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)
