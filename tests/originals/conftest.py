"""Fixtures of the tests of originals."""

from __future__ import annotations

import pytest

from mkdocs_imagegen.imaging.decode import inspect_image
from mkdocs_imagegen.originals.store import OriginalStore
from tests.originals.support import open_store


@pytest.fixture
def store(tmp_path):
    """Return a store that accepts all bytes as an image."""
    return open_store(tmp_path / "originals")


@pytest.fixture
def decoding(tmp_path):
    """Return a store that decodes its images."""
    return OriginalStore(tmp_path / "originals", inspect_image)
