"""Soak of builds at the same time, at a small size."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.figures import assert_within_bounds
from tests.soak.processes import soak


@pytest.mark.timeout(900)
def test_each_image_is_charged_once(tmp_path: Path) -> None:
    assert_within_bounds(soak(3, tmp_path))
