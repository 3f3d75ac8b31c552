"""What lasts for a whole run: what stops what, and what is reported of it."""

from __future__ import annotations

import pytest

from mkdocs_imagegen import errors
from mkdocs_imagegen.errors import Billing, GatewayError, StoppedError
from mkdocs_imagegen.spending.ledger import Ledger

ALL = "every request of the run"
MODEL = "every request of its model"
ITSELF = "the same request"
NOTHING = "nothing"
STOPS = {
    errors.CredentialError: ALL,
    errors.AuthenticationError: ALL,
    errors.InsufficientFundsError: ALL,
    errors.ForbiddenError: ALL,
    errors.ModelUnavailableError: MODEL,
    errors.RejectedRequestError: ITSELF,
    errors.ModerationError: ITSELF,
    errors.UnreachableError: ALL,
    errors.RateLimitedError: NOTHING,
    errors.BusyError: NOTHING,
    errors.OutcomeUnknownError: ITSELF,
    errors.InvalidResponseError: ITSELF,
}
OTHERS = {ITSELF: ("a", "a/b"), MODEL: ("b", "a/b"), ALL: ("c", "c/d")}


def refusal(ledger, key, model):
    try:
        ledger.raise_if_stopped(key, model)
    except errors.ImagegenError as error:
        return error
    return None


def test_no_error_of_the_gateway_is_forgotten_here():
    assert set(STOPS) == set(GatewayError.__subclasses__())


@pytest.mark.parametrize(("kind", "reach"), STOPS.items())
def test_an_error_stops_as_much_as_it_must_and_no_more(kind, reach):
    ledger = Ledger()
    ledger.note_failure(kind("a fault", hint="do this"), "a", "a/b")
    stopped = [name for name, request in OTHERS.items() if refusal(ledger, *request)]
    wide = {ALL: [ITSELF, MODEL, ALL], MODEL: [ITSELF, MODEL], ITSELF: [ITSELF], NOTHING: []}
    assert stopped == wide[reach]


def test_what_may_have_been_charged_is_never_asked_again():
    for kind in GatewayError.__subclasses__():
        ledger = Ledger()
        ledger.note_failure(kind("a fault"), "a", "a/b")
        may_cost = kind.billing in (Billing.UNKNOWN, Billing.BILLED)
        assert not may_cost or refusal(ledger, "a", "a/b") is not None


def test_a_request_that_failed_fails_again_with_the_same_error():
    ledger, error = Ledger(), errors.ModerationError("not this prompt")
    ledger.note_failure(error, "a", "a/b")
    assert refusal(ledger, "a", "a/b") is error


def test_what_was_stopped_says_why_and_was_not_made():
    ledger = Ledger()
    ledger.note_failure(errors.InsufficientFundsError("nothing left", hint="top up"), "a", "a/b")
    told = refusal(ledger, "b", "c/d")
    assert isinstance(told, StoppedError)
    assert str(told) == "the run was stopped: nothing left"


def test_the_first_reason_stays():
    ledger = Ledger()
    ledger.stop("first")
    ledger.stop("second")
    ledger.note_failure(errors.InsufficientFundsError("third"), "a", "a/b")
    assert str(refusal(ledger, "a", "a/b")) == "first"


def test_a_run_without_failures_asks_for_everything():
    ledger = Ledger()
    assert refusal(ledger, "a", "a/b") is None


def test_a_stop_because_of_waste_survives_another_try():
    ledger = Ledger()
    ledger.note_failure(errors.UnreachableError("no answer"), "a", "a/b")
    ledger.stop("5 in a row were wasted")
    ledger.retry_free_failures()
    assert str(refusal(ledger, "c", "c/d")) == "5 in a row were wasted"


def test_what_cost_nothing_may_be_tried_again():
    ledger = Ledger()
    ledger.note_failure(errors.UnreachableError("no answer"), "a", "a/b")
    ledger.retry_free_failures()
    assert refusal(ledger, "a", "a/b") is None
