"""The sizes and formats in which a page shows an original; pure.

What is planned here is known without decoding anything: the names of all files, what each holds,
and the key under which it is kept, so that a build in which all is there touches no pixel.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.metadata import version
from itertools import chain

from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.imaging.image import SITE_FOLDER
from mkdocs_imagegen.layout import CENTER, Focus, Layout, scaled
from mkdocs_imagegen.options import SKETCH_MODEL, Size
from mkdocs_imagegen.originals.record import Record
from mkdocs_imagegen.settings import VariantSettings

MIMES = {"avif": "image/avif", "webp": "image/webp", "jpeg": "image/jpeg", "png": "image/png"}
_ENDINGS = {"avif": "avif", "webp": "webp", "jpeg": "jpg", "png": "png"}
_RULES = 3
"""Raised when the same variant is made in another way, so that nothing old is taken for it."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a format is written: its quality from 1 to 100, and the encoder's speed for AVIF."""

    format: str
    quality: int
    speed: int = 0


@dataclass(frozen=True, slots=True)
class Variant:
    """One file made of an original.

    Attributes:
        size: in pixels; another shape than the original's is cut out around the focus.
        encoding: its format and quality.
        focus: what stays in view.
        source_type: what it says of where it comes from, a word of IPTC's list of digital source
            types, like ``trainedAlgorithmicMedia``; ``""`` for nothing.
    """

    size: Size
    encoding: Encoding
    focus: Focus = CENTER
    source_type: str = ""

    def key(self, original_sha256: str) -> str:
        """64 hex digits that change with everything that changes the file's bytes."""
        encoding = self.encoding
        said = (
            f"{original_sha256} {_RULES} {_encoder()} {self.size} {encoding.format} "
            f"{encoding.quality} {encoding.speed} {self.focus} {self.source_type}"
        )
        return hashlib.sha256(said.encode()).hexdigest()

    def name(self, original_sha256: str, key: str) -> str:
        """The file's path in the site: one name never serves two files, so caches may keep it."""
        ending = _ENDINGS[self.encoding.format]
        return f"{SITE_FOLDER}/{original_sha256[:16]}-{self.size.width}.{key[:8]}.{ending}"


@dataclass(frozen=True, slots=True)
class VariantPlan:
    """All files of one image on a page.

    Attributes:
        record: what they are made of.
        size: the largest of them, which is never larger than the original.
        variants: the files by format, the best format first, each from narrow to wide.
        files: the keys of all variants in this order, and where in the site each has its file.
        focus: what a cut keeps in view.
        has_blur: whether a few blurred pixels stand in its place until it has come.
    """

    record: Record
    size: Size
    variants: tuple[tuple[Variant, ...], ...]
    files: Mapping[str, str]
    focus: Focus
    has_blur: bool

    @property
    def key(self) -> str:
        """64 hex digits that change with everything that changes one of its files, or the blur."""
        said = "".join((*self.files, self.blur_key if self.has_blur else ""))
        return hashlib.sha256(said.encode()).hexdigest()

    @property
    def blur_key(self) -> str:
        """64 hex digits that change with everything that changes the blurred pixels."""
        said = f"{self.record.sha256} {_RULES} {_encoder()} blur {self.size} {self.focus}"
        return hashlib.sha256(said.encode()).hexdigest()


def plan_variants(
    record: Record, layout: Layout, settings: VariantSettings, provenance: str
) -> VariantPlan:
    """The files in which a page shows an original.

    Args:
        record: what they are made of.
        layout: what the page asks for.
        settings: the site's widths, formats and qualities.
        provenance: ``keep`` or ``strip``.
    """
    size = _largest(record.size, layout.size)
    widths = variant_widths(settings.widths if layout.widths is None else layout.widths, size.width)
    source_type = _source_type(record) if provenance == "keep" else ""
    encodings = _encodings(record, layout, settings)
    variants = _variants(size, widths, encodings, layout.focus, source_type)
    files = {}
    for variant in chain.from_iterable(variants):
        key = variant.key(record.sha256)
        files[key] = variant.name(record.sha256, key)
    has_blur = settings.blur and not record.has_alpha and not layout.is_card
    return VariantPlan(record, size, variants, files, layout.focus, has_blur)


@lru_cache  # the images of a site have a handful of shapes
def _variants(
    size: Size,
    widths: tuple[int, ...],
    encodings: tuple[Encoding, ...],
    focus: Focus,
    source_type: str,
) -> tuple[tuple[Variant, ...], ...]:
    return tuple(
        tuple(Variant(scaled(size, width), encoding, focus, source_type) for width in widths)
        for encoding in encodings
    )


def variant_widths(asked: Sequence[int], largest: int) -> tuple[int, ...]:
    """The widths of the files, ascending, never wider than the image, which is always one."""
    return (*sorted({width for width in asked if width < largest}), largest)


def _largest(record: Size, asked: Size) -> Size:
    """The asked size, or the largest of its shape that the original has pixels for."""
    width = min(asked.width, record.width, record.height * asked.width // asked.height)
    size = scaled(asked, max(1, width))
    return Size(size.width, min(size.height, record.height))


def _encodings(record: Record, layout: Layout, settings: VariantSettings) -> tuple[Encoding, ...]:
    if layout.is_card:
        return (Encoding("jpeg", settings.quality.jpeg),)
    automatic = ("avif", "webp") if record.has_alpha else ("avif", "jpeg")
    speed = {"fast": 8, "small": 6}[settings.effort]
    return tuple(
        Encoding(name, settings.quality.of(name), speed if name == "avif" else 0)
        for name in settings.formats or automatic
    )


def _source_type(record: Record) -> str:
    is_sketch = record.model == SKETCH_MODEL
    return "algorithmicMedia" if is_sketch else "trainedAlgorithmicMedia"


@lru_cache
def _encoder() -> str:
    # Its wheels hold every encoder, so its version names theirs. Asked without importing it.
    return version("pillow")
