"""What a run may spend."""

from __future__ import annotations

from decimal import Decimal

from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.options import Parser, number, option, optional, whole_number

_MAX_USD = 100_000
_DOLLARS = number(0, _MAX_USD)


def _usd(value: object) -> Decimal:
    return Decimal(str(_DOLLARS(value)))


USD: Parser[Decimal] = Parser(_DOLLARS.accepts, _usd, _DOLLARS.schema)


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetSettings:
    """What one run may spend: one `mkdocs build` in all its languages, or one `mkdocs serve`."""

    images: int | None = option(
        100,
        optional(whole_number(0, 1_000_000)),
        "Images that one run may pay for; `null` for any number.",
    )
    usd: Decimal | None = option(
        Decimal("5.00"),
        optional(USD),
        "Dollars that one run may spend, by list prices until the server says what it charged; "
        "`null` for any amount. A model whose price is not known counts as an image only.",
    )
