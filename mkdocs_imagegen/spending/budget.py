"""What a run has spent and may still spend; pure.

An image's price is taken from the budget before it is asked for, over all that is in flight, and
corrected by what was charged. What was paid, or perhaps paid, and gave no image counts as waste;
a run that wastes too often is stopped (fact sheet "reliability", section 4.1: with the breaker an
outage costs a dozen images, without it every one that is missing).
"""

from __future__ import annotations

from decimal import Decimal

from mkdocs_imagegen.errors import Billing, OverBudgetError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.report import ChargedFailures
from mkdocs_imagegen.settings.budget import BudgetSettings

MAX_WASTED = 12
"""Calls that a run may pay for nothing before it is stopped; those in flight then come on top."""

MAX_WASTED_IN_A_ROW = 5

_WASTE = (Billing.UNKNOWN, Billing.BILLED)


@dataclass(slots=True)
class Budget:
    """The money of one run.

    Attributes:
        images: images paid for, perhaps paid for, or asked for now.
        usd: dollars for them, as far as prices are known.
        wasted: calls that were paid for, or perhaps, and gave no image.
        wasted_usd: dollars for those, as far as prices are known.
        wasted_in_a_row: of them, those since the last image that came.
    """

    images: int = 0
    usd: Decimal = Decimal(0)
    wasted: int = 0
    wasted_usd: Decimal = Decimal(0)
    wasted_in_a_row: int = 0

    def reserve(self, budget: BudgetSettings, price_usd: Decimal | None) -> None:
        """Take an image's price from the budget, before it is asked for.

        Args:
            budget: what the run may spend.
            price_usd: the list price in dollars; None where it is not known.

        Raises:
            OverBudgetError: the budget does not hold it.
        """
        price = price_usd or Decimal(0)
        if budget.images is not None and self.images >= budget.images:
            raise _over(f"images: {budget.images}", price_usd)
        if budget.usd is not None and self.usd + price > budget.usd:
            raise _over(f"usd: {budget.usd}", price_usd)
        self.images += 1
        self.usd += price

    def settle_made(self, price_usd: Decimal | None, charged_usd: Decimal | None) -> None:
        """Note that the image came, and what was charged for it; None: what was reserved."""
        self.wasted_in_a_row = 0
        if charged_usd is not None:
            self.usd += charged_usd - (price_usd or Decimal(0))

    def settle_failed(self, price_usd: Decimal | None, billing: Billing) -> None:
        """Note that no image came, and what that means for the bill."""
        price = price_usd or Decimal(0)
        if billing in _WASTE:
            self.wasted += 1
            self.wasted_usd += price
            self.wasted_in_a_row += 1
        else:
            self.images -= 1
            self.usd -= price

    @property
    def charged_failures(self) -> ChargedFailures:
        """Calls that were charged, or may have been, and gave no image."""
        return ChargedFailures(self.wasted, self.wasted_usd)

    def waste(self) -> str:
        """Why the run has to stop, in words; ``""`` while it need not."""
        in_a_row = self.wasted_in_a_row >= MAX_WASTED_IN_A_ROW
        if not in_a_row and self.wasted < MAX_WASTED:
            return ""
        calls = f"{self.wasted_in_a_row} in a row" if in_a_row else f"{self.wasted}"
        price = f", about ${self.wasted_usd.normalize():f}" if self.wasted_usd else ""
        return f"{calls} may have been charged and gave no image{price}"


def _over(limit: str, price_usd: Decimal | None) -> OverBudgetError:
    cost = f"it costs about ${price_usd.normalize():f}" if price_usd else "its price is not known"
    fault = f"this run's budget is used up ({limit}); {cost}"
    return OverBudgetError(fault, price_usd, hint="raise `budget`, or build again for the rest")
