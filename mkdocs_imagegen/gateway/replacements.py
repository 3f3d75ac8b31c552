"""Models that replace one that was shut down, and alternatives for a message.

Pure: no I/O, clock or environment.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from mkdocs_imagegen.errors import OptionError
from mkdocs_imagegen.gateway.models import KNOWN_MODELS, check_request
from mkdocs_imagegen.gateway.pricing import GetPrice
from mkdocs_imagegen.gateway.untrusted import as_mapping, parse_object
from mkdocs_imagegen.request import ImageRequest

MAX_PRICE_RATIO = Decimal("1.5")
"""Maximum price of an image by a replacement of the built-in list, relative to the price before."""

MAX_ALTERNATIVES = 3


def replacement(
    request: ImageRequest,
    exact_options: Collection[str],
    is_offered: Callable[[str], bool],
    get_price: GetPrice,
) -> ImageRequest | None:
    """Return the request with the model and quality that replace those of a model shut down.

    The first model of the built-in list whose price is known and at most 1.5 times as high; if
    there is none, the same at the next lower quality.

    Args:
        request: Request to the model that was shut down.
        exact_options: Options that the directive itself sets, which are not replaced.
        is_offered: Function that returns True if a model may be used.
        get_price: Function that returns the price of a request.
    """
    price = get_price(request)
    if price is None or "model" in exact_options:
        return None
    for sent in _built_in(request, keeps_quality="quality" in exact_options):
        usd = get_price(sent)
        if is_offered(sent.model) and usd is not None and usd <= price * MAX_PRICE_RATIO:
            return sent
    return None


def own_replacement(
    request: ImageRequest, models: Iterable[str], is_offered: Callable[[str], bool]
) -> ImageRequest | None:
    """Return the request with the first model of the author's list that accepts it."""
    sent = (replace(request, model=model) for model in models if is_offered(model))
    return next(filter(_is_accepted, sent), None)


def alternatives(
    models: Iterable[str], request: ImageRequest, get_price: GetPrice
) -> list[tuple[str, Decimal | None]]:
    """Return up to three models that can replace the requested one, with the price of the request.

    Models of its creator come first, then the cheapest; those of unknown price are last.
    """
    priced = [(model, get_price(replace(request, model=model))) for model in models]
    creator = request.model.partition("/")[0]

    def rank(pair: tuple[str, Decimal | None]) -> tuple[bool, bool, Decimal]:
        model, usd = pair
        return model.partition("/")[0] != creator, usd is None, usd or Decimal(0)

    return sorted(priced, key=rank)[:MAX_ALTERNATIVES]


def _built_in(request: ImageRequest, *, keeps_quality: bool) -> Iterator[ImageRequest]:
    """Yield the replacements of the built-in list, then those at the next lower quality."""
    facts = KNOWN_MODELS.get(request.model)
    if facts is None:
        return
    lower = () if keeps_quality else _lower(request.quality, facts.qualities)
    for quality in (request.quality, *lower):
        sent = (replace(request, model=each, quality=quality) for each in facts.replacements)
        yield from filter(_is_accepted, sent)


def _lower(quality: str, qualities: Sequence[str]) -> Sequence[str]:
    """Return the next lower quality, if there is one; ``auto`` is the first of all."""
    at = qualities.index(quality) if quality in qualities else 0
    return qualities[at - 1 : at] if at > 1 else ()


def _is_accepted(sent: ImageRequest) -> bool:
    """Return True if a model accepts the values of a request, as far as they are known."""
    facts = KNOWN_MODELS.get(sent.model)
    special = {name for each in KNOWN_MODELS.values() for name in each.options}
    options = as_mapping((parse_object(sent.model_options.encode()) or {}).get("openai"))
    try:
        check_request(sent, "webp")
    except OptionError:
        return False
    return facts is None or special & set(options) <= facts.options
