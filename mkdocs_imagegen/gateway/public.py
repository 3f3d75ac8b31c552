"""What a server tells of itself beside its list of models; pure.

Source: fact sheet "gateway protocol", sections 3.2 (endpoints of a model) and 3.3 (credits).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from urllib.parse import quote

from mkdocs_imagegen.errors import InvalidResponseError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.gateway.bodies import strict_json
from mkdocs_imagegen.gateway.wire import dollars

CREDITS = "credits"
"""The path of what is left to spend."""


@dataclass(frozen=True, slots=True)
class Health:
    """How a model has done of late, by the best of its providers that is active.

    Attributes:
        uptime_percent: of the last day; None where it is not told.
        latency_ms: the median of the last hour; None where it is not told.
        providers: how many are active.
    """

    uptime_percent: float | None
    latency_ms: float | None
    providers: int


@dataclass(frozen=True, slots=True)
class Credits:
    """What is left to spend, and what was spent, in dollars."""

    balance_usd: Decimal
    used_usd: Decimal | None


def endpoints_path(model: str) -> str:
    """The path of what is told of a model's providers."""
    return f"models/{quote(model, safe='/')}/endpoints"


def read_health(body: bytes) -> Health:
    """How a model does, from the list of its endpoints; what cannot be read is left out."""
    data = _mapping(_json(body).get("data"))
    listed = data.get("endpoints")
    every = (
        [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []
    )
    active = [each for each in every if each.get("status", 0) == 0]
    uptimes = _numbers(each.get("uptime_last_1d") for each in active)
    latencies = _numbers(_mapping(each.get("latency_last_1h")).get("p50") for each in active)
    return Health(max(uptimes, default=None), min(latencies, default=None), len(active))


def read_credits(body: bytes) -> Credits:
    """What is left to spend.

    Raises:
        InvalidResponseError: the answer does not say.
    """
    told = _json(body)
    balance = dollars(told.get("balance"))
    if balance is None:
        raise InvalidResponseError("the server does not say what is left to spend")
    return Credits(balance, dollars(told.get("total_used")))


def _json(body: bytes) -> Mapping[str, object]:
    try:
        return _mapping(strict_json(body))
    except ValueError:
        return {}


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _numbers(values: Iterable[object]) -> list[float]:
    return [
        float(each)
        for each in values
        if isinstance(each, (int, float)) and not isinstance(each, bool)
        if 0 <= each < math.inf
    ]
