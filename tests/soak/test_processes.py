"""Many builds of the same prompts at once, at a size that every run can afford."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.figures import check
from tests.soak.processes import soak


@pytest.mark.timeout(300)
def test_each_image_is_paid_for_once(tmp_path: Path) -> None:
    check(soak(3, tmp_path))
