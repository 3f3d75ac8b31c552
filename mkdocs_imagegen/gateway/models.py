"""Known image models: accepted values and list prices.

Pure: no I/O, clock or environment. A request to a model that is not in the table is sent as it is,
and the server decides. Values: https://developers.openai.com/api/docs/guides/image-generation.
Prices: https://developers.openai.com/api/docs/models/gpt-image-1-mini and the pages of the other
models.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache

from mkdocs_imagegen.errors import OptionError, RejectedRequestError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.option_parsers import Size, did_you_mean
from mkdocs_imagegen.request import ImageRequest

PRICE_DATE = "2026-11-23"
"""Day on which the prices were read."""

STANDARD_SIZES = (Size(1024, 1024), Size(1536, 1024), Size(1024, 1536))

_NUMBER = re.compile(r"\d+")
_MIN_LIKENESS = 0.92
_SIDE_STEP_PX = 16
_MAX_RATIO = 3
_MAX_SIDE_PX = 3840
_AREA_PX = range(655_360, 8_294_400 + 1)
"""Limits of a size for gpt-image-2 and later models."""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Accepted values and list price of one model.

    Attributes:
        qualities: Accepted qualities.
        sizes: Accepted sizes; empty if every size within the limits above is accepted.
        usd: Price of an image by quality, in dollars: a square image, and any other.
        references: Maximum number of reference images.
    """

    qualities: tuple[str, ...]
    sizes: tuple[Size, ...]
    usd: Mapping[str, tuple[Decimal, ...]]
    references: int = 16


def _prices(low: str, medium: str, high: str) -> Mapping[str, tuple[Decimal, ...]]:
    rows = {"low": low, "medium": medium, "high": high}
    return {quality: tuple(map(Decimal, row.split())) for quality, row in rows.items()}


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

MODELS_WITHOUT_ZERO_RETENTION = frozenset({"openai/gpt-image-1-mini"})
"""Models for which AI Gateway has no provider with zero data retention.

See https://vercel.com/docs/ai-gateway/security-and-compliance/zdr.
"""


def check_request(request: ImageRequest, output_format: str) -> None:
    """Reject values that a known model does not support, before the request is sent.

    Raises:
        OptionError: If the model or the output format does not support a value.
    """
    facts = KNOWN_MODELS.get(request.model)
    if facts is None:
        return
    if request.quality not in facts.qualities:
        hint = did_you_mean(request.quality, facts.qualities)
        _reject(request.model, f'quality "{request.quality}"', ", ".join(facts.qualities), hint)
    if facts.sizes and request.size not in facts.sizes:
        _reject(request.model, f'size "{request.size}"', ", ".join(map(str, facts.sizes)))
    if not facts.sizes and not _is_free_size(request.size):
        limits = "multiples of 16, ratio up to 3:1, 655360 to 8294400 pixels"
        _reject(request.model, f'size "{request.size}"', limits)
    if len(request.references) > facts.references:
        count = f"{len(request.references)} references"
        _reject(request.model, count, f"up to {facts.references}")
    if request.background == "transparent" and output_format == "jpeg":
        _reject("jpeg", 'background "transparent"', "gateway.output_format webp or png")


def check_retention(model: str, provider_options: Mapping[str, object]) -> None:
    """Reject zero data retention for models without a provider that offers it.

    Raises:
        RejectedRequestError: If neither the model nor a fallback model has such a provider.
    """
    options = provider_options.get("gateway")
    if not isinstance(options, Mapping) or not options.get("zeroDataRetention"):
        return
    fallbacks = options.get("models")
    models = {model, *map(str, fallbacks if isinstance(fallbacks, list) else ())}
    if models <= MODELS_WITHOUT_ZERO_RETENTION:
        raise RejectedRequestError(
            f"no provider of {model} offers zero data retention, which provider_options require",
            hint="choose another model, or remove zeroDataRetention",
        )


def estimate_usd(request: ImageRequest) -> Decimal | None:
    """Return the list price of an image in dollars, or None if it is unknown."""
    facts = KNOWN_MODELS.get(request.model)
    prices = facts.usd.get(request.quality) if facts else None
    if prices is None:
        return None
    return prices[0] if request.size.width == request.size.height else prices[1]


@lru_cache
def suggest_model(model: str) -> str | None:
    """Return the known model whose ID is misspelled or without its creator; None if no ID is close.

    An ID with other numbers than a known one belongs to another model, which can be a newer one.
    """
    import difflib  # noqa: PLC0415 - costs 1 ms, and only an unknown model needs it

    numbers, likeness = _NUMBER.findall(model), dict[str, float]()
    for known in KNOWN_MODELS if model not in KNOWN_MODELS else ():
        creator = "" if "/" in model else f"{known.partition('/')[0]}/"
        if _NUMBER.findall(known) == numbers:
            pair = difflib.SequenceMatcher(None, creator + model.lower(), known)
            likeness[known] = pair.ratio()
    best = max(likeness, key=likeness.__getitem__, default="")
    return best if likeness.get(best, 0) >= _MIN_LIKENESS else None


def _is_free_size(size: Size) -> bool:
    in_steps = size.width % _SIDE_STEP_PX == 0 and size.height % _SIDE_STEP_PX == 0
    in_shape = max(size) <= min(_MAX_SIDE_PX, _MAX_RATIO * min(size))
    return in_steps and in_shape and size.width * size.height in _AREA_PX


def _reject(subject: str, value: str, supported: str, hint: str | None = None) -> None:
    fault = f"{subject} does not support {value}"
    raise OptionError(fault, accepted=f"supported: {supported}", hint=hint)
