"""Models that the emulator offers: limits, prices, and their entries in the public model list.

The tables are written down here a second time on purpose and independently of the client, so
that a wrong price or size in the client shows up against the emulator; a test compares the two.
Sources: https://developers.openai.com/api/docs/guides/image-generation (prices and sizes),
https://developers.openai.com/api/docs/deprecations (shutdown dates) and
https://vercel.com/docs/ai-gateway/models-and-providers (list). Pure: no I/O, clock or environment.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from datetime import date, datetime, timezone
from decimal import Decimal
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
_CREATED, _RELEASED = 1759276800, 1759795200


@dataclass(frozen=True, slots=True)
class OfferedModel:
    """Limits and prices of one image model.

    Attributes:
        qualities: Supported qualities apart from ``auto``.
        sizes: Supported sizes; empty if the model takes any size within the rules of gpt-image-2.
        usd: Dollars for a square image and for any other, by quality.
        token_usd: Dollars per input, output and cached input token; empty if not listed.
        shutdown: Shutdown date in seconds since 1970, if one is announced.
        has_zero_retention: True if a provider of the model supports zero data retention.
    """

    qualities: tuple[str, ...]
    sizes: tuple[str, ...]
    usd: Mapping[str, tuple[Decimal, ...]]
    token_usd: tuple[str, ...] = ()
    shutdown: int | None = None
    has_zero_retention: bool = True


_SIZES = ("1024x1024", "1536x1024", "1024x1536")
_FREE_SIZE_MAX_SIDE_PX = 3840
_FREE_SIZE_PIXELS = range(655_360, 8_294_400 + 1)
_TO_HIGH = ("low", "medium", "high")
_TO_MAX = (*_TO_HIGH, "xhigh", "max")


def _usd(**prices: str) -> dict[str, tuple[Decimal, ...]]:
    """Read the prices of a square and of any other image, by quality."""
    return {quality: tuple(map(Decimal, text.split())) for quality, text in prices.items()}


_USD_2 = _usd(low="0.006 0.005", medium="0.053 0.041", high="0.211 0.165")
# OpenAI lists no price per image from 2.5 on, so the emulator charges as for gpt-image-2.
_USD_FROM_2_5 = _USD_2 | _usd(xhigh="0.211 0.165", max="0.211 0.165")
_TOKEN_USD_2 = ("0.000005", "0.00003", "0.00000125")

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
        "openai/gpt-image-2": OfferedModel(_TO_HIGH, (), _USD_2, _TOKEN_USD_2),
        "openai/gpt-image-2.5-flare": OfferedModel(_TO_MAX, (), _USD_FROM_2_5, _TOKEN_USD_2),
        "openai/gpt-image-2.5-sunburst": OfferedModel(_TO_MAX, (), _USD_FROM_2_5, _TOKEN_USD_2),
        "openai/gpt-image-2.6-flare": OfferedModel(_TO_MAX, (), _USD_FROM_2_5),
        "openai/gpt-image-2.6-sunburst": OfferedModel(_TO_MAX, (), _USD_FROM_2_5),
    }
)
"""OpenAI's image models; the sketch model has no limits but its size, and is free."""

_OUTPUT_TOKENS = {"low": (272, 408, 400), "medium": (1056, 1584, 1568), "high": (4160, 6240, 6208)}
"""Output tokens of a square, a portrait and a landscape image, by quality."""


def shut_down_by(today: date) -> frozenset[str]:
    """Return the models whose shutdown date is not after a day."""
    end = datetime(today.year, today.month, today.day, tzinfo=timezone.utc).timestamp()
    return frozenset(name for name, each in MODELS.items() if (each.shutdown or math.inf) <= end)


SHUT_DOWN = shut_down_by(DEFAULT_DAY)
"""Models that were shut down before the default day."""


def offered_models(shut_down: Collection[str] = SHUT_DOWN) -> tuple[str, ...]:
    """Return the ids of the image models on offer."""
    return tuple(name for name in (*MODELS, SKETCH_MODEL) if name not in shut_down)


def check_models(names: Collection[str]) -> None:
    """Raise an error for a name that is not an image model.

    Raises:
        OptionError: If one of the names is unknown.
    """
    for name in names:
        if name not in MODELS:
            hint = did_you_mean(name, MODELS) or "`mkdocs-imagegen models` lists the models"
            raise OptionError(f"unknown model {quote_value(name)}", hint=hint)


def unsupported_size(model: str, size: Size) -> str | None:
    """Return the rule that a size breaks at a model, or None if the model supports the size."""
    if model == SKETCH_MODEL:
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
    """Return the price of one image in dollars."""
    if model == SKETCH_MODEL:
        return Decimal(0)
    square, other = MODELS[model].usd[quality]
    return square if size.width == size.height else other


def output_tokens(size: Size, quality: str) -> int:
    """Return the output tokens of one image."""
    if quality in ("xhigh", "max"):
        quality = "high"
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
    is_image = name != LANGUAGE_MODEL
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
        "tags": ["image-generation", "implicit-caching"] if is_image else ["implicit-caching"],
        "pricing": _pricing(name),
    } | ({"deprecated_at": shutdown} if shutdown else {})


def _title(name: str) -> str:
    words = name.partition("/")[2].split("-")
    return " ".join("GPT" if word == "gpt" else word.capitalize() for word in words)


def _pricing(name: str) -> dict[str, str]:
    if name == SKETCH_MODEL:
        return {"image": "0"}
    language = ("0.00000025", "0.000002", "0.000000025")
    prices = language if name == LANGUAGE_MODEL else MODELS[name].token_usd
    return dict(zip(("input", "output", "input_cache_read"), prices, strict=False))


def model_endpoints(name: str) -> dict[str, Any]:
    """Return the body of ``GET /v1/models/{creator}/{model}/endpoints``."""
    listed = model_entry(name)
    kept = {key: listed[key] for key in ("id", "name", "created", "released", "description")}
    output = "image" if listed["type"] == "image" else "text"
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
