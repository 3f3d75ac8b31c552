"""A canary for a key, at a size that every run can afford."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.soak.canary import KEYS, Cell, _shows, soak
from tests.soak.figures import check


def test_the_key_is_nowhere(tmp_path: Path) -> None:
    check(soak(6, tmp_path))


@pytest.mark.parametrize("key", KEYS)
def test_the_search_finds_what_it_looks_for(key: str) -> None:
    middle = len(key) // 2
    given_away = [
        key,
        key[::-1],
        f"{key[middle:]}\n{key[:middle]}",
        f"{key[:5]}\n  {key[5:]}",
        key.replace("/", "\\/"),
        *(base64.b64encode(f"{'x' * pad}{key}yz".encode()).decode() for pad in range(3)),
    ]
    assert all(_shows(Cell("here", f"a {text} b".encode()), key) for text in given_away)
    assert not _shows(Cell("here", b"the key [redacted] is bad"), key)
