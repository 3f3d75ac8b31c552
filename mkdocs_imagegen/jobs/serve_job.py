"""A image that is made beside a server, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future
from decimal import Decimal

from mkdocs_imagegen.errors import (
    Billing,
    DownloadError,
    GatewayError,
    ImagegenError,
    NotGeneratedError,
    StoppedError,
    StoreError,
)
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.jobs.job import Job, Result
from mkdocs_imagegen.options import SKETCH_MODEL
from mkdocs_imagegen.originals.record import Record
from mkdocs_imagegen.report import format_usd

_MAX_KNOCKS = 3
"""How often pages are built again for one image, if no build takes it in."""


@dataclass(slots=True)
class ServeJob:
    """A image in the making, or what became of it.

    Attributes:
        want: what was asked for.
        future: what becomes of it.
        ended_at: when the end was noticed, in seconds; None before.
        is_seen: whether a build has looked at the end, or no page waits for it any more.
        knocks: how often pages were to be built again for it.
    """

    want: Job
    future: Future[Result]
    ended_at: float | None = None
    is_seen: bool = False
    knocks: int = 0

    @property
    def is_unseen(self) -> bool:
        """Whether pages do not show yet what became of it, and still may."""
        return self.ended_at is not None and not self.is_seen and self.knocks < _MAX_KNOCKS

    @property
    def fault(self) -> ImagegenError | None:
        """After the end: why there is no image; None where there is."""
        if self.future.cancelled():
            return StoppedError("the run was stopped before it came")
        unforeseen = self.future.exception()
        if unforeseen is not None:
            return NotGeneratedError(f"it failed: {type(unforeseen).__name__}: {unforeseen}")
        result = self.future.result()
        return result.error or (NotGeneratedError(result.alarm) if result.alarm else None)

    @property
    def failed_for_nothing(self) -> bool:
        """Whether it was not made, was not charged, and may go better another time."""
        result = self._result
        error = result.error if result else None
        if isinstance(error, DownloadError):
            return True  # it was charged, and the answer is kept: trying again costs nothing
        if isinstance(error, GatewayError):
            return error.billing in {Billing.UNBILLED, Billing.PERMANENT}
        return isinstance(error, (NotGeneratedError, StoreError))

    @property
    def bought(self) -> Record | None:
        """The image that was paid for; None if none was, or it has cost nothing."""
        result = self._result
        if result is None or not result.made or result.original is None:
            return None
        record = result.original.record
        is_free = record.model == SKETCH_MODEL and not record.cost_usd
        return None if is_free else record

    @property
    def remarks(self) -> tuple[str, ...]:
        """After the end: what is worth telling although it worked."""
        result, record = self._result, self.bought
        if result is None or record is None:
            return result.remarks if result else ()
        made = f"made in {result.seconds:.1f} s for {_cost([record])}"
        return (made, *result.remarks)

    @property
    def _result(self) -> Result | None:
        future = self.future
        if not future.done() or future.cancelled() or future.exception() is not None:
            return None
        return future.result()


def sum_of(works: Iterable[ServeJob]) -> str:
    """What all of it has cost, in words; ``""`` where nothing was bought."""
    bought = [record for work in works if (record := work.bought)]
    if not bought:
        return ""
    count = "1 image" if len(bought) == 1 else f"{len(bought)} images"
    return f"{count} made beside the server for {_cost(bought)}"


def _cost(bought: list[Record]) -> str:
    known = [each.cost_usd for each in bought if each.cost_usd is not None]
    if not known:
        return "an unknown price"
    about = "about " if any(each.cost_is_estimate for each in bought) else ""
    return f"{about}{format_usd(sum(known, Decimal(0)))}"
