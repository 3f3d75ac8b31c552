"""What was measured, how sure it is, and whether a goal is met; pure.

An interval is one of the median, without a word on how the values are distributed: of ``n`` sorted
values it runs from the k-th to the k-th from the end, with the largest ``k`` for which the median
lies outside in at most 5 % of all cases (each value is below the median as often as above it, so
that number is binomial). Fewer than six values cannot be that sure: then it is the whole range.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

_OUTSIDE = 0.025
"""How often the median may lie below the interval; as often it may lie above."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A middle value and its interval.

    Attributes:
        middle: the median, where nothing else is said.
        low: where the interval begins.
        high: where it ends.
        count: how many values it is made of.
    """

    middle: float
    low: float
    high: float
    count: int

    def holds(self, value: float) -> bool:
        """Whether the interval holds a value."""
        return self.low <= value <= self.high


def median_of(values: Sequence[float]) -> Estimate:
    """The median with its interval of about 95 %.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("no values, no median")
    ordered = sorted(values)
    cut = max(0, _ranks_to_cut(len(ordered)))
    return Estimate(statistics.median(ordered), ordered[cut], ordered[-1 - cut], len(ordered))


def _ranks_to_cut(count: int) -> int:
    """How many values may be left out at each end; -1 where even the range is not 95 %."""
    below, cut = 0.0, -1
    while (below := below + math.comb(count, cut + 1) / 2**count) <= _OUTSIDE:
        cut += 1
    return cut


def ratios(ours: Sequence[float], others: Sequence[float]) -> list[float]:
    """One over the other, pair by pair."""
    return [one / other for one, other in zip(ours, others, strict=True)]


def differences(ours: Sequence[float], others: Sequence[float], scale: float = 1.0) -> list[float]:
    """One less the other, pair by pair, times a scale."""
    return [(one - other) * scale for one, other in zip(ours, others, strict=True)]


class Verdict(str, Enum):
    """What came of a goal."""

    MET = "met"
    MISSED = "missed"
    NOISY = "noisy"
    NO_GOAL = "-"


@dataclass(frozen=True, slots=True)
class Goal:
    """The most that a figure may be.

    Attributes:
        most: what the middle value may be at most.
        or_no_difference: whether it will also do that the interval holds what equals have.
    """

    most: float
    or_no_difference: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        name: of the benchmark, as the command takes it.
        figure: what was measured.
        against: what it stands beside.
        value: the ratio, or the difference where ``unit`` says of what.
        control: the same of two that are equal, from the same rounds; None where nothing varies.
        goal: None where the figure is only told.
        unit: ``""`` for a ratio.
        runs: every value it was made of, by contestant, in the order of the rounds.
        note: what a reader has to know to understand it.
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
        """What two that are equal have."""
        return 0.0 if self.unit else 1.0

    @property
    def verdict(self) -> Verdict:
        """Whether the goal is met, or the machine was too noisy to tell."""
        if self.goal is None or self.value is None:
            return Verdict.NO_GOAL
        if self.control is not None and not self.control.holds(self.equal):
            return Verdict.NOISY
        is_met = self.value.middle <= self.goal.most
        is_met |= self.goal.or_no_difference and self.value.holds(self.equal)
        return Verdict.MET if is_met else Verdict.MISSED
