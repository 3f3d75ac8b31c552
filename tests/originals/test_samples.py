"""Folders of every earlier version: each original is shown, and no image is generated again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.imaging.decode import inspect_image
from mkdocs_imagegen.originals.store import OriginalStore
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import Size
from mkdocs_imagegen.spending.journal import Journal
from mkdocs_imagegen.spending.ledger import Attempts
from tests.originals.support import tree
from tests.support import ORIGINALS, Site

CACHE = ".cache/plugin/imagegen"
SAMPLES = sorted(path for path in Path(__file__).with_name("samples").iterdir() if path.is_dir())
IN_CACHE = [path for path in SAMPLES if not (path / ORIGINALS).exists()]
WITH_JOURNAL = [path for path in SAMPLES if list(path.rglob("*.intent"))]
LATE = ImageRequest("openai/gpt-image-1-mini", "A late letter", Size(1536, 1024))
LOST = ImageRequest("openai/gpt-image-1-mini", "A lost parcel", Size(1536, 1024))


def originals_of(sample: Path) -> Path:
    return sample / ("originals" if sample in IN_CACHE else ORIGINALS)


@pytest.fixture
def sampled(site: Site, gateway_url: str, monkeypatch: pytest.MonkeyPatch):
    """Return a function that copies a sample into a site, and returns the site."""
    monkeypatch.setenv("TEST_KEY", "a-key")
    site.options["gateway"] = {"url": gateway_url, "key_env": "TEST_KEY"}
    site.options["report"] = "report.json"

    def fill(sample: Path) -> Site:
        target = site.folder / CACHE if sample in IN_CACHE else site.folder
        ignored = shutil.ignore_patterns("index.md")
        shutil.copytree(sample, target, ignore=ignored, dirs_exist_ok=True)
        shutil.copy(sample / "index.md", site.docs)
        return site

    return fill


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_site_is_built_without_a_request(sample: Path, sampled, emulator: Emulator) -> None:
    site = sampled(sample)
    built = site.build()
    states = [each["state"] for each in site.report()["pictures"]]
    assert [each for each in emulator.log if each.prompt] == []
    first = ["ready"] * (3 if sample in IN_CACHE else 4)
    assert states == first + (["refused", "ready"] if sample in WITH_JOURNAL else [])
    assert [each for each in built.warnings if "damaged" in each] == []
    assert list(site.folder.rglob("quarantine")) == []


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_stored_files_are_not_changed(sample: Path, sampled) -> None:
    site = sampled(sample)
    folder = site.folder / (f"{CACHE}/originals" if sample in IN_CACHE else ORIGINALS)
    for _ in range(2):
        site.build()
        before, after = tree(originals_of(sample)), tree(folder)
        assert {name: after[name] for name in before} == before
        late = {name for name in after if LATE.key in name}
        assert after.keys() - before.keys() == (set() if sample in IN_CACHE else late)


@pytest.mark.parametrize("sample", IN_CACHE, ids=lambda path: path.name)
def test_originals_in_the_cache_are_adopted_byte_for_byte(sample: Path, sampled) -> None:
    site = sampled(sample)
    built = site.build()
    before, after = tree(originals_of(sample)), tree(site.originals)
    kept = {name: content for name, content in before.items() if "refused" not in name}
    assert {name: after[name] for name in kept} == kept
    assert f"imagegen: adopted 3 originals from {site.folder / CACHE / 'originals'}" in built.infos
    shutil.rmtree(site.folder / CACHE / "originals")
    site.build()
    assert [each["state"] for each in site.report()["pictures"]][:3] == ["ready"] * 3


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_verify_finds_no_damage(sample: Path) -> None:
    store = OriginalStore(originals_of(sample), inspect_image, can_write=False)
    verdicts = [store.audit(key) for key in store.cache_keys()]
    assert len(verdicts) in (3, 4)
    assert [each.defect for each in verdicts] == [None] * len(verdicts)


@pytest.mark.parametrize("sample", WITH_JOURNAL, ids=lambda path: path.name)
def test_request_with_unknown_outcome_stays_listed(sample: Path, sampled) -> None:
    site = sampled(sample)
    site.build()
    if sample in IN_CACHE:
        (intent,) = Journal(site.folder / CACHE / "journal").unknown_intents()
        assert intent.request == LOST
    else:
        (attempt,) = Attempts([site.originals]).find(LOST.key)
        assert (attempt.billing, attempt.counts, str(attempt.cost_usd)) == (
            "unknown",
            False,
            "0.015",
        )
    assert not list(site.folder.rglob(f"{LOST.key}.*.webp"))


@pytest.mark.parametrize("sample", WITH_JOURNAL, ids=lambda path: path.name)
def test_response_of_an_interrupted_build_is_stored(sample: Path, sampled) -> None:
    site = sampled(sample)
    site.build()
    (stored,) = [each for each in records(site) if each.key == LATE.key]
    assert stored.cost_usd is not None
    assert list(site.folder.rglob(f"{LATE.key}*.answer")) == []
    assert list(site.folder.rglob(f"{LATE.key}*.intent")) == []


def records(site: Site):
    return OriginalStore(site.originals, inspect_image, can_write=False).records()
