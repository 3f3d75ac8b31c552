"""What a soak has counted, and what it may count at most or must at least."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One thing that was counted.

    Attributes:
        name: what was counted.
        value: how many there were, or how much.
        most: the most there may be; None for any.
        least: the least there must be; None for any.
    """

    name: str
    value: float
    most: float | None = None
    least: float | None = None

    @property
    def holds(self) -> bool:
        """Whether it is within its bounds."""
        above = self.most is not None and self.value > self.most
        below = self.least is not None and self.value < self.least
        return not (above or below)

    def __str__(self) -> str:
        bounds = [f"at most {self.most:g}"] if self.most is not None else []
        bounds += [f"at least {self.least:g}"] if self.least is not None else []
        return f"{self.name}: {self.value:g}" + (f" ({', '.join(bounds)})" if bounds else "")


Soak = Callable[[int, Path], Sequence[Figure]]
"""Repeats a trial so many times in an empty folder, and tells what it counted."""


def check(figures: Sequence[Figure]) -> None:
    """Print every figure; fail if one is out of its bounds."""
    told = "\n".join(map(str, figures))
    print(told)  # noqa: T201 - the figures are what a soak is for
    assert figures, "nothing was counted"
    assert all(each.holds for each in figures), told
