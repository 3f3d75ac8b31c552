"""One image is bought: once, within the budget, written down before and after."""

from __future__ import annotations

import time
from collections.abc import Awaitable
from dataclasses import replace
from datetime import datetime, timezone
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from mkdocs_imagegen.errors import (
    Billing,
    DownloadError,
    GatewayError,
    ImagegenError,
    InvalidResponseError,
    ModelUnavailableError,
    ModerationError,
    OutcomeUnknownError,
    StoreError,
)
from mkdocs_imagegen.gateway.wire import NO_ATTACHMENTS, Attachments, ImageResponse
from mkdocs_imagegen.jobs.event_loop import EventLoop
from mkdocs_imagegen.jobs.job import Result
from mkdocs_imagegen.originals.store import Original
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import Settings
from mkdocs_imagegen.spending.journal import Intent
from mkdocs_imagegen.spending.moderation import Refusal
from mkdocs_imagegen.spending.prices import PriceList
from mkdocs_imagegen.spending.run import Run
from mkdocs_imagegen.spending.stores import Stores

if TYPE_CHECKING:
    from mkdocs_imagegen.gateway.client import Gateway, OpenGateway
    from mkdocs_imagegen.gateway.exchange import SaveBody

T = TypeVar("T")


class ClaimedElsewhereError(Exception):
    """Another build is asking for the image; it may be there in a while."""


class Purchaser:
    """Buys images.

    Args:
        settings: of the site.
        run: the money and the failures of the run.
        stores: what is written down about images.
        price_list: what the server offers.
        open_gateway: makes the client; called when the first image is asked for.
    """

    def __init__(
        self,
        settings: Settings,
        run: Run,
        stores: Stores,
        price_list: PriceList,
        open_gateway: OpenGateway,
    ) -> None:
        self._server = settings.gateway.url
        self._format = settings.gateway.output_format
        self._is_free = settings.gateway.is_sketch
        self._market = price_list
        self._budget = settings.budget
        self._run = run
        self._books = stores
        self._salvager = stores.recovery  # opened here, since threads share it
        self._open_gateway = open_gateway
        self._gateway: Gateway | None = None
        self.in_flight = 0
        """Images that are asked for and not stored yet."""

    async def buy(self, request: ImageRequest, loop: EventLoop) -> Result:
        """The image: from another build that was faster, from an earlier one, or asked for.

        Raises:
            ClaimedElsewhereError: another build is asking for it now.
            ImagegenError: there is none, and why.
        """
        with self._books.claims.claim(request.key) as is_ours:
            if not is_ours:
                raise ClaimedElsewhereError
            original = await loop.compute(self._verified, request)
            if original is not None:
                return Result(original)
            if self._is_free:
                return await self._sketched(request, loop)
            salvaged = await self._salvaged(request.key, loop)
            return salvaged or await self._bought(request, loop)

    async def _salvaged(self, key: str, loop: EventLoop) -> Result | None:
        linked = await loop.compute(self._salvager.link, key)
        if linked is None:
            return await loop.compute(self._salvager.recover, key)
        intent, body = linked
        gateway = await self._opened(loop)
        try:
            answer = await gateway.open_response(body, intent.request)
        except GatewayError as error:
            await loop.compute(self._write_down, intent, error)
            raise
        return await loop.compute(self._stored, intent, answer)

    async def aclose(self) -> None:
        """Close the client's connections."""
        if self._gateway is not None:
            await self._gateway.aclose()

    def _verified(self, request: ImageRequest) -> Original | None:
        original = self._books.finder.exact(request)
        return original if original and self._books.store.read(original) is not None else None

    async def _sketched(self, request: ImageRequest, loop: EventLoop) -> Result:
        """A sketch by this machine, which costs nothing and can be drawn again."""
        async with loop.slots:
            loop.refuse_when_closing()
            gateway = await self._opened(loop)
            attached = await self._attached(request, loop)
            begun = time.monotonic()
            answer = await self._sent(gateway, request, attached, loop)
        free = replace(answer, cost_usd=Decimal(0), cost_is_estimate=False)
        result = await loop.compute(self._books.keeper.keep, request, free, self._server)
        return replace(result, seconds=time.monotonic() - begun)

    async def _bought(self, request: ImageRequest, loop: EventLoop) -> Result:
        async with loop.slots:
            self._refuse(request, loop)
            gateway = await self._opened(loop)
            price = self._market.price_usd(request)
            self._market.warn_of_shutdown(request)
            begun = datetime.now(timezone.utc).isoformat(timespec="seconds")
            intent = Intent(request, self._server, self._format, price, begun)
            asked_at = time.monotonic()
            self._run.budget.reserve(self._budget, price)
            self.in_flight += 1
            answer = await self._settled(intent, self._asked(intent, gateway, loop), loop)
        stored = loop.compute(self._stored, intent, answer)
        result = await self._settled(intent, stored, loop, came=True)
        charged = None if answer.cost_is_estimate else answer.cost_usd
        self._run.budget.settle_made(price, charged)
        self.in_flight -= 1
        if result.alarm:
            # What was paid for cannot be stored, so nothing more is bought; the journal has it.
            self._run.stop("the run was stopped: an image that was paid for could not be stored")
        return replace(result, seconds=time.monotonic() - asked_at)

    def _refuse(self, request: ImageRequest, loop: EventLoop) -> None:
        """Let nothing be asked that need not be any more.

        Raises:
            ImagegenError: why.
        """
        loop.refuse_when_closing()
        self._run.raise_if_stopped(request.key, request.model)

    async def _opened(self, loop: EventLoop) -> Gateway:
        if self._gateway is None:
            try:
                await loop.compute(self._books.store.require_writable)
            except StoreError as error:
                self._run.stop(str(error))
                raise
        # Another image's check may have ended first.
        self._gateway = self._gateway or self._open_gateway(loop.pause)
        if not self._is_free:
            await self._market.load(self._gateway, loop)
        return self._gateway

    async def _asked(self, intent: Intent, gateway: Gateway, loop: EventLoop) -> ImageResponse:
        request = intent.request
        attached = await self._attached(request, loop)
        await loop.compute(self._books.journal.begin, intent)
        self._refuse(request, loop)  # much may have happened meanwhile
        keep = partial(self._books.journal.spool, request.key)
        answer = await self._sent(gateway, request, attached, loop, keep)
        if answer.cost_usd is None or answer.cost_is_estimate:
            price = intent.price_usd
            return replace(answer, cost_usd=price, cost_is_estimate=price is not None)
        return answer

    async def _sent(
        self,
        gateway: Gateway,
        request: ImageRequest,
        attached: Attachments,
        loop: EventLoop,
        keep: SaveBody | None = None,
    ) -> ImageResponse:
        try:
            return await gateway.generate(request, keep, attached)
        except ModelUnavailableError as error:
            await self._market.name_alternatives(error, request, gateway, loop)
            raise

    async def _attached(self, request: ImageRequest, loop: EventLoop) -> Attachments:
        """The images that a request names, read now and held only until it is answered."""
        if not request.references:
            return NO_ATTACHMENTS
        return await loop.compute(self._run.reference_files.read, request)

    def _stored(self, intent: Intent, answer: ImageResponse) -> Result:
        result = self._books.keeper.keep(intent.request, answer, self._server)
        key = intent.request.key
        if not result.alarm:
            self._books.journal.end(key)
            return result
        has_answer = self._books.journal.has_answer(key)
        what_next = "the next build stores it" if has_answer else "move it to a safe place"
        return replace(result, alarm=f"{result.alarm}: {what_next}")

    async def _settled(
        self, intent: Intent, work: Awaitable[T], loop: EventLoop, *, came: bool = False
    ) -> T:
        """The work's result; a failure is written down, and taken into the account.

        Args:
            intent: what it is for.
            work: asks, or stores.
            loop: where it runs.
            came: whether the image has come, and so is paid for.
        """
        try:
            return await work
        except ImagegenError as error:
            await loop.compute(self._write_down, intent, error)
            self._take_in(intent, error, came=came)
            raise
        except BaseException:
            # Nobody knows what happened, so the journal keeps what it has.
            self._run.budget.settle_failed(intent.price_usd, Billing.UNKNOWN)
            self.in_flight -= 1
            raise

    def _write_down(self, intent: Intent, error: ImagegenError) -> None:
        key = intent.request.key
        if isinstance(error, StoreError):
            return  # whatever the journal holds is all that is left
        if isinstance(error, OutcomeUnknownError):
            self._books.journal.end_unknown(intent)
            return
        if isinstance(error, ModerationError):
            refusal = Refusal(intent.request.model, intent.begun[:10], error.fault)
            self._books.refusals.remember(key, refusal)
        if isinstance(error, DownloadError) and self._books.journal.has_answer(key):
            error.hint = f"the next build tries again; {self._books.journal.how_to_forget(key)}"
            return
        if isinstance(error, InvalidResponseError) and error.body:
            where = self._books.keeper.quarantine(f"{key}.answer", error.body)
            error.hint = "; ".join(filter(None, (error.hint, where)))
            if where is None:
                return  # the journal has the only copy
        self._books.journal.end(key)

    def _take_in(self, intent: Intent, error: ImagegenError, *, came: bool) -> None:
        budget, request = self._run.budget, intent.request
        self.in_flight -= 1
        billing = error.billing if isinstance(error, GatewayError) else Billing.UNBILLED
        budget.settle_failed(intent.price_usd, Billing.BILLED if came else billing)
        if isinstance(error, GatewayError):
            self._run.note_failure(error, request.key, request.model)
        if isinstance(error, StoreError):
            self._run.stop(f"the run was stopped: {error}")
        elif waste := budget.waste():
            self._run.stop(f"the run was stopped: {waste}; the last: {error}")
