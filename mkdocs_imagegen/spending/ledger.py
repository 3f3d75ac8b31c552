"""Requests that must not be repeated: in this run, and in later builds.

No request is sent without asking the ledger for its earlier attempts and their cost.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mkdocs_imagegen.errors import (
    Billing,
    DownloadError,
    EarlierFailureError,
    EarlierRefusalError,
    GatewayError,
    ImagegenError,
    InvalidResponseError,
    ModelUnavailableError,
    ModerationError,
    NotGeneratedError,
    OutcomeUnknownError,
    StoppedError,
    StoreError,
    WithdrawnError,
)
from mkdocs_imagegen.files import read_plain_file, write_atomic
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.option_parsers import SKETCH_MODEL
from mkdocs_imagegen.originals.judge import read_records
from mkdocs_imagegen.originals.record import is_amount
from mkdocs_imagegen.report import format_usd
from mkdocs_imagegen.settings import GatewaySettings
from mkdocs_imagegen.spending.budget import Budget, Spend
from mkdocs_imagegen.spending.journal import Intent

MAX_ATTEMPTS = 2
"""Attempts that count before a cache key rests."""
REST = timedelta(hours=24)
"""Time after which a resting cache key is tried once more."""

_DAMAGED = (ValueError, TypeError, KeyError, ArithmeticError, RecursionError)
"""Errors for a line that no version of mkdocs-imagegen has written."""
_EVERY_MODEL = ""
_MAX_BYTES = 1_000_000
_MAX_KEPT = 100


class Ledger:
    """The failures and the budget of one run.

    The thread of the event loop writes. Under `mkdocs serve`, the thread of the builds reads the
    budget, calls `retry_free_failures` and sets `withdrawn` at the same time.

    Attributes:
        budget: Money of the run.
        again: Cache keys to generate although an original or an obstacle exists.
        regenerated: Cache keys of images that were generated in this run, by any of its builds.
        retries_refused: True if prompts are sent again that moderation has refused.
        withdrawn: Cache keys of images that no page needs any more.
    """

    def __init__(self) -> None:
        self.again: frozenset[str] = frozenset()
        self.regenerated: set[str] = set()
        self.retries_refused = False
        self.withdrawn: frozenset[str] = frozenset()
        self.budget = Budget()
        self._stopped: dict[str, StoppedError] = {}
        self._stopped_at_no_cost: set[str] = set()
        self._failed: dict[str, ImagegenError] = {}
        self._generated: set[str] = set()
        self._uncertain: dict[str, list[tuple[str, Attempt]]] = {}

    def raise_if_stopped(self, key: str, model: str) -> None:
        """Raise an error if this request was withdrawn, or it, its model or the run was stopped.

        Raises:
            ImagegenError: If the request must not be sent.
        """
        if key in self.withdrawn:
            raise WithdrawnError
        for error in (self._stopped.get(_EVERY_MODEL), self._stopped.get(model)):
            if error is not None:
                raise error
        if key in self._failed:
            raise self._failed[key]

    def stop(
        self, reason: str, model: str = _EVERY_MODEL, *, cause: ImagegenError | None = None
    ) -> None:
        """Stop all requests of one model, or of the run; the first reason stays."""
        if model not in self._stopped or model in self._stopped_at_no_cost:
            self._stopped[model] = StoppedError(reason, cause)
            self._stopped_at_no_cost.discard(model)

    def retry_free_failures(self) -> None:
        """Forget the stops whose failures were not charged."""
        models, self._stopped_at_no_cost = self._stopped_at_no_cost, set()
        for model in models:
            self._stopped.pop(model, None)

    def note_failure(self, error: GatewayError, key: str, model: str) -> None:
        """Stop the requests that would fail again, or would be charged again, after an error.

        An unavailable model stops the requests of that model. An error that affects every request
        stops the run. Any other error stops its own request, unless it was certainly not charged
        and a retry may succeed.
        """
        if isinstance(error, ModelUnavailableError):
            self.stop_at_no_cost(error, model)
        elif error.billing is Billing.PERMANENT:
            self.stop_at_no_cost(error)
        elif error.billing is not Billing.UNBILLED:
            self._failed[key] = error

    def obstacle(
        self, attempts: Attempts, key: str, model: str, gateway: GatewaySettings
    ) -> NotGeneratedError | None:
        """Return the reason for which a request must not be sent after earlier attempts, or None.

        Args:
            attempts: Attempts of earlier builds.
            key: Cache key of the request.
            model: Model to send.
            gateway: Server and timeout.
        """
        if key in self.again:
            return None
        now = datetime.now(timezone.utc)
        return attempts.obstacle(key, model, gateway, now, retries_refused=self.retries_refused)

    def has_generated(self, model: str) -> bool:
        """Return True if an image of a model was generated in this run."""
        return model in self._generated

    def note_uncertain(self, key: str, attempt: Attempt) -> None:
        """Note an attempt that counts if another image of its model is generated in this run."""
        self._uncertain.setdefault(attempt.model, []).append((key, attempt))

    def note_generated(self, model: str) -> list[tuple[str, Attempt]]:
        """Note that a model generates images; return the earlier attempts that count now."""
        self._generated.add(model)
        return [(key, replace(each, counts=True)) for key, each in self._uncertain.pop(model, [])]

    def stop_at_no_cost(self, error: GatewayError, model: str = _EVERY_MODEL) -> None:
        """Stop all requests of one model, or of the run, after an error that was not charged."""
        if model not in self._stopped:
            self.stop(error.fault, model, cause=error)
            self._stopped_at_no_cost.add(model)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request that returned no image.

    Attributes:
        begun: Time of the request, ISO 8601 in UTC.
        billing: Billing class: ``billed``, ``unknown`` or ``refused``.
        model: Model that was sent.
        server: Base URL of Vercel's AI Gateway; ``""`` for another server: its URL may be private.
        timeout_s: Timeout of the request.
        fault: Message of the server, or the problem.
        cost_usd: List price in dollars of a request that was or may have been charged; None if it
            is unknown.
        counts: True if it counts against the cache key: it was certainly charged, or another image
            of the same server and model succeeded in the same run.
    """

    begun: str
    billing: str
    model: str
    fault: str
    server: str = ""
    timeout_s: float = 0.0
    cost_usd: Decimal | None = None
    counts: bool = False


def attempt_of(intent: Intent, billing: str, fault: str, *, counts: bool = False) -> Attempt:
    """Return the attempt of a request that returned no image.

    It is committed, so that it names no other server than Vercel's.
    """
    is_named = GatewaySettings(url=intent.server).is_vercel
    host = urlsplit(intent.server).hostname
    if host and not is_named:  # the host is in lower case
        fault = re.sub(re.escape(host), "the server", fault, flags=re.IGNORECASE)
    return Attempt(
        begun=intent.begun,
        billing=billing,
        model=intent.sent.model,
        fault=fault,
        server=intent.server if is_named else "",
        timeout_s=intent.timeout_s,
        cost_usd=None if billing == "refused" else intent.price_usd,
        counts=counts,
    )


def noted_billing(error: ImagegenError) -> str:
    """Return the billing class of an attempt to note; ``""`` if the image may still arrive."""
    if isinstance(error, ModerationError):
        return "refused"
    if isinstance(error, OutcomeUnknownError):
        return "unknown"
    is_charged = isinstance(error, InvalidResponseError) and not isinstance(error, DownloadError)
    return "billed" if is_charged else ""


class Attempts:
    """Failed attempts, in one file per cache key next to the originals.

    ``ab/<key>.attempts.json`` has one line per attempt, so that git merges two branches, and a
    conflict leaves every line readable. A caller that adds one holds the claim on the key.

    Args:
        folders: Originals folder, and others that may have attempts.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders

    def path(self, key: str) -> Path:
        """Return the file of the attempts of a cache key."""
        return self._folders[0] / key[:2] / f"{key}.attempts.json"

    def find(self, key: str) -> list[Attempt]:
        """Return the attempts of a cache key, the oldest first.

        Raises:
            StoreError: If they cannot be read, so that no request may be sent.
        """
        try:
            found = {each for path in self._files(key) for each in _read(path)}
        except OSError as error:
            fault = f"{self.path(key)} cannot be read ({error.strerror or error})"
            hint = "check the permissions and the disk; until then the image is not generated"
            raise StoreError(fault, hint=hint) from None
        return sorted(found, key=lambda each: each.begun)

    def cache_keys(self) -> list[str]:
        """Return the cache keys with attempts in the originals folder."""
        found = self._folders[0].glob("??/*.attempts.json")
        return sorted(path.name.partition(".")[0] for path in found)

    def add(self, key: str, attempt: Attempt) -> None:
        """Write an attempt, in place of one that began at the same time.

        Raises:
            OSError: If it cannot be written.
            StoreError: If the earlier attempts cannot be read.
        """
        kept = [each for each in self.find(key) if each.begun != attempt.begun]
        lines = ",\n".join(_to_line(each) for each in [*kept, attempt][-_MAX_KEPT:])
        write_atomic(self.path(key), f"[\n{lines}\n]\n".encode("utf-8", "replace"))

    def obstacle(
        self,
        key: str,
        model: str,
        gateway: GatewaySettings,
        now: datetime,
        *,
        retries_refused: bool = False,
    ) -> NotGeneratedError | None:
        """Return the reason for which a request must not be sent, or None.

        After two attempts that count, the cache key rests; it is tried once more after a day.

        Args:
            key: Cache key of the request.
            model: Model to send.
            gateway: Server and timeout.
            now: Current time.
            retries_refused: True if a refusal by moderation is no obstacle.
        """
        attempts = self.find(key)
        refused = next((each for each in reversed(attempts) if each.billing == "refused"), None)
        if refused is not None and not retries_refused:
            files = ", ".join(str(path) for path in self._files(key) if path.exists())
            hint = f"reword it, set another `take`, or delete {files}"
            fault = f"{refused.fault} on {refused.begun[:10]} ({refused.model})"
            return EarlierRefusalError(fault, hint=hint)
        group = (gateway.url if gateway.is_vercel else "", model, gateway.timeout)
        counted = [
            each
            for each in attempts
            if each.counts and (each.server, each.model, each.timeout_s) == group
        ]
        is_rested = len(counted) == MAX_ATTEMPTS and _age(counted[-1], now) >= REST
        if len(counted) < MAX_ATTEMPTS or is_rested:
            return None
        return _resting(counted)

    def _files(self, key: str) -> list[Path]:
        """Return the files in which each folder may have attempts; `refused` is of old versions."""
        names = (f"{key}.attempts.json", f"{key}.refused.json")
        return [folder / key[:2] / name for folder in self._folders for name in names]


def spend_of_month(folder: Path, now: datetime) -> Spend:
    """Return what an originals folder says about the calendar month of a time.

    Images count by the day and the cost of their records, drafts by those of this machine, and
    failed requests by the attempts that were or may have been charged.

    Args:
        folder: Originals folder.
        now: Time in UTC.

    Raises:
        StoreError: If records cannot be read, so that no image may be generated.
    """
    month, attempts = f"{now:%Y-%m}", Attempts((folder,))
    folders = (folder, folder / "work/drafts")
    records = chain.from_iterable(read_records(each, skip_newer=True) for each in folders)
    costs = [
        each.cost_usd
        for each in records
        if each.created.startswith(month) and each.model != SKETCH_MODEL and not each.is_import
    ]
    costs += [
        each.cost_usd
        for key in attempts.cache_keys()
        for each in attempts.find(key)
        if each.begun.startswith(month) and each.billing != "refused"
    ]
    return Spend(len(costs), sum((each for each in costs if each), Decimal(0)))


def _resting(attempts: Sequence[Attempt]) -> EarlierFailureError:
    cost = sum((each.cost_usd for each in attempts if each.cost_usd), Decimal(0))
    price = f" ({format_usd(cost, is_estimate=True)})" if cost else ""
    is_certain = all(each.billing == Billing.BILLED.name.lower() for each in attempts)
    charged = "were charged" if is_certain else "may have been charged"
    fault = f"{len(attempts)} requests returned no image and {charged}{price}"
    once = "; it is requested once more after 24 hours" if len(attempts) == MAX_ATTEMPTS else ""
    hint = f"run `mkdocs-imagegen generate LOCATION --again`, or set another `take`{once}"
    return EarlierFailureError(f"{fault}, last error: {attempts[-1].fault}", hint=hint)


def _age(attempt: Attempt, now: datetime) -> timedelta:
    try:
        return now - datetime.fromisoformat(attempt.begun)
    except (ValueError, TypeError):
        return timedelta(0)


def _to_line(attempt: Attempt) -> str:
    fields = {name: value for name, value in asdict(attempt).items() if value not in ("", None)}
    return json.dumps(fields, sort_keys=True, ensure_ascii=False, default=str)


def _read(path: Path) -> Iterator[Attempt]:
    return _read_refusal(path) if path.name.endswith(".refused.json") else _read_attempts(path)


def _read_attempts(path: Path) -> Iterator[Attempt]:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError, ValueError):
        for line in read_plain_file(path, _MAX_BYTES).decode("utf-8", "replace").split("\n"):
            text = line.strip().removesuffix(",")
            with contextlib.suppress(*_DAMAGED):
                if text.startswith("{"):
                    yield _from_fields(json.loads(text))


def _read_refusal(path: Path) -> Iterator[Attempt]:
    """Yield the refusal in a file of an earlier version, which has one file per refusal."""
    missing = (FileNotFoundError, NotADirectoryError)
    with contextlib.suppress(*missing, ValueError, TypeError, KeyError, RecursionError):
        fields = json.loads(read_plain_file(path, _MAX_BYTES))
        model, day, said = (str(fields[name]) for name in ("model", "day", "said"))
        yield Attempt(begun=f"{day}T00:00:00+00:00", billing="refused", model=model, fault=said)


def _from_fields(fields: dict[str, Any]) -> Attempt:
    # An empty text is not written.
    begun, model, fault, server = (
        str(fields.get(name, "")) for name in ("begun", "model", "fault", "server")
    )
    cost = Decimal(str(fields.get("cost_usd", "NaN")))
    return Attempt(
        begun=begun,
        billing=str(fields["billing"]),
        model=model,
        fault=fault,
        server=server,
        timeout_s=float(fields.get("timeout_s", 0)),
        cost_usd=cost if is_amount(cost) else None,
        counts=fields.get("counts") is True,
    )
