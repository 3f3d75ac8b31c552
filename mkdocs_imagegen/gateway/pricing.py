"""Price of one image, for the plan, the budget, replacements, the bill and the manual alike.

Pure: no I/O, clock or environment. The price is, in this order:

1. that of the rows that the server lists for single images, the most specific row first;
2. the price that OpenAI publishes for a standard size, with the date of ``PRICE_DATE``;
3. the output tokens of the image, by a formula, at the server's price of tokens or the published
   one.

Text and reference images, which are charged too, are not included. The published price comes before
the formula: for gpt-image-1-mini it is higher than tokens and their price suggest, and an estimate
should not be below the charge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.gateway.models import KNOWN_MODELS, STANDARD_SIZES, ModelFacts
from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.request import ImageRequest

GetPrice = Callable[[ImageRequest], Decimal | None]
"""Returns the price of a request in dollars, or None if it is unknown."""

MILLION = 1_000_000
_ANY_SIZE = ("", "default")
_TIERS = {"1K": 1024**2, "2K": 2048**2, "4K": 4096**2}
"""Largest image in pixels of the sizes that some servers name instead of width and height.

No source states their limits. By these, an image between two of them has the higher price.
"""


@dataclass(frozen=True, slots=True)
class ImagePrice:
    """Price of one image in a server's list.

    Attributes:
        usd: Price in dollars.
        size: Size that it applies to: ``1024x1024``, ``1K``, ``default``, or ``""`` for every size.
        quality: Quality that it applies to, or ``""`` for every quality.
    """

    usd: Decimal
    size: str = ""
    quality: str = ""

    def fit(self, request: ImageRequest) -> tuple[int, int, int] | None:
        """Return how closely it applies to a request, more closely if larger; None if not."""
        if self.quality not in ("", request.quality):
            return None
        named = 2 * bool(self.quality) + bool(self.size)
        if self.size == str(request.size):
            return 3, 0, named
        if self.size in _ANY_SIZE:
            return 0, 0, named
        tier_px = _TIERS.get(self.size.upper())
        if tier_px is None:
            return None
        is_enough = tier_px >= request.size.width * request.size.height
        return (2, -tier_px, named) if is_enough else (1, tier_px, named)


def price_usd(
    request: ImageRequest,
    listed: Iterable[ImagePrice] = (),
    token_usd: Decimal | None = None,
) -> Decimal | None:
    """Return the price of an image in dollars, or None if it is unknown.

    Args:
        request: Request for the image.
        listed: Prices of the model in the server's list; of equally specific ones, the highest
            applies.
        token_usd: Server's price of an output token of the model, if it names one.
    """
    fitting = [(fit, each.usd) for each in listed if (fit := each.fit(request)) is not None]
    if fitting:
        return max(fitting)[1]
    facts = KNOWN_MODELS.get(request.model)
    return _known_usd(facts, request, token_usd) if facts else None


def _known_usd(
    facts: ModelFacts, request: ImageRequest, token_usd: Decimal | None
) -> Decimal | None:
    known_usd = facts.token_usd.image_out / MILLION
    published = facts.usd.get(request.quality)
    if published and (request.size in STANDARD_SIZES or not facts.token_factors):
        square, other = published
        usd = square if request.size.width == request.size.height else other
        return usd * max(Decimal(1), (token_usd or known_usd) / known_usd)
    if request.quality not in facts.token_factors:
        return None
    factor, times = facts.token_factors[request.quality]
    return times * output_tokens(request.size, factor) * (token_usd or known_usd)


def output_tokens(size: Size, factor: int) -> int:
    """Return the output tokens of an image by the formula of gpt-image-2 and later models.

    It is that of the calculator in OpenAI's image guide, which rounds a half to an even number too.

    Args:
        size: Size of the image.
        factor: Factor of the quality.
    """
    cells = factor * round(factor * min(size) / max(size))
    return -(-cells * (2 * MILLION + size.width * size.height) // (4 * MILLION))
