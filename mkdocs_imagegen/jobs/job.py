"""What is wanted of the maker of images, and what becomes of it; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.layout import Layout

if TYPE_CHECKING:
    from mkdocs_imagegen.errors import ImagegenError
    from mkdocs_imagegen.imaging.image import PageImage
    from mkdocs_imagegen.originals.store import Original
    from mkdocs_imagegen.request import ImageRequest

JobKey = tuple[str, Layout, bool]
"""A request's key, the shape, and whether only the request's own original will do."""


@dataclass(frozen=True, slots=True)
class Job:
    """A image that a page shows.

    Attributes:
        key: what two pages have in common that want the same.
        request: what to ask for.
        original: the original that is there; None where there is none.
        can_generate: whether it may be made if there is none, or if what is there is broken.
        is_draft: whether it is only for the eyes of who writes the page.
    """

    key: JobKey
    request: ImageRequest
    original: Original | None
    can_generate: bool
    is_draft: bool = False

    @property
    def layout(self) -> Layout:
        """How the page shows it."""
        return self.key[1]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one image.

    Attributes:
        original: the original, if there is one now.
        image: what the page shows of it.
        is_draft: whether it is only for the eyes of who writes the page.
        made: whether it was asked for in this build, and not only fitted.
        error: why there is none.
        seconds: how long the asking took, the wait for its turn not counted.
        remarks: what is worth telling although it worked.
        alarm: what needs a person although it worked; ``""`` for nothing.
    """

    original: Original | None = None
    image: PageImage | None = None
    is_draft: bool = False
    made: bool = False
    error: ImagegenError | None = None
    seconds: float = 0.0
    remarks: tuple[str, ...] = ()
    alarm: str = ""
