"""Settings that limit the cost: the budget of a run, and drafts for `mkdocs serve`."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.option_parsers import Parser, number, one_line, option, optional, whole_number

if TYPE_CHECKING:
    from mkdocs_imagegen.request import ImageRequest

_DOLLARS = number(0, 100_000)


def _usd(value: object) -> Decimal:
    return Decimal(str(_DOLLARS(value)))


USD: Parser[Decimal] = Parser(_DOLLARS.accepts, _usd, _DOLLARS.schema, type="number")


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetSettings:
    """Limits of one run, and of all runs of a calendar month.

    A run is one `mkdocs build` in all its languages, or one `mkdocs serve`.
    """

    images: int | None = option(
        100,
        optional(whole_number(0, 1_000_000)),
        "Maximum number of images that one run generates; `null` for no limit.",
        "20",
    )
    usd: Decimal | None = option(
        Decimal("5.00"),
        optional(USD),
        "Maximum spend per run, in US dollars; `null` for no limit. List prices count until the "
        "server reports the charge. If the price of a model is unknown, one image is requested at "
        "a time until its charge is known.",
        "1.00",
    )
    images_per_month: int | None = option(
        None,
        optional(whole_number(0, 1_000_000)),
        "Maximum number of images per calendar month (UTC), counted from the records and attempts "
        "in the originals folder; `null` for no limit.",
        "200",
    )
    usd_per_month: Decimal | None = option(
        None,
        optional(USD),
        "Maximum spend per calendar month (UTC), in US dollars, counted in the same way; `null` "
        "for no limit.",
        "10.00",
    )

    @property
    def has_monthly_limit(self) -> bool:
        """True if images of earlier runs count."""
        return self.images_per_month is not None or self.usd_per_month is not None

    @property
    def has_dollar_limit(self) -> bool:
        """True if the price of an image counts."""
        return self.usd is not None or self.usd_per_month is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftSettings:
    """Options of low-cost images that only `mkdocs serve` shows."""

    model: str | None = option(
        None,
        optional(one_line("a model ID")),
        "Model of drafts; `null` for the same model.",
        "openai/gpt-image-1-mini",
    )
    quality: str | None = option(
        None,
        optional(one_line("a quality that the model supports")),
        "Quality of drafts; `null` for the same quality.",
        "low",
    )

    def of(self, request: ImageRequest) -> ImageRequest:
        """Return the draft of a request; the request if the draft would not differ."""
        model, quality = self.model or request.model, self.quality or request.quality
        if (model, quality) == (request.model, request.quality):
            return request  # a draft would cost the same, and a build would generate it again
        return replace(request, model=model, quality=quality, is_draft=True)

    @property
    def own_options(self) -> frozenset[str]:
        """Those of ``model`` and ``quality`` that drafts have of their own."""
        return frozenset(name for name in ("model", "quality") if getattr(self, name) is not None)
