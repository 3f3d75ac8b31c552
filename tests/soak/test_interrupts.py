"""Interrupted builds, at a size that every run can afford."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.figures import check
from tests.soak.interrupts import soak


@pytest.mark.timeout(300)
def test_what_was_paid_for_is_stored_and_a_second_interrupt_ends_at_once(tmp_path: Path) -> None:
    check(soak(20, tmp_path))
