"""Caches for the tests of the variant cache."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.derived.support import Cache, logged


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Cache]:
    """Return a cache that does not exist yet."""
    with logged() as messages:
        cache = Cache(tmp_path / "derived", tmp_path / "outside", tmp_path / "site", messages)
        cache.outside.mkdir()
        cache.site.mkdir()
        (cache.outside / "secret.txt").write_bytes(b"outside the cache")
        yield cache


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template")
    Cache(folder / "derived", folder, folder).fill()
    return folder / "derived"


@pytest.fixture
def filled(cache: Cache, template: Path) -> Cache:
    """Return a valid cache, closed."""
    shutil.copytree(template, cache.folder)
    return cache
