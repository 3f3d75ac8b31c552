"""The command `lock`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.test_prune import set_age
from tests.paid import PaidSite, snapshot
from tests.repository import commit_all, git
from tests.support import ORIGINALS


@pytest.fixture
def site(paid_site: PaidSite, monkeypatch: pytest.MonkeyPatch) -> PaidSite:
    """A site with one committed image, and one that is new; its folder is the current one."""
    paid_site.write_prompts("A ferry")
    paid_site.build()
    (paid_site.folder / ".gitignore").write_text(".cache/\nsite/\nreport.json\n")
    commit_all(paid_site.folder)
    paid_site.write_prompts("A ferry", "A crane")
    paid_site.build()
    monkeypatch.chdir(paid_site.folder)
    return paid_site


def record_of(site: PaidSite, prompt: str) -> Path:
    return next(each for each in site.records if json.loads(each.read_text())["prompt"] == prompt)


def test_lock_lists_the_files_to_commit(site: PaidSite, run) -> None:
    record = record_of(site, "A crane")
    image = next(each for each in site.images_of_originals if each.stem.startswith(record.stem))
    files = ", ".join(each.relative_to(site.folder).as_posix() for each in (record, image))
    assert run("lock").lines == [
        f"docs/index.md:7  to commit  {files}",
        "2 images: 1 locked, 1 to commit",
        f"to commit them, run `git add {ORIGINALS}` and `git commit`",
    ]
    git(site.folder, "add", ORIGINALS)
    assert run("lock", "--check").lines == ["2 images: 2 locked"]
    assert run("check", "--locked").code == 0


def test_check_fails_until_both_files_are_in_git(site: PaidSite, run) -> None:
    before = snapshot(site.folder / ORIGINALS)
    record = record_of(site, "A crane")
    assert run("lock", "--check", code=1).lines[0].startswith("docs/index.md:7  to commit")
    git(site.folder, "add", str(record))
    (line, *_) = run("lock", "--check", code=1).lines
    assert line.count(record.stem) == 1
    assert not line.endswith(".json")
    assert snapshot(site.folder / ORIGINALS) == before


@pytest.mark.parametrize("options", [[], ["--check"]])
def test_ignored_image_is_named_although_its_record_is_tracked(
    site: PaidSite, run, options: list[str]
) -> None:
    record = record_of(site, "A crane")
    image = next(each for each in site.images_of_originals if each.stem.startswith(record.stem))
    name = image.relative_to(site.folder).as_posix()
    (site.originals / ".gitignore").write_text("*.webp\n*.png\n*.jpg\n")
    git(site.folder, "add", ORIGINALS)
    ran = run("lock", *options, code=1)
    assert ran.lines == [f"docs/index.md:7  ignored  {name}", "2 images: 1 locked, 1 ignored"]
    assert "docs/index.md:7: git ignores its record or image" in ran.stderr
    assert "run `git add -f FILE`, remove the pattern from .gitignore" in ran.stderr
    git(site.folder, "add", "-f", name)
    assert run("lock", *options).lines == ["2 images: 2 locked"]


def test_ignored_record_is_named(site: PaidSite, run) -> None:
    record = record_of(site, "A crane")
    (site.folder / ".gitignore").write_text(f"{ORIGINALS}/\nmkdocs.yml\n.cache/\nsite/\n")
    ran = run("lock", code=1)
    assert record.relative_to(site.folder).as_posix() in ran.lines[0]
    assert "docs/index.md:7: git ignores its record" in ran.stderr
    assert ran.lines[-1] == "2 images: 1 locked, 1 ignored"


@pytest.mark.parametrize("originals", [ORIGINALS, f"shared/{ORIGINALS}"])
def test_originals_in_a_submodule_are_not_locked(site: PaidSite, run, originals: str) -> None:
    folder = site.folder / originals
    git(site.folder, "rm", "-q", "-r", "--cached", ORIGINALS)
    folder.parent.mkdir(exist_ok=True)
    site.originals.rename(folder)
    site.options["originals_dir"] = originals
    commit_all(folder if originals == ORIGINALS else folder.parent)
    commit_all(site.folder)  # adds a repository in a folder as a submodule without a name
    message = "docs/index.md:3, docs/index.md:7: originals in a git submodule are not locked; move"
    assert message in run("lock", code=1).stderr
    assert (
        "originals in a git submodule are not locked (" in run("check", "--locked", code=1).stderr
    )


def test_changed_record_is_to_be_committed(site: PaidSite, run) -> None:
    set_age(record_of(site, "A ferry"), 3)
    assert "docs/index.md:3  to commit" in run("lock").stdout
    assert run("lock", "--check", "--json", code=1).json["ok"] is False


def test_missing_and_invalid_images_are_named(site: PaidSite, run) -> None:
    requests = site.emulator.requests
    site.write_prompts("A ferry", "A buoy")
    site.write("other.md", "# Other\n\n```imagegen\nsize: 1\n---\nA tug\n```\n")
    ran = run("lock", code=1)
    assert ran.lines[-1] == "3 images: 1 locked, 1 missing, 1 invalid"
    assert "missing images: docs/index.md:7; run `mkdocs-imagegen generate` where" in ran.stderr
    assert 'docs/other.md:3: `size`: unsupported value "1"' in ran.stderr
    assert site.emulator.requests == requests


def test_sketches_are_named_where_they_hide_a_missing_image(site: PaidSite, run) -> None:
    site.write_prompts("A buoy")
    site.options["gateway"] = {"url": "sketch:"}
    sketches = 'sketches are never locked: remove `gateway: {url: "sketch:"}` first, then run'
    assert sketches in run("lock", code=1).stderr
    assert sketches in run("check", "--locked", code=1).stderr


@pytest.mark.parametrize("auth", ["none", "key"])
def test_missing_image_that_is_in_git_has_its_own_hint(
    site: PaidSite, run, monkeypatch: pytest.MonkeyPatch, auth: str
) -> None:
    commit_all(site.folder)
    record_of(site, "A ferry").unlink()
    next(each for each in site.images_of_originals if not _has_record(site, each)).unlink()
    site.write_prompts("A ferry", "A crane", "A buoy")
    if auth == "key":
        monkeypatch.delenv("AI_GATEWAY_API_KEY", raising=False)
        site.options["gateway"] = {}
    ran = run("lock", code=1)
    assert ran.lines[-1] == "3 images: 2 missing, 1 locked"
    hint = "docs/index.md:3: the original is in git, but not in the work tree; run `git ls-files"
    assert hint in ran.stderr
    assert "missing images: docs/index.md:11; run `mkdocs-imagegen generate` where" in ran.stderr


def _has_record(site: PaidSite, image: Path) -> bool:
    return any(image.stem.startswith(each.stem) for each in site.records)


@pytest.mark.parametrize("place", ["another folder", "cache", "quarantine"])
def test_originals_of_other_folders_are_brought(site: PaidSite, run, place: str) -> None:
    record = record_of(site, "A crane")
    image = next(each for each in site.images_of_originals if each.stem.startswith(record.stem))
    if place == "another folder":
        site.options["originals_dir"] = "images"
    elif place == "cache":
        folder = site.folder / ".cache/plugin/imagegen/originals" / record.parent.name
        folder.mkdir(parents=True)
        record.rename(folder / record.name)
        image.rename(folder / image.name)
    else:
        (site.originals / "work/quarantine").mkdir(parents=True, exist_ok=True)
        image.rename(site.originals / f"work/quarantine/{image.name}.0a1b2c3d")
        record.unlink()
    if place != "quarantine":  # which only a build that may write reads
        assert "; run `mkdocs-imagegen lock`" in run("lock", "--check", code=1).stderr
    requests = site.emulator.requests
    ran = run("lock")
    assert "adopted" in ran.stderr
    folder = site.folder / str(site.options.get("originals_dir", ORIGINALS))
    assert (folder / record.parent.name / record.name).exists()
    assert "to commit" in ran.lines[-2]
    git(site.folder, "add", folder.name)
    assert run("lock", "--check").code == 0
    assert site.emulator.requests == requests


def test_damaged_image_is_named(site: PaidSite, run) -> None:
    commit_all(site.folder)
    image = next(iter(site.images_of_originals))
    content = bytearray(image.read_bytes())
    content[-1] ^= 1
    image.write_bytes(content)
    ran = run("lock", "--check", code=1)
    assert f"{image} cannot be used (the image differs from the recorded SHA-256)" in ran.stderr


def test_sketches_are_never_locked(site: PaidSite, run) -> None:
    site.options["gateway"] = {"url": "sketch:"}
    assert run("lock").lines[-2] == "2 images: 1 locked, 1 to commit"
    site.write_prompts("A ferry", "A buoy")
    site.build()
    assert run("lock", code=1).lines[-1] == "2 images: 1 locked, 1 missing"


def test_lock_works_on_a_locked_site(site: PaidSite, run) -> None:
    site.options["locked"] = True
    assert run("lock").lines[-2] == "2 images: 1 locked, 1 to commit"


def test_without_git_the_files_on_the_disk_are_locked(site: PaidSite, run) -> None:
    shutil.rmtree(site.folder / ".git")
    assert run("lock", "--check").lines == ["2 images: 2 locked"]


def test_prune_lists_and_removes_unused_originals(site: PaidSite, run) -> None:
    record = record_of(site, "A crane")
    set_age(record, 40)
    site.write_prompts("A ferry")
    assert run("lock", "--prune").lines[-1] == "1 unused original; add --yes to remove"
    assert record.exists()
    assert run("lock", "--prune", "--yes", "--json").json["unused"] == [record.stem]
    assert not record.exists()
    assert len(site.images_of_originals) == 1


def test_prune_refuses_while_a_directive_is_invalid(site: PaidSite, run) -> None:
    site.write("other.md", "# Other\n\n```imagegen\nsize: 1\n---\nA tug\n```\n")
    assert "is invalid" in run("lock", "--prune", "--yes", code=2).error[0]
    assert len(site.records) == 2


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("options", [["--check", "--prune"], ["--yes"]])
def test_options_that_contradict_are_refused(run, options: list[str]) -> None:
    assert "--yes needs --prune" in run("lock", *options, code=2).stderr


def test_build_names_new_records_to_commit(site: PaidSite) -> None:
    site.write_prompts("A ferry", "A crane", "A buoy", "A tug")
    infos = site.build().infos
    assert f"imagegen: commit 2 new records in {ORIGINALS}: `git add {ORIGINALS}`" in infos
    assert not [each for each in site.build().infos if "commit" in each]
