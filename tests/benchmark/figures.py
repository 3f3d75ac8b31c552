"""Measurements with intervals, goals and verdicts. Pure: no I/O, clock or environment.

An interval is that of the median, for any distribution: of ``n`` sorted values it runs from the
k-th to the k-th from the end, with the largest ``k`` for which the median is outside in at most 5 %
of all cases. (A value is below the median as often as above it, so the count is binomial.) With
fewer than six values, the interval is the whole range.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

_OUTSIDE = 0.025
"""Probability that the median is below the interval, and that it is above."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Value with its interval.

    Attributes:
        middle: The value, usually a median.
        low: Lower end of the interval.
        high: Upper end of the interval.
        count: Number of measured values.
    """

    middle: float
    low: float
    high: float
    count: int

    def contains(self, value: float) -> bool:
        """Return True if a value is in the interval."""
        return self.low <= value <= self.high


def median_of(values: Sequence[float]) -> Estimate:
    """Return the median with its interval of about 95 %.

    Raises:
        ValueError: If there are no values.
    """
    if not values:
        raise ValueError("no values, no median")
    ordered = sorted(values)
    cut = max(0, _ranks_to_cut(len(ordered)))
    return Estimate(statistics.median(ordered), ordered[cut], ordered[-1 - cut], len(ordered))


def _ranks_to_cut(count: int) -> int:
    """Return the number of values below the interval; -1 if even the range is too small."""
    below, cut = 0.0, -1
    while (below := below + math.comb(count, cut + 1) / 2**count) <= _OUTSIDE:
        cut += 1
    return cut


def ratios(ours: Sequence[float], others: Sequence[float]) -> list[float]:
    """Divide values pair by pair."""
    return [one / other for one, other in zip(ours, others, strict=True)]


def differences(ours: Sequence[float], others: Sequence[float], scale: float = 1.0) -> list[float]:
    """Subtract values pair by pair, and scale the differences."""
    return [(one - other) * scale for one, other in zip(ours, others, strict=True)]


class Verdict(str, Enum):
    """Result of a goal."""

    MET = "met"
    MISSED = "missed"
    NOISY = "noisy"
    NO_GOAL = "-"


@dataclass(frozen=True, slots=True)
class Goal:
    """Upper bound of a figure.

    Attributes:
        max_value: Upper bound of the middle value.
        or_no_difference: True if an interval that contains the value of equals also meets the goal.
    """

    max_value: float
    or_no_difference: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table.

    Attributes:
        name: Name of the benchmark.
        figure: Description of the figure.
        against: Label of the other contestant.
        value: Ratio, or difference if there is a unit.
        control: Ratio or difference of two equal contestants; None for counts.
        goal: Goal of the figure, if there is one.
        unit: Unit of a difference; ``""`` for a ratio.
        runs: All measured values by contestant, in the order of the rounds.
        note: Note for readers.
    """

    name: str
    figure: str
    against: str
    value: Estimate | None
    control: Estimate | None = None
    goal: Goal | None = None
    unit: str = ""
    runs: Mapping[str, Sequence[float]] = field(default_factory=dict)
    note: str = ""

    @property
    def equal(self) -> float:
        """Value of two equal contestants."""
        return 0.0 if self.unit else 1.0

    @property
    def verdict(self) -> Verdict:
        """Verdict on the goal; `NOISY` if the control does not contain the value of equals."""
        if self.goal is None or self.value is None:
            return Verdict.NO_GOAL
        if self.control is not None and not self.control.contains(self.equal):
            return Verdict.NOISY
        is_met = self.value.middle <= self.goal.max_value
        is_met |= self.goal.or_no_difference and self.value.contains(self.equal)
        return Verdict.MET if is_met else Verdict.MISSED
