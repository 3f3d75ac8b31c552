"""Rows computed from rounds."""

from __future__ import annotations

from collections.abc import Sequence

from tests.benchmark.figures import Goal, Row, differences, median_of, ratios
from tests.benchmark.rounds import Round, values

PLAIN, AGAIN = "plain", "plain again"


def ratio_row(  # noqa: PLR0913 - one argument per column
    rounds: Sequence[Round],
    name: str,
    figure: str,
    ours: str,
    *,
    against: str = PLAIN,
    label: str = "",
    goal: Goal | None = None,
    field: str = "cpu_s",
    note: str = "",
    control: tuple[str, str] = (PLAIN, AGAIN),
) -> Row:
    """Return the ratio of two contestants, by default of their CPU time.

    Args:
        rounds: Rounds of both, and of the two contestants of the control.
        name: Name of the benchmark.
        figure: Description of the figure.
        ours: Name of the contestant.
        against: Name of the other contestant.
        label: Label of the other contestant; its name by default.
        goal: Goal of the ratio.
        field: Field of `Cost`.
        note: Note for readers.
        control: Two equal contestants.
    """
    runs = {each: values(rounds, each, field) for each in (ours, against, *control)}
    first, second = control
    return Row(
        name=name,
        figure=figure,
        against=label or against,
        value=median_of(ratios(runs[ours], runs[against])),
        control=median_of(ratios(runs[second], runs[first])),
        goal=goal,
        runs=runs,
        note=note,
    )


def difference_row(  # noqa: PLR0913 - one argument per column
    rounds: Sequence[Round],
    name: str,
    figure: str,
    ours: str,
    *,
    unit: str,
    scale: float,
    against: str = PLAIN,
    label: str = "",
    goal: Goal | None = None,
    field: str = "cpu_s",
    note: str = "",
    control: tuple[str, str] = (PLAIN, AGAIN),
) -> Row:
    """Return the difference of two contestants, times a scale; all else as in `ratio_row`."""
    runs = {each: values(rounds, each, field) for each in (ours, against, *control)}
    first, second = control
    return Row(
        name=name,
        figure=figure,
        against=label or against,
        value=median_of(differences(runs[ours], runs[against], scale)),
        control=median_of(differences(runs[second], runs[first], scale)),
        goal=goal,
        unit=unit,
        runs=runs,
        note=note,
    )
