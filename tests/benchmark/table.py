"""Rows as text, as Markdown and as JSON. Pure: no I/O, clock or environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tests.benchmark.figures import Estimate, Goal, Row

HEAD = ("name", "figure", "against", "ratio [low, high]", "A/A [low, high]", "goal", "")


def as_text(rows: Sequence[Row]) -> str:
    """Return a table for a terminal, with notes below it."""
    cells = [HEAD, *map(_cells, rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEAD))]
    lines = [_padded(row, widths) for row in cells]
    lines.insert(1, "-+-".join("-" * width for width in widths))
    return "\n".join([*lines, *_notes(rows)])


def as_markdown(rows: Sequence[Row], machine: Mapping[str, str]) -> str:
    """Return a Markdown table, with notes and a description of the machine."""
    head = ("", *HEAD[1:-1], "result")
    lines = [head, ("---",) * len(head), *map(_cells, rows)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    machine_text = ", ".join(f"{name} {value}" for name, value in machine.items())
    notes = "".join(f"- {note}\n" for note in _notes(rows))
    return f"{table}\n\n{notes}\nMeasured on: {machine_text}.\n"


def as_dict(rows: Sequence[Row], machine: Mapping[str, str]) -> dict[str, Any]:
    """Return all rows and runs for JSON."""
    dicts = [asdict(row) | {"verdict": row.verdict.value} for row in rows]
    return {"machine": dict(machine), "rows": dicts}


def _cells(row: Row) -> tuple[str, ...]:
    value = _estimate(row.value, row.unit) if row.value else "not measured"
    control = _estimate(row.control, row.unit) if row.control else "-"
    goal = _goal(row.goal, row.unit) if row.goal else "-"
    return (row.name, row.figure, row.against, value, control, goal, row.verdict.value)


def _estimate(estimate: Estimate, unit: str) -> str:
    middle, low, high = (
        _number(each, unit) for each in (estimate.middle, estimate.low, estimate.high)
    )
    suffix = f" {unit}" if unit else ""
    return f"{middle}{suffix} [{low}, {high}] n={estimate.count}"


def _goal(goal: Goal, unit: str) -> str:
    max_value = f"{goal.max_value:.4g}" if unit else f"{goal.max_value:.3f}"
    equal = "0" if unit else "1"
    return f"{max_value}{f' or contains {equal}' if goal.or_no_difference else ''}"


def _number(value: float, unit: str) -> str:
    return f"{value:.2f}" if unit else f"{value:.3f}"


def _padded(row: Sequence[str], widths: Sequence[int]) -> str:
    return " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _notes(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(f"{row.name}: {row.note}" for row in rows if row.note))
