"""Soak of killed builds, at a small size."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.figures import assert_within_bounds
from tests.soak.kills import soak


@pytest.mark.timeout(900)
def test_no_original_is_lost_and_no_charge_is_forgotten(tmp_path: Path) -> None:
    assert_within_bounds(soak(100, tmp_path))
