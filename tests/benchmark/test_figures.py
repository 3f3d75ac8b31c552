"""Intervals of known lists, and verdicts."""

from __future__ import annotations

import math
import random

import pytest

from tests.benchmark.figures import (
    Estimate,
    Goal,
    Row,
    Verdict,
    differences,
    median_of,
    ratios,
)

NEAR_ONE = Estimate(1.0, 0.99, 1.01, 20)


def row(value: Estimate | None, control: Estimate | None, goal: Goal | None, unit: str = "") -> Row:
    return Row("name", "figure", "against", value, control, goal, unit)


@pytest.mark.parametrize(
    ("count", "low", "high"),
    # From the tables of the sign test: the ranks of the interval of 95 %.
    [(6, 1, 6), (8, 1, 8), (9, 2, 8), (12, 3, 10), (20, 6, 15), (25, 8, 18), (50, 18, 33)],
)
def test_interval_has_the_ranks_of_published_tables(count: int, low: int, high: int) -> None:
    numbers = list(range(1, count + 1))
    random.Random(1).shuffle(numbers)  # noqa: S311 - not a secret
    estimate = median_of(numbers)
    assert (estimate.low, estimate.high, estimate.count) == (low, high, count)
    assert estimate.middle == (count + 1) / 2


@pytest.mark.parametrize("count", [1, 2, 5])
def test_interval_is_the_whole_range_when_values_are_few(count: int) -> None:
    estimate = median_of([float(each) for each in range(count)])
    assert (estimate.low, estimate.high) == (0, count - 1)


def test_median_of_no_values_is_an_error() -> None:
    with pytest.raises(ValueError, match="no values"):
        median_of([])


def test_interval_contains_the_median_in_95_percent_of_cases() -> None:
    draws = random.Random(7)  # noqa: S311 - not a secret
    trials = [median_of([draws.expovariate(1) for _ in range(20)]) for _ in range(2000)]
    contained = sum(each.contains(math.log(2)) for each in trials) / len(trials)
    assert 0.94 < contained < 0.98


def test_ratios_and_differences_are_computed_by_pairs() -> None:
    assert ratios([2, 9], [1, 3]) == [2, 3]
    assert differences([2, 9], [1, 3], scale=10) == [10, 60]
    with pytest.raises(ValueError, match="longer"):
        ratios([1], [1, 2])


@pytest.mark.parametrize(
    ("middle", "control", "verdict"),
    [
        (1.05, NEAR_ONE, Verdict.MET),
        (1.051, NEAR_ONE, Verdict.MISSED),
        (1.0, Estimate(1.02, 1.01, 1.03, 20), Verdict.NOISY),
        (2.0, Estimate(0.98, 0.97, 0.99, 20), Verdict.NOISY),
        (1.05, None, Verdict.MET),
    ],
)
def test_goal_is_met_at_its_bound_when_machine_is_quiet(
    middle: float, control: Estimate | None, verdict: Verdict
) -> None:
    value = Estimate(middle, middle - 0.02, middle + 0.02, 20)
    assert row(value, control, Goal(1.05)).verdict is verdict


def test_goal_can_allow_no_difference() -> None:
    wide, narrow = Estimate(1.01, 0.99, 1.03, 20), Estimate(1.01, 1.005, 1.03, 20)
    assert row(wide, NEAR_ONE, Goal(1.005, or_no_difference=True)).verdict is Verdict.MET
    assert row(wide, NEAR_ONE, Goal(1.005)).verdict is Verdict.MISSED
    assert row(narrow, NEAR_ONE, Goal(1.005, or_no_difference=True)).verdict is Verdict.MISSED


def test_control_of_a_difference_is_zero() -> None:
    value, control = Estimate(12, 11, 13, 20), Estimate(0.1, -1, 1, 20)
    assert row(value, control, Goal(15), unit="ms").verdict is Verdict.MET
    assert row(value, NEAR_ONE, Goal(15), unit="ms").verdict is Verdict.NOISY


def test_row_has_no_verdict_without_goal_or_value() -> None:
    assert row(NEAR_ONE, NEAR_ONE, None).verdict is Verdict.NO_GOAL
    assert row(None, None, Goal(1)).verdict is Verdict.NO_GOAL
