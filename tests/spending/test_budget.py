"""The budget of a run and its circuit breaker."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkdocs_imagegen.errors import Billing, OverBudgetError
from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings.budget import BudgetSettings
from mkdocs_imagegen.spending.budget import (
    MAX_CHARGED_FAILURES,
    MAX_CHARGED_FAILURES_IN_A_ROW,
    Budget,
    Spend,
)

ANY = BudgetSettings(images=None, usd=None)
PRICE = Decimal("0.015")
PAID = {Billing.UNKNOWN, Billing.BILLED}


def fill(account, budget, price=PRICE):
    """How many images the budget holds."""
    count = 0
    try:
        while count < 1000:
            account.reserve(budget, price)
            count += 1
    except OverBudgetError as error:
        return count, error
    return count, None


@pytest.mark.parametrize(
    ("budget", "price", "holds"),
    [
        (BudgetSettings(images=3, usd=None), PRICE, 3),
        (BudgetSettings(images=0, usd=None), PRICE, 0),
        (BudgetSettings(images=None, usd=Decimal("0.05")), PRICE, 3),
        (BudgetSettings(images=None, usd=Decimal("0.045")), PRICE, 3),
        (BudgetSettings(images=None, usd=Decimal("0.044")), PRICE, 2),
        (BudgetSettings(images=None, usd=Decimal(0)), PRICE, 0),
        (BudgetSettings(images=7, usd=Decimal("0.01")), None, 7),
        (BudgetSettings(images=7, usd=Decimal(0)), None, 0),
        (BudgetSettings(), PRICE, 100),
        (BudgetSettings(), Decimal("0.25"), 20),
    ],
)
def test_budget_holds_a_number_of_images_before_any_charge(budget, price, holds):
    count, error = fill(Budget(), budget, price)
    assert count == holds
    assert error.price_usd == price


@pytest.mark.parametrize(
    ("limits", "price", "holds"),
    [
        ({"images_per_month": 10}, PRICE, 6),
        ({"images_per_month": 4}, PRICE, 0),
        ({"usd_per_month": Decimal("1.045")}, PRICE, 3),
        ({"usd_per_month": Decimal("0.99")}, PRICE, 0),
        ({"usd_per_month": Decimal("1.00")}, None, 0),
        ({"images_per_month": 10, "images": 2}, PRICE, 2),
    ],
)
def test_earlier_images_of_the_month_count(limits, price, holds):
    account = Budget(earlier=Spend(4, Decimal("1.00")))
    count, error = fill(account, replace(ANY, **limits), price)
    assert count == holds
    if "images" not in limits:
        (option,) = limits
        assert "per calendar month); raise" in str(error)
        assert f"`budget.{option}`, or build again next month" in str(error)


def test_over_budget_error_names_the_rest_of_the_budget():
    _, error = fill(Budget(), BudgetSettings(images=2, usd=None))
    assert str(error) == (
        "no budget left for another image (2 of 2 images per run); "
        "build again, or raise `budget.images`"
    )
    _, error = fill(Budget(), BudgetSettings(images=None, usd=Decimal("0.04")))
    assert str(error) == (
        "no budget left for another image ($0.03 of $0.04 per run); "
        "build again, or raise `budget.usd`"
    )
    _, error = fill(Budget(), BudgetSettings(images=1, usd=None))
    assert "(1 of 1 image per run)" in str(error)


@pytest.mark.parametrize("billing", Billing)
def test_reserved_price_is_returned_only_when_not_charged(billing):
    account, budget = Budget(), BudgetSettings(images=1, usd=None)
    account.reserve(budget, PRICE)
    account.settle_failed(PRICE, billing)
    assert fill(account, budget)[0] == (0 if billing in PAID else 1)
    assert account.failed == (billing in PAID)


def test_charge_replaces_reserved_price():
    account, budget = Budget(), BudgetSettings(images=None, usd=Decimal("0.10"))
    account.reserve(budget, PRICE)
    account.settle_generated(PRICE, Decimal("0.09"))
    assert account.usd == Decimal("0.09")
    assert fill(account, budget)[0] == 0


def test_reserved_price_stays_when_charge_is_unknown():
    account = Budget()
    account.reserve(ANY, PRICE)
    account.settle_generated(PRICE, None)
    assert account.usd == PRICE


def failed(account, billing=Billing.UNKNOWN):
    account.reserve(ANY, PRICE)
    account.settle_failed(PRICE, billing)


def test_breaker_opens_after_charged_failures_in_a_row():
    account = Budget()
    for _ in range(MAX_CHARGED_FAILURES_IN_A_ROW - 1):
        failed(account)
    assert account.breaker_reason == ""
    failed(account)
    assert account.breaker_reason == (
        "5 requests in a row returned no image and may have been charged (about $0.075)"
    )


def test_breaker_opens_after_charged_failures_in_total():
    account = Budget()
    for _ in range(MAX_CHARGED_FAILURES):
        assert account.breaker_reason == ""
        failed(account, Billing.BILLED)
        account.reserve(ANY, PRICE)
        account.settle_generated(PRICE, PRICE)
    assert account.breaker_reason.startswith(f"{MAX_CHARGED_FAILURES} requests returned")


def test_breaker_ignores_failures_that_were_not_charged():
    account = Budget()
    for _ in range(100):
        failed(account, Billing.UNBILLED)
        failed(account, Billing.REFUSED)
    assert account.breaker_reason == ""
    assert account == Budget()


@pytest.mark.parametrize(
    ("charges", "is_without"),
    [
        ([None], False),
        ([None, None], True),
        ([None, None, PRICE], False),
        ([PRICE, None, None], False),
        ([None, PRICE, None, None], False),
    ],
)
def test_server_without_charges_is_known_by_two_images_and_no_charge(charges, is_without):
    account, image = Budget(), ImageRequest("a/b", "A balloon", Size(1024, 1024))
    for charge in charges:
        account.note_charge(image, charge)
    assert account.has_no_charge("a/b") is is_without
    assert not account.has_no_charge("c/d")


OUTCOMES = st.lists(st.sampled_from([None, *Billing]), max_size=200)


@given(OUTCOMES, st.integers(1, 16))
def test_no_order_of_outcomes_exceeds_budget_or_breaker(outcomes, abreast):
    account, budget = Budget(), BudgetSettings(images=50, usd=Decimal("0.30"))
    in_flight, paid = 0, 0
    for outcome in outcomes:
        while in_flight < abreast and not account.breaker_reason:
            try:
                account.reserve(budget, PRICE)
            except OverBudgetError:
                break
            in_flight += 1
        if in_flight == 0:
            break
        in_flight -= 1
        if outcome is None:
            account.settle_generated(PRICE, PRICE)
        else:
            account.settle_failed(PRICE, outcome)
        paid += outcome is None or outcome in PAID
        assert paid * PRICE <= Decimal("0.30")
    assert account.failed <= MAX_CHARGED_FAILURES + abreast - 1
    assert account.usd == (paid + in_flight) * PRICE
