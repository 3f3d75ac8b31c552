"""Git as the package reads it, in real repositories."""

from __future__ import annotations

from pathlib import Path

import pytest

from mkdocs_imagegen.errors import GitError
from mkdocs_imagegen.git import WorkTree, is_tracked
from tests.repository import commit_all, git

ODD = 'a "b"\n\tc ü.md'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository with three files and one commit."""
    folder = tmp_path / "clone"
    (folder / "docs").mkdir(parents=True)
    (folder / "docs/a.md").write_text("a\n" * 40)
    (folder / "docs" / ODD).write_text("odd")
    (folder / "other").write_bytes(b"\0other\r\n")
    commit_all(folder)
    return folder.resolve()


def test_work_tree_is_found_from_a_folder_in_it(folder: Path) -> None:
    assert WorkTree.open(folder / "docs").root == folder


def test_folder_outside_a_work_tree_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(GitError, match=r"not a git repository.*; run it in a clone"):
        WorkTree.open(tmp_path)


def test_missing_git_is_an_error(folder: Path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(GitError, match="git is not installed"):
        WorkTree.open(folder)


@pytest.mark.parametrize("name", ["main", "HEAD", "v1", "HEAD~0"])
def test_revision_is_a_commit(folder: Path, name: str) -> None:
    git(folder, "tag", "-a", "v1", "-m", "A tag")
    assert WorkTree.open(folder).commit(name) == git(folder, "rev-parse", "HEAD")


@pytest.mark.parametrize("name", ["absent", "--all", "-n1", "--output=x", "", "HEAD:other", "a\0b"])
def test_unknown_revision_is_an_error(folder: Path, name: str) -> None:
    with pytest.raises(GitError, match="git knows no revision"):
        WorkTree.open(folder).commit(name)
    assert sorted(path.name for path in folder.iterdir()) == [".git", "docs", "other"]


def test_unknown_revision_of_a_shallow_clone_needs_its_history(folder: Path, tmp_path) -> None:
    first = git(folder, "rev-parse", "HEAD")
    commit_all(folder)
    git(tmp_path, "clone", "-q", "--depth=1", folder.as_uri(), "shallow")
    with pytest.raises(GitError, match="fetch-depth: 0"):
        WorkTree.open(tmp_path / "shallow").commit(first)


def test_branch_leaves_a_revision_at_their_newest_common_commit(folder: Path) -> None:
    base = git(folder, "rev-parse", "HEAD")
    git(folder, "switch", "-q", "-c", "branch")
    commit_all(folder)
    git(folder, "switch", "-q", "main")
    newer = commit_all(folder)
    git(folder, "switch", "-q", "branch")
    tree = WorkTree.open(folder)
    assert tree.fork(newer) == base
    git(folder, "switch", "-q", "--orphan", "other")
    commit_all(folder)
    assert tree.fork(newer) is None


def test_blobs_of_a_commit_and_of_the_index(folder: Path) -> None:
    tree, commit = WorkTree.open(folder), git(folder, "rev-parse", "HEAD")
    (folder / "other").write_text("staged")
    (folder / "link").symlink_to("other")
    git(folder, "add", "-A")
    (folder / "other").write_text("on disk")
    before, now = tree.tree(commit, folder), tree.index(folder)
    assert (
        before.keys()
        == now.keys()
        == {folder / "docs/a.md", folder / "docs" / ODD, folder / "other"}
    )
    assert list(tree.blobs([before[folder / "other"]])) == [b"\0other\r\n"]
    assert list(tree.blobs([now[folder / "other"], now[folder / "docs" / ODD]])) == [
        b"staged",
        b"odd",
    ]
    assert tree.tree(commit, folder / "docs").keys() == now.keys() - {folder / "other"}
    assert tree.tree(commit, folder / "absent") == tree.index(folder.parent) == {}


def test_file_with_a_conflict_has_no_blob_in_the_index(folder: Path) -> None:
    git(folder, "switch", "-q", "-c", "branch")
    (folder / "other").write_text("ours")
    commit_all(folder)
    git(folder, "switch", "-q", "main")
    (folder / "other").write_text("theirs")
    commit_all(folder)
    with pytest.raises(Exception, match="merge"):
        git(folder, "merge", "branch")
    assert folder / "other" not in WorkTree.open(folder).index(folder)


def test_missing_blob_is_an_error(folder: Path) -> None:
    with pytest.raises(GitError, match="cannot read the object"):
        list(WorkTree.open(folder).blobs(["0" * 40]))


def test_changes_of_the_work_tree(folder: Path) -> None:
    commit = git(folder, "rev-parse", "HEAD")
    git(folder, "mv", "docs/a.md", "docs/b.md")
    (folder / "docs" / ODD).unlink()
    (folder / "other").write_text("edited")
    (folder / "new").touch()
    assert WorkTree.open(folder).changes(commit, folder) == {
        folder / "docs/a.md": folder / "docs/b.md",
        folder / "docs" / ODD: None,
        folder / "other": folder / "other",
    }
    assert WorkTree.open(folder).changes(commit, folder / "other").keys() == {folder / "other"}
    assert WorkTree.open(folder).changes(commit, folder.parent) == {}


def test_files_to_commit_are_not_the_ignored_ones(folder: Path) -> None:
    (folder / ".gitignore").write_text("*.log\n")
    (folder / "docs/new.log").touch()
    (folder / "docs/new.md").touch()
    (folder / "docs/staged.md").touch()
    git(folder, "add", "docs/staged.md")
    (folder / "docs/a.md").rename(folder / "docs/b.md")
    tree, docs = WorkTree.open(folder), folder / "docs"
    changed = [docs / "a.md", docs / "b.md", docs / "new.md", docs / "staged.md"]
    assert tree.uncommitted(docs) == changed
    assert tree.uncommitted(folder) == [folder / ".gitignore", *changed]
    assert tree.uncommitted(folder.parent) == []


def test_names_are_no_patterns(folder: Path) -> None:
    (folder / "*").mkdir()
    (folder / "*/x").touch()
    assert WorkTree.open(folder).uncommitted(folder / "*") == [folder / "*/x"]


def test_call_of_git_does_not_write_the_index(folder: Path) -> None:
    index = folder / ".git/index"
    (folder / "other").touch()
    before = index.stat().st_mtime_ns, index.read_bytes()
    tree = WorkTree.open(folder)
    tree.changes(tree.commit("HEAD"), folder)
    tree.uncommitted(folder)
    assert (index.stat().st_mtime_ns, index.read_bytes()) == before


def test_repository_of_the_environment_does_not_count(
    folder: Path, tmp_path: Path, monkeypatch
) -> None:
    """As in a hook of a linked work tree, or of another repository."""
    git(folder, "worktree", "add", "-q", str(tmp_path / "linked"))
    linked = (tmp_path / "linked").resolve()
    (tmp_path / "foreign").mkdir()
    commit_all(tmp_path / "foreign")
    for top, given in (
        (linked, folder / ".git/worktrees/linked"),
        (folder, tmp_path / "foreign/.git"),
    ):
        with monkeypatch.context() as patch:
            patch.setenv("GIT_DIR", str(given))
            patch.setenv("GIT_WORK_TREE", str(tmp_path))
            patch.setenv("GIT_COMMON_DIR", str(tmp_path / "foreign/.git"))
            patch.setenv("GIT_PREFIX", "docs/")
            tree = WorkTree.open(top / "docs")
            index = tree.index(top / "docs")
            assert tree.root == top
            assert index.keys() == {top / "docs/a.md", top / "docs" / ODD}
            assert list(tree.blobs([index[top / "docs" / ODD]])) == [b"odd"]
            assert is_tracked(top / "docs")


def test_index_of_the_environment_counts(folder: Path, monkeypatch) -> None:
    monkeypatch.setenv("GIT_INDEX_FILE", str(folder / ".git/another"))
    assert WorkTree.open(folder).index(folder) == {}


def test_folder_is_tracked_when_git_knows_a_file(tmp_path: Path, monkeypatch) -> None:
    assert not is_tracked(tmp_path)
    git(tmp_path, "init", "-q")
    (tmp_path / "o").mkdir()
    (tmp_path / "o/a").touch()
    assert not is_tracked(tmp_path / "o")
    git(tmp_path, "add", "o/a")
    assert is_tracked(tmp_path / "o")
    assert not is_tracked(tmp_path / "missing")
    monkeypatch.setenv("PATH", "")
    assert not is_tracked(tmp_path / "o")
