"""The files of a built site that are no pages: feeds, indexes, print pages."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from mkdocs_imagegen.directives.marker import ADDRESS_START
from mkdocs_imagegen.pipeline.previews import Previews

_PAGES = frozenset({".html", ".htm"})
_TEXT_FILES = _PAGES | {".xml", ".json", ".txt", ".md", ".js", ".mjs", ".rss", ".atom", ".csv"}
_TEXT_FILES |= {".svg", ".webmanifest"}
_TOKEN_BYTES = ADDRESS_START.encode()


def fill_files(previews: Previews, site: Path, site_url: str) -> None:
    """Fill in every text file of the site that still holds a token, whoever wrote it.

    Args:
        previews: of the build, after its join.
        site: the folder of the built site.
        site_url: where the site will be, for files that are read elsewhere.
    """
    for path in map(Path, _text_files(str(site))):
        content = path.read_bytes()
        if _TOKEN_BYTES not in content:
            continue
        text = content.decode("utf-8", "surrogateescape")
        url = path.relative_to(site).as_posix()
        if path.suffix.lower() in _PAGES:
            text = previews.finish_page(previews.fill_page(text, url))
        else:
            text = previews.pipeline.fill_text(text, lambda name: f"{site_url}{name}")
        path.write_bytes(text.encode("utf-8", "surrogateescape"))


def _text_files(folder: str) -> Iterator[str]:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _text_files(entry.path)
            elif os.path.splitext(entry.name)[1].lower() in _TEXT_FILES and entry.is_file():  # noqa: PTH122 - of each file of the site
                yield entry.path
