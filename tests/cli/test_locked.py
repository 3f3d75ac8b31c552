"""Commands on locked sites."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.test_prune import set_age
from tests.paid import PaidSite
from tests.repository import commit_all

LOCKED = ["Error: locked is true, so no images are added", "hint: set `locked: false`"]


@pytest.fixture
def site(paid_site: PaidSite) -> PaidSite:
    """A site with one committed image, and one that is not."""
    paid_site.write_prompts("A ferry")
    paid_site.build()
    commit_all(paid_site.folder)
    paid_site.write_prompts("A ferry", "A crane")
    paid_site.build()
    return paid_site


def test_check_with_locked_counts_committed_images(site: PaidSite, run) -> None:
    assert run("check").lines == ["no images are missing"]
    ran = run("check", "--locked", code=1)
    assert ran.lines[-1] == "1 of 2 images is missing or invalid"
    assert "docs/index.md:7: the image is missing: not locked, since the record" in ran.stderr
    commit_all(site.folder)
    assert run("check", "--locked").lines == ["no images are missing"]


def test_check_of_locked_site_needs_no_option(site: PaidSite, run) -> None:
    site.options["locked"] = True
    assert run("check", "--json", code=1).json["ok"] is False


def test_check_with_locked_reads_the_images(site: PaidSite, run) -> None:
    commit_all(site.folder)
    image = next(iter(site.images_of_originals))
    content = bytearray(image.read_bytes())
    content[-1] ^= 1
    image.write_bytes(content)
    assert run("check").code == 0
    assert f"locked file {image} cannot be used" in run("check", "--locked", code=1).stderr


@pytest.mark.usefixtures("site")
def test_plan_with_locked_lists_images_that_are_not_locked(run) -> None:
    lines = run("plan", "--locked").lines
    assert [line.split("  ")[1] for line in lines[:2]] == ["ready", "missing"]
    assert lines[2].startswith("2 images: 1 ready, 1 missing; a build would generate 1 image")
    assert (
        run("plan", "--locked", "--json").json["refusal"] == "locked is true; set `locked: false`"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["generate"],
        ["generate", "--dry-run"],
        ["generate", "index.md:3", "--again"],
        ["candidates", "index.md:3"],
        ["import", "own.png", "index.md:3"],
    ],
)
def test_commands_that_add_originals_refuse(
    site: PaidSite, run, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    site.options["locked"] = True
    monkeypatch.chdir(site.folder)
    Path("own.png").write_bytes(b"")
    requests = site.emulator.requests
    assert run(*arguments, code=2).error == LOCKED
    assert site.emulator.requests == requests


def test_prune_keeps_images_that_only_an_unlocked_build_shows(site: PaidSite, run) -> None:
    for record in site.records:
        set_age(record, 40)
    site.options["locked"] = True
    assert run("prune", "--yes", "--json").json == {"removed": True, "unused": []}
    assert len(site.records) == 2


def test_verify_and_gallery_read_a_locked_site(site: PaidSite, run) -> None:
    site.options["locked"] = True
    assert run("verify").lines == ["2 intact originals"]
    assert run("gallery", str(site.folder / "sheet.html")).code == 0
    shutil.rmtree(site.folder / ".git")
    assert json.loads(run("check", "--json").stdout)["ok"] is True
