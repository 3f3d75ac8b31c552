"""Corrupted entries of the store of originals, at a size that every run can afford."""

from __future__ import annotations

from pathlib import Path

from tests.soak.corruption import soak
from tests.soak.figures import check


def test_no_corruption_serves_wrong_bytes_or_reaches_outside(tmp_path: Path) -> None:
    check(soak(5_000, tmp_path))
