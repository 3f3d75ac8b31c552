"""The money of a run: what is reserved, what is spent, and when it is too much for nothing."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkdocs_imagegen.errors import Billing, OverBudgetError
from mkdocs_imagegen.settings.budget import BudgetSettings
from mkdocs_imagegen.spending.budget import MAX_WASTED, MAX_WASTED_IN_A_ROW, Budget

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
        (BudgetSettings(images=7, usd=Decimal(0)), None, 7),
        (BudgetSettings(), PRICE, 100),
        (BudgetSettings(), Decimal("0.25"), 20),
    ],
)
def test_a_budget_holds_so_many_before_any_is_paid(budget, price, holds):
    count, error = fill(Budget(), budget, price)
    assert count == holds
    assert error.price_usd == price


def test_what_does_not_fit_names_the_limit_and_the_price():
    _, error = fill(Budget(), BudgetSettings(images=2, usd=None))
    assert str(error) == (
        "this run's budget is used up (images: 2); it costs about $0.015; "
        "raise `budget`, or build again for the rest"
    )
    _, error = fill(Budget(), BudgetSettings(images=None, usd=Decimal("0.04")))
    assert "(usd: 0.04)" in str(error)


@pytest.mark.parametrize("billing", Billing)
def test_only_what_was_not_charged_comes_back(billing):
    account, budget = Budget(), BudgetSettings(images=1, usd=None)
    account.reserve(budget, PRICE)
    account.settle_failed(PRICE, billing)
    assert fill(account, budget)[0] == (0 if billing in PAID else 1)
    assert account.wasted == (billing in PAID)


def test_what_was_charged_takes_the_place_of_what_was_reserved():
    account, budget = Budget(), BudgetSettings(images=None, usd=Decimal("0.10"))
    account.reserve(budget, PRICE)
    account.settle_made(PRICE, Decimal("0.09"))
    assert account.usd == Decimal("0.09")
    assert fill(account, budget)[0] == 0


def test_without_a_word_on_the_charge_the_list_price_stands():
    account = Budget()
    account.reserve(ANY, PRICE)
    account.settle_made(PRICE, None)
    assert account.usd == PRICE


def failed(account, billing=Billing.UNKNOWN):
    account.reserve(ANY, PRICE)
    account.settle_failed(PRICE, billing)


def test_so_many_for_nothing_in_a_row_are_too_many():
    account = Budget()
    for _ in range(MAX_WASTED_IN_A_ROW - 1):
        failed(account)
    assert account.waste() == ""
    failed(account)
    assert account.waste() == "5 in a row may have been charged and gave no image, about $0.075"


def test_so_many_for_nothing_in_all_are_too_many():
    account = Budget()
    for _ in range(MAX_WASTED):
        assert account.waste() == ""
        failed(account, Billing.BILLED)
        account.reserve(ANY, PRICE)
        account.settle_made(PRICE, PRICE)
    assert account.waste().startswith(f"{MAX_WASTED} may have been charged")


def test_what_costs_nothing_wastes_nothing():
    account = Budget()
    for _ in range(100):
        failed(account, Billing.UNBILLED)
        failed(account, Billing.REFUSED)
    assert account.waste() == ""
    assert account == Budget()


OUTCOMES = st.lists(st.sampled_from([None, *Billing]), max_size=200)


@given(OUTCOMES, st.integers(1, 16))
def test_no_order_of_outcomes_spends_more_than_the_budget_or_wastes_without_end(outcomes, abreast):
    account, budget = Budget(), BudgetSettings(images=50, usd=Decimal("0.30"))
    in_flight, paid = 0, 0
    for outcome in outcomes:
        while in_flight < abreast and not account.waste():
            try:
                account.reserve(budget, PRICE)
            except OverBudgetError:
                break
            in_flight += 1
        if in_flight == 0:
            break
        in_flight -= 1
        if outcome is None:
            account.settle_made(PRICE, PRICE)
        else:
            account.settle_failed(PRICE, outcome)
        paid += outcome is None or outcome in PAID
        assert paid * PRICE <= Decimal("0.30")
    assert account.wasted <= MAX_WASTED + abreast - 1
    assert account.usd == (paid + in_flight) * PRICE
