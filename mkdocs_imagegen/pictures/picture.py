"""What a page shows: a file's public name, its size and where its bytes are; pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mkdocs_imagegen.originals.record import Original
from mkdocs_imagegen.values import Size

SITE_FOLDER = "assets/imagegen"
_AS_IT_IS = {"image/webp": "webp", "image/jpeg": "jpg", "image/avif": "avif"}


@dataclass(frozen=True, slots=True)
class Picture:
    """A file of the site.

    Attributes:
        name: its path below the site's root, with slashes.
        content: its bytes, or the path of the file that has them.
    """

    name: str
    content: bytes | Path


def needs_fitting(original: Original, layout: Size) -> bool:
    """Whether the original cannot be shown as it is."""
    return original.size != layout or original.mime not in _AS_IT_IS


def public_name(original: Original, layout: Size, digits: int = 16) -> str:
    """The file's path in the site: one name never serves two pictures, so caches may keep it.

    Args:
        original: the original that is shown.
        layout: the size it is fitted to.
        digits: how much of the original's hash the name carries.
    """
    ending = "webp" if needs_fitting(original, layout) else _AS_IT_IS[original.mime]
    return f"{SITE_FOLDER}/{original.sha256[:digits]}-{layout}.{ending}"
