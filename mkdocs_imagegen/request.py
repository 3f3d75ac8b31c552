"""Image requests and their cache keys; pure.

A cache key is the SHA-256 of canonical JSON of everything that changes the pixels. Other options
can change without a new request to the gateway. A field with its neutral value is left out, so
that later versions can add fields without changing a key.
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
from mkdocs_imagegen.option_parsers import SKETCH_MODEL, Size

SCHEME = 1
"""Version of the rules above; raised if they change a key."""

SKETCH_MARK = b"mkdocs-imagegen sketch"
"""Bytes in the metadata of every sketch, uncompressed, which tell it from an original."""

PART_BREAK = "\n\n"
"""Characters between the parts of a final prompt; no part contains them."""

TAKE_HEADER = "x-imagegen-take"
"""Header with the number of the take; sent only to the emulator in this process."""

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
    """Everything that determines the pixels of one image.

    Attributes:
        model: Model ID, ``creator/model``.
        prompt: Final prompt with the style (see :func:`final_prompt`).
        size: Width and height to request, in pixels.
        quality: Quality that the model supports.
        background: ``auto``, ``opaque`` or ``transparent``.
        take: Number of the take; each take is a different image of the same prompt.
        model_options: Provider options that change pixels, as canonical JSON; ``""`` if none.
        is_draft: True for a draft, which is shown only by ``mkdocs serve``.
        references: Reference images in order, by the SHA-256 of their bytes; by name until the
            hash is known.
        mask: SHA-256 of the mask for the first reference; ``""`` if none.
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
        """Cache key of the request: 64 hex digits."""
        return _key_of(self)

    @property
    def subject_key(self) -> str:
        """Key of the request without model, quality and model options: 64 hex digits."""
        return _subject_key_of(self)

    @property
    def subject_keys(self) -> tuple[str, ...]:
        """Subject key, and that of versions up to 0.1, which had the model options in it."""
        if not self.model_options:
            return (self.subject_key,)
        return self.subject_key, _digest(self.subject() | {"model_options": self.model_options})

    @property
    def as_sketch(self) -> ImageRequest:
        """The request with the sketch model."""
        return replace(self, model=SKETCH_MODEL)

    def subject(self) -> dict[str, object]:
        """Return the request without model, quality and model options, as plain values."""
        return {
            "scheme": SCHEME,
            "prompt": self.prompt,
            "size": str(self.size),
            "background": "" if self.background == "auto" else self.background,
            "take": "" if self.take == 1 else self.take,
            "draft": self.is_draft or "",
            "references": list(self.references) or "",
            "mask": self.mask,
        }


@lru_cache(maxsize=10_000)  # a build needs each key about six times
def _key_of(request: ImageRequest) -> str:
    own = {name: getattr(request, name) for name in ("model", "quality", "model_options")}
    return _digest(own | request.subject())


@lru_cache(maxsize=10_000)
def _subject_key_of(request: ImageRequest) -> str:
    return _digest(request.subject())


def final_prompt(*parts: str) -> str:
    """Return the prompt, the style and further texts, each with single spaces only.

    Texts are normalized to NFC, so that neither a re-wrapped line nor an editor's choice of
    composed characters changes the cache key.
    """
    plain = (" ".join(unicodedata.normalize("NFC", part).split()) for part in parts)
    return PART_BREAK.join(part for part in plain if part)


def pixel_options(provider_options: Mapping[str, Any]) -> str:
    """Return the provider options that change pixels, as canonical JSON; ``""`` if none.

    Options for ``gateway`` only route a request
    (https://vercel.com/docs/ai-gateway/models-and-providers/provider-options). Among the others,
    format, compression, moderation and user IDs do not change pixels.
    """
    kept = {
        provider: changing
        for provider, options in provider_options.items()
        if provider != "gateway" and isinstance(options, Mapping)
        if (changing := {name: options[name] for name in options if name not in _NOT_PIXELS})
    }
    return _canonical(kept) if kept else ""


_canonical = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode


def _digest(fields: Mapping[str, object]) -> str:
    kept = {name: value for name, value in fields.items() if value != ""}
    # A lone surrogate is invalid in UTF-8; it can come from a broken file name or escape.
    return hashlib.sha256(_canonical(kept).encode("utf-8", "surrogatepass")).hexdigest()
