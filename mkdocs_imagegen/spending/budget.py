"""The budget of a run and of its month, and the circuit breaker of the run; pure.

The price of an image is reserved before it is requested, for all requests in flight, and corrected
by the charge. For a model of unknown price that is the largest charge of the run for such an image.
The first such request reserves nothing and is alone in flight (see `purchase`), so that at most one
image exceeds the limit in dollars. If the server reports no charge, the limit is lifted only after
two images, and never for a model that was charged in the run.

A request that was charged, or may have been, and returned no image is a charged failure. After too
many of them the run is stopped: with this breaker an outage costs a dozen images, without it every
missing image.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import field
from decimal import Decimal

from mkdocs_imagegen.errors import Billing, OverBudgetError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.report import ChargedFailures, format_usd, plural
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings.budget import BudgetSettings

MAX_CHARGED_FAILURES = 12
"""Maximum number of charged failures in a run; requests in flight may add to them."""

MAX_CHARGED_FAILURES_IN_A_ROW = 5

MIN_UNCHARGED = 2
"""Number of images without a charge after which a server counts as one that reports none."""

_CHARGED = (Billing.UNKNOWN, Billing.BILLED)

_Kind = tuple[str, Size, str, int]
"""Image with a price of its own: model, size, quality, and number of references."""


@dataclass(frozen=True, slots=True)
class Spend:
    """Images that were or may have been charged, and their price as far as it is known."""

    images: int = 0
    usd: Decimal = Decimal(0)


@dataclass(slots=True)
class Budget:
    """The money of one run.

    Attributes:
        earlier: Spend of the month before the run; None until it is counted.
        images: Number of images that are charged, may be charged, or are in flight.
        usd: Their price in dollars, as far as it is known.
        failed: Number of charged failures.
        failed_usd: Their price in dollars, as far as it is known.
        failed_in_a_row: Number of charged failures since the last image.
        unpriced: Number of generated images with neither a price nor a charge.
    """

    earlier: Spend | None = None
    images: int = 0
    usd: Decimal = Decimal(0)
    failed: int = 0
    failed_usd: Decimal = Decimal(0)
    failed_in_a_row: int = 0
    unpriced: int = 0
    _largest_usd: dict[_Kind, Decimal] = field(default_factory=dict)
    _uncharged: Counter[str] = field(default_factory=Counter)

    def reserve(self, settings: BudgetSettings, price_usd: Decimal | None) -> None:
        """Reserve the price of an image before it is requested.

        Args:
            settings: Limits of the run and of its month.
            price_usd: List price in dollars, or None if it is unknown.

        Raises:
            OverBudgetError: If the image exceeds the budget.
        """
        month = self.earlier or Spend()
        self._check(Spend(), settings.images, settings.usd, price_usd, "run")
        self._check(
            month, settings.images_per_month, settings.usd_per_month, price_usd, "calendar month"
        )
        self.images += 1
        self.usd += price_usd or Decimal(0)

    def _check(
        self,
        earlier: Spend,
        max_images: int | None,
        max_usd: Decimal | None,
        price_usd: Decimal | None,
        period: str,
    ) -> None:
        images, usd = earlier.images + self.images, earlier.usd + self.usd
        if max_images is not None and images >= max_images:
            used = f"{images} of {plural(max_images, 'image')} per {period}"
            raise _over_budget(used, "images", price_usd, period)
        is_spent = price_usd is None and max_usd is not None and usd >= max_usd
        if max_usd is not None and (is_spent or usd + (price_usd or 0) > max_usd):
            used = f"{format_usd(usd)} of {format_usd(max_usd)} per {period}"
            raise _over_budget(used, "usd", price_usd, period)

    def settle_generated(self, price_usd: Decimal | None, charged_usd: Decimal | None) -> None:
        """Correct the reserved price by the charge; an unknown charge leaves it as it is."""
        self.failed_in_a_row = 0
        self.unpriced += price_usd is None and charged_usd is None
        if charged_usd is not None:
            self.usd += charged_usd - (price_usd or Decimal(0))

    def note_charge(self, request: ImageRequest, charged_usd: Decimal | None) -> None:
        """Note the charge of a generated image, or that the server reports none."""
        if charged_usd is None:
            self._uncharged[request.model] += 1
        else:
            kind = _kind_of(request)
            self._largest_usd[kind] = max(charged_usd, self._largest_usd.get(kind, charged_usd))

    def largest_usd(self, request: ImageRequest) -> Decimal | None:
        """Return the largest charge of the run for an image like the requested one, or None."""
        return self._largest_usd.get(_kind_of(request))

    def has_no_charge(self, model: str) -> bool:
        """Return True if the server generated two images of a model and has reported no charge."""
        is_charged = any(charged == model for charged, *_ in self._largest_usd)
        return not is_charged and self._uncharged[model] >= MIN_UNCHARGED

    def settle_failed(self, price_usd: Decimal | None, billing: Billing) -> None:
        """Count a charged failure, or return the price of a request that was not charged."""
        price = price_usd or Decimal(0)
        if billing in _CHARGED:
            self.failed += 1
            self.failed_usd += price
            self.failed_in_a_row += 1
        else:
            self.images -= 1
            self.usd -= price

    @property
    def charged_failures(self) -> ChargedFailures:
        """Charged failures, as the report shows them."""
        return ChargedFailures(self.failed, self.failed_usd)

    @property
    def breaker_reason(self) -> str:
        """Reason to stop the run; ``""`` while there is no such reason."""
        is_in_a_row = self.failed_in_a_row >= MAX_CHARGED_FAILURES_IN_A_ROW
        if not is_in_a_row and self.failed < MAX_CHARGED_FAILURES:
            return ""
        row = f"{self.failed_in_a_row} requests in a row"
        count = row if is_in_a_row else f"{self.failed} requests"
        price = f" (about ${self.failed_usd.normalize():f})" if self.failed_usd else ""
        return f"{count} returned no image and may have been charged{price}"


def _over_budget(used: str, option: str, price_usd: Decimal | None, period: str) -> OverBudgetError:
    fault = f"no budget left for another image ({used})"
    hint = f"build again, or raise `budget.{option}`"
    if period != "run":
        hint = f"raise `budget.{option}_per_month`, or build again next month"
    return OverBudgetError(fault, price_usd, hint=hint)


def _kind_of(request: ImageRequest) -> _Kind:
    return request.model, request.size, request.quality, len(request.references)
