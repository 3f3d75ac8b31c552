"""The workflows of the manual, executed: images are charged once, and forks get no secrets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.paid import paid_gateway
from tests.recipes.github import KEY, Repository, WorkflowRun, require_tools

pytestmark = pytest.mark.slow

ORIGINALS = "imagegen-originals/"
FIRST_RUN = "IMAGEGEN_FIRST_RUN=true"


@pytest.fixture
def repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], Repository]]:
    require_tools()
    with paid_gateway(monkeypatch, require_key=True) as emulator:
        yield lambda recipe: Repository(tmp_path, recipe, emulator)


def assert_green(run: WorkflowRun, summary: str, *, requests: int = 0) -> None:
    assert run.code == 0, run.output
    assert run.summary.startswith(summary), run.output
    assert run.requests == requests, run.output
    assert KEY not in run.output


def test_cache_lets_pushes_pay_once_and_pull_requests_never(repository) -> None:
    docs = repository("github-cached.yml")
    docs.commit("A kettle", "A cup", ignores=[ORIGINALS])
    first = docs.push(FIRST_RUN)
    assert_green(first, "2 images: 2 generated", requests=2)
    assert len(first.saved) == 1
    again = docs.push()
    assert_green(again, "2 images: 2 reused")
    assert again.saved == []

    docs.commit("A kettle", "A cup", "A spoon")
    pull_request = docs.open_pull_request()
    assert_green(pull_request, "3 images: 2 reused, 1 missing")
    assert pull_request.changes.startswith("1 added; no new originals; 1 image to generate")
    assert pull_request.saved == []
    merged = docs.push()
    assert_green(merged, "3 images: 2 reused, 1 generated", requests=1)
    assert len(merged.saved) == 1
    assert_green(docs.push(), "3 images: 3 reused")
    assert_green(docs.push(), "3 images: 3 reused")


def test_cache_is_saved_by_a_build_that_failed(repository) -> None:
    docs = repository("github-cached.yml")
    docs.commit("A kettle", "A cup", ignores=[ORIGINALS])
    docs.write("docs/other.md", "# Page\n\n```imagegen\nsize: wrong\n---\nA spoon\n```\n")
    failed = docs.push(FIRST_RUN)
    assert (failed.code, failed.requests) == (1, 2)
    assert len(failed.saved) == 1, failed.output
    (docs.folder / "docs/other.md").unlink()
    assert_green(docs.push(), "2 images: 2 reused")


def test_no_image_is_generated_without_a_cache_unless_told(repository) -> None:
    docs = repository("github-cached.yml")
    docs.commit("A kettle", ignores=[ORIGINALS])
    stopped = docs.push()
    assert (stopped.code, stopped.requests, stopped.saved) == (1, 0, [])
    assert "Failure - Main Stop if no originals are restored" in stopped.output


def test_cache_never_replaces_committed_originals(repository) -> None:
    docs = repository("github-cached.yml")
    docs.commit_images("A kettle")
    stopped = docs.push()
    assert (stopped.code, stopped.requests, stopped.saved) == (1, 0, [])
    assert "Failure - Main Check that no originals are committed" in stopped.output


@pytest.mark.parametrize("recipe", ["github-committed.yml", "github-cached.yml"])
def test_pull_request_from_a_fork_is_green_without_network_and_secrets(repository, recipe) -> None:
    docs = repository(recipe)
    if recipe == "github-committed.yml":
        docs.commit_images("A kettle")
        docs.merge()
    else:
        docs.commit("A kettle", ignores=[ORIGINALS])
        assert docs.push(FIRST_RUN).code == 0
    docs.commit("A kettle", "A cup")
    fork = docs.open_pull_request_from_fork()
    assert_green(fork, "2 images: 1 reused, 1 missing")
    assert fork.changes.startswith("1 added; no new originals; 1 image to generate")


def test_pull_request_shows_the_images_that_it_adds(repository) -> None:
    docs = repository("github-committed.yml")
    docs.commit_images("A kettle")
    docs.merge()
    docs.commit_images("A kettle", "A cup")
    run = docs.open_pull_request()
    assert_green(run, "2 images: 2 reused")
    assert re.match(r"1 added; .+ on 1 new original; no images to generate", run.changes)
    assert "A cup" in docs.contact_sheet
    assert "A kettle" not in docs.contact_sheet


def test_committed_originals_are_published_without_a_request(repository) -> None:
    docs = repository("github-committed.yml")
    docs.commit_images("A kettle", "A cup")
    first = docs.push()
    assert_green(first, "2 images: 2 reused")
    assert [name.startswith("imagegen-derived-") for name in first.saved] == [True]
    again = docs.push()
    assert_green(again, "2 images: 2 reused")
    assert again.saved == []
    assert f"substitute restored {first.saved[0]}" in again.output


def test_image_that_is_not_committed_is_not_published(repository) -> None:
    docs = repository("github-committed.yml")
    docs.commit("A kettle")
    docs.build()
    run = docs.push()
    assert (run.code, run.requests) == (1, 0)
    assert "docs/index.md:3: the image is missing" in run.output
    assert "Publish on GitHub Pages" not in run.output
