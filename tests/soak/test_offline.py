"""Builds where there is no network, at a size that every run can afford."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.figures import check
from tests.soak.offline import soak


def test_a_build_without_a_network_gives_the_same_bytes(tmp_path: Path) -> None:
    check(soak(2, tmp_path))


def test_where_there_is_no_namespace_sockets_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.soak.offline._NAMESPACE", ("no-such-program",))
    figures = soak(1, tmp_path)
    check(figures)
    assert "sockets refused" in figures[0].name
