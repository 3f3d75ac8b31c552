"""What fixes the pixels of an image, and its key; pure.

The key is the sha256 over canonical JSON of everything that changes the pixels and nothing else:
what is not in it may change without an image being bought again. A field that holds its neutral
value is left out, so that fields can be added later without changing any key.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.options import SKETCH_MODEL, Size

SCHEME = 1
"""The number of the rules above; raised whenever they change a key."""

SKETCH_MARK = b"mkdocs-imagegen sketch"
"""Bytes that stand uncompressed in the metadata of every sketch, so that none is taken for real."""

TAKE_HEADER = "x-imagegen-take"
"""Tells the emulator inside this process which take of a sketch to draw; sent to nobody else."""

_NOT_PIXELS = frozenset(
    {
        "moderation",
        "outputFormat",
        "output_format",
        "outputCompression",
        "output_compression",
        "user",
        "safetyIdentifier",
        "safety_identifier",
    }
)


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """One image, exactly as it is asked for.

    Attributes:
        model: the model's id, ``creator/model``.
        prompt: the final prompt, house style included (see :func:`final_prompt`).
        size: width and height to ask for, in pixels.
        quality: a word the model knows.
        background: ``auto``, ``opaque`` or ``transparent``.
        take: another number asks for another image of the same prompt.
        model_options: provider options that change pixels, as canonical JSON; ``""`` for none.
        is_draft: whether it only stands in while a page is written; it answers nothing else.
        references: images to follow, each by the sha256 of its bytes, in order; what is not
            known yet by its name.
        mask: the sha256 of the mask that says where the first of them may change; ``""`` for none.
    """

    model: str
    prompt: str
    size: Size
    quality: str = "medium"
    background: str = "auto"
    take: int = 1
    model_options: str = ""
    is_draft: bool = False
    references: tuple[str, ...] = ()
    mask: str = ""

    @property
    def key(self) -> str:
        """64 hex digits that name this request."""
        return _key_of(self)

    @property
    def subject_key(self) -> str:
        """64 hex digits that name what was asked for, whoever draws it and how well."""
        return _digest(self.subject())

    @property
    def as_sketch(self) -> ImageRequest:
        """The same request under the model that every sketch is filed under."""
        return replace(self, model=SKETCH_MODEL)

    def subject(self) -> dict[str, object]:
        """What was asked for, whoever draws it and how well, as plain values."""
        return {
            "scheme": SCHEME,
            "prompt": self.prompt,
            "size": str(self.size),
            "background": "" if self.background == "auto" else self.background,
            "take": "" if self.take == 1 else self.take,
            "model_options": self.model_options,
            "draft": self.is_draft or "",
            "references": list(self.references) or "",
            "mask": self.mask,
        }


@lru_cache(maxsize=10_000)  # a build asks for each key half a dozen times
def _key_of(request: ImageRequest) -> str:
    return _digest({"model": request.model, "quality": request.quality} | request.subject())


def final_prompt(*parts: str) -> str:
    """The prompt, then the house style and what else there is, each with single spaces only.

    Text is brought to NFC, so that neither re-wrapping a line nor an editor's choice of
    composed letters buys an image again.
    """
    plain = (" ".join(unicodedata.normalize("NFC", part).split()) for part in parts)
    return "\n\n".join(part for part in plain if part)


def pixel_options(provider_options: Mapping[str, Any]) -> str:
    """Those provider options that change pixels, as canonical JSON; ``""`` if there are none.

    Options for ``gateway`` route a request and never draw (fact sheet "gateway protocol",
    section 8); of the others, format, compression, moderation and user ids do not either.
    """
    original = {
        provider: drawn
        for provider, options in provider_options.items()
        if provider != "gateway" and isinstance(options, Mapping)
        if (drawn := {name: options[name] for name in options if name not in _NOT_PIXELS})
    }
    return _canonical(original) if original else ""


_canonical = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode


def _digest(fields: Mapping[str, object]) -> str:
    said = {name: value for name, value in fields.items() if value != ""}
    # A lone surrogate is no UTF-8; it can only come from a broken file name or escape.
    return hashlib.sha256(_canonical(said).encode("utf-8", "surrogatepass")).hexdigest()
