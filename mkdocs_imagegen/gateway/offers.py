"""What a server says it offers, and at what price; pure.

Source: fact sheet "gateway protocol", section 3.1 (the list of models and its price layouts).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from decimal import Decimal

from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.gateway.bodies import strict_json
from mkdocs_imagegen.gateway.catalogue import KNOWN_MODELS, estimate_usd
from mkdocs_imagegen.gateway.quoting import name
from mkdocs_imagegen.gateway.wire import dollars
from mkdocs_imagegen.request import ImageRequest

_MAX_OFFERS = 200
_MILLION = 1_000_000
_LAST_TIME = 253_402_300_799  # the end of the year 9999


@dataclass(frozen=True, slots=True)
class Cost:
    """What one image costs.

    Attributes:
        usd: in dollars.
        size: the size that it is for, as ``1024x1024``; ``""`` for any.
        quality: the quality that it is for; ``""`` for any.
    """

    usd: Decimal
    size: str = ""
    quality: str = ""

    def fits(self, request: ImageRequest) -> bool:
        """Whether it is the price of that request."""
        return self.size in ("", str(request.size)) and self.quality in ("", request.quality)


@dataclass(frozen=True, slots=True)
class Offer:
    """One image model that a server offers.

    Attributes:
        model: its id.
        price: its price in words; ``""`` where the server names none and we know none.
        ends: the day it is shut down, as ``2026-12-01``, where the server says so.
        costs: its prices of single images, where the server names any.
    """

    model: str
    price: str
    ends: str | None
    costs: tuple[Cost, ...] = ()

    def usd(self, request: ImageRequest) -> Decimal | None:
        """The price of a request by this model, as the server says or as we know it."""
        said = (cost.usd for cost in self.costs if cost.fits(request))
        usd = next(said, None)
        return estimate_usd(replace(request, model=self.model)) if usd is None else usd

    def __str__(self) -> str:
        about = ", ".join(filter(None, (self.price, self.ends and f"until {self.ends}")))
        return f"{self.model} ({about})" if about else self.model


def read_offers(body: bytes) -> tuple[Offer, ...]:
    """The image models in a list of models, by id; what cannot be read is left out."""
    try:
        listed = strict_json(body)
    except ValueError:
        return ()
    data = listed.get("data") if isinstance(listed, Mapping) else None
    entries = data if isinstance(data, list) else []
    found = [offer for each in entries if isinstance(each, Mapping) if (offer := _offer(each))]
    return tuple(sorted(found, key=lambda offer: offer.model)[:_MAX_OFFERS])


def offers_in_words(offers: Iterable[Offer], model: str) -> str:
    """The offers in one line, those of the same creator as ``model`` first."""
    creator = model.partition("/")[0]
    ordered = sorted(offers, key=lambda offer: offer.model.partition("/")[0] != creator)
    return ", ".join(map(str, ordered))


def successors(
    offers: Iterable[Offer], request: ImageRequest, most: int = 3
) -> list[tuple[Offer, Decimal]]:
    """The cheapest models of the same creator that are not about to end, with their prices."""
    creator = request.model.partition("/")[0]
    priced = [
        (offer, usd)
        for offer in offers
        if offer.model.partition("/")[0] == creator and offer.model != request.model
        if not offer.ends and (usd := offer.usd(request)) is not None
    ]
    return sorted(priced, key=lambda pair: pair[1])[:most]


def _offer(entry: Mapping[str, object]) -> Offer | None:
    model = name(entry.get("id"))
    if not model or not _draws(entry, model):
        return None
    given = entry.get("pricing")
    pricing = given if isinstance(given, Mapping) else {}
    costs = tuple(_costs(pricing))
    price = _price(pricing, [cost.usd for cost in costs] or _listed(model))
    return Offer(model, price, _day(entry.get("deprecated_at")), costs)


def _costs(pricing: Mapping[str, object]) -> Iterator[Cost]:
    """Prices of single images, those for one size or quality before that for all."""
    table = pricing.get("image_dimension_quality_pricing")
    for row in table if isinstance(table, list) else []:
        usd = dollars(row.get("cost")) if isinstance(row, Mapping) else None
        if usd is not None and not row.get("operation") and not row.get("style"):
            yield Cost(usd, name(row.get("size")) or "", name(row.get("quality")) or "")
    flat = dollars(pricing.get("image"))
    if flat is not None:
        yield Cost(flat)


def _draws(entry: Mapping[str, object], model: str) -> bool:
    """Whether the model draws: its type says so, or where a server gives no type, its name."""
    return entry.get("type") == "image" if "type" in entry else "image" in model


def _price(pricing: Mapping[str, object], costs: list[Decimal]) -> str:
    tokens = {way: amount for way in ("input", "output") if (amount := dollars(pricing.get(way)))}
    per_million = ", ".join(f"{_usd(each * _MILLION)} {way}" for way, each in tokens.items())
    words = (
        f"{_span(sorted(costs))} an image" if costs else "",
        f"{per_million} per million tokens" if per_million else "",
    )
    return "; ".join(filter(None, words))


def _listed(model: str) -> list[Decimal]:
    """The list prices we know, for a model whose server names only a price of tokens."""
    facts = KNOWN_MODELS.get(model)
    return sorted(price for pair in facts.usd.values() for price in pair) if facts else []


def _span(costs: list[Decimal]) -> str:
    ends = dict.fromkeys((_usd(costs[0]), _usd(costs[-1])))
    return " to ".join(ends)


def _usd(amount: Decimal) -> str:
    return f"${amount.normalize():f}"


def _day(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if not 0 < value <= _LAST_TIME:
        return None
    return datetime.fromtimestamp(value, timezone.utc).strftime("%Y-%m-%d")
