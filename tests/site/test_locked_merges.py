"""Branches that add images, merged by git, and builds of a checkout without a network."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.originals.record import serialize_record
from mkdocs_imagegen.request import ImageRequest
from tests.originals.support import png, request_record
from tests.paid import MODEL, PaidSite, snapshot
from tests.repository import commit_all, git, index_of
from tests.support import ORIGINALS, Site

SIZE = Size(1536, 1024)


def is_forbidden() -> bool:
    """Return True if the system has no network namespaces, or does not allow them."""
    program = shutil.which("unshare")
    return not program or subprocess.run([program, "-rn", "true"], check=False).returncode != 0


needs_namespace = pytest.mark.skipif(is_forbidden(), reason="needs network namespaces")


def add_image(folder: Path, prompt: str, day: int = 1, color: str = "red") -> Path:
    """Write an original and its record as a build does, and return the record."""
    request = ImageRequest(MODEL, prompt, SIZE)
    content = png(color, SIZE)
    record = request_record(
        request, content, model=MODEL, answered_by=MODEL, width=1536, height=1024
    )
    record = replace(record, created=f"2026-11-{day:02}T17:00:00+00:00")
    home = folder / ORIGINALS / record.key[:2]
    home.mkdir(parents=True, exist_ok=True)
    (home / record.file_name).write_bytes(content)
    path = home / f"{record.key}.json"
    path.write_bytes(serialize_record(record))
    return path


def write_pages(site: Site, **prompts: list[str]) -> None:
    for name, several in prompts.items():
        blocks = "".join(f"```imagegen\n{each}\n```\n\n" for each in several)
        site.write(f"{name}.md", f"# {name}\n\n{blocks}")


def commit(site: Site, *, branch: str = "") -> None:
    site.save()
    if branch:
        git(site.folder, "switch", "-q", "-c", branch, "main")
    commit_all(site.folder)


@pytest.fixture
def site(paid_site: PaidSite) -> PaidSite:
    """A site without images, in a repository."""
    paid_site.options["locked"] = True
    (paid_site.folder / ORIGINALS).mkdir()
    (paid_site.folder / ORIGINALS / ".gitattributes").write_text("* -text\n")
    (paid_site.folder / ".gitignore").write_text(".cache/\nsite/\nreport.json\nwork/\n")
    return paid_site


@pytest.mark.parametrize("number", [0, 20, 200])
def test_branches_that_add_images_merge_without_conflict(site: PaidSite, number: int) -> None:
    base = [f"Image {each}" for each in range(number)]
    added = {name: [f"{name} {each}" for each in range(5)] for name in ("one", "other")}
    for prompt in base:
        add_image(site.folder, prompt)
    write_pages(site, index=base[:3])
    commit(site)
    for name, prompts in added.items():
        for day, prompt in enumerate(prompts, 1):
            add_image(site.folder, prompt, day, color="blue")
        write_pages(site, **{name: prompts})
        commit(site, branch=name)
        git(site.folder, "switch", "-q", "main")
    git(site.folder, "merge", "-q", "--no-edit", "one")
    git(site.folder, "merge", "-q", "--no-edit", "other")
    assert git(site.folder, "ls-files", "-u") == ""
    assert len(site.records) == number + 10
    assert site.requests_of_build() == 0
    assert site.states == ["ready"] * (10 + min(number, 3))
    assert site.command("lock", "--check").exit_code == 0


@pytest.mark.parametrize("locked", [True, False])
@pytest.mark.parametrize("is_same_image", [True, False])
def test_same_image_on_both_branches_is_a_conflict_that_a_build_names(
    site: PaidSite, *, locked: bool, is_same_image: bool
) -> None:
    write_pages(site, index=["A balloon"])
    commit(site)
    for day, name in enumerate(("one", "other"), 1):
        git(site.folder, "switch", "-q", "-c", name, "main")
        add_image(site.folder, "A balloon", day, "red" if is_same_image else name_color(name))
        commit_all(site.folder)
    git(site.folder, "switch", "-q", "one")
    with pytest.raises(subprocess.CalledProcessError):
        git(site.folder, "merge", "-q", "other")
    (record,) = site.records
    assert "<<<<<<< HEAD" in record.read_text()
    files, index = snapshot(site.folder / ORIGINALS), index_of(site.folder)
    assert site.requests_of_build(locked=locked) == 0
    (warning,) = site.built.warnings
    if locked:
        assert site.states == ["missing"]
        assert f"{record} has an unresolved merge conflict; keep one side with `git" in warning
    else:
        assert site.states == ["ready"]
        assert str(record) in warning
    assert snapshot(site.folder / ORIGINALS) == files
    assert index_of(site.folder) == index
    assert "unresolved merge conflict" in site.command("lock", "--check").output
    git(site.folder, "checkout", "-q", "--ours", "--", str(record))
    git(site.folder, "add", ORIGINALS)
    assert site.requests_of_build(locked=True) == 0
    assert site.states == ["ready"]


def name_color(name: str) -> str:
    return {"one": "red", "other": "blue"}[name]


def built_by(folder: Path, *before: str, **environ: str) -> tuple[dict[str, bytes], str]:
    """Build a checkout in a process of its own, and return its images and pages, and the log."""
    command = [*before, sys.executable, "-m", "mkdocs", "build", "--strict", "-d", "site"]
    secrets = ("AI_GATEWAY_API_KEY", "VERCEL_OIDC_TOKEN")
    done = subprocess.run(
        command,
        cwd=folder,
        env={key: value for key, value in os.environ.items() if key not in secrets} | environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    files = (path for path in sorted((folder / "site").rglob("*")) if path.is_file())
    shown = {path.relative_to(folder / "site").as_posix(): path.read_bytes() for path in files}
    return {
        name: each for name, each in shown.items() if not name.startswith("sitemap")
    }, done.stderr


@needs_namespace
@pytest.mark.parametrize("cache", ["use", "ignore"])
def test_build_without_a_network_equals_the_trusted_build(
    site: PaidSite, tmp_path: Path, cache: str
) -> None:
    site.options["locked"] = False
    site.write_prompts("A red balloon", "A glass bottle", "A gray heron")
    assert site.requests_of_build() == 3
    commit(site)
    trusted, _ = built_by(site.folder)
    clone = tmp_path / "fork"
    git(tmp_path, "clone", "-q", str(site.folder), str(clone))
    config = (clone / "mkdocs.yml").read_text()
    config = re.sub(r"( *)locked: false", rf"\1locked: true\n\1cache: {cache}", config)
    (clone / "mkdocs.yml").write_text(config)
    shown, log = built_by(clone, "unshare", "-rn")
    assert "3 images: 3 reused" in log
    assert sum(name.startswith("assets/imagegen/") for name in shown) >= 3
    assert shown == trusted
    assert json.loads((clone / "report.json").read_text())["pictures"]
