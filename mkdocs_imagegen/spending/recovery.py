"""What builds that were ended have left in the journal: answers to store, calls to tell of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mkdocs_imagegen.errors import InvalidResponseError, StoreError
from mkdocs_imagegen.gateway.wire import decode_response, image_link
from mkdocs_imagegen.jobs.job import Result
from mkdocs_imagegen.options import quote_value
from mkdocs_imagegen.originals.store import Original, OriginalStore
from mkdocs_imagegen.settings import GatewaySettings
from mkdocs_imagegen.spending.claims import Claims
from mkdocs_imagegen.spending.journal import Intent, Journal
from mkdocs_imagegen.spending.storing import Keeper


class Recovery:
    """Stores answers that were paid for and never stored.

    Args:
        journal: where they are.
        claims: on the images that are being asked for now, here or by another build.
        keeper: stores an image.
        store: where it is stored.
        follows_links: whether an image may be fetched that an answer only links to.
        say: called with what was found.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - one argument for each thing that it works with
        self,
        journal: Journal,
        claims: Claims,
        keeper: Keeper,
        store: OriginalStore,
        follows_links: bool,  # noqa: FBT001 - named where it is called
        say: Callable[[str], None],
    ) -> None:
        self._journal = journal
        self._claims = claims
        self._keeper = keeper
        self._store = store
        self._follows_links = follows_links
        self._say = say

    def recover_all(self) -> None:
        """Go through everything that no build is working on; never fails."""
        for key in self._journal.keys():  # noqa: SIM118 - no mapping
            try:
                with self._claims.claim(key) as is_ours:
                    if is_ours and self.link(key) is None:
                        self.recover(key)
            except InvalidResponseError as error:
                self._say(f"an earlier build has paid for an answer that is no image: {error}")
            except Exception as error:  # noqa: BLE001 - a spoiled journal does not end a build
                self._say(f"an earlier build's answer stays in the journal: {error}")

    def recover(self, key: str) -> Result | None:
        """What an earlier call for that key has brought; None for nothing. Holds the claim.

        Raises:
            ImagegenError: it brought something that cannot be stored now, or is no image.
        """
        intent = self._journal.find(key)
        if intent is None:
            return None
        if (original := self._stored_already(intent)) is not None:
            self._journal.end(key)
            return Result(original)
        body = self._journal.answer(key)
        if body is None:
            self._journal.end_unknown(intent)
            self._say(_lost(intent, self._journal))
            return None
        if not self._follows_links and _is_link(body):
            fault = "the answer that an earlier build has paid for links to its image"
            forget = self._journal.how_to_forget(key)
            raise StoreError(fault, hint=f"set gateway.accept_urls to have it fetched; {forget}")
        return self._stored(intent, body)

    def link(self, key: str) -> tuple[Intent, bytes] | None:
        """A call whose answer only links to the image, and the answer.

        Raises:
            StoreError: it cannot be read now.
        """
        intent = self._journal.find(key) if self._follows_links else None
        body = self._journal.answer(key) if intent else None
        return (intent, body) if intent and body and _is_link(body) else None

    def _stored_already(self, intent: Intent) -> Original | None:
        """The original that the very call has brought, a sketch only if its server sketches."""
        original = self._store.find(intent.request.key)
        sketch = None if original else self._store.find(intent.request.as_sketch.key)
        return sketch if sketch and sketch.record.server == intent.server else original

    def _stored(self, intent: Intent, body: bytes) -> Result:
        asked = replace(GatewaySettings(), output_format=intent.output_format)
        key = intent.request.key
        try:
            answer = decode_response(body, intent.request, asked)
            result = self._keeper.keep(intent.request, answer, intent.server)
        except InvalidResponseError as error:
            hint = self._keeper.quarantine(f"{key}.answer", error.body) if error.body else None
            error.hint = hint or error.hint
            if hint or not error.body:
                self._journal.end(key)
            raise
        if result.alarm:
            raise StoreError(result.alarm)
        self._journal.end(key)
        self._say(f"stored an image that an earlier build had paid for: {_named(intent)}")
        return result


def _named(intent: Intent) -> str:
    return f"{quote_value(intent.request.prompt)} ({intent.request.model}, {intent.begun})"


def _lost(intent: Intent, journal: Journal) -> str:
    price = f"about ${intent.price_usd.normalize():f}" if intent.price_usd else "its price"
    return (
        f"an earlier build was ended while it asked for {_named(intent)}: "
        f"{price} may have been charged; noted in {journal.unknown_path}"
    )


def _is_link(body: bytes) -> bool:
    try:
        return bool(image_link(body))
    except InvalidResponseError:
        return False
