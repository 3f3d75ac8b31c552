"""The layout of a site's theme, with the style sheets that the site adds to it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from itertools import chain
from pathlib import Path

from mkdocs_imagegen.pages.columns import Theme, theme_named

_MAX_STYLE_CHARS = 2**20
_URL = re.compile(r"(?:[a-z][a-z\d+.-]*:)?//", re.IGNORECASE)
_HARMLESS = {"assets/_mkdocstrings.css", "css/timeago.css", "termynal.css"}
"""Style sheets that plugins write after the pages, and that leave layout and images alone:
mkdocstrings-python, git-revision-date-localized and termynal."""


def theme_of(  # noqa: PLR0913 - the parts that a site names
    name: str,
    features: Collection[str],
    docs: Path,
    style_sheets: Iterable[object],
    folder: Path | None,
    *,
    follows_palette: bool,
) -> Theme:
    """Return the layout of a theme.

    Args:
        name: Name of the theme.
        features: Features of Material for MkDocs that the site uses.
        docs: Docs folder.
        style_sheets: Addresses of the style sheets that the site adds.
        folder: Folder with files of the theme; None if the site has none.
        follows_palette: True if the theme hides images by the color scheme.
    """
    added = read_style_sheets(docs, style_sheets, folder)
    return theme_named(name, features, added, follows_palette=follows_palette)


def read_style_sheets(docs: Path, names: Iterable[object], folder: Path | None) -> Iterator[str]:
    """Yield the style sheets that a site adds to its theme, and templates, which can contain some.

    One that cannot be read, as from a plugin, is an ``@import``: its rules are not known.

    Args:
        docs: Docs folder.
        names: Addresses of style sheets in it; those of other servers are left out.
        folder: Folder with files of the theme; None if the site has none.
    """
    own = {
        re.split("[?#]", each)[0].lstrip("/") for each in map(str, names) if not _URL.match(each)
    }
    added = folder.rglob("*") if folder else ()
    paths = (each for each in added if each.suffix in {".css", ".html"} and each.is_file())
    for path in chain((docs / each for each in sorted(own - _HARMLESS)), sorted(paths)):
        try:
            with path.open(encoding="utf-8", errors="replace") as file:
                yield file.read(_MAX_STYLE_CHARS)
        except (OSError, ValueError):
            yield "@import"
