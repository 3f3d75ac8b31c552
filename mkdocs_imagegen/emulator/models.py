"""Models that the emulator offers: limits, prices, and their entries in the public model list.

The tables are written down here a second time on purpose and independently of the client, so
that a wrong price or size in the client shows up against the emulator; a test compares the two.
Sources: https://developers.openai.com/api/docs/guides/image-generation (prices, tokens and sizes),
https://developers.openai.com/api/docs/deprecations (shutdown dates) and
https://vercel.com/docs/ai-gateway/models-and-providers (list). Pure: no I/O, clock or environment.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import field, replace
from datetime import date, datetime, timezone
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from mkdocs_imagegen.errors import OptionError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.option_parsers import SKETCH_MODEL, Size, did_you_mean, quote_value

DEFAULT_DAY = date(2026, 11, 30)
"""Day of an emulator without another one, so that nothing depends on the real day."""

LANGUAGE_MODEL = "openai/gpt-5-mini"
"""Listed language model, so that a client has to tell image models from other models."""

MAX_SKETCH_SIDE_PX = 4096
"""Longest side of an image of the sketch model."""

_OCT_23_2026, _DEC_1_2026 = 1792713600, 1796083200
_MULTIMODAL = {"google/gemini-nano-banana-2.1"}
_CREATED, _RELEASED = 1759276800, 1759795200


@dataclass(frozen=True, slots=True)
class OfferedModel:
    """Limits and prices of one of OpenAI's image models.

    Attributes:
        qualities: Supported qualities apart from ``auto``.
        sizes: Supported sizes; empty if the model takes any size within the rules of gpt-image-2.
        usd: Published dollars for a square image and for any other, by quality.
        token_usd: Dollars per input, output and cached input token.
        grid: Cells along the longer side of an image, by quality; empty if tokens are published.
        cell_factor: Number of times that each cell is charged, by quality; 1 if left out.
        shutdown: Shutdown date in seconds since 1970, if one is announced.
        has_zero_retention: True if a provider of the model supports zero data retention.
        has_complexity: True if the model has the option ``complexity``.
    """

    qualities: tuple[str, ...]
    sizes: tuple[str, ...]
    usd: Mapping[str, tuple[Decimal, ...]]
    token_usd: tuple[str, str, str]
    grid: Mapping[str, int] = field(default_factory=dict)
    cell_factor: Mapping[str, int] = field(default_factory=dict)
    shutdown: int | None = None
    has_zero_retention: bool = True
    has_complexity: bool = False


_SIZES = ("1024x1024", "1536x1024", "1024x1536")
_FREE_SIZE_MAX_SIDE_PX = 3840
_FREE_SIZE_PIXELS = range(655_360, 8_294_400 + 1)
_TO_HIGH = ("low", "medium", "high")


def _usd(**prices: str) -> dict[str, tuple[Decimal, ...]]:
    """Read the prices of a square and of any other image, by quality."""
    return {quality: tuple(map(Decimal, text.split())) for quality, text in prices.items()}


_TOKEN_USD_2 = ("0.000005", "0.00003", "0.00000125")
_GRID_2 = {"low": 16, "medium": 48, "high": 96}
_GRID_2_5 = {"low": 16, "medium": 24, "high": 48, "xhigh": 64, "max": 96}
_2_5 = OfferedModel(tuple(_GRID_2_5), (), {}, _TOKEN_USD_2, _GRID_2_5)
# Users report 3 to 4 times the tokens of 2.5; the emulator charges the upper bound.
_2_6 = replace(_2_5, cell_factor={"low": 4, "medium": 4}, has_complexity=True)

MODELS: Mapping[str, OfferedModel] = MappingProxyType(
    {
        "openai/gpt-image-1-mini": OfferedModel(
            _TO_HIGH,
            _SIZES,
            _usd(low="0.005 0.006", medium="0.011 0.015", high="0.036 0.052"),
            ("0.000002", "0.000008", "0.0000002"),
            shutdown=_DEC_1_2026,
            has_zero_retention=False,
        ),
        "openai/gpt-image-1": OfferedModel(
            _TO_HIGH,
            _SIZES,
            _usd(low="0.011 0.016", medium="0.042 0.063", high="0.167 0.25"),
            ("0.000005", "0.00004", "0.00000125"),
            shutdown=_OCT_23_2026,
        ),
        "openai/gpt-image-1.5": OfferedModel(
            _TO_HIGH,
            _SIZES,
            _usd(low="0.009 0.013", medium="0.034 0.05", high="0.133 0.20"),
            ("0.000005", "0.000032", "0.00000125"),
            shutdown=_DEC_1_2026,
        ),
        "openai/gpt-image-2": OfferedModel(
            _TO_HIGH,
            (),
            _usd(low="0.006 0.005", medium="0.053 0.041", high="0.211 0.165"),
            _TOKEN_USD_2,
            _GRID_2,
        ),
        "openai/gpt-image-2.5-flare": _2_5,
        "openai/gpt-image-2.5-sunburst": _2_5,
        "openai/gpt-image-2.6-flare": _2_6,
        "openai/gpt-image-2.6-sunburst": _2_6,
    }
)
"""OpenAI's image models; other models have no limits but the size, and the sketch model is free."""

_ROWS = "image_dimension_quality_pricing"


def _by_size(prices: str) -> list[dict[str, str]]:
    """Read rows of the list of models from pairs of a size and a price."""
    pairs = (pair.split() for pair in prices.split(","))
    return [{"size": size, "cost": cost} for size, cost in pairs]


OTHER_MODELS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "bfl/flux-2-pro": {},
        "bfl/flux-3-image": {
            "image": "0.024",
            _ROWS: _by_size("768x768 0.0205, 1024x1024 0.024, 1536x1536 0.035, 2048x2048 0.05"),
        },
        "bytedance/seedream-5.0-pro": {"image": "0.035"},
        "google/gemini-nano-banana-2.1": {
            "input": "0.0000015",
            "output": "0.0000075",
            _ROWS: _by_size("1K 0.0336, 2K 0.0504, 4K 0.1134, default 0.0336"),
        },
        "recraft/recraft-v4.1": {
            "image": "0.035",
            _ROWS: [{"style": "vector_illustration", "cost": "0.08"}],
        },
        "spacexai/grok-imagine-image-2.0": {
            "image": "0.06",
            _ROWS: [
                {"quality": "low", "cost": "0.04"},
                {"size": "2048x2048", "cost": "0.08"},
                {"size": "2048x2048", "quality": "low", "cost": "0.06"},
            ],
        },
    }
)
"""Models of other makers, with their prices in the gateway's list of 2026-10-07.

The first one has no price there, and Gemini is listed as a language model.
"""

_UNLISTED_USD = Decimal("0.03")
_TIERS = {"1K": 1024**2, "2K": 2048**2, "4K": 4096**2}

_OUTPUT_TOKENS = {"low": (272, 408, 400), "medium": (1056, 1584, 1568), "high": (4160, 6240, 6208)}
"""Output tokens of a square, a portrait and a landscape image before gpt-image-2, by quality."""


def shut_down_by(today: date) -> frozenset[str]:
    """Return the models whose shutdown date is not after a day."""
    end = datetime(today.year, today.month, today.day, tzinfo=timezone.utc).timestamp()
    return frozenset(name for name, each in MODELS.items() if (each.shutdown or math.inf) <= end)


SHUT_DOWN = shut_down_by(DEFAULT_DAY)
"""Models that were shut down before the default day."""


def offered_models(shut_down: Collection[str] = SHUT_DOWN) -> tuple[str, ...]:
    """Return the ids of the image models on offer."""
    return tuple(name for name in (*MODELS, *OTHER_MODELS, SKETCH_MODEL) if name not in shut_down)


def check_models(names: Collection[str]) -> None:
    """Raise an error for a name that is not an image model.

    Raises:
        OptionError: If one of the names is unknown.
    """
    for name in names:
        if name not in offered_models(()):
            hint = (
                did_you_mean(name, offered_models(()))
                or "`mkdocs-imagegen models` lists the models"
            )
            raise OptionError(f"unknown model {quote_value(name)}", hint=hint)


def unsupported_size(model: str, size: Size) -> str | None:
    """Return the rule that a size breaks at a model, or None if the model supports the size."""
    if model not in MODELS:
        fits = min(size) >= 1 and max(size) <= MAX_SKETCH_SIDE_PX
        return None if fits else f"the sides must be from 1 to {MAX_SKETCH_SIDE_PX} pixels long"
    sizes = MODELS[model].sizes
    if sizes:
        return None if str(size) in sizes else f"supported sizes are {', '.join(sizes)}"
    rules = {
        "both sides must be multiples of 16": size.width % 16 == size.height % 16 == 0,
        "the longer side must be at most 3840 pixels": max(size) <= _FREE_SIZE_MAX_SIDE_PX,
        "the aspect ratio must be between 1:3 and 3:1": max(size) <= 3 * min(size),
        "the image must have 655360 to 8294400 pixels": size.width * size.height
        in _FREE_SIZE_PIXELS,
    }
    return next((rule for rule, is_kept in rules.items() if not is_kept), None)


def price_usd(model: str, size: Size, quality: str) -> Decimal:
    """Return the price of one image in dollars: the published one, or that of its output tokens.

    Text and reference images cost nothing, so that an estimate, which has only the image, is exact.
    """
    if model == SKETCH_MODEL:
        return Decimal(0)
    if model in OTHER_MODELS:
        return _listed_usd(OTHER_MODELS[model], size, quality)
    offered = MODELS[model]
    if offered.usd and (offered.sizes or str(size) in _SIZES):
        square, other = offered.usd[quality]
        return square if size.width == size.height else other
    return output_tokens(model, size, quality) * Decimal(offered.token_usd[1])


def _listed_usd(pricing: Mapping[str, Any], size: Size, quality: str) -> Decimal:
    """Return the price in the row for this size, or in the row for its resolution or for all."""
    rows = {
        (row.get("size"), row.get("quality")): row["cost"]
        for row in ({"cost": pricing.get("image")}, *pricing.get(_ROWS, ()))
        if "style" not in row
    }
    tier = next(name for name, pixels in _TIERS.items() if size.width * size.height <= pixels)
    keys = [(name, word) for name in (str(size), tier, "default", None) for word in (quality, None)]
    return Decimal(next((cost for key in keys if (cost := rows.get(key))), _UNLISTED_USD))


def output_tokens(model: str, size: Size, quality: str) -> int:
    """Return the output tokens of one image.

    From gpt-image-2 on, the formula is that of the calculator in OpenAI's guide, which rounds a
    half to the even number.
    """
    offered = MODELS.get(model)
    if offered and offered.grid:
        long = offered.grid[quality]
        cells = long * round(Fraction(long * min(size), max(size)))
        tokens = Fraction(cells * (2_000_000 + size.width * size.height), 4_000_000)
        return math.ceil(tokens) * offered.cell_factor.get(quality, 1)
    square, portrait, landscape = _OUTPUT_TOKENS.get(quality, _OUTPUT_TOKENS["medium"])
    if size.width == size.height:
        return square
    return portrait if size.height > size.width else landscape


def model_list(shut_down: Collection[str] = SHUT_DOWN) -> dict[str, Any]:
    """Return the body of ``GET /v1/models``."""
    entries = [model_entry(name) for name in (*offered_models(shut_down), LANGUAGE_MODEL)]
    return {"object": "list", "data": entries}


def model_entry(name: str) -> dict[str, Any]:
    """Return the entry of one model in the list."""
    is_image = name not in (LANGUAGE_MODEL, *_MULTIMODAL)
    tags = ["image-generation"] * (name != LANGUAGE_MODEL)
    shutdown = MODELS[name].shutdown if name in MODELS else None
    return {
        "id": name,
        "object": "model",
        "created": _CREATED,
        "released": _RELEASED,
        "owned_by": name.partition("/")[0],
        "name": _title(name),
        "description": f"{_title(name)}, as the emulator offers it.",
        "context_window": 0 if is_image else 400_000,
        "max_tokens": 0 if is_image else 128_000,
        "type": "image" if is_image else "language",
        "tags": [*tags, "implicit-caching"],
        "pricing": _pricing(name),
    } | ({"deprecated_at": shutdown} if shutdown else {})


def _title(name: str) -> str:
    words = name.partition("/")[2].split("-")
    return " ".join("GPT" if word == "gpt" else word.capitalize() for word in words)


def _pricing(name: str) -> Mapping[str, Any]:
    if name == SKETCH_MODEL:
        return {"image": "0"}
    if name in OTHER_MODELS:
        return OTHER_MODELS[name]
    language = ("0.00000025", "0.000002", "0.000000025")
    prices = language if name == LANGUAGE_MODEL else MODELS[name].token_usd
    return dict(zip(("input", "output", "input_cache_read"), prices, strict=False))


def model_endpoints(name: str) -> dict[str, Any]:
    """Return the body of ``GET /v1/models/{creator}/{model}/endpoints``."""
    listed = model_entry(name)
    kept = {key: listed[key] for key in ("id", "name", "created", "released", "description")}
    output = "image" if "image-generation" in listed["tags"] else "text"
    architecture = {
        "tokenizer": None,
        "instruct_type": None,
        "modality": f"text->{output}",
        "input_modalities": ["text"],
        "output_modalities": [output],
    }
    return {"data": kept | {"architecture": architecture, "endpoints": [_endpoint(listed)]}}


def _endpoint(listed: dict[str, Any]) -> dict[str, Any]:
    prices, provider = listed["pricing"], listed["owned_by"]
    return {
        "name": f"{provider} | {listed['id']}",
        "model_name": listed["name"],
        "context_length": listed["context_window"],
        "pricing": {
            "prompt": prices.get("input", "0"),
            "completion": prices.get("output", "0"),
            "input_cache_read": prices.get("input_cache_read", "0"),
            "input_cache_write": "0",
        },
        "provider_name": provider,
        "max_completion_tokens": listed["max_tokens"],
        "supported_parameters": [],
        "status": 0,
        "uptime_last_15m": 100,
        "uptime_last_1h": 100,
        "uptime_last_1d": 100,
        "throughput_last_1h": None,
        "latency_last_1h": None,
        "supports_implicit_caching": True,
        "has_zdr": False,
        "has_no_training": True,
    }


def sdk_config(version: str, shut_down: Collection[str] = SHUT_DOWN) -> dict[str, Any]:
    """Return the body of ``GET /v4/ai/config`` for the AI SDK; ``version`` as in its path."""
    entries = model_list(shut_down)["data"]
    return {"models": [_sdk_entry(entry, version) for entry in entries]}


def _sdk_entry(listed: dict[str, Any], version: str) -> dict[str, Any]:
    prices = listed["pricing"]
    pricing = {"pricing": prices} if "input" in prices else {}
    specification = {
        "specificationVersion": version,
        "provider": listed["owned_by"],
        "modelId": listed["id"],
    }
    kept = {key: listed[key] for key in ("id", "name", "description")}
    return kept | pricing | {"specification": specification, "modelType": listed["type"]}
