"""Builds that ignore the variant cache, which may come from elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from mkdocs_imagegen.derived.store import DerivedStore
from tests.paid import PaidSite

PROMPTS = ("A red balloon", "A glass bottle")
POISON = b"poison"


def derived(site: PaidSite) -> Path:
    return site.folder / ".cache/plugin/imagegen/derived"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The keys of all values that builds have kept."""
    keys, write = set[str](), DerivedStore.write

    def noted(store: DerivedStore, key: str, content: bytes) -> None:
        keys.add(key)
        write(store, key, content)

    monkeypatch.setattr(DerivedStore, "write", noted)
    return keys


def poison(site: PaidSite, keys: set[str]) -> None:
    """Replace each value of the variant cache, as who knows its format can do."""
    store = DerivedStore(derived(site))
    for key in sorted(keys):
        store.write(key, POISON)
    store.close()


def test_poisoned_files_are_not_shown(paid_site: PaidSite, written: set[str]) -> None:
    paid_site.write_prompts(*PROMPTS)
    clean = paid_site.build().images()
    poison(paid_site, {*written})
    assert POISON in paid_site.build().images().values()
    paid_site.options["cache"] = "ignore"
    for _ in range(2):
        assert paid_site.build().images() == clean
    assert paid_site.states == ["ready"] * 2


def test_ignored_cache_is_neither_created_nor_changed(paid_site: PaidSite) -> None:
    paid_site.write_prompts(*PROMPTS)
    paid_site.options["cache"] = "ignore"
    shown = paid_site.build().images()
    assert shown
    assert not derived(paid_site).exists()
    paid_site.options["cache"] = "use"
    assert paid_site.build().images() == shown
    before = {each: each.read_bytes() for each in derived(paid_site).rglob("*") if each.is_file()}
    paid_site.options["cache"] = "ignore"
    paid_site.build()
    assert before == {
        each: each.read_bytes() for each in derived(paid_site).rglob("*") if each.is_file()
    }


def test_damaged_original_is_noticed_in_each_build(paid_site: PaidSite) -> None:
    paid_site.write_prompts(*PROMPTS)
    paid_site.build()
    image = min(paid_site.images_of_originals)
    content = bytearray(image.read_bytes())
    content[-1] ^= 1
    image.write_bytes(content)
    assert paid_site.requests_of_build(cache="use") == 0
    assert paid_site.states == ["ready"] * 2
    assert paid_site.requests_of_build(cache="ignore") == 0
    assert sorted(paid_site.states) == ["failed", "ready"]
