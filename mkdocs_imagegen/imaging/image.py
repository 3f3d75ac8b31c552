"""An image as a page shows it: paths of its files and its size; pure."""

from __future__ import annotations

from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.option_parsers import Size

SITE_FOLDER = "assets/imagegen"
"""Folder of the plugin's files below the root of the site."""

MARKER = ".imagegen.json"
"""File in that folder of the docs folder, if the front door for Zensical has created it."""

THUMBNAIL_PX = 320
"""Default length of a thumbnail's longer side, in pixels."""

LARGE_PX = 960
"""Length of the longer side of an image that is shown to be judged, in pixels."""


@dataclass(frozen=True, slots=True)
class ImageSource:
    """Files of one format, as in an HTML ``<source>`` element.

    Attributes:
        mime: MIME type of the files.
        files: Path below the site's root, with slashes, and width in pixels; narrow to wide.
    """

    mime: str
    files: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class PageImage:
    """An image as a page shows it.

    Attributes:
        sources: Files by format, the best format first; every browser can read the last one.
        size: Size of the largest file, in pixels.
        blur: The ``data:`` URL of a few blurred pixels; ``""`` if there is no blur.
        crop: CSS declarations that crop the files to the layout; ``""`` if they are cropped.
    """

    sources: tuple[ImageSource, ...]
    size: Size
    blur: str = ""
    crop: str = ""

    @property
    def name(self) -> str:
        """Path of the largest file that every browser can read."""
        return self.sources[-1].files[-1][0]


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small image that is part of a page.

    Attributes:
        url: The ``data:`` URL with all bytes of the image.
        size: Width and height in pixels.
    """

    url: str
    size: Size
