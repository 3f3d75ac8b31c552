"""What the tests of the originals share."""

from __future__ import annotations

import pytest

from mkdocs_imagegen.originals.store import OriginalStore
from tests.originals.support import Told


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def store(tmp_path, told):
    return OriginalStore(tmp_path / "originals", tmp_path / "quarantine", told)
