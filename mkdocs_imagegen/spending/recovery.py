"""Recovery from builds that were killed: responses to store, and requests without a response.

A caller of a function other than `recover_all` holds the claim on the cache key.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from mkdocs_imagegen.errors import InvalidResponseError, StoreError
from mkdocs_imagegen.gateway.wire import decode_response, image_link
from mkdocs_imagegen.log import log
from mkdocs_imagegen.option_parsers import quote_value
from mkdocs_imagegen.originals.judge import Original
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import GatewaySettings
from mkdocs_imagegen.spending.journal import Intent, SavedResponse
from mkdocs_imagegen.spending.ledger import attempt_of
from mkdocs_imagegen.spending.storing import (
    PurchaseResult,
    Stores,
    quarantine,
    store_response,
)


def recover_all(stores: Stores) -> None:
    """Recover every journaled request that no build is working on; log failures."""
    try:
        keys = stores.journal.open_keys()
    except StoreError as error:
        log.info("%s", error)  # each request asks the journal again before it is sent
        return
    for key in keys:
        try:
            with stores.claims.claim(key) as is_claimed:
                if is_claimed:
                    try_to_recover(stores, key)
        except StoreError as error:
            log.info("the journal was not read: %s", error)


def try_to_recover(stores: Stores, key: str) -> PurchaseResult | None:
    """Recover the journaled request of a cache key, unless its response is a link; log a failure.

    Args:
        stores: Stores of the site.
        key: Cache key.
    """
    try:
        return recover(stores, key) if find_link(stores, key) is None else None
    except InvalidResponseError as error:
        log.info("the response to an earlier build has no image: %s", error)
    except Exception as error:  # noqa: BLE001 - a damaged journal must not end the build
        log.info("the response to an earlier build stays in the journal: %s", error)
    return None


def recover(stores: Stores, key: str, request: ImageRequest | None = None) -> PurchaseResult | None:
    """Return the original of an earlier request, or None if the journal has no response.

    Args:
        stores: Stores of the site.
        key: Cache key.
        request: Request of the key, for a response whose intent is lost.

    Raises:
        ImagegenError: If the response cannot be stored now, or has no image.
    """
    intent = stores.journal.find_intent(key)
    responses = stores.journal.find_responses(key, request)
    result = failure = None
    for saved in responses:
        if not stores.accepts_links and _is_link(saved.body):
            fault = "the response to an earlier build links to its image"
            forget = stores.journal.deletion_hint(key)
            raise StoreError(fault, hint=f"set `gateway.accept_urls: true` to fetch it; {forget}")
        try:
            result = _store(stores, saved)
            stores.journal.remove(saved)
        except InvalidResponseError as error:
            failure = error
    # A response that could not be put into quarantine stays, and so does its intent.
    if intent is not None and not (failure and stores.journal.has_response(key)):
        if not responses:
            _note_unknown(stores, intent)
        stores.journal.end(key)
    if failure is not None and result is None:
        raise failure
    return result


def find_link(stores: Stores, key: str) -> SavedResponse | None:
    """Return an earlier response if it only links to its image.

    Raises:
        StoreError: If the journal cannot be read now.
    """
    responses = stores.journal.find_responses(key) if stores.accepts_links else []
    return next((each for each in responses if _is_link(each.body)), None)


def _store(stores: Stores, saved: SavedResponse) -> PurchaseResult:
    intent = saved.intent
    settings = replace(GatewaySettings(), output_format=intent.output_format)
    key = intent.request.key
    try:
        response = decode_response(saved.body, intent.sent, settings)
        known = _intact_original(stores, intent)
        if known and known.record.sha256 == hashlib.sha256(response.image).hexdigest():
            return PurchaseResult(known)  # killed after storing it
        result = store_response(stores.originals, intent, response)
    except InvalidResponseError as error:
        if quarantine(stores.originals, key, error):
            stores.attempts.add(key, attempt_of(intent, "billed", error.fault, counts=True))
            stores.journal.remove(saved)
        raise
    if result.alarm:
        raise StoreError(result.alarm)
    log.info("stored an image that an earlier build generated: %s", _description(intent))
    return result


def _intact_original(stores: Stores, intent: Intent) -> Original | None:
    """Return the original of a request; None if a file of it is lost or damaged."""
    # Not `find_exact`, which writes a lost record again, without the cost in the response.
    verdict = stores.originals.audit(intent.request.key)
    return verdict.original if verdict else None


def _note_unknown(stores: Stores, intent: Intent) -> None:
    """Note a request that was killed.

    Raises:
        OSError: If the attempt cannot be written.
    """
    fault = "the build was stopped before the response arrived"
    stores.attempts.add(intent.request.key, attempt_of(intent, "unknown", fault))
    log.info("%s", _lost(intent, stores.attempts.path(intent.request.key)))


def _description(intent: Intent) -> str:
    return f"{quote_value(intent.request.prompt)} ({intent.request.model}, {intent.begun})"


def _lost(intent: Intent, path: Path) -> str:
    price = f"about ${intent.price_usd.normalize():f}" if intent.price_usd else "its price"
    return (
        f"an earlier build was stopped while it generated {_description(intent)}; "
        f"{price} may have been charged (listed in {path})"
    )


def _is_link(body: bytes) -> bool:
    try:
        return bool(image_link(body))
    except InvalidResponseError:
        return False
