"""Programs that some tests need and a machine may lack."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

from mkdocs_imagegen.options import is_yes

_IN_CI = is_yes(os.environ.get("CI", ""))  # read now: no test sees it


def lacking(what: str) -> NoReturn:
    """Skip the test, and say why; where everything ought to be there it fails instead."""
    if _IN_CI:
        pytest.fail(f"{what}, and CI is set")
    pytest.skip(what)
