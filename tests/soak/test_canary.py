"""Soak of API keys in outputs, at a small size."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.soak.canary import KEYS, Cell, _shows, soak
from tests.soak.figures import assert_within_bounds


def test_no_output_contains_the_key(tmp_path: Path) -> None:
    assert_within_bounds(soak(6, tmp_path))


@pytest.mark.parametrize("key", KEYS)
def test_search_finds_every_form_of_the_key(key: str) -> None:
    middle = len(key) // 2
    leaks = [
        key,
        key[::-1],
        f"{key[middle:]}\n{key[:middle]}",
        f"{key[:5]}\n  {key[5:]}",
        key.replace("/", "\\/"),
        *(base64.b64encode(f"{'x' * pad}{key}yz".encode()).decode() for pad in range(3)),
    ]
    assert all(_shows(Cell("here", f"a {text} b".encode()), key) for text in leaks)
    assert not _shows(Cell("here", b"the key [redacted] is bad"), key)
