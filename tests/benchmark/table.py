"""Rows as a table for people, as Markdown, and as JSON; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tests.benchmark.figures import Estimate, Goal, Row

HEAD = ("name", "figure", "against", "ratio [low, high]", "A/A [low, high]", "goal", "")


def as_text(rows: Sequence[Row]) -> str:
    """A table for a terminal, its notes below."""
    cells = [HEAD, *map(_cells, rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEAD))]
    lines = [_padded(row, widths) for row in cells]
    lines.insert(1, "-+-".join("-" * width for width in widths))
    return "\n".join([*lines, *_notes(rows)])


def as_markdown(rows: Sequence[Row], machine: Mapping[str, str]) -> str:
    """The same for a page, with the machine on which it was measured."""
    head = ("", *HEAD[1:-1], "result")
    lines = [head, ("---",) * len(head), *map(_cells, rows)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    where = ", ".join(f"{name} {value}" for name, value in machine.items())
    notes = "".join(f"- {note}\n" for note in _notes(rows))
    return f"{table}\n\n{notes}\nMeasured on: {where}.\n"


def as_dict(rows: Sequence[Row], machine: Mapping[str, str]) -> dict[str, Any]:
    """Everything, every run included, for a machine to read."""
    told = [asdict(row) | {"verdict": row.verdict.value} for row in rows]
    return {"machine": dict(machine), "rows": told}


def _cells(row: Row) -> tuple[str, ...]:
    value = _told(row.value, row.unit) if row.value else "not measured"
    control = _told(row.control, row.unit) if row.control else "-"
    goal = _goal(row.goal, row.unit) if row.goal else "-"
    return (row.name, row.figure, row.against, value, control, goal, row.verdict.value)


def _told(estimate: Estimate, unit: str) -> str:
    middle, low, high = (
        _number(each, unit) for each in (estimate.middle, estimate.low, estimate.high)
    )
    words = f" {unit}" if unit else ""
    return f"{middle}{words} [{low}, {high}] n={estimate.count}"


def _goal(goal: Goal, unit: str) -> str:
    most = f"{goal.most:.4g}" if unit else f"{goal.most:.3f}"
    equal = "0" if unit else "1"
    return f"{most}{f' or holds {equal}' if goal.or_no_difference else ''}"


def _number(value: float, unit: str) -> str:
    return f"{value:.2f}" if unit else f"{value:.3f}"


def _padded(row: Sequence[str], widths: Sequence[int]) -> str:
    return " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _notes(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(f"{row.name}: {row.note}" for row in rows if row.note))
