"""Originals that git has and the work tree lacks, as in a sparse checkout: none is bought again."""

from __future__ import annotations

import contextlib
import os
from functools import cached_property
from pathlib import Path

from mkdocs_imagegen.errors import GitError, StoreError
from mkdocs_imagegen.originals.judge import RECORD_GLOB
from mkdocs_imagegen.originals.lock import work_tree_of
from mkdocs_imagegen.originals.record import Record, parse_record
from mkdocs_imagegen.request import ImageRequest


class AbsentOriginals:
    """Originals in the git index whose records are missing in the originals folder.

    Git is asked at first use.

    Args:
        folder: Originals folder.
        root: Folder of the configuration file.
    """

    def __init__(self, folder: Path, root: Path) -> None:
        self._folder = folder
        self._root = root

    def answer(self, request: ImageRequest, *, is_exact: bool) -> bool:
        """Return True if one of them is the original of a request, or a stale one.

        Args:
            request: Request without an original in the work tree.
            is_exact: True if the directive accepts no stale original.

        Raises:
            GitError: If the checkout is sparse, so that files are missing, and git does not answer.
        """
        keys = (request.key, *request.subject_keys)  # an imported file has the subject key
        if not self._records:
            return False
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
