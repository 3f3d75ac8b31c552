"""Soak of random scenarios, at a small size."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.soak.chaos import soak
from tests.soak.figures import assert_within_bounds


@pytest.mark.timeout(1800)
@pytest.mark.skipif(sys.platform != "linux", reason="kills forked processes")
def test_nothing_is_lost_or_charged_twice_in_random_scenarios(tmp_path: Path) -> None:
    assert_within_bounds(soak(10, tmp_path))
