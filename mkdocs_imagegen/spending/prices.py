"""Price list of one server: its models, prices and shutdown dates, requested once a day.

``offers.json`` in the cache folder keeps the list: ``server``, ``asked`` (Unix time), and for each
of its ``offers`` ``model``, ``price`` (in words), ``ends`` (date), ``costs`` and ``token_usd``.
What sends no request, like `plan`, reads the list of any age: its prices are those of the server,
and an older list is also what a purchase uses if the server does not answer.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs_imagegen.errors import GatewayError
from mkdocs_imagegen.files import read_plain_file, write_atomic
from mkdocs_imagegen.gateway.offers import Offer
from mkdocs_imagegen.gateway.pricing import ImagePrice, price_usd
from mkdocs_imagegen.gateway.untrusted import parse_usd
from mkdocs_imagegen.request import ImageRequest

if TYPE_CHECKING:
    from mkdocs_imagegen.event_loop import EventLoop
    from mkdocs_imagegen.gateway.client import Gateway

_DAY_S = 86_400
_MAX_BYTES = 1_000_000


class PriceList:
    """Offers of one server.

    The methods with a loop run on its thread, under its lock, so that concurrent purchases share
    one request.

    Args:
        path: File that keeps the offers for a day.
        server: URL of the server.

    Attributes:
        is_fresh: True if the list is of the last day.
    """

    def __init__(self, path: Path, server: str) -> None:
        self._path = path
        self._server = server
        self._offers: Sequence[Offer] | None = None
        self._is_of_this_run = False
        self.is_fresh = False

    @classmethod
    def from_cache(cls, path: Path, server: str) -> PriceList:
        """Return the list of an earlier run, of any age, without a request; empty if none."""
        prices = cls(path, server)
        prices._offers, prices.is_fresh = prices._read()
        return prices

    async def load(self, gateway: Gateway, loop: EventLoop) -> None:
        """Load the offers from the file, else from the server; an unavailable list is empty."""
        async with loop.price_list_lock:
            if self._offers is None:
                self._offers, self.is_fresh = await loop.file_work(self._read)
                if not self.is_fresh:
                    self._offers = await self._fetch(gateway, loop)

    async def reload(self, gateway: Gateway, loop: EventLoop) -> None:
        """Load the offers from the server, once per run: a list of an earlier run is outdated."""
        async with loop.price_list_lock:
            if not self._is_of_this_run:
                self._offers = await self._fetch(gateway, loop)

    async def _fetch(self, gateway: Gateway, loop: EventLoop) -> Sequence[Offer]:
        self._is_of_this_run = True
        try:
            offers = await loop.within_max_wait(gateway.fetch_offers())
        except GatewayError:
            offers = None
        if offers is None:
            return self._offers or ()
        await loop.file_work(self._write, offers)
        return offers

    def price_usd(self, request: ImageRequest) -> Decimal | None:
        """Return the price of an image in dollars, or None if it is unknown."""
        offer = self._offer(request.model)
        return offer.price_usd(request) if offer else price_usd(request)

    def shutdown_date(self, model: str) -> str | None:
        """Return the date on which the server shuts a model down, if it names one."""
        offer = self._offer(model)
        return offer.shutdown_date if offer else None

    @property
    def models(self) -> tuple[str, ...]:
        """Models on offer; empty if the list is not known."""
        return tuple(each.model for each in self._offers or ())

    def _offer(self, model: str) -> Offer | None:
        return next((each for each in self._offers or () if each.model == model), None)

    def _read(self) -> tuple[Sequence[Offer], bool]:
        """Return the list of the file, and True if it is of the last day."""
        try:
            fields = json.loads(read_plain_file(self._path, _MAX_BYTES))
            if fields["server"] != self._server:
                return (), False
            offers = [_offer_from(each) for each in fields["offers"]]
            return offers, 0 <= time.time() - fields["asked"] < _DAY_S
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return (), False

    def _write(self, offers: Sequence[Offer]) -> None:
        fields = {
            "server": self._server,
            "asked": time.time(),
            "offers": [_fields_of(offer) for offer in offers],
        }
        with contextlib.suppress(OSError):
            write_atomic(self._path, json.dumps(fields, default=str).encode())


def _fields_of(offer: Offer) -> dict[str, Any]:
    return {
        "model": offer.model,
        "price": offer.price_text,
        "ends": offer.shutdown_date,
        "costs": [asdict(each) for each in offer.prices],
        "token_usd": offer.token_usd,
    }


def _offer_from(fields: dict[str, Any]) -> Offer:
    prices = (
        ImagePrice(usd, str(each["size"]), str(each["quality"]))
        for each in fields["costs"]
        if (usd := parse_usd(each["usd"])) is not None
    )
    shutdown_date = None if fields["ends"] is None else str(fields["ends"])
    token_usd = parse_usd(fields.get("token_usd")) or None  # of earlier versions, without it
    return Offer(
        str(fields["model"]), str(fields["price"]), shutdown_date, tuple(prices), token_usd
    )
