"""Reference images and masks: files of the site, and images that it generates; pure.

As written, a reference is

- a file, relative to the page like a link, or to the docs folder if it begins with ``/``;
- an image with an ID: ``#id`` on the same page, or ``page.md#id`` on another page;
- the name of a named prompt.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from mkdocs_imagegen.errors import DirectiveError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.option_parsers import TEXT, Parser, quote_value

MAX_REFERENCES = 16
"""Limit of the API: https://developers.openai.com/api/reference/resources/images/methods/edit."""

_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".svg", ".avif", ".bmp", ".tif", ".tiff")
"""Endings of files, also of unsupported formats: a name with one of them is not a prompt."""


@dataclass(frozen=True, slots=True)
class FileReference:
    """Image file in the docs folder, by its path there, with slashes."""

    path: str

    def __str__(self) -> str:
        return f"/{self.path}"


@dataclass(frozen=True, slots=True)
class ImageReference:
    """Generated image, by its ID and the source path of its page; None for an unknown page."""

    page: str | None
    id: str

    def __str__(self) -> str:
        return f"/{self.page}#{self.id}" if self.page else f"#{self.id}"


@dataclass(frozen=True, slots=True)
class PromptReference:
    """Image of a named prompt with the options that apply on a page.

    Attributes:
        page: Source path of the page; None if it is not known.
        name: Name of the prompt.
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
    type="path or name, or a list of these",
)
MASK: Parser[str] = Parser(
    "the path of a PNG file in the docs folder, or none", _mask, TEXT.schema, type="path"
)


def read_references(written: Sequence[str], page: str | None) -> tuple[Reference, ...]:
    """Return the references of an image on a page.

    Raises:
        DirectiveError: If a path is outside the docs folder.
    """
    return tuple(_reference(each, page) for each in written)


def read_mask(
    written: str | None, references: Sequence[Reference], page: str | None
) -> FileReference | None:
    """Return the file of the mask; None if the image has no mask.

    Raises:
        DirectiveError: If there is no reference image, or the path is outside the docs folder.
    """
    if written in (None, "none"):
        return None
    if not references:
        raise DirectiveError(
            f"mask {quote_value(written)} needs a reference image",
            hint="set `reference` to the image to edit, or set `mask: none`",
        )
    return FileReference(_resolve(str(written), page))


def _reference(written: str, page: str | None) -> Reference:
    path, mark, anchor = written.partition("#")
    if mark:
        return ImageReference(_resolve(path, page) if path.strip() else page, anchor.strip())
    if "/" in written or written.lower().endswith(_ENDINGS):
        return FileReference(_resolve(written, page))
    return PromptReference(page, written)


def _resolve(written: str, page: str | None) -> str:
    """Return a path in the docs folder.

    Raises:
        DirectiveError: If the path is outside the docs folder, or is a URL.
    """
    folder = "" if written.startswith("/") else posixpath.dirname(page or "")
    path = posixpath.normpath(posixpath.join(folder, written.strip().lstrip("/")))
    if path.split("/")[0] == ".." or "://" in written or "\\" in written or "\0" in written:
        raise DirectiveError(
            f"path {quote_value(written)} is outside the docs folder",
            accepted="supported: paths relative to the page, or from the docs folder with / first",
            hint="move the file into the docs folder",
        )
    return path
