"""Requests that must not be repeated: in this run, and in later builds after a refusal."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict
from pathlib import Path

from mkdocs_imagegen.errors import (
    Billing,
    GatewayError,
    ImagegenError,
    ModelUnavailableError,
    StoppedError,
    UnreachableError,
)
from mkdocs_imagegen.files import read_plain_file, write_atomic
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.spending.budget import Budget

_EVERY_MODEL = ""
_MAX_REFUSAL_BYTES = 100_000


class Ledger:
    """The failures and the budget of one run.

    The thread of the event loop writes. Under `mkdocs serve`, the thread of the builds reads the
    budget and calls `retry_free_failures` at the same time.

    Attributes:
        budget: Money of the run.
    """

    def __init__(self) -> None:
        self.budget = Budget()
        self._stopped: dict[str, StoppedError] = {}
        self._stopped_at_no_cost: set[str] = set()
        self._failed: dict[str, ImagegenError] = {}

    def raise_if_stopped(self, key: str, model: str) -> None:
        """Raise the earlier error if this request, its model or the run was stopped.

        Raises:
            ImagegenError: If the request must not be sent.
        """
        for error in (self._stopped.get(_EVERY_MODEL), self._stopped.get(model)):
            if error is not None:
                raise error
        if key in self._failed:
            raise self._failed[key]

    def stop(self, reason: str, model: str = _EVERY_MODEL) -> None:
        """Stop all requests of one model, or of the run; the first reason stays."""
        if model not in self._stopped or model in self._stopped_at_no_cost:
            self._stopped[model] = StoppedError(reason)
            self._stopped_at_no_cost.discard(model)

    def retry_free_failures(self) -> None:
        """Forget the stops whose failures were not charged."""
        models, self._stopped_at_no_cost = self._stopped_at_no_cost, set()
        for model in models:
            self._stopped.pop(model, None)

    def note_failure(self, error: GatewayError, key: str, model: str) -> None:
        """Stop the requests that would fail again, or would be charged again, after an error.

        An unavailable model stops the requests of that model. An error that affects every request,
        or a server that did not respond to the last attempt, stops the run. Any other error stops
        its own request, unless it was certainly not charged and a retry may succeed.
        """
        reason = f"the run was stopped: {error.fault}"
        if isinstance(error, ModelUnavailableError):
            self._stop_at_no_cost(reason, model)
        elif error.billing is Billing.PERMANENT or isinstance(error, UnreachableError):
            self._stop_at_no_cost(reason, _EVERY_MODEL)
        elif error.billing is not Billing.UNBILLED:
            self._failed[key] = error

    def _stop_at_no_cost(self, reason: str, model: str) -> None:
        if model not in self._stopped:
            self.stop(reason, model)
            self._stopped_at_no_cost.add(model)


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refusal by moderation.

    Attributes:
        model: Model that was requested.
        day: Date, like ``2026-12-01``.
        said: Message of the server.
    """

    model: str
    day: str
    said: str


class Refusals:
    """Refusals by moderation, in one file per cache key next to the originals.

    Args:
        folder: Originals folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, key: str) -> Path:
        """Return the file of a refusal; deleting it allows the request again."""
        return self._folder / key[:2] / f"{key}.refused.json"

    def find(self, key: str) -> Refusal | None:
        """Return the refusal of a request, if there is one."""
        try:
            fields = json.loads(read_plain_file(self.path(key), _MAX_REFUSAL_BYTES))
            return Refusal(*(str(fields[name]) for name in ("model", "day", "said")))
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None

    def remember(self, key: str, refusal: Refusal) -> None:
        """Write a refusal; a failed write is ignored, since a refused request is not charged."""
        text = json.dumps(asdict(refusal), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        with contextlib.suppress(OSError):
            write_atomic(self.path(key), text.encode("utf-8", "replace"))
