"""What a page says of an image: the addresses of its files; pure."""

from __future__ import annotations

from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.options import Size

SITE_FOLDER = "assets/imagegen"
"""Where files of ours lie, below the site's root."""


@dataclass(frozen=True, slots=True)
class ImageSource:
    """The files of one format.

    Attributes:
        mime: their type.
        files: path below the site's root, with slashes, and width in pixels; narrow to wide.
    """

    mime: str
    files: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class PageImage:
    """A image as a page shows it.

    Attributes:
        sources: its files by format, the best format first; the last is what every browser reads.
        size: of the largest file, in pixels.
        blur: a data address of a few blurred pixels; ``""`` for none.
    """

    sources: tuple[ImageSource, ...]
    size: Size
    blur: str = ""

    @property
    def name(self) -> str:
        """The path of the largest file that every browser reads."""
        return self.sources[-1].files[-1][0]


THUMBNAIL_PX = 320
"""Default length of a thumbnail's longer side, in pixels."""


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small image that is part of a page.

    Attributes:
        url: The ``data:`` URL with all bytes of the image.
        size: The width and height in pixels.
    """

    url: str
    size: Size
