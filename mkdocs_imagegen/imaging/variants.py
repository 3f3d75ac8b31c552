"""The sizes and formats in which a page shows an original; pure.

A plan needs no decoded image: it names all files of an image and their keys in the variant cache,
so a build that finds all of them touches no pixel.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.machinery import PathFinder
from importlib.metadata import version
from importlib.util import find_spec
from itertools import chain

from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.imaging.image import SITE_FOLDER, ImageSource, PageImage
from mkdocs_imagegen.option_parsers import SKETCH_MODEL, Size
from mkdocs_imagegen.originals.record import Record
from mkdocs_imagegen.page_layout import CENTER, Focus, Layout, scale_to_width
from mkdocs_imagegen.settings import VariantSettings

_ENDINGS = {"avif": "avif", "webp": "webp", "jpeg": "jpg", "png": "png"}
_RULES = 4
"""Version of the encoding rules; a change of the rules must raise it to give variants new keys."""

_WIDTHS_OF_UNKNOWN_THEME = (480, 960)
_WIDE_PX = 2048
_WIDTHS_OF_WIDE = (480, 960, 1920)
"""Those of an image that is more than 1.5 times as wide as a column needs at a ratio of 2."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """Format, quality from 1 to 100 and, for AVIF, speed of the encoder."""

    format: str
    quality: int
    speed: int = 0


@dataclass(frozen=True, slots=True)
class Variant:
    """One file derived from an original.

    Attributes:
        size: Size in pixels; another aspect ratio than the original's is cropped around the focus.
        encoding: Format and quality.
        focus: Point that stays in view.
        source_type: Word of IPTC's list of digital source types that is written into the file,
            like ``trainedAlgorithmicMedia``; ``""`` writes no metadata.
    """

    size: Size
    encoding: Encoding
    focus: Focus = CENTER
    source_type: str = ""

    def key(self, original_sha256: str) -> str:
        """Return 64 hex digits that change with everything that changes the bytes of the file."""
        encoding = self.encoding
        text = (
            f"{original_sha256} {_RULES} {_encoder()} {self.size} {encoding.format} "
            f"{encoding.quality} {encoding.speed} {self.focus} {self.source_type}"
        )
        return hashlib.sha256(text.encode()).hexdigest()

    def name(self, original_sha256: str, key: str) -> str:
        """Return the path of the file in the site.

        A name never stands for two contents, so HTTP caches may keep the file forever.
        """
        ending = _ENDINGS[self.encoding.format]
        return f"{SITE_FOLDER}/{original_sha256[:16]}-{self.size.width}.{key[:8]}.{ending}"


@dataclass(frozen=True, slots=True)
class VariantPlan:
    """All files of one image on a page.

    Attributes:
        record: Record of the original.
        size: Size of the largest file, never larger than the original.
        variants: Variants by format, the best format first, each from narrow to wide.
        files: Path in the site by key, for all variants in this order.
        focus: Point that stays in view when the original is cropped.
        has_blur: True if a few blurred pixels are shown while the image loads.
    """

    record: Record
    size: Size
    variants: tuple[tuple[Variant, ...], ...]
    files: Mapping[str, str]
    focus: Focus
    has_blur: bool

    @property
    def key(self) -> str:
        """64 hex digits that change with everything that changes one of its files or the blur."""
        text = "".join((*self.files, self.blur_key if self.has_blur else ""))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def blur_key(self) -> str:
        """64 hex digits that change with everything that changes the blurred pixels."""
        text = f"{self.record.sha256} {_RULES} {_encoder()} blur {self.size} {self.focus}"
        return hashlib.sha256(text.encode()).hexdigest()


def plan_variants(
    record: Record,
    layout: Layout,
    settings: VariantSettings,
    provenance: str,
    theme_widths: Sequence[int] = (),
) -> VariantPlan:
    """Plan the files in which a page shows an original.

    Args:
        record: Record of the original.
        layout: Size, widths and focus on the page.
        settings: Widths, formats and qualities of the site.
        provenance: ``keep`` or ``strip``.
        theme_widths: Widths that fit the content columns of the theme; empty if they are unknown.
    """
    size = _largest(record.size, layout.size)
    requested = settings.widths or auto_widths(size.width, theme_widths)
    widths = variant_widths(requested if layout.widths is None else layout.widths, size.width)
    source_type = _source_type(record) if provenance == "keep" else ""
    encodings = _encodings(record, layout, settings)
    variants = _variants(size, widths, encodings, layout.focus, source_type)
    files = {}
    for variant in chain.from_iterable(variants):
        key = variant.key(record.sha256)
        files[key] = variant.name(record.sha256, key)
    is_blurred = settings.blur and not record.has_alpha and not layout.is_card
    has_blur = is_blurred and _has_encoder("webp")
    return VariantPlan(record, size, variants, files, layout.focus, has_blur)


def image_of_original(record: Record, layout: Layout) -> PageImage:
    """Return an image of which the page shows the original itself, cropped by its style sheet."""
    ending = _ENDINGS[record.mime.removeprefix("image/")]
    name = f"{SITE_FOLDER}/{record.sha256[:16]}-original.{ending}"
    source = ImageSource(record.mime, ((name, record.size.width),))
    size, focus = layout.size, layout.focus
    has_its_shape = scale_to_width(record.size, size.width) == size
    crop = f"aspect-ratio:{size.width}/{size.height};object-fit:cover;"
    crop += f"object-position:{focus.left}% {focus.top}%"
    return PageImage((source,), record.size, crop="" if has_its_shape else crop)


@lru_cache  # the images of a site share a few sizes
def _variants(
    size: Size,
    widths: tuple[int, ...],
    encodings: tuple[Encoding, ...],
    focus: Focus,
    source_type: str,
) -> tuple[tuple[Variant, ...], ...]:
    return tuple(
        tuple(
            Variant(scale_to_width(size, width), encoding, focus, source_type) for width in widths
        )
        for encoding in encodings
    )


def auto_widths(largest: int, theme_widths: Sequence[int]) -> tuple[int, ...]:
    """Return the widths of the smaller files, if neither the site nor the image sets them.

    A file that is hardly smaller than the image itself is left out.

    Args:
        largest: Width of the image itself.
        theme_widths: Widths that fit the content columns of the theme; empty if they are unknown.
    """
    if not theme_widths:
        return _WIDTHS_OF_UNKNOWN_THEME
    widths = theme_widths if largest <= _WIDE_PX else _WIDTHS_OF_WIDE
    return tuple(each for each in widths if each * 10 <= largest * 9)


def variant_widths(requested: Sequence[int], largest: int) -> tuple[int, ...]:
    """Return the widths of the files, ascending, up to the width of the image itself."""
    return (*sorted({width for width in requested if width < largest}), largest)


def _largest(original: Size, requested: Size) -> Size:
    """Return the requested size, or the largest of its aspect ratio within the original."""
    fitting = original.height * requested.width // requested.height
    width = min(requested.width, original.width, fitting)
    size = scale_to_width(requested, max(1, width))
    return Size(size.width, min(size.height, original.height))


def _encodings(record: Record, layout: Layout, settings: VariantSettings) -> tuple[Encoding, ...]:
    if layout.is_card:
        return (Encoding("jpeg", settings.quality.jpeg),)
    with_alpha = "webp" if _has_encoder("webp") else "png"
    fallback = with_alpha if record.has_alpha else "jpeg"
    automatic = ("avif", fallback) if _has_encoder("avif") else (fallback,)
    speed = {"fastest": 9, "fast": 8, "small": 6}[settings.effort]
    return tuple(
        Encoding(name, settings.quality.of(name), speed if name == "avif" else 0)
        for name in settings.formats or automatic
    )


def _source_type(record: Record) -> str:
    if record.is_import:
        return ""  # a photograph, perhaps
    is_sketch = record.model == SKETCH_MODEL
    return "algorithmicMedia" if is_sketch else "trainedAlgorithmicMedia"


@lru_cache
def _has_encoder(name: str) -> bool:
    # Pillow can be built without some. Looking for the file imports no part of Pillow.
    module = f"PIL._{name}"
    if module in sys.modules:
        return sys.modules[module] is not None
    package = find_spec("PIL")
    folders = package.submodule_search_locations or [] if package else []
    return PathFinder.find_spec(module, folders) is not None


@lru_cache
def _encoder() -> str:
    # Pillow's wheels contain every encoder, so its version stands for theirs. Read from the
    # metadata of the package, since importing it takes 60 ms.
    return version("pillow")
