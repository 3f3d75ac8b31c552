"""Models on offer at a server, with prices and health, and the credit of the account.

Pure: no I/O, clock or environment. Sources: https://vercel.com/docs/ai-gateway/sdks-and-apis/rest-api
(list of models, endpoints of a model, credits). Price layouts of ``GET /v1/models``: one price per
image, a table by size and quality, or prices of tokens. `pricing` computes the price of an image.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from decimal import Decimal
from urllib.parse import quote

from mkdocs_imagegen.errors import InvalidResponseError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.gateway.models import KNOWN_MODELS, STANDARD_SIZES
from mkdocs_imagegen.gateway.pricing import MILLION, ImagePrice, price_usd
from mkdocs_imagegen.gateway.untrusted import as_mapping, parse_object, parse_usd, safe_name
from mkdocs_imagegen.option_parsers import SKETCH_MODEL
from mkdocs_imagegen.request import ImageRequest

MODELS_PATH = "models"
CREDITS_PATH = "credits"
MAX_OFFERS = 200

_END_OF_YEAR_9999 = 253_402_300_799


@dataclass(frozen=True, slots=True)
class Offer:
    """One image model that a server offers.

    Attributes:
        model: Identifier of the model.
        price_text: Price in words, or ``""`` if it is unknown.
        shutdown_date: Date as ``2026-12-01``, or None if the server names none.
        prices: Prices of single images, if the server names any.
        token_usd: Price of an output token in dollars, if the server names one.
    """

    model: str
    price_text: str
    shutdown_date: str | None
    prices: tuple[ImagePrice, ...] = ()
    token_usd: Decimal | None = None

    def price_usd(self, request: ImageRequest) -> Decimal | None:
        """Return the price of the request by this model, or None if it is unknown."""
        return price_usd(replace(request, model=self.model), self.prices, self.token_usd)


@dataclass(frozen=True, slots=True)
class Health:
    """Recent health of a model: that of its best active provider.

    Attributes:
        uptime_percent: Uptime of the last day, or None if it is unknown.
        latency_ms: Median latency of the last hour, or None if it is unknown.
        providers: Number of active providers.
    """

    uptime_percent: float | None
    latency_ms: float | None
    providers: int


@dataclass(frozen=True, slots=True)
class Credits:
    """Credit of the account, left and used, in dollars."""

    balance_usd: Decimal
    used_usd: Decimal | None


def read_offers(body: bytes) -> tuple[Offer, ...]:
    """Return the image models in a list of models, by identifier; unreadable ones are left out."""
    data = (parse_object(body) or {}).get("data")
    entries = data if isinstance(data, list) else []
    found = [offer for each in entries if isinstance(each, Mapping) if (offer := _offer(each))]
    return tuple(sorted(found, key=lambda offer: offer.model)[:MAX_OFFERS])


def endpoints_path(model: str) -> str:
    """Return the path of the list of a model's providers."""
    return f"{MODELS_PATH}/{quote(model, safe='/')}/endpoints"


def read_health(body: bytes) -> Health:
    """Return a model's health from the list of its endpoints; unreadable ones are left out."""
    listed = as_mapping((parse_object(body) or {}).get("data")).get("endpoints")
    endpoints = listed if isinstance(listed, list) else []
    active = [each for each in endpoints if isinstance(each, Mapping) if each.get("status", 0) == 0]
    uptimes = _numbers(each.get("uptime_last_1d") for each in active)
    latencies = _numbers(as_mapping(each.get("latency_last_1h")).get("p50") for each in active)
    return Health(max(uptimes, default=None), min(latencies, default=None), len(active))


def read_credits(body: bytes) -> Credits:
    """Return the credit of the account.

    Raises:
        InvalidResponseError: If the response does not name the balance.
    """
    fields = parse_object(body) or {}
    balance = parse_usd(fields.get("balance"))
    if balance is None:
        raise InvalidResponseError("the server's response does not name the balance")
    return Credits(balance, parse_usd(fields.get("total_used")))


def _offer(entry: Mapping[str, object]) -> Offer | None:
    model = safe_name(entry.get("id"))
    if not model or not _is_image_model(entry, model):
        return None
    pricing = as_mapping(entry.get("pricing"))
    # Only a sketch is free: elsewhere, 0 is a price that the server does not know.
    prices = tuple(each for each in _image_prices(pricing) if each.usd or model == SKETCH_MODEL)
    token_usd = parse_usd(pricing.get("output")) or None
    text = _format_price(pricing, [each.usd for each in prices] or _known_prices(model, token_usd))
    return Offer(model, text, _date(entry.get("deprecated_at")), prices, token_usd)


def _image_prices(pricing: Mapping[str, object]) -> Iterator[ImagePrice]:
    """Yield prices of single images; those of edits and of styles are left out."""
    table = pricing.get("image_dimension_quality_pricing")
    for row in table if isinstance(table, list) else []:
        usd = parse_usd(row.get("cost")) if isinstance(row, Mapping) else None
        if usd is None or row.get("operation") or row.get("style"):
            continue
        names = [row.get("size") or "", row.get("quality") or ""]
        if all(isinstance(each, str) for each in names):
            yield ImagePrice(usd, *(safe_name(each) or "" for each in names))
    flat = parse_usd(pricing.get("image"))
    if flat is not None:
        yield ImagePrice(flat)


def _is_image_model(entry: Mapping[str, object], model: str) -> bool:
    """Return True if its type is ``image``, or its mode, in LiteLLM's words, that of images.

    A model without either is one if ``image`` is in its name.
    """
    kind = entry.get("type") or (as_mapping(entry.get("model_info")) or entry).get("mode")
    return kind in ("image", "image_generation") if kind else "image" in model


def _format_price(pricing: Mapping[str, object], amounts: list[Decimal]) -> str:
    kinds = ("input", "output")
    tokens = {kind: usd for kind in kinds if (usd := parse_usd(pricing.get(kind)))}
    per_million = ", ".join(f"{format_price(usd * MILLION)} {kind}" for kind, usd in tokens.items())
    words = (
        f"{_format_range(sorted(amounts))} an image" if amounts else "",
        f"{per_million} per million tokens" if per_million else "",
    )
    return "; ".join(filter(None, words))


def _known_prices(model: str, token_usd: Decimal | None) -> list[Decimal]:
    """Return the prices of a known model, for a server that names only prices of tokens."""
    qualities = KNOWN_MODELS[model].qualities if model in KNOWN_MODELS else ()
    requests = [
        ImageRequest(model, "", size, each) for size in STANDARD_SIZES for each in qualities
    ]
    prices = (price_usd(each, (), token_usd) for each in requests)
    return [usd for usd in prices if usd is not None]


def _format_range(amounts: list[Decimal]) -> str:
    return " to ".join(dict.fromkeys((format_price(amounts[0]), format_price(amounts[-1]))))


def format_price(amount: Decimal) -> str:
    """Return an amount in dollars with as many digits as it has."""
    return f"${amount.normalize():f}"


def _date(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if not 0 < value <= _END_OF_YEAR_9999:
        return None
    return datetime.fromtimestamp(value, timezone.utc).strftime("%Y-%m-%d")


def _numbers(values: Iterable[object]) -> list[float]:
    return [
        float(each)
        for each in values
        if isinstance(each, (int, float)) and not isinstance(each, bool)
        if 0 <= each < math.inf
    ]
