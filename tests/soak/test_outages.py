"""A gateway's bad days, one of each kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.figures import check
from tests.soak.outages import soak


@pytest.mark.timeout(600)
def test_little_is_paid_for_nothing_and_every_build_ends(tmp_path: Path) -> None:
    check(soak(1, tmp_path))
