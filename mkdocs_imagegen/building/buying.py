"""One picture is bought: once, within the budget, written down before and after."""

from __future__ import annotations

import time
from collections.abc import Awaitable
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from typing import TypeVar

from mkdocs_imagegen.building.background import Background
from mkdocs_imagegen.building.books import Books
from mkdocs_imagegen.building.market import Market
from mkdocs_imagegen.building.run import Run
from mkdocs_imagegen.building.wanted import Draws, OpenGateway, Result
from mkdocs_imagegen.errors import (
    BadAnswerError,
    Billing,
    GatewayError,
    ImagegenError,
    ModerationError,
    OutcomeUnknownError,
    StoreError,
)
from mkdocs_imagegen.gateway.answer import Answer
from mkdocs_imagegen.originals.journal import Intent
from mkdocs_imagegen.originals.refusals import Refusal
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import Settings
from mkdocs_imagegen.settings.budget import BudgetSettings

T = TypeVar("T")
_NO_LIMIT = BudgetSettings(images=None, usd=None)


class ClaimedElsewhereError(Exception):
    """Another build is asking for the picture; it may be there in a while."""


class Buyer:
    """Buys pictures.

    Args:
        settings: of the site.
        run: the money and the failures of the run.
        books: what is written down about pictures.
        market: what the server offers.
        open_gateway: makes the client; called when the first picture is asked for.
    """

    def __init__(
        self,
        settings: Settings,
        run: Run,
        books: Books,
        market: Market,
        open_gateway: OpenGateway,
    ) -> None:
        self._server = settings.gateway.url
        self._format = settings.gateway.output_format
        self._is_free = settings.gateway.is_sketch
        self._market = market
        self._budget = _NO_LIMIT if settings.gateway.is_sketch else settings.budget
        self._run = run
        self._books = books
        self._open_gateway = open_gateway
        self._gateway: Draws | None = None
        self.in_flight = 0
        """Pictures that are asked for and not stored yet."""

    async def buy(self, request: ImageRequest, background: Background) -> Result:
        """The picture: from another build that was faster, from an earlier one, or asked for.

        Raises:
            ClaimedElsewhereError: another build is asking for it now.
            ImagegenError: there is none, and why.
        """
        with self._books.claims.claim(request.key) as is_ours:
            if not is_ours:
                raise ClaimedElsewhereError
            kept = await background.compute(self._books.finder.exact, request)
            if kept is not None:
                return Result(kept)
            salvaged = await background.compute(self._books.salvager.salvage, request.key)
            return salvaged or await self._bought(request, background)

    async def aclose(self) -> None:
        """Close the client's connections."""
        if self._gateway is not None:
            await self._gateway.aclose()

    async def _bought(self, request: ImageRequest, background: Background) -> Result:
        async with background.slots:
            background.refuse_when_closing()
            self._run.refuse_in_vain(request.key, request.model)
            gateway = await self._opened(background)
            price = self._market.price_usd(request)
            self._market.tell(request)
            begun = datetime.now(timezone.utc).isoformat(timespec="seconds")
            intent = Intent(request, self._server, self._format, price, begun)
            asked_at = time.monotonic()
            self._run.account.reserve(self._budget, price)
            self.in_flight += 1
            answer = await self._settled(
                intent, self._asked(intent, gateway, background), background
            )
        stored = background.compute(self._stored, intent, answer)
        result = await self._settled(intent, stored, background)
        self._run.account.settle_made(price, answer.cost_usd)
        self.in_flight -= 1
        if result.alarm:
            # What was paid for cannot be stored, so nothing more is bought; the journal has it.
            self._run.stop("the run was stopped: a picture that was paid for could not be stored")
        return replace(result, seconds=time.monotonic() - asked_at)

    async def _opened(self, background: Background) -> Draws:
        if self._gateway is None:
            try:
                await background.compute(self._books.store.check)
            except StoreError as error:
                self._run.stop(str(error))
                raise
        # Another picture's check may have ended first.
        self._gateway = self._gateway or self._open_gateway(background.pause)
        if not self._is_free:
            await self._market.visit(self._gateway, background)
        return self._gateway

    async def _asked(self, intent: Intent, gateway: Draws, background: Background) -> Answer:
        await background.compute(self._books.journal.begin, intent)
        return await gateway.generate(
            intent.request, partial(self._books.journal.spool, intent.request.key)
        )

    def _stored(self, intent: Intent, answer: Answer) -> Result:
        result = self._books.keeper.keep(intent.request, answer, self._server)
        key = intent.request.key
        if not result.alarm:
            self._books.journal.end(key)
            return result
        has_answer = self._books.journal.has_answer(key)
        what_next = "the next build stores it" if has_answer else "move it to a safe place"
        return replace(result, alarm=f"{result.alarm}: {what_next}")

    async def _settled(self, intent: Intent, work: Awaitable[T], background: Background) -> T:
        """The work's result; a failure is written down, and taken into the account."""
        try:
            return await work
        except ImagegenError as error:
            await background.compute(self._write_down, intent, error)
            self._take_in(intent, error)
            self.in_flight -= 1
            raise

    def _write_down(self, intent: Intent, error: ImagegenError) -> None:
        key = intent.request.key
        if isinstance(error, StoreError):
            return  # whatever the journal holds is all that is left
        if isinstance(error, OutcomeUnknownError):
            self._books.journal.end_unknown(intent)
        if isinstance(error, ModerationError):
            refusal = Refusal(intent.request.model, intent.begun[:10], error.fault)
            self._books.refusals.remember(key, refusal)
        if isinstance(error, BadAnswerError) and error.body:
            where = self._books.keeper.quarantine(f"{key}.answer", error.body)
            error.hint = "; ".join(filter(None, (error.hint, where)))
        self._books.journal.end(key)

    def _take_in(self, intent: Intent, error: ImagegenError) -> None:
        account = self._run.account
        if isinstance(error, GatewayError):
            self._run.note_failure(error, intent.request.key, intent.request.model)
            account.settle_failed(intent.price_usd, error.billing)
        else:
            account.settle_failed(intent.price_usd, Billing.UNBILLED)
        if isinstance(error, StoreError):
            self._run.stop(f"the run was stopped: {error}")
        elif waste := account.waste():
            self._run.stop(f"the run was stopped: {waste}; the last: {error}")
