"""The model that is sent: the requested one, or its replacement after a shutdown.

``shut_down.json`` in the cache folder keeps for a day what a server has said about the end of its
models: ``server``, and for each of its ``models`` the Unix time ``at`` and the text ``said``.
"""

from __future__ import annotations

import contextlib
import difflib
import json
import time
from collections.abc import Collection
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from mkdocs_imagegen.errors import (
    ModelForbiddenError,
    ModelShutDownError,
    ModelUnavailableError,
)
from mkdocs_imagegen.files import read_plain_file, write_atomic
from mkdocs_imagegen.gateway.models import KNOWN_MODELS, suggest_model
from mkdocs_imagegen.gateway.replacements import (
    MAX_PRICE_RATIO,
    alternatives,
    own_replacement,
    replacement,
)
from mkdocs_imagegen.log import NOT_STRICT, log
from mkdocs_imagegen.option_parsers import SKETCH_MODEL
from mkdocs_imagegen.report import format_usd
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import AUTO, Settings
from mkdocs_imagegen.spending.prices import PriceList

NOTICE = timedelta(days=30)
"""Time before a shutdown from which it is announced, and a refusal counts as the shutdown."""

_DAY_S = 86_400
_MIN_LIKENESS = 0.8
_MAX_BYTES = 100_000


class ModelChoice:
    """The choice of the model that is sent for each request of a run.

    A model counts as shut down if a response names its end. Near its shutdown date, it is enough
    that a response refuses it, or that the server's list of models lacks it. Any other absence from
    a list proves nothing: the request is sent.

    Args:
        settings: Settings of the site.
        prices: Price list of its server.
        is_estimate: True if nothing is sent, so that a date that is past is enough without a list.
    """

    def __init__(self, settings: Settings, prices: PriceList, *, is_estimate: bool = False) -> None:
        self._settings = settings
        self._prices = prices
        self._is_estimate = is_estimate
        self._path = settings.cache_path / "shut_down.json"
        self._said = self._read()
        self._refused: set[str] = set()

    def sent_for(self, request: ImageRequest, exact_options: Collection[str] = ()) -> ImageRequest:
        """Return the request with the model and the quality that are sent.

        Args:
            request: Request of the image.
            exact_options: Options that its directive sets itself.

        Raises:
            ModelShutDownError: If its model was shut down and none may replace it.
        """
        models, is_shut_down = self._settings.fallback_models, self.is_shut_down(request.model)
        if not is_shut_down and (models == AUTO or request.model not in self._refused):
            return request
        sent = self._replacement(request, exact_options)
        if sent is None and is_shut_down:
            raise self._error(request, exact_options)
        return sent or request

    def is_shut_down(self, model: str) -> bool:
        """Return True if a model counts as shut down."""
        if model in self._said:
            return True
        if not self._is_near(model):
            return False
        if self._is_estimate and self._has_ended(model) and not self._prices.is_fresh:
            return True
        return bool(self._prices.models) and model not in self._prices.models

    def price_usd(self, request: ImageRequest) -> Decimal | None:
        """Return the price of a request in dollars, or None if it is unknown.

        AI Gateway may route it to the models that the author names in ``provider_options``; the
        price is that of the dearest.
        """
        models = (request.model, *self._settings.gateway.routed_models)
        prices = [self._prices.price_usd(replace(request, model=model)) for model in models]
        known = [usd for usd in prices if usd is not None]
        return max(known) if len(known) == len(prices) else None

    def estimate_usd(
        self, request: ImageRequest, exact_options: Collection[str] = ()
    ) -> Decimal | None:
        """Return the price of a request as it is sent, in dollars, or None if it is unknown."""
        try:
            return self.price_usd(self.sent_for(request, exact_options))
        except ModelShutDownError:
            return self.price_usd(request)

    @classmethod
    def from_cache(cls, settings: Settings, *, is_estimate: bool = False) -> ModelChoice:
        """Return the choice by what earlier runs have learned, without a request."""
        prices = PriceList.from_cache(settings.prices_path, settings.gateway.url)
        return cls(settings, prices, is_estimate=is_estimate)

    def note(self, error: ModelUnavailableError, sent: ImageRequest) -> None:
        """Note, in a worker thread, that a server refuses a model, and if it counts as shut down.

        The error gets the alternatives and the next step.
        """
        self._refused.add(sent.model)
        self._explain(error, sent)
        is_end = isinstance(error, ModelShutDownError) or self._is_near(sent.model)
        if is_end and not isinstance(error, ModelForbiddenError):
            self._said.setdefault(sent.model, {"at": time.time(), "said": error.fault})
            self._write()

    def _explain(self, error: ModelUnavailableError, sent: ImageRequest) -> None:
        """Add the next step to the error of a model that is refused and was not shut down."""
        known = sent.model in KNOWN_MODELS or sent.model in self._prices.models
        close = difflib.get_close_matches(sent.model, self._prices.models, 1, _MIN_LIKENESS)
        likely = [each for each in (suggest_model(sent.model), *close) if each]
        listed = self._alternatives(sent)
        if likely and not known:
            new = listed.partition(" ")[0] if self._has_ended(likely[0]) else ""
            error.hint = f'did you mean "{new or likely[0]}"?'
        if listed:
            error.accepted = f"alternatives: {listed}"

    def log_change(self, request: ImageRequest, exact_options: Collection[str] = ()) -> None:
        """Log, once per run, which model replaces that of a request, now or soon; never strict.

        Args:
            request: Request of the image.
            exact_options: Options that its directive sets itself.
        """
        try:
            sent = self.sent_for(request, exact_options)
        except ModelShutDownError:
            return  # each image has the error
        new: ImageRequest | None = sent
        if sent == request:
            if not self._is_near(request.model) or self._has_ended(request.model):
                return  # a model that is offered after its date works
            new = self._replacement(request, exact_options)
        text = f"{self._end(request.model)}; {self._advice(request, new)}"
        log.warning("%s", text, extra=NOT_STRICT | {"imagegen_once": f"end of {request.model}"})

    def _replacement(
        self, request: ImageRequest, exact_options: Collection[str]
    ) -> ImageRequest | None:
        models = self._settings.fallback_models
        if models == AUTO:
            get_price = self._prices.price_usd  # of the models alone
            return replacement(request, exact_options, self._is_offered, get_price)
        if "model" in exact_options:
            return None
        return own_replacement(request, models, self._is_usable)

    def _advice(self, request: ImageRequest, sent: ImageRequest | None) -> str:
        if sent is None:
            return f"set `model` to another one: {self._alternatives(request)}"
        before, after = (_price_text(self._prices.price_usd(each)) for each in (request, sent))
        line = f"`model: {sent.model}`"
        if sent.quality != request.quality:
            line += f" and `quality: {sent.quality}`"
        is_over = self.is_shut_down(request.model) or request.model in self._refused
        verb, then = ("replaces", "before") if is_over else ("will replace", "now")
        prices = f"{after} an image of {request.size}, {before} {then}"
        return f"{sent.model} {verb} it ({prices}); to choose it yourself, set {line}"

    def _error(self, request: ImageRequest, exact_options: Collection[str]) -> ModelShutDownError:
        fault, names = self._end(request.model), self._alternatives(request)
        is_named = "model" in exact_options
        known = KNOWN_MODELS.get(request.model)
        if not is_named and self._settings.fallback_models == AUTO and known:
            ratio = f"a known price of at most {MAX_PRICE_RATIO} times that"
            fault += f", and no built-in replacement is offered at {ratio}"
        first = names.partition(" ")[0]
        line = f"`model: {first}`" if first else "`model` to another one"
        where = " on the image, its preset, named prompt or page" if is_named else ""
        error = ModelShutDownError(fault, hint=f"set {line}{where}; existing images stay in use")
        error.accepted = f"alternatives: {names}" if names else None
        return error

    def _alternatives(self, request: ImageRequest) -> str:
        known = KNOWN_MODELS.get(request.model)
        models = dict.fromkeys((*(known.replacements if known else ()), *self._prices.models))
        usable = [each for each in models if self._is_offered(each) and each != SKETCH_MODEL]
        priced = alternatives(usable, request, self._prices.price_usd)
        return ", ".join(f"{model} ({_price_text(usd)})" for model, usd in priced)

    def _end(self, model: str) -> str:
        day = self._shutdown_date(model)
        if not self.is_shut_down(model) and model in self._refused:
            return f"the server refuses {model}"
        if day is None:
            return f"{model} was shut down ({self._said[model]['said']})"
        if self._has_ended(model):
            return f"{model} was shut down on {day}"
        if self.is_shut_down(model):
            return f"{model} is no longer offered (shutdown date {day})"
        return f"{model} will be shut down on {day}"

    def _is_near(self, model: str, notice: timedelta = NOTICE) -> bool:
        day = self._shutdown_date(model)
        return day is not None and day - today() <= notice

    def _has_ended(self, model: str) -> bool:
        return self._is_near(model, timedelta())

    def _is_usable(self, model: str) -> bool:
        return model not in self._refused and not self.is_shut_down(model)

    def _is_offered(self, model: str) -> bool:
        is_listed = not self._prices.models or model in self._prices.models
        return is_listed and self._is_usable(model) and not self._is_near(model)

    def _shutdown_date(self, model: str) -> date | None:
        known = KNOWN_MODELS.get(model)
        text = (known.shutdown_date if known else None) or self._prices.shutdown_date(model)
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            return None

    def _read(self) -> dict[str, dict[str, Any]]:
        """Return what the server has said in the last day."""
        try:
            fields = json.loads(read_plain_file(self._path, _MAX_BYTES))
            if fields["server"] != self._settings.gateway.url:
                return {}
            now = time.time()
            return {
                str(model): {"at": each["at"], "said": str(each["said"])}
                for model, each in fields["models"].items()
                if 0 <= now - each["at"] < _DAY_S
            }
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return {}

    def _write(self) -> None:
        fields = {"server": self._settings.gateway.url, "models": dict(self._said)}
        with contextlib.suppress(OSError):
            write_atomic(self._path, json.dumps(fields).encode())


def today() -> date:
    """Return the current day in UTC."""
    return datetime.now(timezone.utc).date()


def _price_text(usd: Decimal | None) -> str:
    return "price unknown" if usd is None else format_usd(usd)
