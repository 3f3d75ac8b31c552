"""What builds that were ended have left in the journal: answers to store, calls to tell of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mkdocs_imagegen.building.keeping import Keeper
from mkdocs_imagegen.building.wanted import Exact, Result
from mkdocs_imagegen.errors import BadAnswerError, ImagegenError, StoreError
from mkdocs_imagegen.gateway.wire import read_answer
from mkdocs_imagegen.originals.claims import Claims
from mkdocs_imagegen.originals.journal import Intent, Journal
from mkdocs_imagegen.settings import GatewaySettings
from mkdocs_imagegen.values import shown


class Salvager:
    """Stores answers that were paid for and never stored.

    Args:
        journal: where they are.
        claims: on the pictures that are being asked for now, here or by another build.
        keeper: stores a picture.
        exact: finds the original of a request.
        say: called with what was found.
    """

    def __init__(
        self,
        journal: Journal,
        claims: Claims,
        keeper: Keeper,
        exact: Exact,
        say: Callable[[str], None],
    ) -> None:
        self._journal = journal
        self._claims = claims
        self._keeper = keeper
        self._exact = exact
        self._say = say

    def salvage_all(self) -> None:
        """Go through everything that no build is working on; never fails."""
        for key in self._journal.keys():  # noqa: SIM118 - no mapping
            try:
                with self._claims.claim(key) as is_ours:
                    if is_ours:
                        self.salvage(key)
            except ImagegenError as error:
                self._say(f"an earlier build's answer stays in the journal: {error}")

    def salvage(self, key: str) -> Result | None:
        """What an earlier call for that key has brought; None for nothing. Holds the claim.

        Raises:
            ImagegenError: it brought something that cannot be stored now, or is no picture.
        """
        intent = self._journal.find(key)
        if intent is None:
            return None
        if (kept := self._exact(intent.request)) is not None:
            self._journal.end(key)
            return Result(kept)
        body = self._journal.answer(key)
        if body is None:
            self._journal.end_unknown(intent)
            self._say(_lost(intent, self._journal))
            return None
        return self._stored(intent, body)

    def _stored(self, intent: Intent, body: bytes) -> Result:
        asked = replace(GatewaySettings(), output_format=intent.output_format)
        key = intent.request.key
        try:
            result = self._keeper.keep(
                intent.request, read_answer(body, intent.request, asked), intent.server
            )
        except BadAnswerError as error:
            if error.body:
                error.hint = self._keeper.quarantine(f"{key}.answer", error.body)
            self._journal.end(key)
            raise
        if result.alarm:
            raise StoreError(result.alarm)
        self._journal.end(key)
        self._say(f"stored a picture that an earlier build had paid for: {_named(intent)}")
        return result


def _named(intent: Intent) -> str:
    return f"{shown(intent.request.prompt)} ({intent.request.model}, {intent.begun})"


def _lost(intent: Intent, journal: Journal) -> str:
    price = f"about ${intent.price_usd.normalize():f}" if intent.price_usd else "its price"
    return (
        f"an earlier build was ended while it asked for {_named(intent)}: "
        f"{price} may have been charged; noted in {journal.unknown_path}"
    )
