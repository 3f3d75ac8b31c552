"""Soak of damaged originals, at a small size."""

from __future__ import annotations

from pathlib import Path

from tests.soak.corruption import soak
from tests.soak.figures import assert_within_bounds


def test_no_damage_returns_wrong_bytes_or_touches_files_outside(tmp_path: Path) -> None:
    assert_within_bounds(soak(5_000, tmp_path))
