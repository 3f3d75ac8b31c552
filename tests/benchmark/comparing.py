"""Rows made of rounds."""

from __future__ import annotations

from collections.abc import Sequence

from tests.benchmark.figures import Goal, Row, differences, median_of, ratios
from tests.benchmark.rounds import Round, values

PLAIN, AGAIN = "plain", "plain again"


def ratio_row(  # noqa: PLR0913 - one argument for each column
    rounds: Sequence[Round],
    name: str,
    figure: str,
    ours: str,
    *,
    against: str = PLAIN,
    words: str = "",
    goal: Goal | None = None,
    what: str = "cpu_s",
    note: str = "",
    control: tuple[str, str] = (PLAIN, AGAIN),
) -> Row:
    """One contestant over another, in CPU time if nothing else is said.

    Args:
        rounds: in which both ran, and the two of the control.
        name: of the benchmark.
        figure: what was measured.
        ours: the contestant.
        against: the other.
        words: what a reader calls the other; its name where it is left out.
        goal: what the ratio may be.
        what: the field of the costs.
        note: what a reader has to know.
        control: two that are equal.
    """
    runs = {each: values(rounds, each, what) for each in (ours, against, *control)}
    first, second = control
    return Row(
        name=name,
        figure=figure,
        against=words or against,
        value=median_of(ratios(runs[ours], runs[against])),
        control=median_of(ratios(runs[second], runs[first])),
        goal=goal,
        runs=runs,
        note=note,
    )


def difference_row(  # noqa: PLR0913 - one argument for each column
    rounds: Sequence[Round],
    name: str,
    figure: str,
    ours: str,
    *,
    unit: str,
    scale: float,
    against: str = PLAIN,
    words: str = "",
    goal: Goal | None = None,
    what: str = "cpu_s",
    note: str = "",
    control: tuple[str, str] = (PLAIN, AGAIN),
) -> Row:
    """One contestant less another, times a scale that gives the unit; else as a ratio."""
    runs = {each: values(rounds, each, what) for each in (ours, against, *control)}
    first, second = control
    return Row(
        name=name,
        figure=figure,
        against=words or against,
        value=median_of(differences(runs[ours], runs[against], scale)),
        control=median_of(differences(runs[second], runs[first], scale)),
        goal=goal,
        unit=unit,
        runs=runs,
        note=note,
    )
