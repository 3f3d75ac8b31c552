"""The address of a file as seen from a page; pure."""

from __future__ import annotations

import posixpath
from functools import lru_cache


def relative_address(name: str, page_url: str) -> str:
    """The address of a file, relative to the page that shows it.

    Args:
        name: the file's path below the site's root.
        page_url: the page's address below the site's root, as MkDocs gives it: ``guide/``,
            ``guide/index.html``, ``""`` for the root, or absolute (``/404.html``).
    """
    start = posixpath.dirname(page_url.lstrip("/")) or "."
    folder, _, file = name.rstrip("/").rpartition("/")
    if not folder:
        return posixpath.relpath(name, start)
    way = _way(folder, start)
    return f"{way}/{file}" if way != "." else file


@lru_cache(maxsize=16)  # a page has all its images from one folder
def _way(to: str, start: str) -> str:
    return posixpath.relpath(to, start)
