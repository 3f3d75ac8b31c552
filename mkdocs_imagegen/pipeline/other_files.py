"""Other files that a build writes: its report, and text files of the site with tokens of images.

The latter are feeds, search indexes and print pages.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from mkdocs_imagegen.directives.marker import ADDRESS_START
from mkdocs_imagegen.files import write_atomic
from mkdocs_imagegen.log import log
from mkdocs_imagegen.report import is_report

_PAGE_ENDINGS = frozenset({"html", "htm"})
_TEXT_ENDINGS = _PAGE_ENDINGS | {"xml", "json", "txt", "md", "js", "mjs", "rss", "atom", "csv"}
_TEXT_ENDINGS |= {"svg", "webmanifest"}
_TOKEN_BYTES = ADDRESS_START.encode()


def files_with_tokens(site: Path) -> Iterator[tuple[Path, str]]:
    """Yield each text file of a built site that has a token, and its text.

    Args:
        site: Folder of the built site.
    """
    for path in map(Path, _text_files(str(site))):
        content = path.read_bytes()
        if _TOKEN_BYTES in content:
            yield path, content.decode("utf-8", "surrogateescape")


def is_page(path: Path) -> bool:
    """Return True if a file of the site is an HTML page."""
    return path.suffix[1:].lower() in _PAGE_ENDINGS


def write_text(path: Path, text: str) -> None:
    """Write the text of a file; bytes that are not UTF-8 stay as they were."""
    path.write_bytes(text.encode("utf-8", "surrogateescape"))


def write_report(path: Path, report: bytes) -> None:
    """Write the report of a build; a file that is no report is kept, with a warning."""
    try:
        if path.exists() and not is_report(path.read_bytes()):
            hint = "it exists and is no report; delete it, or set `report` to another file"
            log.warning("the report is not written to %s: %s", path, hint)
        else:
            write_atomic(path, report)
    except OSError as error:
        log.warning("cannot write the report to %s: %s", path, error.strerror)


def _text_files(folder: str) -> Iterator[str]:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _text_files(entry.path)
            elif _is_text(entry.name) and entry.is_file():
                yield entry.path


def _is_text(name: str) -> bool:
    # Not through a `Path`: a large site has tens of thousands of files.
    stem, _, ending = name.rpartition(".")
    return bool(stem) and ending.lower() in _TEXT_ENDINGS
