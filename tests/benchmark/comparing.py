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
    mine, other = values(rounds, ours, what), values(rounds, against, what)
    first, second = (values(rounds, each, what) for each in control)
    return Row(
        name=name,
        figure=figure,
        against=words or against,
        value=median_of(ratios(mine, other)),
        control=median_of(ratios(second, first)),
        goal=goal,
        runs={ours: mine, against: other, control[0]: first, control[1]: second},
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
    mine, other = values(rounds, ours, what), values(rounds, against, what)
    first, second = (values(rounds, each, what) for each in control)
    return Row(
        name=name,
        figure=figure,
        against=words or against,
        value=median_of(differences(mine, other, scale)),
        control=median_of(differences(second, first, scale)),
        goal=goal,
        unit=unit,
        runs={ours: mine, against: other, control[0]: first, control[1]: second},
        note=note,
    )
