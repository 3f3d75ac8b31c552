"""The record of one directive, and of one that has a mistake."""

from __future__ import annotations

import hashlib

from mkdocs_imagegen.directives.references import FileReference, Reference
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.layout import Layout, scaled
from mkdocs_imagegen.options import Size
from mkdocs_imagegen.request import ImageRequest


@dataclass(frozen=True, slots=True)
class SourceExcerpt:
    """What to look for in a source file to find the line of a directive.

    Attributes:
        kind: ``fence``, ``inline image``, or ``preview`` for the front matter.
        first_words: the first line of a fence's body, the text of an image, a preview's prompt.
        target: the address of an image as written; ``""`` for a fence.
        title: the title of an image; ``""`` where it has none.
        body: all words of a fence's body, to tell those apart that begin alike.
    """

    kind: str
    first_words: str
    target: str = ""
    title: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True)
class Directive:
    """One image that an author asked for.

    Attributes:
        request: what to ask for, complete.
        dark: the image for dark surroundings; None where there is one for both.
        is_exact: whether the author named the model or the quality here, so that no image by
            another model or of another quality will do.
        alt: the text for those who do not see the image; ``""`` for decoration.
        caption: shown below the image; ``""`` for none.
        note: says below the image that it is generated; ``""`` for nothing.
        layout: how the page shows it.
        width_px: the width on the page; None for the shape's own.
        sizes: HTML's ``sizes``; ``""`` to have it made from the width.
        attributes: HTML attributes that pass through, in order.
        source: how to find the line.
        references: what the image follows; the requests name them until their hashes are known.
        mask: says where the first of them may change; None for everywhere.
    """

    request: ImageRequest
    dark: ImageRequest | None
    is_exact: bool
    alt: str
    caption: str
    note: str
    layout: Layout
    width_px: int | None
    sizes: str
    attributes: tuple[tuple[str, str], ...]
    source: SourceExcerpt
    references: tuple[Reference, ...] = ()
    mask: FileReference | None = None

    @property
    def layout_size(self) -> Size:
        """Width and height of the image on the page, in CSS pixels."""
        size = self.layout.size
        return size if self.width_px is None else scaled(size, self.width_px)

    @property
    def requests(self) -> tuple[ImageRequest, ...]:
        """The one image, or the pair for light and dark surroundings."""
        return (self.request,) if self.dark is None else (self.request, self.dark)

    @property
    def is_complete(self) -> bool:
        """Whether everything is known that it follows."""
        return not self.references or self.request.references != tuple(map(str, self.references))


@dataclass(frozen=True, slots=True)
class InvalidDirective:
    """A directive that cannot be read, and why."""

    text: str
    layout_size: Size
    source: SourceExcerpt


ParsedDirective = Directive | InvalidDirective
"""What stands behind a marker."""


def token(found: ParsedDirective) -> str:
    """The address that stands for an image until its own is known.

    A pure function of the directive: the same directive has the same token wherever and however
    often it is rendered. It looks like an address with a scheme, so that nothing rewrites it.
    """
    return f"imagegen:t{hashlib.sha256(repr(found).encode('utf-8', 'replace')).hexdigest()[:40]}"
