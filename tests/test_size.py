"""Limits on the size of modules and functions, in both directions."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.syntax import MODULES, functions, length_of, location_of, public_definitions

MAX_MODULE_LINES = 450
MAX_MEDIAN_LINES, MAX_95TH_PERCENTILE_LINES = 7, 20
MIN_DOCSTRINGS = 0.95


@pytest.mark.parametrize("path", MODULES, ids=location_of)
def test_module_is_short_enough_to_read(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MAX_MODULE_LINES


def test_functions_are_short() -> None:
    lengths = sorted(map(length_of, functions()))
    assert lengths[len(lengths) // 2] <= MAX_MEDIAN_LINES
    assert lengths[int(len(lengths) * 0.95)] <= MAX_95TH_PERCENTILE_LINES


def test_public_definitions_have_docstrings() -> None:
    found = list(public_definitions())
    missing = [name for name, docstring in found if not docstring]
    assert len(missing) <= (1 - MIN_DOCSTRINGS) * len(found), missing
