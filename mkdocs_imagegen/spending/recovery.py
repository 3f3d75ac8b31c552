"""Recovery from builds that were killed: responses to store, and requests without a response.

A caller of `recover` or `find_link` holds the claim on the cache key.
"""

from __future__ import annotations

from dataclasses import replace

from mkdocs_imagegen.errors import InvalidResponseError, StoreError
from mkdocs_imagegen.gateway.wire import decode_response, image_link
from mkdocs_imagegen.log import log
from mkdocs_imagegen.option_parsers import quote_value
from mkdocs_imagegen.settings import GatewaySettings
from mkdocs_imagegen.spending.journal import Intent, Journal
from mkdocs_imagegen.spending.storing import (
    PurchaseResult,
    Stores,
    quarantine,
    store_response,
)


def recover_all(stores: Stores) -> None:
    """Recover every journaled request that no build is working on; log failures."""
    for key in stores.journal.open_keys():
        try:
            with stores.claims.claim(key) as is_claimed:
                if is_claimed and find_link(stores, key) is None:
                    recover(stores, key)
        except InvalidResponseError as error:
            log.info("the response to an earlier build has no image: %s", error)
        except Exception as error:  # noqa: BLE001 - a damaged journal must not end the build
            log.info("the response to an earlier build stays in the journal: %s", error)


def recover(stores: Stores, key: str) -> PurchaseResult | None:
    """Return the original of an earlier request, or None if the journal has no response.

    Raises:
        ImagegenError: If the response cannot be stored now, or has no image.
    """
    intent = stores.journal.find_intent(key)
    if intent is None:
        return None
    original = stores.originals.find_exact(intent.request, intent.server)
    if original is not None and stores.originals.read(original) is not None:
        stores.journal.end(key)
        return PurchaseResult(original)
    body = stores.journal.find_response(key)
    if body is None:
        stores.journal.end_as_unknown(intent)
        log.info("%s", _lost(intent, stores.journal))
        return None
    if not stores.accepts_links and _is_link(body):
        fault = "the response to an earlier build links to its image"
        forget = stores.journal.deletion_hint(key)
        raise StoreError(fault, hint=f"set `gateway.accept_urls: true` to fetch it; {forget}")
    return _store(stores, intent, body)


def find_link(stores: Stores, key: str) -> tuple[Intent, bytes] | None:
    """Return an earlier intent and its response if that only links to the image.

    Raises:
        StoreError: If the journal cannot be read now.
    """
    intent = stores.journal.find_intent(key) if stores.accepts_links else None
    body = stores.journal.find_response(key) if intent else None
    return (intent, body) if intent and body and _is_link(body) else None


def _store(stores: Stores, intent: Intent, body: bytes) -> PurchaseResult:
    settings = replace(GatewaySettings(), output_format=intent.output_format)
    key = intent.request.key
    try:
        response = decode_response(body, intent.request, settings)
        result = store_response(
            stores.originals, intent.request, response, intent.server, intent.price_usd
        )
    except InvalidResponseError as error:
        quarantine(stores, key, error)
        raise
    if result.alarm:
        raise StoreError(result.alarm)
    stores.journal.end(key)
    log.info("stored an image that an earlier build generated: %s", _description(intent))
    return result


def _description(intent: Intent) -> str:
    return f"{quote_value(intent.request.prompt)} ({intent.request.model}, {intent.begun})"


def _lost(intent: Intent, journal: Journal) -> str:
    price = f"about ${intent.price_usd.normalize():f}" if intent.price_usd else "its price"
    return (
        f"an earlier build was stopped while it generated {_description(intent)}; "
        f"{price} may have been charged (listed in {journal.unknown_path})"
    )


def _is_link(body: bytes) -> bool:
    try:
        return bool(image_link(body))
    except InvalidResponseError:
        return False
