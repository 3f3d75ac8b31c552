"""Known image models: accepted values, prices, shutdown dates and replacements.

Pure: no I/O, clock or environment. A request to a model that is not in the table is sent as it is,
and the server decides. Values: https://developers.openai.com/api/docs/guides/image-generation.
Prices: https://developers.openai.com/api/docs/models/gpt-image-1-mini and the pages of the other
models; those of 2.5 and 2.6 from the price map of LiteLLM 1.110.2. Shutdown dates and OpenAI's
replacements: https://developers.openai.com/api/docs/deprecations.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from decimal import Decimal
from functools import lru_cache

from mkdocs_imagegen.errors import OptionError, RejectedRequestError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.option_parsers import Size, did_you_mean
from mkdocs_imagegen.request import ImageRequest

PRICE_DATE = "2026-11-23"
"""Day on which the prices were read; those of tokens from 2.5 on were read on 2026-11-29."""

STANDARD_SIZES = (Size(1024, 1024), Size(1536, 1024), Size(1024, 1536))

_NUMBER = re.compile(r"\d+")
_MIN_LIKENESS = 0.92
_SIDE_STEP_PX = 16
_MAX_RATIO = 3
_MAX_SIDE_PX = 3840
_AREA_PX = range(655_360, 8_294_400 + 1)
"""Limits of a size for gpt-image-2 and later models."""


@dataclass(frozen=True, slots=True)
class TokenPrices:
    """Prices of a million tokens in dollars.

    Attributes:
        text_in: Text of the prompt.
        image_in: Reference images.
        image_out: Generated image.
    """

    text_in: Decimal
    image_in: Decimal
    image_out: Decimal


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Accepted values, prices and life of one model.

    Attributes:
        qualities: Accepted qualities.
        sizes: Accepted sizes; empty if every size within the limits above is accepted.
        usd: Published price of an image by quality, in dollars: a square image of a standard size,
            and the other standard sizes. Empty if none is published.
        token_usd: Prices of tokens.
        token_factors: Factor of the token formula by quality, and how many times the formula's
            tokens an image takes; empty if the formula does not hold for the model.
        shutdown_date: Date as ``2026-12-01`` on which OpenAI shuts the model down, if announced.
        replacements: Models that replace it once it is shut down, in order of preference.
        options: Provider options of the model that other models do not know.
        references: Maximum number of reference images.
    """

    qualities: tuple[str, ...]
    sizes: tuple[Size, ...]
    usd: Mapping[str, tuple[Decimal, ...]]
    token_usd: TokenPrices
    token_factors: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    shutdown_date: str | None = None
    replacements: tuple[str, ...] = ()
    options: frozenset[str] = frozenset()
    references: int = 16


def _prices(low: str, medium: str, high: str) -> Mapping[str, tuple[Decimal, ...]]:
    rows = {"low": low, "medium": medium, "high": high}
    return {quality: tuple(map(Decimal, row.split())) for quality, row in rows.items()}


def _tokens(text_in: str, image_in: str, image_out: str) -> TokenPrices:
    return TokenPrices(Decimal(text_in), Decimal(image_in), Decimal(image_out))


_UNTIL_HIGH = ("auto", "low", "medium", "high")
_UNTIL_MAX = (*_UNTIL_HIGH, "xhigh", "max")
_TOKENS_FROM_2 = _tokens("5", "8", "30")

_FACTORS_2 = {"low": (16, 1), "medium": (48, 1), "high": (96, 1)}
_FACTORS_2_5 = _FACTORS_2 | {"medium": (24, 1), "high": (48, 1), "xhigh": (64, 1), "max": (96, 1)}
_FACTORS_2_6 = _FACTORS_2_5 | {"low": (16, 4), "medium": (24, 4)}
"""Factors by which a public formula gives the reported token counts of gpt-image-2 and 2.5.

Source: development/protocol.md. For 2.6 no counts are published: users report 3 to 4 times those of
2.5 at low and medium, and the same ones from high on. The table has the upper bound, so that an
estimate is not below the charge.
"""

_AFTER_1 = ("openai/gpt-image-2.5-flare", "openai/gpt-image-2.6-flare", "openai/gpt-image-2")
"""Replacements of the models before gpt-image-2, the cheapest at the same quality first."""

KNOWN_MODELS: Mapping[str, ModelFacts] = {
    "openai/gpt-image-1-mini": ModelFacts(
        _UNTIL_HIGH,
        STANDARD_SIZES,
        _prices("0.005 0.006", "0.011 0.015", "0.036 0.052"),
        _tokens("2", "2.50", "8"),
        shutdown_date="2026-12-01",
        replacements=_AFTER_1,
    ),
    "openai/gpt-image-1": ModelFacts(
        _UNTIL_HIGH,
        STANDARD_SIZES,
        _prices("0.011 0.016", "0.042 0.063", "0.167 0.25"),
        _tokens("5", "10", "40"),
        shutdown_date="2026-10-23",
        replacements=_AFTER_1,
    ),
    "openai/gpt-image-1.5": ModelFacts(
        _UNTIL_HIGH,
        STANDARD_SIZES,
        _prices("0.009 0.013", "0.034 0.05", "0.133 0.20"),
        _tokens("5", "8", "32"),
        shutdown_date="2026-12-01",
        replacements=_AFTER_1,
    ),
    "openai/gpt-image-2": ModelFacts(
        _UNTIL_HIGH,
        (),
        _prices("0.006 0.005", "0.053 0.041", "0.211 0.165"),
        _TOKENS_FROM_2,
        _FACTORS_2,
    ),
    "openai/gpt-image-2.5-flare": ModelFacts(_UNTIL_MAX, (), {}, _TOKENS_FROM_2, _FACTORS_2_5),
    "openai/gpt-image-2.5-sunburst": ModelFacts(_UNTIL_MAX, (), {}, _TOKENS_FROM_2, _FACTORS_2_5),
    "openai/gpt-image-2.6-flare": ModelFacts(
        _UNTIL_MAX, (), {}, _TOKENS_FROM_2, _FACTORS_2_6, options=frozenset({"complexity"})
    ),
    "openai/gpt-image-2.6-sunburst": ModelFacts(
        _UNTIL_MAX, (), {}, _TOKENS_FROM_2, _FACTORS_2_6, options=frozenset({"complexity"})
    ),
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


@lru_cache
def suggest_model(model: str) -> str | None:
    """Return the known model whose ID is misspelled or without its creator; None if no ID is close.

    An ID with other numbers than a known one belongs to another model, which can be a newer one.
    """
    if model in KNOWN_MODELS:
        return None
    import difflib  # noqa: PLC0415 - costs 1 ms, and only an unknown model needs it

    numbers, likeness = _NUMBER.findall(model), dict[str, float]()
    for known in KNOWN_MODELS:
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
