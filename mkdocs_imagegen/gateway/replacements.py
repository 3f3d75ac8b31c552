"""Models that can replace one that is shut down or unavailable, among those on offer.

Pure: no I/O, clock or environment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from mkdocs_imagegen.gateway.offers import Offer, format_price
from mkdocs_imagegen.request import ImageRequest


def format_alternatives(offers: Sequence[Offer], request: ImageRequest, count: int = 2) -> str:
    """Return models that can replace the requested one, on one line.

    These are the cheapest ones of its creator, with the price of the request, or else the names of
    other models, those of its creator first.
    """
    priced = replacements(offers, request)
    cheapest = [f"{offer.model} ({format_price(usd)})" for offer, usd in priced]
    others = (offer.model for offer in offers if offer.model != request.model)
    names = cheapest or sorted(others, key=lambda model: not _is_of_creator(model, request))
    more = [f"{len(names) - count} more"] if len(names) > count else []
    return ", ".join(names[:count] + more)


def replacements(offers: Iterable[Offer], request: ImageRequest) -> list[tuple[Offer, Decimal]]:
    """Return models of the same creator without a shutdown date, cheapest first, with prices."""
    priced = [
        (offer, usd)
        for offer in offers
        if _is_of_creator(offer.model, request) and offer.model != request.model
        if not offer.shutdown_date and (usd := offer.price_usd(request)) is not None
    ]
    return sorted(priced, key=lambda pair: pair[1])


def _is_of_creator(model: str, request: ImageRequest) -> bool:
    return model.partition("/")[0] == request.model.partition("/")[0]
