"""Originals that git has and the work tree lacks, as in a sparse checkout."""

from __future__ import annotations

import contextlib
import os
from functools import cached_property
from pathlib import Path

from mkdocs_imagegen.errors import GitError, NotCheckedOutError, StoreError
from mkdocs_imagegen.originals.judge import RECORD_GLOB
from mkdocs_imagegen.originals.lock import work_tree_of
from mkdocs_imagegen.originals.record import Record, parse_record
from mkdocs_imagegen.request import ImageRequest

_FAULT = "the original is in git, but not in the work tree"
_HINT = (  # which replaces no file
    "run `git ls-files -d {0} | git checkout-index --stdin`, or in a sparse checkout "
    "`git sparse-checkout add {0}`"
)


class AbsentOriginals:
    """Originals in the git index whose records are missing in the originals folder.

    They are not charged again. Git is asked at first use.

    Args:
        folder: Originals folder.
        root: Folder of the configuration file.
        name: Originals folder as in the configuration, for messages.
    """

    def __init__(self, folder: Path, root: Path, name: str) -> None:
        self._hint = _HINT.format(name)
        self._folder = folder
        self._root = root

    def obstacle(self, request: ImageRequest, *, is_exact: bool) -> NotCheckedOutError | None:
        """Return an error if one of them is the original of a request, or a stale one.

        Args:
            request: Request without an original in the work tree.
            is_exact: True if the directive accepts no stale original.

        Raises:
            GitError: If the checkout is sparse, so that files are missing, and git does not answer.
        """
        is_known = self._records and self._answer(request, is_exact=is_exact)
        return NotCheckedOutError(_FAULT, hint=self._hint) if is_known else None

    def _answer(self, request: ImageRequest, *, is_exact: bool) -> bool:
        keys = (request.key, *request.subject_keys)  # an imported file has the subject key
        if not self._records.keys().isdisjoint(keys):
            return True
        same = (each for each in self._records.values() if each and each.subject in keys)
        return any(each.answers(request) or not is_exact for each in same)

    @cached_property
    def _records(self) -> dict[str, Record | None]:
        """Record by cache key; None if it is invalid."""
        tree = work_tree_of(self._folder, self._root)
        if tree is None:
            return {}
        try:
            tracked = tree.index(self._folder)
        except GitError:
            # Such as in a container without git, where a full checkout is the rule.
            if (tree.root / ".git/info/sparse-checkout").exists():
                raise
            return {}
        lost = {
            path: blob
            for path, blob in tracked.items()
            if path.match(RECORD_GLOB) and not os.path.lexists(path)
        }
        found: dict[str, Record | None] = dict.fromkeys(path.stem for path in lost)
        with contextlib.suppress(GitError):  # a blob that is missing, too; the key suffices
            for path, content in zip(lost, tree.blobs(lost.values()), strict=True):
                with contextlib.suppress(ValueError, StoreError):
                    found[path.stem] = parse_record(content, path.stem)
        return found
