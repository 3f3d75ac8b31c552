"""Soak of malformed images, at a small size."""

from __future__ import annotations

from pathlib import Path

from tests.soak.figures import assert_within_bounds
from tests.soak.malformed import soak


def test_no_malformed_image_reaches_a_page(tmp_path: Path) -> None:
    assert_within_bounds(soak(2_000, tmp_path))
