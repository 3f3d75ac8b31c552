"""A picture that is made beside a server, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future
from decimal import Decimal

from mkdocs_imagegen.errors import (
    Billing,
    GatewayError,
    ImagegenError,
    LinkError,
    NotMadeError,
    StoppedError,
    StoreError,
)
from mkdocs_imagegen.jobs.job import Result, Want
from mkdocs_imagegen.originals.record import Original
from mkdocs_imagegen.records import dataclass
from mkdocs_imagegen.report import dollars
from mkdocs_imagegen.values import SKETCH_MODEL

_MOST_KNOCKS = 3
"""How often pages are built again for one picture, if no build takes it in."""


@dataclass(slots=True)
class Work:
    """A picture in the making, or what became of it.

    Attributes:
        want: what was asked for.
        future: what becomes of it.
        ended_at: when the end was noticed, in seconds; None before.
        is_seen: whether a build has looked at the end, or no page waits for it any more.
        knocks: how often pages were to be built again for it.
    """

    want: Want
    future: Future[Result]
    ended_at: float | None = None
    is_seen: bool = False
    knocks: int = 0

    @property
    def is_unseen(self) -> bool:
        """Whether pages do not show yet what became of it, and still may."""
        return self.ended_at is not None and not self.is_seen and self.knocks < _MOST_KNOCKS

    @property
    def fault(self) -> ImagegenError | None:
        """After the end: why there is no picture; None where there is."""
        if self.future.cancelled():
            return StoppedError("the run was stopped before it came")
        unforeseen = self.future.exception()
        if unforeseen is not None:
            return NotMadeError(f"it failed: {type(unforeseen).__name__}: {unforeseen}")
        result = self.future.result()
        return result.error or (NotMadeError(result.alarm) if result.alarm else None)

    @property
    def failed_for_nothing(self) -> bool:
        """Whether it was not made, was not charged, and may go better another time."""
        result = self._result
        error = result.error if result else None
        if isinstance(error, LinkError):
            return True  # it was charged, and the answer is kept: trying again costs nothing
        if isinstance(error, GatewayError):
            return error.billing in {Billing.UNBILLED, Billing.PERMANENT}
        return isinstance(error, (NotMadeError, StoreError))

    @property
    def bought(self) -> Original | None:
        """The picture that was paid for; None if none was, or it has cost nothing."""
        result = self._result
        if result is None or not result.made or result.kept is None:
            return None
        original = result.kept.original
        is_free = original.model == SKETCH_MODEL and not original.cost_usd
        return None if is_free else original

    @property
    def remarks(self) -> tuple[str, ...]:
        """After the end: what is worth telling although it worked."""
        result, original = self._result, self.bought
        if result is None or original is None:
            return result.remarks if result else ()
        made = f"made in {result.seconds:.1f} s for {_cost([original])}"
        return (made, *result.remarks)

    @property
    def _result(self) -> Result | None:
        future = self.future
        if not future.done() or future.cancelled() or future.exception() is not None:
            return None
        return future.result()


def sum_of(works: Iterable[Work]) -> str:
    """What all of it has cost, in words; ``""`` where nothing was bought."""
    bought = [original for work in works if (original := work.bought)]
    if not bought:
        return ""
    count = "1 picture" if len(bought) == 1 else f"{len(bought)} pictures"
    return f"{count} made beside the server for {_cost(bought)}"


def _cost(bought: list[Original]) -> str:
    known = [each.cost_usd for each in bought if each.cost_usd is not None]
    if not known:
        return "an unknown price"
    about = "about " if any(each.cost_is_estimate for each in bought) else ""
    return f"{about}${dollars(sum(known, Decimal(0)))}"
