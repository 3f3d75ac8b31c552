"""Soak of interrupted builds, at a small size."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.figures import assert_within_bounds
from tests.soak.interrupts import soak


@pytest.mark.timeout(900)
def test_charged_images_are_stored_and_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    assert_within_bounds(soak(12, tmp_path))
