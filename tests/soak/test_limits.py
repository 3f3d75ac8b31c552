"""Soak of rate limits, at a quick size."""

from __future__ import annotations

from pathlib import Path

from tests.soak.figures import assert_within_bounds
from tests.soak.limits import soak


def test_no_image_is_given_up_under_a_rate_limit(tmp_path: Path) -> None:
    assert_within_bounds(soak(30, tmp_path))
