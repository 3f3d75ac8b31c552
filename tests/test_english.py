"""English of the package."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.english import faults, main, pronouns
from tests.syntax import MODULES, location_of

MAX_PRONOUNS = 0.005

FAULTY = {
    "opening": ('"""What a page shows."""', "a docstring begins with 'What'"),
    "opening of an entry": (
        'class A:\n    """Part.\n\n    Attributes:\n        x: whether it is set.\n    """',
        "x: the description begins with 'Whether'",
    ),
    "condition of an error": (
        'def f():\n    """Read.\n\n    Raises:\n        OSError: it is missing.\n    """',
        "OSError: the description does not begin with 'If'",
    ),
    "noun phrase of a function": (
        'def f():\n    """The path."""',
        "f: the docstring begins with 'The', not with a verb",
    ),
    "term in a docstring": ('"""Pages with a picture."""', "'picture' is banned"),
    "idiom in a comment": ("x = 1  # read anew", "'anew' is banned"),
    "idiom in a message": ('x = "free some space or make room for it"', "'make room' is banned"),
    "British spelling": ('"""Labelled drawing."""', "'Labelled' is banned"),
    "first person": ('"""Errors that we raise."""', "'we' is banned"),
    "period of an error": (
        'raise ValueError(f"{1} is invalid.")',
        "a message ends with a period: ' is invalid.'",
    ),
    "period of a hint": (
        'error = CustomError("invalid", hint="check it.")',
        "a message ends with a period: 'check it.'",
    ),
    "period of a log record": (
        'log.warning("%s is missing.", 1)',
        "a message ends with a period: '%s is missing.'",
    ),
}
CORRECT = '''"""Element `<picture>` of a page, with a ``picture`` in code."""


class Reader:
    """Reader of files.

    Attributes:
        path: Path of the file.
    """

    @property
    def size(self):
        """The size in bytes."""

    def read(self):
        """Return the content, or None if the file is missing.

        Raises:
            OSError: If the file cannot be read.
        """
        # A short read proves the end.
        raise OSError("cannot read it; wait ...")
'''


@pytest.mark.parametrize("path", MODULES, ids=location_of)
def test_module_is_in_plain_english(path: Path) -> None:
    assert list(faults(path)) == []


def test_docstrings_name_things_instead_of_pointing_at_them() -> None:
    counts = [pronouns(path) for path in MODULES]
    found, words = (sum(column) for column in zip(*counts, strict=True))
    assert found <= MAX_PRONOUNS * words


@pytest.mark.parametrize(("source", "fault"), FAULTY.values(), ids=FAULTY)
def test_a_fault_is_found(tmp_path, source, fault):
    path = tmp_path / "module.py"
    path.write_text(source)
    assert [text for _, text in faults(path)] == [fault]


def test_plain_english_has_no_fault(tmp_path):
    path = tmp_path / "module.py"
    path.write_text(CORRECT)
    assert list(faults(path)) == []


def test_command_lists_violations_and_fails(tmp_path, capsys):
    path = tmp_path / "module.py"
    path.write_text(CORRECT)
    assert (main([str(tmp_path)]), capsys.readouterr().out) == (0, "no violations\n")
    path.write_text('"""Pages with a picture."""')
    found = f"{path}:1: 'picture' is banned\n"
    assert (main([str(tmp_path)]), capsys.readouterr().out) == (1, found)
