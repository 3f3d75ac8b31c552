"""Locked builds: the record in git decides which image a page shows."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mkdocs.exceptions import Abort

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import EmulatorServer
from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.spending.journal import Intent, Journal
from tests.originals.support import png
from tests.paid import MODEL, PaidSite, snapshot
from tests.repository import commit_all, git
from tests.support import ORIGINALS, recorded

PROMPTS = ("A red balloon", "A glass bottle", "A gray heron")
NOT_LOCKED = (
    "not locked; run `mkdocs-imagegen generate` and `mkdocs-imagegen lock` without `locked`"
)


@pytest.fixture
def site(paid_site: PaidSite) -> PaidSite:
    """A site with three committed images, whose cache is deleted."""
    paid_site.write_prompts(*PROMPTS)
    assert paid_site.requests_of_build() == 3
    (paid_site.folder / ".gitignore").write_text(".cache/\nsite/\nreport.json\n")
    commit_all(paid_site.folder)
    return fresh(paid_site)


def fresh(site: PaidSite) -> PaidSite:
    """Delete the cache folder and the built site, as in a new checkout."""
    for name in (".cache", "site"):
        shutil.rmtree(site.folder / name, ignore_errors=True)
    return site


def build(site: PaidSite, **options: Any) -> list[str]:
    """Return the states after a locked build, which sends no request."""
    assert site.requests_of_build(locked=True, **options) == 0
    return site.states


def failure(site: PaidSite, **options: Any) -> str:
    """Return the error that ends a locked build."""
    site.options.update(locked=True, **options)
    with recorded() as records, pytest.raises(Abort):
        site.build()
    return next(each.getMessage() for each in records if each.levelname == "ERROR")


def record_of(site: PaidSite, prompt: str) -> Path:
    return next(each for each in site.records if json.loads(each.read_text())["prompt"] == prompt)


def image_of(record: Path) -> Path:
    return next(path for path in record.parent.glob(f"{record.stem}.*") if path != record)


def swap_image(record: Path, content: bytes | None = None) -> None:
    """Give a record another image, which fits it."""
    content = content or png(size=(64, 64))
    fields = json.loads(record.read_text())
    sha256 = hashlib.sha256(content).hexdigest()
    image_of(record).unlink()
    fields |= {"sha256": sha256, "bytes": len(content), "mime": "image/png"}
    fields |= {"width": 64, "height": 64}
    record.with_name(f"{record.stem}.{sha256[:16]}.png").write_bytes(content)
    record.write_text(json.dumps(fields))


def test_committed_images_are_shown(site: PaidSite) -> None:
    assert build(site) == ["ready"] * 3
    assert site.built.warnings == []


def test_index_and_originals_stay_as_they_are(site: PaidSite) -> None:
    before = snapshot(site.originals)
    build(site)
    assert snapshot(site.originals) == before
    site.save()
    assert ORIGINALS not in git(site.folder, "status", "--porcelain")


def test_new_prompts_are_missing_with_one_warning(site: PaidSite) -> None:
    site.write_prompts(*PROMPTS, "A crane", "A ferry")
    assert build(site) == ["ready"] * 3 + ["missing"] * 2
    (warning,) = site.built.warnings
    assert warning.startswith("imagegen: 2 images are missing: not locked (docs/index.md:15")
    hint = "run `mkdocs-imagegen generate` and `mkdocs-imagegen lock` without `locked`, and commit"
    assert hint in warning


def test_missing_images_end_the_build_if_on_missing_is_error(site: PaidSite) -> None:
    site.write_prompts("A crane")
    assert "docs/index.md:3: the image is missing: not locked" in failure(site, on_missing="error")


def test_missing_images_are_counted_alone_if_on_missing_is_placeholder(site: PaidSite) -> None:
    site.write_prompts("A crane")
    assert build(site, on_missing="placeholder") == ["missing"]
    assert site.built.warnings == []
    assert site.built.summary == "imagegen: 1 image: 1 missing"


def test_untracked_record_is_missing(site: PaidSite) -> None:
    site.write_prompts(*PROMPTS, "A crane", "A ferry")
    assert site.requests_of_build(locked=False) == 2
    fresh(site)
    assert build(site) == ["ready"] * 3 + ["missing"] * 2
    (warning,) = site.built.warnings
    assert "2 images are missing: not locked, since the record is not in the git index" in warning
    assert f"run `git add {site.originals}`" in warning
    git(site.folder, "add", ORIGINALS)
    assert build(site) == ["ready"] * 5


def test_record_that_was_added_and_changed_is_refused(site: PaidSite) -> None:
    record = record_of(site, PROMPTS[0])
    swap_image(record)
    assert build(site) == ["failed", "ready", "ready"]
    (warning,) = site.built.warnings
    assert f"{record} cannot be used (it differs from the git index)" in warning
    assert f"git checkout -- {record}" in warning


@pytest.mark.parametrize("is_same_size", [False, True])
def test_image_that_differs_from_its_record_is_refused(site: PaidSite, is_same_size: bool) -> None:
    image = image_of(record_of(site, PROMPTS[0]))
    content = bytearray(image.read_bytes())
    content[-1] ^= 1
    image.write_bytes(content if is_same_size else png())
    assert build(site) == ["failed", "ready", "ready"]
    assert f"{image} cannot be used (the image differs" in site.built.warnings[0]


def test_missing_image_is_not_looked_for_elsewhere(site: PaidSite) -> None:
    image = image_of(record_of(site, PROMPTS[0]))
    earlier = site.folder / ".cache/plugin/imagegen/originals" / image.parent.name
    earlier.mkdir(parents=True)
    image.rename(earlier / image.name)
    assert build(site) == ["failed", "ready", "ready"]
    assert f"{image} cannot be used (it is missing)" in site.built.warnings[0]
    assert not image.exists()


def test_tracked_copies_of_a_record_do_not_count(site: PaidSite) -> None:
    record = record_of(site, PROMPTS[0])
    other = site.originals / "zz" / record.name
    other.parent.mkdir()
    for copy in (record.with_name(f"{record.name}~"), record.with_suffix(".orig"), other):
        copy.write_text("Another version")
    commit_all(site.folder)
    assert build(site) == ["ready"] * 3
    git(site.folder, "rm", "-q", "--cached", str(record))
    assert build(site) == ["missing", "ready", "ready"]


def test_deleted_record_is_not_written_again(site: PaidSite) -> None:
    record = record_of(site, PROMPTS[0])
    record.unlink()
    assert build(site) == ["failed", "ready", "ready"]
    assert f"{record} cannot be used (it is missing)" in site.built.warnings[0]
    assert not record.exists()


@pytest.mark.parametrize("place", ["cache", "untracked", "tracked", "journal", "quarantine"])
def test_foreign_images_are_not_shown_and_named(site: PaidSite, place: str) -> None:
    """Each of three images is replaced in a folder that a restored cache can contain."""
    originals, records = site.originals, site.records
    if place != "tracked":
        git(site.folder, "rm", "-q", "--cached", *(str(each) for each in records))
        git(site.folder, "commit", "-q", "-m", "Remove records")
    for record in records:
        swap_image(record)
        image, key = image_of(record), record.stem
        if place == "cache":
            folder = site.folder / ".cache/plugin/imagegen/originals" / key[:2]
            folder.mkdir(parents=True, exist_ok=True)
            for each in (record, image):
                each.rename(folder / each.name)
        elif place == "quarantine":
            (originals / "work/quarantine").mkdir(parents=True, exist_ok=True)
            image.rename(originals / f"work/quarantine/{image.name}.0a1b2c3d")
            record.unlink()
        elif place == "journal":
            save_answer(site, record, image.read_bytes())
            image.unlink()
            record.unlink()
    before = snapshot(site.folder / ORIGINALS)
    states = build(site)
    assert not {"ready", "stale", "sketch", "generated"}.intersection(states)
    assert site.built.images() == {}
    text = "\n".join(site.built.warnings)
    assert all(f"docs/index.md:{line}" in text for line in (3, 7, 11))
    assert snapshot(site.folder / ORIGINALS) == before
    assert site.requests_of_build(locked=False, generate=False) == 0
    assert site.states == ["ready"] * 3  # so the images are such that a build would show them


def save_answer(site: PaidSite, record: Path, image: bytes) -> None:
    """Leave an answer in the journal, as a build that was killed before it stored the image."""
    request = ImageRequest(MODEL, json.loads(record.read_text())["prompt"], Size(1536, 1024))
    assert request.key == record.stem
    body = json.dumps({"data": [{"b64_json": base64.b64encode(image).decode()}]}).encode()
    intent = Intent(request, site.emulator.url, "png", None, "2026-11-23T17:00:00+00:00")
    assert Journal(site.originals / "work/journal").save_response(intent, body)


def test_untracked_import_does_not_hide_a_locked_image(site: PaidSite) -> None:
    file = site.folder / "own.png"
    file.write_bytes(png())
    assert site.command("import", str(file), "index.md:3").exit_code == 0
    assert build(site) == ["ready"] * 3
    assert len(site.records) == 4
    images = site.built.images()
    git(site.folder, "stash", "-u", "-q")
    assert site.requests_of_build(locked=True) == 0
    assert site.built.images() == images


def test_committed_import_is_shown(site: PaidSite) -> None:
    file = site.folder / "own.png"
    file.write_bytes(png())
    assert site.command("import", str(file), "index.md:3").exit_code == 0
    before = fresh(site).requests_of_build()
    shown = site.built.images()
    commit_all(site.folder)
    assert build(fresh(site)) == ["ready"] * 3
    assert (before, site.built.images()) == (0, shown)


def test_stale_image_is_chosen_among_locked_records(site: PaidSite) -> None:
    """An untracked original of the new model is not shown, nor a newer one of the old model."""
    build(site)
    shown = site.built.images()
    assert site.requests_of_build(model="openai/gpt-image-1-mini", locked=False) == 0
    assert site.states == ["stale but usable"] * 3
    assert site.command("generate", "--upgrade").exit_code == 0
    assert build(fresh(site)) == ["stale but usable"] * 3
    assert site.built.images() == shown
    commit_all(site.folder)
    assert build(fresh(site)) == ["ready"] * 3
    assert site.built.images() != shown
    assert build(fresh(site), model=MODEL) == ["ready"] * 3


def test_sketches_are_not_shown(site: PaidSite) -> None:
    site.write_prompts(*PROMPTS, "A crane")
    site.requests_of_build(gateway={"url": "sketch:"}, locked=False)
    assert site.states[3] == "made"
    assert site.built.summary == "imagegen: 4 images: 3 reused (3 stale), 1 sketch drawn"
    assert build(site) == ["ready"] * 3 + ["missing"]
    assert "not locked" in site.built.warnings[0]


def test_sketches_of_a_server_are_not_shown_even_if_committed(
    site: PaidSite,
) -> None:
    site.write_prompts("A crane")
    with EmulatorServer(Emulator(require_key=False)) as server:
        site.requests_of_build(gateway={"url": server.url, "auth": "none"}, locked=False)
    assert len(site.records) == 4
    commit_all(site.folder)
    assert build(site) == ["missing"]


def test_conflict_markers_are_refused_although_they_are_committed(site: PaidSite) -> None:
    record = record_of(site, PROMPTS[0])
    text = record.read_text()
    record.write_text(f"<<<<<<< HEAD\n{text}=======\n{text}>>>>>>> other\n")
    assert build(site) == ["failed", "ready", "ready"]
    commit_all(site.folder)
    assert build(site) == ["failed", "ready", "ready"]
    assert f"{record} cannot be used" in site.built.warnings[0]


def test_rewritten_line_ends_are_named(site: PaidSite) -> None:
    record = record_of(site, PROMPTS[0])
    record.write_bytes(record.read_bytes().replace(b"\n", b"\r\n"))
    assert build(site) == ["failed", "ready", "ready"]
    assert "since git has changed its line ends" in site.built.warnings[0]


def test_foreign_repository_in_the_folder_does_not_count(site: PaidSite) -> None:
    record = record_of(site, PROMPTS[0])
    swap_image(record)
    commit_all(site.originals)
    assert (site.originals / ".git").is_dir()
    assert build(site) == ["failed", "ready", "ready"]


def test_folder_behind_a_link_does_not_escape_the_index(site: PaidSite, tmp_path: Path) -> None:
    swap_image(record_of(site, PROMPTS[0]))
    site.originals.rename(tmp_path / "elsewhere")
    site.originals.symlink_to(tmp_path / "elsewhere")
    assert build(site) == ["missing"] * 3


def with_untracked(site: PaidSite, folder: Path) -> None:
    """Move a site to a folder of a repository, with an original that git does not track."""
    shutil.rmtree(site.folder / ".git")
    folder.parent.mkdir()
    site.folder = site.folder.rename(folder)
    site.docs = folder / "docs"
    site.save()
    commit_all(folder.parent)
    site.write_prompts(*PROMPTS, "A crane")
    assert site.requests_of_build(locked=False) == 1
    fresh(site)


def test_site_behind_a_link_is_in_its_repository(site: PaidSite, tmp_path: Path) -> None:
    with_untracked(site, tmp_path / "repository/web")
    (tmp_path / "link").symlink_to("repository/web")
    site.folder = tmp_path / "link"
    site.docs = site.folder / "docs"
    assert build(site) == ["ready"] * 3 + ["missing"]


def test_originals_behind_a_link_are_in_their_repository(site: PaidSite, tmp_path: Path) -> None:
    """The site is in no repository, and its originals are below a link to one."""
    with_untracked(site, tmp_path / "repository/web")
    (tmp_path / "plain").mkdir()
    site.docs.rename(tmp_path / "plain/docs")
    (tmp_path / "link").symlink_to("repository/web")
    site.folder = tmp_path / "plain"
    site.docs = site.folder / "docs"
    assert build(site, originals_dir=f"../link/{ORIGINALS}") == ["ready"] * 3 + ["missing"]


def test_link_that_leaves_the_repository_of_a_linked_site_is_not_followed(
    site: PaidSite, tmp_path: Path
) -> None:
    with_untracked(site, tmp_path / "repository/web")
    site.originals.rename(tmp_path / "elsewhere")
    site.originals.symlink_to(tmp_path / "elsewhere")
    (tmp_path / "link").symlink_to("repository/web")
    site.folder = tmp_path / "link"
    site.docs = site.folder / "docs"
    assert build(site) == ["missing"] * 4


def test_build_stops_if_only_the_environment_names_a_repository(
    site: PaidSite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As in a hook of a bare repository that receives a push."""
    (site.folder / ".git").rename(tmp_path / "bare.git")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "bare.git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(site.folder))
    assert "GIT_DIR is set where no folder has `.git`; unset GIT_DIR" in failure(site)


def test_site_in_a_subfolder_of_the_repository(site: PaidSite, tmp_path: Path) -> None:
    shutil.rmtree(site.folder / ".git")
    site.write_prompts(*PROMPTS, "A crane")
    (tmp_path / "repository").mkdir()
    site.folder = site.folder.rename(tmp_path / "repository/näme [1] *")
    site.docs = site.folder / "docs"
    site.save()
    commit_all(tmp_path / "repository")
    assert build(site) == ["ready"] * 3 + ["missing"]
    swap_image(record_of(site, PROMPTS[0]))
    assert build(fresh(site)) == ["failed", "ready", "ready", "missing"]


def test_sha256_repository(paid_site: PaidSite) -> None:
    paid_site.write_prompts(*PROMPTS)
    paid_site.requests_of_build()
    git(paid_site.folder, "init", "-q", "--object-format=sha256")
    commit_all(paid_site.folder)
    assert build(fresh(paid_site)) == ["ready"] * 3
    swap_image(record_of(paid_site, PROMPTS[0]))
    assert build(fresh(paid_site)) == ["failed", "ready", "ready"]


def test_linked_work_tree(site: PaidSite, tmp_path: Path) -> None:
    git(site.folder, "worktree", "add", "-q", str(tmp_path / "tree"))
    site.folder = tmp_path / "tree"
    site.docs = site.folder / "docs"
    assert build(site) == ["ready"] * 3


def test_without_git_the_records_of_the_beginning_count(paid_site: PaidSite) -> None:
    paid_site.write_prompts(*PROMPTS)
    paid_site.requests_of_build()
    paid_site.write_prompts(*PROMPTS, "A crane")
    assert build(fresh(paid_site)) == ["ready"] * 3 + ["missing"]
    assert NOT_LOCKED in paid_site.built.warnings[0]


def test_record_that_appears_during_a_build_is_missing(paid_site: PaidSite, tmp_path: Path) -> None:
    paid_site.write_prompts(*PROMPTS)
    paid_site.requests_of_build()
    moved = paid_site.originals.rename(tmp_path / "kept")
    paid_site.config["hooks"] = ["hook.py"]
    (paid_site.folder / "hook.py").write_text(
        "import shutil\n"
        "def on_page_markdown(markdown, **_):\n"
        f"    shutil.copytree({str(moved)!r}, {str(paid_site.originals)!r})\n"
    )
    assert build(fresh(paid_site)) == ["missing"] * 3


def test_build_stops_if_git_is_not_installed(
    site: PaidSite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert failure(site) == ("imagegen: locked is true, and git is not installed; install it")


def test_build_stops_if_the_index_is_damaged(site: PaidSite) -> None:
    (site.folder / ".git/index").write_bytes(b"DIRC\0")
    assert "locked is true, and git failed in" in failure(site)
    assert not (site.folder / "site/index.html").exists()


def test_build_stops_if_git_does_not_trust_the_folder(
    site: PaidSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("HOME", str(site.folder))
    assert "dubious ownership" in failure(site)


def test_plugin_that_is_switched_off_asks_no_git(
    site: PaidSite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    site.options.update(locked=True, enabled=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert site.requests_of_build() == 0


def test_unfinished_answers_stay_in_the_journal(site: PaidSite) -> None:
    save_answer(site, site.records[0], png())
    build(site)
    assert len(list((site.originals / "work/journal").glob("*.answer"))) == 1


@pytest.mark.parametrize("serve", ["generate", "sketch", "placeholder"])
def test_serve_generates_nothing(site: PaidSite, serve: str) -> None:
    site.write_prompts(*PROMPTS, "A crane")
    before = site.emulator.requests
    site.options.update(locked=True, serve=serve)
    site.built = site.build(command="serve")
    assert site.emulator.requests == before
    assert site.states == ["ready"] * 3 + ["missing"]


def test_variable_of_the_environment_locks(site: PaidSite) -> None:
    site.write_prompts("A crane")
    config = site.save()
    report, locked = "report: report.json", "locked: !ENV [IMAGEGEN_LOCKED, false]"
    config.write_text(config.read_text().replace(report, locked))
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build"],
        cwd=site.folder,
        env={**os.environ, "IMAGEGEN_LOCKED": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "the image is missing: not locked" in done.stderr
    assert site.emulator.requests == 3


HOOK = """#!/bin/sh
exec {python} -m mkdocs_imagegen check --locked
"""


@pytest.mark.parametrize("way", ["add", "all", "path"])
def test_hook_of_git_reads_the_index_of_the_commit(site: PaidSite, way: str) -> None:
    site.save()
    git(site.folder, "commit", "-q", "--no-verify", "-a", "-m", "Lock", "--allow-empty")
    hook = site.folder / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(HOOK.format(python=sys.executable))
    hook.chmod(0o755)
    site.write_prompts(*PROMPTS, "A crane")
    site.requests_of_build(locked=False)
    git(site.folder, "add", "docs")
    with pytest.raises(subprocess.CalledProcessError):
        git(site.folder, "commit", "-q", "-m", "A page without its image")
    if way == "path":
        git(site.folder, "add", "-N", ORIGINALS)
    else:
        git(site.folder, "add", ORIGINALS)
    named = {"add": (), "all": ("-a",), "path": ("--", "docs", ORIGINALS)}[way]
    git(site.folder, "commit", "-q", "-m", "A page with its image", *named)
