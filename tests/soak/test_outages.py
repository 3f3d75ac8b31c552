"""Soak of outages, one of each kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.figures import assert_within_bounds
from tests.soak.outages import soak


@pytest.mark.timeout(1200)
def test_few_charges_are_without_an_image_and_every_build_ends(tmp_path: Path) -> None:
    assert_within_bounds(soak(1, tmp_path))
