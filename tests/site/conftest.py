"""Fixtures of sites whose images are charged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.paid import PaidEmulator, PaidSite, paid_gateway


@pytest.fixture
def paid(monkeypatch: pytest.MonkeyPatch) -> Iterator[PaidEmulator]:
    """Serve an emulator whose images count as those of a real model."""
    with paid_gateway(monkeypatch) as emulator:
        yield emulator


@pytest.fixture
def paid_site(tmp_path: Path, paid: PaidEmulator) -> PaidSite:
    """A site whose images are charged."""
    return PaidSite(tmp_path / "paid_site", paid)
