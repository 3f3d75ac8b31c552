"""The models this gateway offers, as its public feed lists them; pure.

Source: fact sheet "gateway protocol", sections 3.1, 3.2 and 6.4. Dates other than those of
gpt-image-1-mini are inferred; prices are those of section 7.5.
"""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Any

from mkdocs_imagegen.emulator.records import Job
from mkdocs_imagegen.gateway.catalogue import KNOWN_MODELS, estimate_usd
from mkdocs_imagegen.options import SKETCH_MODEL, Size
from mkdocs_imagegen.request import ImageRequest

RETIRED = frozenset({"openai/gpt-image-1"})
"""Models whose maker has shut them down; the feed does not list them any more."""

LANGUAGE_MODEL = "openai/gpt-5-mini"
"""Listed so that whoever reads the feed has to tell models that draw from others."""

_MINI = "openai/gpt-image-1-mini"
_CREATED, _RELEASED = 1759276800, 1759795200
_SHUT_DOWN = {_MINI: 1796083200, "openai/gpt-image-1.5": 1796083200}
_TOKEN_PRICES = {
    _MINI: ("0.000002", "0.000008", "0.0000002"),
    "openai/gpt-image-1.5": ("0.000005", "0.000032", "0.00000125"),
    "openai/gpt-image-2": ("0.000005", "0.00003", "0.00000125"),
    "openai/gpt-image-2.5-flare": ("0.000005", "0.00003", "0.00000125"),
    "openai/gpt-image-2.5-sunburst": ("0.000005", "0.00003", "0.00000125"),
    LANGUAGE_MODEL: ("0.00000025", "0.000002", "0.000000025"),
}
_CLOSEST_PRICES = {"xhigh": "high", "max": "high"}


def offered(retired: Collection[str] = RETIRED) -> tuple[str, ...]:
    """The ids of the models that draw."""
    return tuple(name for name in (*KNOWN_MODELS, SKETCH_MODEL) if name not in retired)


def price(job: Job) -> Decimal:
    """Dollars for one image: the list price, or where none is known that of gpt-image-2."""
    if job.model == SKETCH_MODEL:
        return Decimal(0)
    listed = estimate_usd(job.request)
    quality = _CLOSEST_PRICES.get(job.quality, job.quality)
    near = ImageRequest("openai/gpt-image-2", job.prompt, job.size, quality)
    return listed if listed is not None else estimate_usd(near) or Decimal(0)


def tokens(job: Job) -> tuple[int, int]:
    """Input and output tokens of the whole job; output by quality and orientation."""
    table = {"low": (272, 408, 400), "medium": (1056, 1584, 1568), "high": (4160, 6240, 6208)}
    row = table.get(_CLOSEST_PRICES.get(job.quality, job.quality), table["medium"])
    return -(-len(job.prompt) // 4), row[_orientation(job.size)] * job.count


def _orientation(size: Size) -> int:
    if size.width == size.height:
        return 0
    return 1 if size.height > size.width else 2


def feed(retired: Collection[str] = RETIRED) -> dict[str, Any]:
    """The answer of ``GET /v1/models``."""
    entries = [entry(name) for name in (*offered(retired), LANGUAGE_MODEL)]
    return {"object": "list", "data": entries}


def entry(name: str) -> dict[str, Any]:
    """One model of the feed."""
    draws = name != LANGUAGE_MODEL
    dates = {"deprecated_at": _SHUT_DOWN[name]} if name in _SHUT_DOWN else {}
    return {
        "id": name,
        "object": "model",
        "created": _CREATED,
        "released": _RELEASED,
        "owned_by": name.partition("/")[0],
        "name": _title(name),
        "description": f"{_title(name)}, as the emulator offers it.",
        "context_window": 0 if draws else 400_000,
        "max_tokens": 0 if draws else 128_000,
        "type": "image" if draws else "language",
        "tags": ["image-generation", "implicit-caching"] if draws else ["implicit-caching"],
        "pricing": _pricing(name),
    } | dates


def _title(name: str) -> str:
    words = name.partition("/")[2].split("-")
    return " ".join("GPT" if word == "gpt" else word.capitalize() for word in words)


def _pricing(name: str) -> dict[str, str]:
    if name == SKETCH_MODEL:
        return {"image": "0"}
    prices = _TOKEN_PRICES.get(name)
    kinds = ("input", "output", "input_cache_read")
    return dict(zip(kinds, prices, strict=True)) if prices else {}


def endpoints(name: str) -> dict[str, Any]:
    """The answer of ``GET /v1/models/{creator}/{model}/endpoints``."""
    listed = entry(name)
    kept = {key: listed[key] for key in ("id", "name", "created", "released", "description")}
    made = "image" if listed["type"] == "image" else "text"
    architecture = {
        "tokenizer": None,
        "instruct_type": None,
        "modality": f"text->{made}",
        "input_modalities": ["text"],
        "output_modalities": [made],
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


def native_config(version: str, retired: Collection[str] = RETIRED) -> dict[str, Any]:
    """The answer of ``GET /v4/ai/config``, for the AI SDK; ``version`` as in its path."""
    names = (*offered(retired), LANGUAGE_MODEL)
    return {"models": [_native(entry(name), version) for name in names]}


def _native(listed: dict[str, Any], version: str) -> dict[str, Any]:
    prices = listed["pricing"]
    pricing = {"pricing": prices} if "input" in prices else {}
    specification = {
        "specificationVersion": version,
        "provider": listed["owned_by"],
        "modelId": listed["id"],
    }
    kept = {key: listed[key] for key in ("id", "name", "description")}
    return kept | pricing | {"specification": specification, "modelType": listed["type"]}
