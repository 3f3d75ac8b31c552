"""Builds killed at random moments, at a size that every run can afford."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.figures import check
from tests.soak.kills import soak


@pytest.mark.timeout(400)
def test_nothing_stored_is_lost_and_nothing_paid_for_is_forgotten(tmp_path: Path) -> None:
    check(soak(100, tmp_path))
