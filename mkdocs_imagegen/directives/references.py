"""What an image may follow: files of the site, and images that it asks for itself; pure.

As written, a reference is

- a file, relative to the page like a link, or to the docs folder where it begins with ``/``;
- an image with an id, ``#id`` on the same page or ``page.md#id`` on another one;
- the name of a named prompt.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from mkdocs_imagegen.errors import DirectiveError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.options import TEXT, Parser, quote_value

MAX_REFERENCES = 16
"""As many as the gateway takes (fact sheet "gateway protocol", section 1.4)."""

_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".svg", ".avif", ".bmp", ".tif", ".tiff")
"""Of files, also of those that nothing can follow: what ends in them is no name of a prompt."""


@dataclass(frozen=True, slots=True)
class FileReference:
    """A image in the docs folder, by its path below it, with slashes."""

    path: str

    def __str__(self) -> str:
        return f"/{self.path}"


@dataclass(frozen=True, slots=True)
class ImageReference:
    """A image of ours, by its id and the source of its page; None for a page without one."""

    page: str | None
    id: str

    def __str__(self) -> str:
        return f"/{self.page}#{self.id}" if self.page else f"#{self.id}"


@dataclass(frozen=True, slots=True)
class PromptReference:
    """The image of a named prompt, as a page would show it that says nothing more.

    Attributes:
        page: the source of that page; None where it is not known.
        name: the prompt's name.
    """

    page: str | None
    name: str

    def __str__(self) -> str:
        return self.name


Reference = FileReference | ImageReference | PromptReference


def _references(value: object) -> tuple[str, ...] | None:
    listed = value if isinstance(value, list) else (TEXT(value)).split(",")
    names = tuple(" ".join(TEXT(each).split()) for each in listed)
    if names == ("none",):
        return ()
    return names if all(names) and 0 < len(names) <= MAX_REFERENCES else None


def _mask(value: object) -> str | None:
    return " ".join(TEXT(value).split()) or None


REFERENCES: Parser[tuple[str, ...]] = Parser(
    f"up to {MAX_REFERENCES}, separated by commas: paths of PNG, JPEG or WebP files in the docs "
    "folder; `#id` or `page.md#id` of another image; names from `prompts:`",
    _references,
    {"anyOf": [TEXT.schema, {"type": "array", "items": TEXT.schema, "maxItems": MAX_REFERENCES}]},
)
MASK: Parser[str] = Parser("the path of a PNG file in the docs folder, or none", _mask, TEXT.schema)


def read_references(written: Sequence[str], page: str | None) -> tuple[Reference, ...]:
    """What was written, as seen from a page.

    Raises:
        DirectiveError: a path leads out of the docs folder.
    """
    return tuple(_reference(each, page) for each in written)


def read_mask(
    written: str | None, references: Sequence[Reference], page: str | None
) -> FileReference | None:
    """The mask's file; None for no mask.

    Raises:
        DirectiveError: there is nothing that it could belong to, or it is no file of the site.
    """
    if written in (None, "none"):
        return None
    if not references:
        raise DirectiveError(
            f"there is a mask, {quote_value(written)}, and no reference that it could belong to",
            hint="name the image that is to be changed with `reference`, or say `mask: none`",
        )
    return FileReference(_rooted(str(written), page))


def _reference(written: str, page: str | None) -> Reference:
    path, mark, anchor = written.partition("#")
    if mark:
        return ImageReference(_rooted(path, page) if path.strip() else page, anchor.strip())
    if "/" in written or written.lower().endswith(_ENDINGS):
        return FileReference(_rooted(written, page))
    return PromptReference(page, written)


def _rooted(written: str, page: str | None) -> str:
    """A path below the docs folder.

    Raises:
        DirectiveError: it leads out of that folder, or is an address.
    """
    folder = "" if written.startswith("/") else posixpath.dirname(page or "")
    path = posixpath.normpath(posixpath.join(folder, written.strip().lstrip("/")))
    if path.split("/")[0] == ".." or "://" in written or "\\" in written or "\0" in written:
        raise DirectiveError(
            f"{quote_value(written)} leads out of the docs folder",
            accepted="paths relative to the page, or to the docs folder with a / at the beginning",
            hint="put the file below the docs folder",
        )
    return path
