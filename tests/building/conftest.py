"""Benches that are closed in the end."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.building.support import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """Makes benches, all of one site: ``bench(Studio(), concurrency=1)``."""
    with contextlib.ExitStack() as stack:

        def make(*given: Any, **more: Any) -> Bench:
            made = Bench(tmp_path, *given, **more)
            stack.callback(made.maker.close)
            return made

        yield make
