"""Folders of every earlier version: each original is shown, and no image is generated again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.originals.store import OriginalStore
from mkdocs_imagegen.spending.journal import Journal
from tests.support import Site

SAMPLES = sorted(path for path in Path(__file__).with_name("samples").iterdir() if path.is_dir())
WITH_JOURNAL = [path for path in SAMPLES if (path / "journal").exists()]


@pytest.fixture
def sampled(site: Site, gateway_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TEST_KEY", "a-key")
    site.options["gateway"] = {"url": gateway_url, "key_env": "TEST_KEY"}
    site.options["report"] = "report.json"

    def fill(sample: Path) -> Site:
        shutil.copytree(sample, site.originals.parent, ignore=shutil.ignore_patterns("index.md"))
        shutil.copy(sample / "index.md", site.docs)
        return site

    return fill


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_site_is_built_without_a_request(sample: Path, sampled, emulator: Emulator) -> None:
    site = sampled(sample)
    site.build()
    states = [each["state"] for each in site.report()["pictures"]]
    assert [each for each in emulator.log if each.prompt] == []
    expected = ["ready"] * 3 + (["refused", "ready"] if sample in WITH_JOURNAL else [])
    assert states == expected
    assert not (site.originals.parent / "quarantine").exists()


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_stored_files_are_not_changed(sample: Path, sampled) -> None:
    site = sampled(sample)
    site.build()
    for path in (sample / "originals").rglob("*.*"):
        copied = site.originals / path.relative_to(sample / "originals")
        assert copied.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("sample", WITH_JOURNAL, ids=lambda path: path.name)
def test_request_with_unknown_outcome_stays_listed(sample: Path, sampled) -> None:
    site = sampled(sample)
    site.build()
    (intent,) = Journal(site.originals.parent / "journal").unknown_intents()
    assert intent.request.prompt == "A lost parcel"
    assert intent.request.key not in {each.key for each in records(site)}


def records(site: Site):
    return OriginalStore(site.originals, site.folder / "quarantine").records()
