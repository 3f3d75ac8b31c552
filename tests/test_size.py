"""Limits on the size of modules and functions, in both directions."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.syntax import (
    MODULES,
    functions,
    length_of,
    location_of,
    public_definitions,
    room_of,
)

MAX_MODULES = 156
MAX_MODULE_LINES, MIN_MODULE_LINES = 450, 60
MAX_ROOM_MODULES = 16
LARGE_ROOMS = {
    "cli": "one module per command",
    "directives": "one module per source of options and per syntax",
    "emulator": "a server of its own, with the sketches",
}
SHORT_MODULES = {
    "__main__.py": "python -m mkdocs_imagegen",
    "log.py": "the logger, which all rooms import",
}
"""Modules below the minimum, each with its reason; `__init__` modules need none."""

MAX_NOQA = 100
MAX_MEDIAN_LINES, MAX_95TH_PERCENTILE_LINES = 7, 20
MIN_DOCSTRINGS = 0.95


@pytest.mark.parametrize("path", MODULES, ids=location_of)
def test_module_is_short_enough_to_read(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MAX_MODULE_LINES


def test_package_has_few_modules() -> None:
    assert len(MODULES) <= MAX_MODULES


def test_rooms_have_few_modules() -> None:
    sizes = Counter(room_of(path) for path in MODULES)
    large = {room for room, size in sizes.items() if size > MAX_ROOM_MODULES}
    assert large <= LARGE_ROOMS.keys()


def test_short_modules_have_a_reason() -> None:
    short = {
        location_of(path)
        for path in MODULES
        if path.name != "__init__.py" and len(path.read_text().splitlines()) < MIN_MODULE_LINES
    }
    assert short == SHORT_MODULES.keys()


def test_few_rules_of_the_linter_are_ignored() -> None:
    assert sum(path.read_text().count("# noqa") for path in MODULES) <= MAX_NOQA


def test_functions_are_short() -> None:
    lengths = sorted(map(length_of, functions()))
    assert lengths[len(lengths) // 2] <= MAX_MEDIAN_LINES
    assert lengths[int(len(lengths) * 0.95)] <= MAX_95TH_PERCENTILE_LINES


def test_public_definitions_have_docstrings() -> None:
    found = list(public_definitions())
    missing = [name for name, docstring in found if not docstring]
    assert len(missing) <= (1 - MIN_DOCSTRINGS) * len(found), missing
