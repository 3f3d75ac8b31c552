"""Git repositories for tests, with sites whose images are charged."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

_IDENTITY = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")


def git(folder: Path, *arguments: str, check: bool = True) -> str:
    """Run git in a folder, without the settings of the user, and return its output."""
    done = subprocess.run(
        ["git", *_IDENTITY, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": str(folder), "LC_ALL": "C"},
    )
    if check and done.returncode:
        pytest.fail(f"git {arguments}: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def commit_all(folder: Path, text: str = "Change") -> None:
    """Commit all files of a repository, which is created if there is none."""
    if not (folder / ".git").exists():
        git(folder, "init", "-q", "-b", "main")
        (folder / ".gitignore").write_text(".cache/\nsite/\nreport.json\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", text)


def index_of(folder: Path) -> str:
    """Return all entries of the index."""
    return git(folder, "ls-files", "-s")
