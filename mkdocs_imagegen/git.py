"""Git, as a reader of history: the only module that runs it.

- `WorkTree.open`: the work tree that a folder is in.
- `commit`: the id of a revision; `fork`: the commit at which a branch left a revision.
- `tree` and `index`: the blobs of a commit or of the index below a folder, by path.
- `has_submodule`: True if a folder is in a submodule.
- `blobs`: the content of blobs, one after the other.
- `changes`: the files that differ between a commit and the work tree.
- `uncommitted`: the files to commit, without the ignored ones; `untracked`: those not in the index.
- `lfs_object`: the path of a file that Git LFS has fetched.
- `is_tracked`: True if git tracks a file in a folder.

A revision can come from a pull request, so it follows ``--end-of-options``, and no shell runs. No
call writes, also not the index. Git finds the repository from the folder: the variables by which a
hook of a linked work tree names one would make each folder a top folder.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, cast

from mkdocs_imagegen.errors import GitError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.option_parsers import quote_value

_TIMEOUT_S = 120
_MAX_QUOTED = 120
_ENVIRONMENT = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
_LEFT_OUT = {"GIT_DIR", "GIT_WORK_TREE", "GIT_PREFIX", "GIT_COMMON_DIR"}
_BLOB = re.compile(rb"100[0-7]{3} (?:blob )?([0-9a-f]+)(?: 0)?\t(.+)", re.DOTALL)
"""Line of ``ls-tree -r``, or of ``ls-files -s``, which names the stage: 0 without a conflict."""
_IN_FULL = "in CI, fetch the whole history, as with `fetch-depth: 0` of actions/checkout"


@dataclass(frozen=True, slots=True)
class WorkTree:
    """A git work tree.

    Attributes:
        root: Its top folder, without links.
    """

    root: Path

    @classmethod
    def open(cls, folder: Path) -> WorkTree:
        """Return the work tree that a folder is in.

        Raises:
            GitError: If there is none, or git is not installed.
        """
        root = _run(folder, "rev-parse", "--show-toplevel").rstrip(b"\n")
        if not root:
            raise GitError(f"{folder} is not in a git work tree", hint="change to a clone")
        return cls(Path(os.fsdecode(root)).resolve())

    def commit(self, revision: str) -> str:
        """Return the id of the commit that a revision names.

        Raises:
            GitError: If there is no such commit.
        """
        named = f"{revision}^{{commit}}"
        with contextlib.suppress(GitError, ValueError):  # such as a null character
            found = self._git("rev-parse", "--verify", "--quiet", "--end-of-options", named)
            return found.decode().strip()
        hint = _IN_FULL if self.is_shallow else "fetch it, or name a branch, a tag or a commit"
        raise GitError(f"git knows no revision {quote_value(revision)}", hint=hint)

    def fork(self, commit: str) -> str | None:
        """Return the newest common ancestor of a commit and the current one; None without one."""
        with contextlib.suppress(GitError):
            return self._git("merge-base", commit, "HEAD").decode().strip()
        return None

    @property
    def is_shallow(self) -> bool:
        """True if the clone has only a part of the history."""
        return self._git("rev-parse", "--is-shallow-repository").strip() == b"true"

    def tree(self, commit: str, folder: Path) -> dict[Path, str]:
        """Return the blobs of a commit below a folder: their ids by absolute path.

        Links and submodules are left out.
        """
        return self._blobs_in(["ls-tree", "-r", "-z", "--full-tree", commit], folder)

    def index(self, folder: Path) -> dict[Path, str]:
        """Return the blobs of the index below a folder: their ids by absolute path.

        Links, submodules and files with an unresolved conflict are left out.
        """
        return self._blobs_in(["ls-files", "-s", "-z"], folder)

    def has_submodule(self, folder: Path) -> bool:
        """Return True if a folder is a submodule, or in one."""
        home = folder.resolve()
        folders = (each for each in (home, *home.parents) if self.root in each.parents)
        names = [self._name(each) for each in folders]
        lines = self._git("ls-files", "-s", "-z", "--", *names).split(b"\0") if names else []
        links = [line.partition(b"\t")[2] for line in lines if line.startswith(b"160000 ")]
        return not set(map(os.fsencode, names)).isdisjoint(links)

    def blobs(self, ids: Iterable[str]) -> Iterator[bytes]:
        """Yield the content of each blob.

        Raises:
            GitError: If a blob is missing.
        """
        command = _command(self.root, "cat-file", "--batch")
        with subprocess.Popen(  # noqa: S603 - no shell
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
        ) as process:
            asked, told = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
            for each in ids:
                asked.write(f"{each}\n".encode())
                asked.flush()
                head = told.readline().split()
                if len(head) != 3:  # noqa: PLR2004 - id, type and size
                    raise GitError(f"git cannot read the object {each}", hint=_IN_FULL)
                yield told.read(int(head[2]) + 1)[:-1]

    def changes(self, commit: str, folder: Path) -> dict[Path, Path | None]:
        """Return the files of a commit below a folder that the work tree changed or moved.

        Returns:
            The path now by the path in the commit; None for a deleted file.
        """
        options = ("--name-status", "-z", "--no-ext-diff", "--find-renames", "--diff-filter=MRDT")
        fields = iter(self._names(["diff", *options, commit], folder))
        found: dict[Path, Path | None] = {}
        for kind in fields:
            old = self._path(next(fields))
            new = self._path(next(fields)) if kind.startswith(b"R") else old
            found[old] = None if kind == b"D" else new
        return found

    def uncommitted(self, folder: Path) -> list[Path]:
        """Return the files below a folder to commit: new, changed and deleted ones, sorted."""
        options = ("--porcelain", "-z", "--untracked-files=all", "--no-renames")
        lines = self._names(["status", *options], folder)
        return sorted(self._path(line[len("XY ") :]) for line in lines)

    def untracked(self, folder: Path) -> list[Path]:
        """Return the files below a folder that git neither tracks nor ignores, sorted."""
        options = ("--others", "--exclude-standard", "--full-name", "-z")
        return sorted(map(self._path, self._names(["ls-files", *options], folder)))

    def lfs_object(self, sha256: str) -> Path:
        """Return the path of a file that Git LFS has fetched, also if it has not."""
        common = os.fsdecode(self._git("rev-parse", "--git-common-dir").rstrip(b"\n"))
        return self.root / common / "lfs/objects" / sha256[:2] / sha256[2:4] / sha256

    def _blobs_in(self, command: Sequence[str], folder: Path) -> dict[Path, str]:
        matches = map(_BLOB.fullmatch, self._names(command, folder))
        return {self._path(found[2]): found[1].decode() for found in matches if found}

    def _names(self, command: Sequence[str], folder: Path) -> list[bytes]:
        if not folder.resolve().is_relative_to(self.root):
            return []
        return self._git(*command, "--", self._name(folder)).split(b"\0")[:-1]

    def _name(self, path: Path) -> str:
        """Return a path below the root, as a path and not as a pattern."""
        return path.resolve().relative_to(self.root).as_posix()

    def _path(self, name: bytes) -> Path:
        return self.root / os.fsdecode(name)

    def _git(self, *arguments: str) -> bytes:
        return _run(self.root, *arguments)


def is_tracked(folder: Path) -> bool:
    """Return True if git tracks a file in a folder; False if that is unknown."""
    try:
        return bool(_run(folder, "ls-files", "--", "."))
    except GitError:
        return False


def _command(folder: Path, *arguments: str) -> list[str]:
    # Without the option, `git diff` writes the index if a file has a new time and its old content.
    options = ("--literal-pathspecs", "-c", "diff.autoRefreshIndex=false")
    return ["git", *options, "-C", str(folder), *arguments]


def _environment() -> dict[str, str]:
    # A hook also sets GIT_INDEX_FILE, which names the index of the commit.
    inherited = {name: text for name, text in os.environ.items() if name not in _LEFT_OUT}
    return inherited | _ENVIRONMENT


def _run(folder: Path, *arguments: str) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 - no shell
            _command(folder, *arguments),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
            env=_environment(),
        )
    except OSError:
        raise GitError("git is not installed", hint="install it") from None
    except subprocess.TimeoutExpired:
        raise GitError(f"git did not answer in {_TIMEOUT_S} s") from None
    if done.returncode:
        text = " ".join(done.stderr.decode("utf-8", "replace").split())
        raise GitError(f"git failed in {folder} ({text[:_MAX_QUOTED]})", hint=_hint(text))
    return done.stdout


def _hint(text: str) -> str | None:
    if "dubious ownership" in text:
        return "run `git config --global --add safe.directory FOLDER`"
    return "run it in a clone of the repository" if "not a git repository" in text else None
