"""The emulator's memory: money, ids and what was asked; safe to use from many threads."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from mkdocs_imagegen.emulator.answers import dollars, generation_id
from mkdocs_imagegen.emulator.records import Bill, Seen

REMEMBERED = 10_000
"""How many of the latest requests and generations are remembered."""


class Account:
    """What changes from one request to the next."""

    def __init__(self, balance_usd: Decimal, plan: Sequence[str]) -> None:
        self._lock = threading.Lock()
        self._balance, self._spent = balance_usd, Decimal(0)
        self._images = self._requests = self._generations = 0
        self._plan = deque(plan)
        self._seen: deque[Seen] = deque(maxlen=REMEMBERED)
        self._watchers: list[Callable[[Seen], None]] = []
        self._records: OrderedDict[str, dict[str, Any]] = OrderedDict()

    @property
    def bill(self) -> Bill:
        """Images computed, and dollars charged for them."""
        with self._lock:
            return Bill(self._images, self._spent)

    @property
    def seen(self) -> tuple[Seen, ...]:
        """Every request, in order."""
        with self._lock:
            return tuple(self._seen)

    @property
    def credits(self) -> dict[str, str]:
        """The answer of ``GET /v1/credits``."""
        with self._lock:
            return {"balance": dollars(self._balance), "total_used": dollars(self._spent)}

    def next_fault(self, otherwise: str) -> str:
        """The next entry of the plan; ``otherwise`` once there is none."""
        with self._lock:
            return self._plan.popleft() if self._plan else otherwise

    def next_request(self) -> int:
        """A number for a request, from 1."""
        with self._lock:
            self._requests += 1
            return self._requests

    def charge(self, usd: Decimal, images: int) -> str | None:
        """Take the price of a job, and give its generation id; None where money is short."""
        with self._lock:
            if usd > self._balance:
                return None
            self._balance -= usd
            self._spent += usd
            self._images += images
            self._generations += 1
            return generation_id(self._generations)

    def remember(self, record: dict[str, Any]) -> None:
        """Keep what ``GET /v1/generation`` tells of a job."""
        with self._lock:
            self._records[record["id"]] = record
            while len(self._records) > REMEMBERED:
                self._records.popitem(last=False)

    def generation(self, name: str) -> dict[str, Any] | None:
        """What is known of a job."""
        with self._lock:
            return self._records.get(name)

    def note(self, seen: Seen) -> None:
        """Remember a request, and tell whoever watches."""
        with self._lock:
            self._seen.append(seen)
            for watcher in self._watchers:
                watcher(seen)

    def watch(self, watcher: Callable[[Seen], None]) -> Callable[[], None]:
        """Call ``watcher`` with every request from now on; the result stops that."""
        with self._lock:
            self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)
