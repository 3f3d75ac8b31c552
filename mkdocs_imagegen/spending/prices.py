"""What the server offers, asked at most once a day: prices, and models that are about to end."""

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
from mkdocs_imagegen.event_loop import EventLoop
from mkdocs_imagegen.files import read_plain_file, write_atomic
from mkdocs_imagegen.gateway.catalogue import estimate_usd
from mkdocs_imagegen.gateway.offers import Cost, Offer, successors
from mkdocs_imagegen.gateway.wire import dollars
from mkdocs_imagegen.log import NOT_STRICT, ONCE, log
from mkdocs_imagegen.request import ImageRequest

if TYPE_CHECKING:
    from mkdocs_imagegen.gateway.client import Gateway

_DAY_S = 86_400
_MAX_BYTES = 1_000_000


class PriceList:
    """The offers of one server.

    Args:
        path: where they are kept for a day.
        server: its address.
    """

    def __init__(self, path: Path, server: str) -> None:
        self._path = path
        self._server = server
        self._offers: Sequence[Offer] | None = None

    async def visit(self, gateway: Gateway, loop: EventLoop) -> None:
        """Learn what the server offers; a server that does not say is no fault."""
        async with loop.price_list_lock:
            if self._offers is None:
                self._offers = await self._visited(gateway, loop)

    async def _visited(self, gateway: Gateway, loop: EventLoop) -> Sequence[Offer]:
        known = await loop.compute(self._read)
        if known is not None:
            return known
        try:
            offers = await gateway.models()
        except GatewayError:
            return ()
        await loop.compute(self._write, offers)
        return offers

    def price_usd(self, request: ImageRequest) -> Decimal | None:
        """The price of an image in dollars, as the server says or as we know it; None: unknown."""
        offer = self._offer(request.model)
        return offer.usd(request) if offer else estimate_usd(request)

    def tell(self, request: ImageRequest) -> None:
        """Say, once, when the model of a request is about to end, and what may follow it."""
        offer = self._offer(request.model)
        if offer is None or offer.ends is None:
            return
        then = ", ".join(
            f"{each.model} (${usd.normalize():f} an image like this)"
            for each, usd in successors(self._offers or (), request)
        )
        hint = f"; set `model` to another one, like {then}" if then else ""
        text = f"{offer.model} ends on {offer.ends}; images that are made stay in use{hint}"
        log.warning("%s", text, extra=ONCE | NOT_STRICT)

    def _offer(self, model: str) -> Offer | None:
        return next((each for each in self._offers or () if each.model == model), None)

    def _read(self) -> Sequence[Offer] | None:
        try:
            kept = json.loads(read_plain_file(self._path, _MAX_BYTES))
            is_fresh = 0 <= time.time() - kept["asked"] < _DAY_S
            if kept["server"] != self._server or not is_fresh:
                return None
            return [_offer_from(each) for each in kept["offers"]]
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None

    def _write(self, offers: Sequence[Offer]) -> None:
        kept = {
            "server": self._server,
            "asked": time.time(),
            "offers": [asdict(offer) for offer in offers],
        }
        with contextlib.suppress(OSError):
            write_atomic(self._path, json.dumps(kept, default=str).encode())


def _offer_from(fields: dict[str, Any]) -> Offer:
    costs = (
        Cost(usd, str(each["size"]), str(each["quality"]))
        for each in fields["costs"]
        if (usd := dollars(each["usd"])) is not None
    )
    ends = None if fields["ends"] is None else str(fields["ends"])
    return Offer(str(fields["model"]), str(fields["price"]), ends, tuple(costs))
