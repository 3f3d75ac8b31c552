"""What the tests of the derived cache share."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.derived.planting import Cache


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """No cache yet."""
    made = Cache(tmp_path / "derived", tmp_path / "outside", tmp_path / "site")
    made.outside.mkdir()
    made.site.mkdir()
    (made.outside / "secret.txt").write_bytes(b"outside the cache")
    return made


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template")
    Cache(folder / "derived", folder, folder).fill()
    return folder / "derived"


@pytest.fixture
def filled(cache: Cache, template: Path) -> Cache:
    """A healthy cache, closed."""
    shutil.copytree(template, cache.folder)
    return cache
