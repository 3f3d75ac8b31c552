"""Programs that some tests need and that may be missing."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

from mkdocs_imagegen.option_parsers import is_yes

_IN_CI = is_yes(os.environ.get("CI", ""))  # read at import: tests run without it


def skip_or_fail(reason: str) -> NoReturn:
    """Skip a test because a program is missing; fail it in CI, which has all programs."""
    if _IN_CI:
        pytest.fail(f"{reason}, and CI is set")
    pytest.skip(reason)
