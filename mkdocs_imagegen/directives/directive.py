"""The record of one directive, and of one that has a mistake."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.values import Size


@dataclass(frozen=True, slots=True)
class Source:
    """What to look for in a source file to find the line of a directive.

    Attributes:
        kind: ``fence`` or ``picture``.
        first_words: the first line of a fence's body, or the text of a picture.
        target: the address of a picture as written; ``""`` for a fence.
        title: the title of a picture; ``""`` where it has none.
    """

    kind: str
    first_words: str
    target: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Directive:
    """One picture that an author asked for.

    Attributes:
        request: what to ask for, complete.
        insists: whether the author named the model or the quality here, so that no picture by
            another model or of another quality will do.
        alt: the text for those who do not see the picture; ``""`` for decoration.
        caption: shown below the picture; ``""`` for none.
        width_px: the width on the page; None for the picture's own.
        attributes: HTML attributes that pass through, in order.
        source: how to find the line.
    """

    request: ImageRequest
    insists: bool
    alt: str
    caption: str
    width_px: int | None
    attributes: tuple[tuple[str, str], ...]
    source: Source

    @property
    def layout(self) -> Size:
        """Width and height of the picture on the page, in CSS pixels."""
        size = self.request.size
        if self.width_px is None:
            return size
        return Size(self.width_px, max(1, round(self.width_px * size.height / size.width)))


@dataclass(frozen=True, slots=True)
class Mistake:
    """A directive that cannot be read, and why."""

    text: str
    layout: Size
    source: Source


Found = Directive | Mistake
"""What stands behind a marker."""


def token(found: Found) -> str:
    """The address that stands for a picture until its own is known.

    A pure function of the directive: the same directive has the same token wherever and however
    often it is rendered. It looks like an address with a scheme, so that nothing rewrites it.
    """
    return f"imagegen:t{hashlib.sha256(repr(found).encode('utf-8', 'replace')).hexdigest()[:40]}"
