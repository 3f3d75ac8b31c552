"""The purchase of one image: generated once, within the budget, journaled before and after."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
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
    ModelShutDownError,
    ModelUnavailableError,
    OutcomeUnknownError,
    StoppedError,
    StoreError,
    UnreachableError,
    unexpected,
)
from mkdocs_imagegen.event_loop import EventLoop, Turn
from mkdocs_imagegen.gateway.wire import NO_ATTACHMENTS, Attachments, ImageResponse
from mkdocs_imagegen.log import ONCE, log
from mkdocs_imagegen.originals.folders import earlier_folders
from mkdocs_imagegen.originals.judge import Original
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import Settings
from mkdocs_imagegen.spending.journal import Intent, Journal, intent_of
from mkdocs_imagegen.spending.ledger import (
    Attempt,
    Ledger,
    attempt_of,
    noted_billing,
    spend_of_month,
)
from mkdocs_imagegen.spending.model_choice import ModelChoice
from mkdocs_imagegen.spending.prices import PriceList
from mkdocs_imagegen.spending.recovery import find_link, recover, try_to_recover
from mkdocs_imagegen.spending.storing import (
    PurchaseResult,
    Stores,
    open_stores,
    prepare_stores,
    quarantine,
    store_response,
)

if TYPE_CHECKING:
    from mkdocs_imagegen.gateway.client import Gateway, OpenGateway

T = TypeVar("T")

_MAX_CONNECTION_WAIT_S = 30.0
"""Longest wait for a connection in a build, which shows placeholders instead."""

_NO_CHARGE = (
    "the price of %s is unknown and the server reports no charge, so `budget.usd` cannot limit "
    "this run; limit it with `budget.images`"
)


class ClaimedElsewhereError(Exception):
    """Another build is generating the image."""


class _NotAcceptedError(Exception):
    """The server did not accept a request, and may accept it later."""


class Purchaser:
    """The source of missing originals in one run; it alone sends paid requests.

    All methods run on the thread of the event loop; file access runs in worker threads.

    Args:
        settings: Settings of the site.
        stores: Opened stores of the site.
        ledger: Failures and budget of the run.
        open_gateway: Factory of the client, called before the first request is sent.
        read_references: Reader of a request's reference images, called just before it is sent.

    Attributes:
        in_flight: Number of images that were requested and are not stored yet.
        waits_for_connection: True if a lost connection is waited for as long as a rate limit.
        on_hold: Function that is called with the reason when a request was not accepted and is
            sent again later.
    """

    def __init__(
        self,
        settings: Settings,
        stores: Stores,
        ledger: Ledger,
        open_gateway: OpenGateway,
        read_references: Callable[[ImageRequest], Attachments],
    ) -> None:
        self._settings = settings
        self._stores = stores
        self._ledger = ledger
        self._prices = PriceList(settings.prices_path, settings.gateway.url)
        self._models = ModelChoice(settings, self._prices)
        self._open_gateway = open_gateway
        self._read_references = read_references
        self._gateway: Gateway | None = None
        self.in_flight = 0
        self.waits_for_connection = False
        self.on_hold: Callable[[str], None] = lambda _: None

    async def obtain(
        self,
        request: ImageRequest,
        loop: EventLoop,
        exact_options: Collection[str] = (),
    ) -> PurchaseResult:
        """Return the original of a request; generate it if no other build has.

        Args:
            request: Request of the image.
            loop: Event loop of the run.
            exact_options: Options of the request that a replacement of its model must not change.

        Raises:
            ClaimedElsewhereError: If another build is generating the image.
            ImagegenError: If there is no image.
        """
        with self._stores.claims.claim(request.key) as is_claimed:
            if not is_claimed:
                raise ClaimedElsewhereError
            is_again = self._is_again(request.key)
            original = None if is_again else await loop.file_work(self._find, request)
            if original is not None:
                return PurchaseResult(original)
            if self._settings.gateway.is_sketch:
                return await self._sketch(request, loop)
            recovered = await self._recover(request, loop)
            if recovered is not None and not self._is_again(request.key):
                return replace(recovered, was_generated=False)
            return await self._generate(request, exact_options, loop)

    async def aclose(self) -> None:
        """Close the connections of the client."""
        if self._gateway is not None:
            await self._gateway.aclose()

    def _is_again(self, key: str) -> bool:
        """Return True if a command regenerates an image, and no response to it has been stored."""
        if key in self._stores.originals.replaced:
            self._ledger.regenerated.add(key)
        return key in self._ledger.again and key not in self._ledger.regenerated

    def _find(self, request: ImageRequest) -> Original | None:
        server = self._settings.gateway.sketch_server
        found = self._stores.originals.find_exact(request, server)
        if found is None:
            return None
        # A build that was killed after storing the image has left its intent.
        recovered = try_to_recover(self._stores, request.key)
        return recovered.original if recovered else found

    def _raise_if_resting(self, key: str, model: str) -> None:
        gateway, attempts = self._settings.gateway, self._stores.attempts
        if obstacle := self._ledger.obstacle(attempts, key, model, gateway):
            raise obstacle

    async def _recover(self, request: ImageRequest, loop: EventLoop) -> PurchaseResult | None:
        result = await self._recover_from(self._stores, request, loop)
        for stores in await loop.file_work(self._stores_with_response, request.key):
            with stores.claims.claim(request.key) as is_claimed:
                if not is_claimed:
                    raise ClaimedElsewhereError
                result = await self._recover_from(stores, request, loop) or result
        return result

    async def _recover_from(
        self, stores: Stores, request: ImageRequest, loop: EventLoop
    ) -> PurchaseResult | None:
        linked = await loop.file_work(find_link, stores, request.key)
        if linked is None:
            return await loop.file_work(recover, stores, request.key, request)
        gateway = await self._opened_gateway(loop)
        try:
            response = await gateway.open_response(linked.body, linked.intent.sent)
            return await loop.file_work(self._store, stores.journal, linked.intent, response)
        except GatewayError as error:
            await loop.file_work(self._record_failure, stores.journal, linked.intent, error)
            raise

    def _stores_with_response(self, key: str) -> list[Stores]:
        """Return the stores of the other originals folders with a response of a cache key."""
        settings, originals = self._settings, self._stores.originals
        # Not the places of the store: another build may have created a folder since it was opened.
        stores = (open_stores(settings, originals, each) for each in earlier_folders(settings))
        return [each for each in stores if each.journal.has_response(key)]

    async def _sketch(self, request: ImageRequest, loop: EventLoop) -> PurchaseResult:
        """Return a sketch by the embedded emulator, without budget and journal.

        It is free and can be drawn again.
        """
        async with loop.slots:
            loop.raise_if_closing()
            gateway = await self._opened_gateway(loop)
            attached = await self._attached(request, loop)
            begun = time.monotonic()
            response = await gateway.generate(request, None, attached)
        free = replace(response, cost_usd=Decimal(0))
        replaces = request.key in self._ledger.again
        intent = intent_of(request, request, self._settings.gateway, replaces=replaces)
        result = await loop.file_work(store_response, self._stores.originals, intent, free)
        return replace(result, seconds=time.monotonic() - begun)

    async def _generate(
        self, request: ImageRequest, exact_options: Collection[str], loop: EventLoop
    ) -> PurchaseResult:
        """Return a new original; after a shutdown of the model, by one that replaces it.

        Raises:
            ImagegenError: If there is no image.
        """
        self._raise_if_stopped(request.key, "", loop)
        gateway = await self._opened_gateway(loop)  # with the list of models and prices
        await self._count_month(loop)
        try:
            self._models.sent_for(request, exact_options)
        except ModelShutDownError:  # perhaps by an old list
            await self._prices.reload(gateway, loop)
        while True:
            sent = self._models.sent_for(request, exact_options)
            await loop.file_work(self._raise_if_resting, request.key, sent.model)
            try:
                async with self._turn(sent, loop) as price:
                    result = await self._generate_as(sent, price, request, loop)
            except _NotAcceptedError:
                continue  # to the end of the queue
            except (ModelUnavailableError, StoppedError):  # its model, perhaps during the wait
                if self._models.sent_for(request, exact_options) == sent:
                    raise
            else:
                self._models.log_change(request, exact_options)
                return result

    async def _count_month(self, loop: EventLoop) -> None:
        """Count what the month has cost before this run, if there is a limit on it."""
        budget = self._ledger.budget
        if budget.earlier is None and self._settings.budget.has_monthly_limit:
            async with loop.price_list_lock:
                if budget.earlier is None:
                    folder, now = self._stores.originals.folder, datetime.now(timezone.utc)
                    budget.earlier = await loop.file_work(spend_of_month, folder, now)

    def _price_usd(self, request: ImageRequest) -> Decimal | None:
        listed = self._models.price_usd(request)
        return self._ledger.budget.largest_usd(request) if listed is None else listed

    @asynccontextmanager
    async def _turn(self, request: ImageRequest, loop: EventLoop) -> AsyncIterator[Decimal | None]:
        """Wait until a request may be sent, and yield the price to reserve for it.

        With a budget in dollars, only one request of unknown price is in flight, until its charge
        is known, or the server turns out to report none.
        """
        budget, has_limit = self._ledger.budget, self._settings.budget.has_dollar_limit

        def must_be_alone() -> bool:
            is_unknown = self._price_usd(request) is None
            return is_unknown and has_limit and not budget.has_no_charge(request.model)

        async with AsyncExitStack() as turn:
            if must_be_alone():
                await turn.enter_async_context(loop.unknown_price_lock)
            if not must_be_alone():
                await turn.aclose()
            yield self._price_usd(request)
        if has_limit and self._price_usd(request) is None and budget.has_no_charge(request.model):
            log.info(_NO_CHARGE, request.model, extra=ONCE)

    async def _generate_as(
        self, sent: ImageRequest, price: Decimal | None, request: ImageRequest, loop: EventLoop
    ) -> PurchaseResult:
        check = partial(self._raise_if_stopped, request.key, sent.model, loop)
        async with loop.turn(check) as turn:
            gateway = await self._opened_gateway(loop)
            replaces = request.key in self._ledger.again
            intent = intent_of(request, sent, self._settings.gateway, price, replaces=replaces)
            sent_at = time.monotonic()
            self._ledger.budget.reserve(self._settings.budget, price)
            self.in_flight += 1
            try:
                response = await self._settled(intent, self._request(intent, gateway, loop), loop)
            except GatewayError as error:
                self._end_turn(turn, error, check)
                raise
            turn.accept()
        stored = loop.file_work(self._store, self._stores.journal, intent, response)
        result = await self._settled(intent, stored, loop, is_charged=True)
        self._ledger.budget.settle_generated(price, result.original.record.cost_usd)
        self._ledger.budget.note_charge(sent, response.cost_usd)
        self.in_flight -= 1
        self._ledger.regenerated.add(request.key)
        counting = self._ledger.note_generated(sent.model)
        await loop.file_work(self._note_attempts, counting)
        if result.alarm:
            # The journal has the response. Further images could not be stored either.
            self._ledger.stop("the run was stopped: a generated image could not be stored")
        return replace(result, seconds=time.monotonic() - sent_at)

    def _end_turn(self, turn: Turn, error: GatewayError, check: Callable[[], None]) -> None:
        """End the turn of a request that has failed.

        Raises:
            _NotAcceptedError: If it may be sent again.
            ImagegenError: If the run was stopped in the meantime.
        """
        if error.billing is not Billing.UNBILLED:
            turn.accept()
            return
        check()
        is_lost, max_lost_s = isinstance(error, UnreachableError), None
        if is_lost:
            max_lost_s = math.inf if self.waits_for_connection else _MAX_CONNECTION_WAIT_S
        waited_s = turn.refuse(error.retry_after_s, max_lost_s)
        if waited_s is None:
            if self._settings.max_wait:
                self.on_hold(f"{'no connection to' if is_lost else 'rate limited by'} the server")
            raise _NotAcceptedError from error
        if self._settings.max_wait and round(waited_s):
            error.fault += f"; no request was accepted for {waited_s:.0f} s"
        if error.retry_after_s:
            error.fault += f"; the server requests a wait of {error.retry_after_s:.0f} s"
        self._ledger.stop_at_no_cost(error)

    def _raise_if_stopped(self, key: str, model: str, loop: EventLoop) -> None:
        loop.raise_if_closing()
        self._ledger.raise_if_stopped(key, model)

    async def _opened_gateway(self, loop: EventLoop) -> Gateway:
        if self._gateway is None:
            try:
                self._settings = await loop.file_work(prepare_stores, self._stores, self._settings)
            except StoreError as error:
                self._ledger.stop(error.fault, cause=error)
                raise
        # Another request may have opened it during the check.
        self._gateway = self._gateway or self._open_gateway(self._settings.gateway)
        if not self._settings.gateway.is_sketch:
            await self._prices.load(self._gateway, loop)
        return self._gateway

    async def _request(self, intent: Intent, gateway: Gateway, loop: EventLoop) -> ImageResponse:
        request = intent.sent
        attached = await self._attached(request, loop)
        await loop.file_work(self._stores.journal.begin, intent)
        # The run may have been stopped while this request was being prepared.
        self._raise_if_stopped(intent.request.key, request.model, loop)
        keep = partial(self._stores.journal.save_response, intent)
        try:
            return await gateway.generate(request, keep, attached)
        except ModelUnavailableError:
            await self._prices.reload(gateway, loop)  # for alternatives that are on offer now
            raise

    async def _attached(self, request: ImageRequest, loop: EventLoop) -> Attachments:
        """Return the reference images of a request; their bytes are held only while it runs."""
        if not request.references:
            return NO_ATTACHMENTS
        return await loop.file_work(self._read_references, request)

    def _store(self, journal: Journal, intent: Intent, response: ImageResponse) -> PurchaseResult:
        key = intent.request.key
        result = store_response(self._stores.originals, intent, response)
        if not result.alarm:
            journal.end(key)
            return result
        has_response = journal.has_response(key)
        what_next = "the next build stores it" if has_response else "move it to a safe place"
        return replace(result, alarm=f"{result.alarm}; {what_next}")

    async def _settled(
        self, intent: Intent, work: Awaitable[T], loop: EventLoop, *, is_charged: bool = False
    ) -> T:
        """Await a step of a purchase; record a failure in the journal, budget and ledger.

        Args:
            intent: Intent of the purchase.
            work: Step that sends the request or stores its response.
            loop: Event loop on which the step runs.
            is_charged: True if the response has arrived, and so is charged.
        """
        try:
            return await work
        except ImagegenError as error:
            await loop.file_work(self._record_failure, self._stores.journal, intent, error)
            if isinstance(error, ModelUnavailableError):
                await loop.file_work(self._models.note, error, intent.sent)
            self._settle_failure(intent, error, is_charged=is_charged)
            raise
        except Exception as error:
            # The journal keeps its files: the next build stores the response, or lists the request.
            unknown = unexpected(error, OutcomeUnknownError)
            self._settle_failure(intent, unknown, is_charged=is_charged)
            raise unknown from error

    def _record_failure(self, journal: Journal, intent: Intent, error: ImagegenError) -> None:
        originals, key = self._stores.originals, intent.request.key
        if isinstance(error, StoreError):
            return  # the journal has the only copy of the response
        if billing := noted_billing(error):
            has_generated = self._ledger.has_generated(intent.sent.model)
            counts = billing == "billed" or (billing == "unknown" and has_generated)
            attempt = attempt_of(intent, billing, error.fault, counts=counts)
            if billing == "unknown" and not counts:
                self._ledger.note_uncertain(key, attempt)
            if not self._note_attempts([(key, attempt)]) and billing != "refused":
                return  # the journal keeps the intent, and the next build notes it
        if isinstance(error, DownloadError) and journal.has_response(key):
            error.hint = f"the next build fetches it again; {journal.deletion_hint(key)}"
            return
        if isinstance(error, InvalidResponseError) and not quarantine(originals, key, error):
            return  # the journal has the only copy of the response
        journal.end(key)

    def _note_attempts(self, attempts: Sequence[tuple[str, Attempt]]) -> bool:
        """Write attempts; return False if one cannot be written."""
        try:
            for key, attempt in attempts:
                self._stores.attempts.add(key, attempt)
        except (OSError, StoreError):
            return False
        return True

    def _settle_failure(self, intent: Intent, error: ImagegenError, *, is_charged: bool) -> None:
        ledger = self._ledger
        self.in_flight -= 1
        billing = error.billing if isinstance(error, GatewayError) else Billing.UNBILLED
        ledger.budget.settle_failed(intent.price_usd, Billing.BILLED if is_charged else billing)
        if isinstance(error, GatewayError):
            ledger.note_failure(error, intent.request.key, intent.sent.model)
        if isinstance(error, StoreError):
            ledger.stop(error.fault, cause=error)
        elif reason := ledger.budget.breaker_reason:
            ledger.stop(f"the run was stopped: {reason}, last error: {error.fault}", cause=error)
