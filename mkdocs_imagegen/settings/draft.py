"""How drafts are asked for, while pages are served."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.options import one_line, option, optional

if TYPE_CHECKING:
    from mkdocs_imagegen.request import ImageRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftSettings:
    """What is cheaper while you write; a build never shows a draft in place of an image."""

    model: str | None = option(
        None, optional(one_line("a model's id")), "The model of drafts; `null` for the same."
    )
    quality: str | None = option(
        None, optional(one_line("a quality the model knows")), "Their quality; `null`: the same."
    )

    def of(self, request: ImageRequest) -> ImageRequest:
        """The draft of a request."""
        model, quality = self.model or request.model, self.quality or request.quality
        if (model, quality) == (request.model, request.quality):
            return request  # nothing would be cheaper, and a build would buy it once more
        return replace(request, model=model, quality=quality, is_draft=True)

    @property
    def is_set(self) -> bool:
        """Whether drafts differ from images at all."""
        return self.model is not None or self.quality is not None
