"""Counts of a soak, with their bounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One count, or one measurement.

    Attributes:
        name: Description of the figure.
        value: The figure.
        max_value: Upper bound; None for any value.
        min_value: Lower bound; None for any value.
    """

    name: str
    value: float
    max_value: float | None = None
    min_value: float | None = None

    @property
    def is_within_bounds(self) -> bool:
        """True if the value is within both bounds."""
        above = self.max_value is not None and self.value > self.max_value
        below = self.min_value is not None and self.value < self.min_value
        return not (above or below)

    def __str__(self) -> str:
        bounds = [f"at most {self.max_value:g}"] if self.max_value is not None else []
        bounds += [f"at least {self.min_value:g}"] if self.min_value is not None else []
        return f"{self.name}: {self.value:g}" + (f" ({', '.join(bounds)})" if bounds else "")


Soak = Callable[[int, Path], Sequence[Figure]]
"""Function that repeats a trial in an empty folder, and returns its counts."""


def assert_within_bounds(figures: Sequence[Figure]) -> None:
    """Print every figure; fail if one is out of its bounds."""
    lines = "\n".join(map(str, figures))
    print(lines)  # noqa: T201 - a soak prints its figures
    assert figures, "the soak counted nothing"
    assert all(each.is_within_bounds for each in figures), lines
