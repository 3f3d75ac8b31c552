"""Fixtures of the tests of originals."""

from __future__ import annotations

import pytest

from mkdocs_imagegen.originals.store import OriginalStore


@pytest.fixture
def store(tmp_path):
    return OriginalStore(tmp_path / "originals", tmp_path / "quarantine")
