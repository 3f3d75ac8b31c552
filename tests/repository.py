"""Real git repositories for tests."""

from __future__ import annotations

import subprocess
from itertools import count
from pathlib import Path

_IDENTITY = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder, and return its output."""
    command = ["git", *_IDENTITY, *arguments]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


_numbers = count()


def commit_all(folder: Path) -> str:
    """Commit every file of a folder, in a new repository if there is none; return the commit."""
    if not (folder / ".git").exists():
        git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", f"Change {next(_numbers)}")
    return git(folder, "rev-parse", "HEAD")


def index_of(folder: Path) -> str:
    """Return all entries of the index, with the stages of a merge."""
    return git(folder, "ls-files", "-s")
