"""Malformed images as answers, at a size that every run can afford."""

from __future__ import annotations

from pathlib import Path

from tests.soak.figures import check
from tests.soak.malformed import soak


def test_no_malformed_image_reaches_a_page(tmp_path: Path) -> None:
    check(soak(2_000, tmp_path))
