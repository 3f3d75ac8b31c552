"""Daily work with git: each sentence of the manual's page on git, with real repositories."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.spending.journal import Intent, Journal
from tests.manual.pages import DOCS
from tests.paid import MODEL, PaidEmulator, PaidSite, fence, snapshot
from tests.repository import commit_all, git
from tests.support import ORIGINALS

IGNORED = ".cache/\nsite/\nreport.json\n"


class Checkout(PaidSite):
    """Site in a folder that git has created; its configuration is that of the first one."""

    def __init__(self, folder: Path, emulator: PaidEmulator) -> None:
        shutil.rmtree(folder / "docs", ignore_errors=True)
        super().__init__(folder, emulator)
        git(folder, "checkout", "--quiet", "--", ".")


@pytest.fixture
def main(paid_site: PaidSite) -> PaidSite:
    """A repository with one committed page and its committed image."""
    (paid_site.folder / ".gitignore").write_text(IGNORED)
    paid_site.write_prompts("A kettle")
    assert paid_site.requests_of_build() == 1
    commit_all(paid_site.folder)
    return paid_site


def worktree(main: PaidSite, name: str = "topic") -> Checkout:
    folder = main.folder.with_name(name)
    git(main.folder, "worktree", "add", "--quiet", "-b", name, str(folder))
    return Checkout(folder, main.emulator)


def test_second_worktree_and_clone_reuse_committed_images(main: PaidSite) -> None:
    assert worktree(main).requests_of_build() == 0
    git(main.folder, "clone", "--quiet", str(main.folder), str(main.folder.with_name("clone")))
    assert Checkout(main.folder.with_name("clone"), main.emulator).requests_of_build() == 0


def test_adopt_from_copies_images_of_another_worktree_that_are_not_committed(
    main: PaidSite,
) -> None:
    topic = worktree(main)
    main.write_prompts("A kettle", "A cup", "A spoon")
    assert main.requests_of_build() == 2
    before = snapshot(main.originals)
    topic.write_prompts("A kettle", "A cup")
    source = f"../{main.folder.name}/{ORIGINALS}"
    assert topic.requests_of_build(adopt_from=source) == 0
    assert any(
        text.endswith(f"adopted 1 original from {main.originals}") for text in topic.built.infos
    )
    assert len(topic.records) == 2
    assert {path: each[1:] for path, each in snapshot(main.originals).items()} == {
        path: each[1:] for path, each in before.items()
    }


def test_adopt_from_leaves_the_journal_of_the_other_worktree(main: PaidSite) -> None:
    """A build there may be waiting for the response."""
    topic = worktree(main)
    journals = [Journal(site.originals / "work/journal") for site in (main, topic)]
    for number, journal in enumerate(journals):
        request = ImageRequest(MODEL, f"A plate {number}", Size(1536, 1024))
        journal.begin(Intent(request, main.emulator.url, "png", None, "2026-11-23T17:00:00+00:00"))
    assert topic.requests_of_build(adopt_from=str(main.originals)) == 0
    assert [len(journal.open_keys()) for journal in journals] == [1, 0]


def test_adopt_from_may_be_missing_or_the_own_folder(main: PaidSite) -> None:
    assert main.requests_of_build(adopt_from="../nowhere/imagegen-originals") == 0
    assert main.requests_of_build(adopt_from=ORIGINALS) == 0
    assert main.built.warnings == []


def test_adopted_image_merges_without_a_conflict(main: PaidSite) -> None:
    topic = worktree(main)
    main.write_prompts("A kettle", "A cup")
    main.requests_of_build()
    topic.write_prompts("A kettle", "A cup")
    topic.requests_of_build(adopt_from=str(main.originals))
    commit_all(main.folder)
    commit_all(topic.folder)
    git(main.folder, "merge", "--quiet", "topic")
    assert main.requests_of_build() == 0


def test_images_that_are_not_committed_are_stashed_and_come_back(main: PaidSite) -> None:
    main.write_prompts("A kettle", "A cup")
    main.requests_of_build()
    git(main.folder, "stash", "--quiet", "--include-untracked")
    assert main.requests_of_build() == 0
    assert len(main.records) == 1
    git(main.folder, "checkout", "--quiet", ".")
    git(main.folder, "stash", "pop", "--quiet")
    assert len(main.records) == 2
    assert main.requests_of_build() == 0


def test_image_that_is_generated_during_a_stash_keeps_the_stash(main: PaidSite) -> None:
    """The page is committed without its image, which is charged twice."""
    main.write_prompts("A kettle", "A cup")
    commit_all(main.folder)
    assert main.requests_of_build() == 1
    git(main.folder, "stash", "--quiet", "--include-untracked")
    assert main.requests_of_build() == 1
    with pytest.raises(subprocess.CalledProcessError):
        git(main.folder, "stash", "pop", "--quiet")
    assert git(main.folder, "stash", "list")
    git(main.folder, "clean", "--quiet", "-fd", ORIGINALS)
    git(main.folder, "stash", "pop", "--quiet")
    assert main.requests_of_build() == 0


@pytest.mark.parametrize("options", ["-fd", "-fdx"])
def test_clean_deletes_images_that_are_not_committed(main: PaidSite, options: str) -> None:
    main.write_prompts("A kettle", "A cup")
    main.requests_of_build()
    git(main.folder, "clean", "--quiet", options)
    assert len(main.records) == 1


def test_clean_leaves_a_folder_that_is_excluded(main: PaidSite) -> None:
    main.write_prompts("A kettle", "A cup")
    main.requests_of_build()
    git(main.folder, "clean", "--quiet", "-fdx", "-e", ORIGINALS)
    assert main.requests_of_build() == 0


def test_images_that_are_not_committed_stay_in_the_folder(main: PaidSite) -> None:
    main.write_prompts("A kettle", "A cup")
    main.requests_of_build()
    git(main.folder, "stash", "--quiet")
    git(main.folder, "switch", "--quiet", "-c", "topic")
    git(main.folder, "sparse-checkout", "set", "docs")
    assert len(main.records) == 1  # the committed one is not checked out
    git(main.folder, "sparse-checkout", "add", ORIGINALS)
    git(main.folder, "stash", "pop", "--quiet")
    assert len(main.records) == 2
    assert main.requests_of_build() == 0


def test_clean_and_stash_take_ignored_originals_only_with_an_option(main: PaidSite) -> None:
    (main.folder / ".gitignore").write_text(f"{IGNORED}{ORIGINALS}/\n")
    git(main.folder, "rm", "--quiet", "-r", "--cached", ORIGINALS)
    commit_all(main.folder)
    git(main.folder, "clean", "--quiet", "-fd")
    assert main.requests_of_build() == 0
    git(main.folder, "stash", "--quiet", "--include-untracked")
    assert main.requests_of_build() == 0
    git(main.folder, "stash", "--quiet", "--all")
    assert not main.originals.exists()
    git(main.folder, "stash", "pop", "--quiet")
    assert main.requests_of_build() == 0
    git(main.folder, "clean", "--quiet", "-fdx")
    assert not main.originals.exists()


def restore_deleted(folder: Path) -> None:
    """Run the command that the build names."""
    names = git(folder, "ls-files", "-d", ORIGINALS)
    command = ["git", "checkout-index", "--stdin"]
    subprocess.run(command, cwd=folder, input=names, text=True, check=True)


@pytest.mark.parametrize("is_sparse", [True, False])
def test_committed_original_that_is_not_checked_out_is_never_generated(
    main: PaidSite, *, is_sparse: bool
) -> None:
    if is_sparse:
        git(main.folder, "sparse-checkout", "set", "docs")
    else:
        shutil.rmtree(main.originals)
    shutil.rmtree(main.folder / ".cache")
    assert not list(main.originals.glob("??"))
    main.write_prompts("A kettle", "A cup")
    assert main.requests_of_build() == 1  # that of the new prompt
    (warning,) = main.built.warnings
    assert warning.removeprefix("imagegen: ") in (DOCS / "deploy/git.md").read_text("utf-8")
    commands = {"restore": f"git ls-files -d {ORIGINALS} | git checkout-index --stdin"}
    commands["sparse-checkout"] = f"git sparse-checkout add {ORIGINALS}"
    assert all(f"`{command}`" in warning for command in commands.values())
    if is_sparse:
        git(main.folder, "sparse-checkout", "add", ORIGINALS)
    else:
        restore_deleted(main.folder)
    assert main.requests_of_build() == 0
    assert main.built.warnings == []


def test_sketch_is_drawn_for_an_original_that_is_not_checked_out(main: PaidSite) -> None:
    shutil.rmtree(main.originals)
    assert main.requests_of_build(gateway={"url": "sketch:"}) == 0
    assert "1 sketch drawn" in main.built.summary
    assert main.built.warnings == []


def test_original_that_is_not_checked_out_is_generated_with_again(main: PaidSite) -> None:
    shutil.rmtree(main.originals)
    assert main.command("generate", "index.md", "--again").exit_code == 0
    assert main.emulator.requests == 2


def test_original_that_was_removed_from_git_is_generated(main: PaidSite) -> None:
    git(main.folder, "rm", "--quiet", "-r", ORIGINALS)
    assert main.requests_of_build() == 1


def test_rebase_keeps_the_images_of_both_branches(main: PaidSite) -> None:
    topic = worktree(main)
    topic.write("topic.md", fence("A cup"))
    topic.requests_of_build()
    commit_all(topic.folder)
    main.write("main.md", fence("A spoon"))
    main.requests_of_build()
    commit_all(main.folder)
    git(topic.folder, "rebase", "--quiet", "main")
    assert topic.requests_of_build() == 0
    assert len(topic.records) == 3


def test_same_prompt_on_both_branches_conflicts_and_is_not_charged_again(main: PaidSite) -> None:
    topic = worktree(main)
    for site in (topic, main):
        site.write(f"{site.folder.name}.md", fence("A cup"))
        assert site.requests_of_build() == 1
        commit_all(site.folder)
    with pytest.raises(subprocess.CalledProcessError):
        git(topic.folder, "rebase", "--quiet", "main")
    assert topic.requests_of_build() == 0
    assert any("1 file is damaged" in text for text in topic.built.warnings)
    git(topic.folder, "checkout", "--ours", "--", ORIGINALS)
    assert topic.requests_of_build() == 0
    assert topic.built.warnings == []


def test_pointer_of_git_lfs_is_reported_and_not_generated(main: PaidSite) -> None:
    (image,) = main.images_of_originals
    oid = "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393"
    image.write_text(f"version https://git-lfs.github.com/spec/v1\n{oid}\nsize 12345\n")
    shutil.rmtree(main.folder / ".cache")
    assert main.requests_of_build() == 0
    (warning,) = main.built.warnings
    assert "git lfs pull" in warning


def test_each_command_of_the_page_is_tested() -> None:
    page = (DOCS / "deploy/git.md").read_text(encoding="utf-8")
    tests = Path(__file__).read_text(encoding="utf-8")
    commands = {*re.findall(r"(?:`|\$ )git (?!lfs)([a-z-]+)", page)}
    assert commands
    assert [each for each in commands if f'"{each}"' not in tests] == []


def test_absent_original_of_another_model_is_not_bought_again(main: PaidSite) -> None:
    shutil.rmtree(main.originals)
    shutil.rmtree(main.folder / ".cache")
    assert main.requests_of_build(model="openai/gpt-image-1.5") == 0
    assert "the original is in git, but not in the work tree" in main.built.warnings[0]
    exact = "# Page\n\n```imagegen\nmodel: openai/gpt-image-1.5\n---\nA kettle\n```\n"
    main.write("index.md", exact)
    assert main.requests_of_build() == 1


def test_restored_files_replace_no_newer_image(main: PaidSite) -> None:
    main.write_prompts("A kettle", "A cup")
    main.requests_of_build()
    commit_all(main.folder)
    assert main.command("generate", "index.md:3", "--again").exit_code == 0
    newer = {path: path.read_bytes() for path in main.originals.glob("??/*")}
    (cup,) = (path.stem for path in newer if b'"A cup"' in path.read_bytes())
    for path in main.originals.glob(f"??/{cup}*"):
        path.unlink()
    assert main.requests_of_build() == 0
    assert len(main.built.warnings) == 1
    restore_deleted(main.folder)
    assert {path: path.read_bytes() for path in newer} == newer


@pytest.mark.parametrize("is_sparse", [True, False])
def test_nothing_is_bought_if_git_does_not_tell_what_a_sparse_checkout_lacks(
    main: PaidSite, monkeypatch: pytest.MonkeyPatch, *, is_sparse: bool
) -> None:
    if is_sparse:
        git(main.folder, "sparse-checkout", "set", "docs")
    monkeypatch.setenv("PATH", "")
    main.write_prompts("A spoon")
    assert main.requests_of_build() == (0 if is_sparse else 1)
    assert any("git is not installed" in text for text in main.built.warnings) is is_sparse
