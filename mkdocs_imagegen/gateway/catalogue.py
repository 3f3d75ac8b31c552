"""What known models can draw and what it costs; pure.

Source: fact sheet "gateway protocol", sections 7.1 (values), 7.5 (prices). A model that is not
listed here is not judged: what was asked passes through, and the server says what it thinks.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from mkdocs_imagegen.errors import OptionError, RejectedRequestError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.options import Size, did_you_mean
from mkdocs_imagegen.request import ImageRequest

STANDARD_SIZES = (Size(1024, 1024), Size(1536, 1024), Size(1024, 1536))


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What one model can draw, and its list price.

    Attributes:
        qualities: the words it accepts.
        sizes: the sizes it accepts; empty where it accepts any within OpenAI's rules of
            gpt-image-2 and later.
        usd: price of an image by quality: a square one, and any other.
        references: how many images it can follow.
    """

    qualities: tuple[str, ...]
    sizes: tuple[Size, ...]
    usd: Mapping[str, tuple[Decimal, Decimal]]
    references: int = 16


def _prices(low: str, medium: str, high: str) -> Mapping[str, tuple[Decimal, Decimal]]:
    rows = {"low": low, "medium": medium, "high": high}
    pairs = {quality: row.split() for quality, row in rows.items()}
    return {
        quality: (Decimal(square), Decimal(other)) for quality, (square, other) in pairs.items()
    }


_UNTIL_HIGH = ("auto", "low", "medium", "high")
_UNTIL_MAX = (*_UNTIL_HIGH, "xhigh", "max")

KNOWN_MODELS: Mapping[str, ModelFacts] = {
    "openai/gpt-image-1-mini": ModelFacts(
        _UNTIL_HIGH, STANDARD_SIZES, _prices("0.005 0.006", "0.011 0.015", "0.036 0.052")
    ),
    "openai/gpt-image-1": ModelFacts(
        _UNTIL_HIGH, STANDARD_SIZES, _prices("0.011 0.016", "0.042 0.063", "0.167 0.25")
    ),
    "openai/gpt-image-1.5": ModelFacts(
        _UNTIL_HIGH, STANDARD_SIZES, _prices("0.009 0.013", "0.034 0.05", "0.133 0.20")
    ),
    "openai/gpt-image-2": ModelFacts(
        _UNTIL_HIGH, (), _prices("0.006 0.005", "0.053 0.041", "0.211 0.165")
    ),
    "openai/gpt-image-2.5-flare": ModelFacts(_UNTIL_MAX, (), {}),
    "openai/gpt-image-2.5-sunburst": ModelFacts(_UNTIL_MAX, (), {}),
    "openai/gpt-image-2.6-flare": ModelFacts(_UNTIL_MAX, (), {}),
    "openai/gpt-image-2.6-sunburst": ModelFacts(_UNTIL_MAX, (), {}),
}

ZERO_DATA_RETENTION_REFUSED = frozenset({"openai/gpt-image-1-mini"})
"""Models for which the gateway has no provider that keeps nothing (sheet, section 4.1 B)."""


def check(request: ImageRequest, output_format: str) -> None:
    """Refuse what a known model cannot draw, before it is asked.

    Raises:
        OptionError: with the value asked for and what the model accepts.
    """
    facts = KNOWN_MODELS.get(request.model)
    if facts is None:
        return
    if request.quality not in facts.qualities:
        hint = did_you_mean(request.quality, facts.qualities)
        _refuse(request.model, f'quality "{request.quality}"', ", ".join(facts.qualities), hint)
    if facts.sizes and request.size not in facts.sizes:
        _refuse(request.model, f'size "{request.size}"', ", ".join(map(str, facts.sizes)))
    if not facts.sizes and not _is_free_size(request.size):
        rules = "sides that are multiples of 16, ratio up to 3:1, 655360 to 8294400 pixels"
        _refuse(request.model, f'size "{request.size}"', rules)
    if len(request.references) > facts.references:
        count = f"{len(request.references)} references"
        _refuse(request.model, count, f"up to {facts.references}")
    if request.background == "transparent" and output_format == "jpeg":
        _refuse("jpeg", 'background "transparent"', "gateway.output_format webp or png")


def check_retention(model: str, provider_options: Mapping[str, object]) -> None:
    """Refuse to ask for zero data retention where the gateway has nobody who promises it.

    Raises:
        RejectedRequestError: the model and its fallbacks, if there are any, are all without one.
    """
    options = provider_options.get("gateway")
    if not isinstance(options, Mapping) or not options.get("zeroDataRetention"):
        return
    fallbacks = options.get("models")
    models = {model, *map(str, fallbacks if isinstance(fallbacks, list) else ())}
    if models <= ZERO_DATA_RETENTION_REFUSED:
        raise RejectedRequestError(
            f"no provider of {model} promises zero data retention, which provider_options ask for",
            hint="choose another model, or take zeroDataRetention out",
        )


def estimate_usd(request: ImageRequest) -> Decimal | None:
    """The list price of an image in dollars; None where it is not known."""
    facts = KNOWN_MODELS.get(request.model)
    prices = facts.usd.get(request.quality) if facts else None
    if prices is None:
        return None
    return prices[0] if request.size.width == request.size.height else prices[1]


def _is_free_size(size: Size) -> bool:
    in_steps = size.width % 16 == 0 and size.height % 16 == 0
    return (
        in_steps
        and max(size) <= 3 * min(size)
        and max(size) <= 3840  # noqa: PLR2004 - these numbers stand in the fact sheet
        and 655_360 <= size.width * size.height <= 8_294_400  # noqa: PLR2004
    )


def _refuse(model: str, value: str, accepted: str, hint: str | None = None) -> None:
    fault = f"{value} is nothing that {model} can draw"
    raise OptionError(fault, accepted=f"accepted: {accepted}", hint=hint)
