"""Soak of builds without a network, at a small size."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.figures import assert_within_bounds
from tests.soak.offline import soak


def test_a_build_without_a_network_is_identical(tmp_path: Path) -> None:
    assert_within_bounds(soak(2, tmp_path))


def test_sockets_are_refused_without_a_namespace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.soak.offline._NAMESPACE", ("no-such-program",))
    figures = soak(1, tmp_path)
    assert_within_bounds(figures)
    assert "sockets refused" in figures[0].name
