"""Requests that must not be repeated, in this run and in later builds."""

from __future__ import annotations

import pytest

from mkdocs_imagegen import errors
from mkdocs_imagegen.errors import Billing, GatewayError, StoppedError
from mkdocs_imagegen.spending.ledger import Ledger, Refusal, Refusals

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
    errors.ServerBusyError: NOTHING,
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


def test_table_lists_every_gateway_error():
    assert set(STOPS) == set(GatewayError.__subclasses__())


@pytest.mark.parametrize(("kind", "reach"), STOPS.items())
def test_error_stops_exactly_the_affected_requests(kind, reach):
    ledger = Ledger()
    ledger.note_failure(kind("a fault", hint="do this"), "a", "a/b")
    stopped = [name for name, request in OTHERS.items() if refusal(ledger, *request)]
    wide = {ALL: [ITSELF, MODEL, ALL], MODEL: [ITSELF, MODEL], ITSELF: [ITSELF], NOTHING: []}
    assert stopped == wide[reach]


def test_request_that_may_have_been_charged_is_stopped():
    for kind in GatewayError.__subclasses__():
        ledger = Ledger()
        ledger.note_failure(kind("a fault"), "a", "a/b")
        may_cost = kind.billing in (Billing.UNKNOWN, Billing.BILLED)
        assert not may_cost or refusal(ledger, "a", "a/b") is not None


def test_failed_request_raises_the_same_error_again():
    ledger, error = Ledger(), errors.ModerationError("not this prompt")
    ledger.note_failure(error, "a", "a/b")
    assert refusal(ledger, "a", "a/b") is error


def test_stopped_request_names_the_reason():
    ledger = Ledger()
    ledger.note_failure(errors.InsufficientFundsError("nothing left", hint="top up"), "a", "a/b")
    told = refusal(ledger, "b", "c/d")
    assert isinstance(told, StoppedError)
    assert str(told) == "the run was stopped: nothing left"


def test_stop_keeps_the_first_reason():
    ledger = Ledger()
    ledger.stop("first")
    ledger.stop("second")
    ledger.note_failure(errors.InsufficientFundsError("third"), "a", "a/b")
    assert str(refusal(ledger, "a", "a/b")) == "first"


def test_run_without_failures_stops_no_request():
    ledger = Ledger()
    assert refusal(ledger, "a", "a/b") is None


def test_stop_by_breaker_survives_retry_of_free_failures():
    ledger = Ledger()
    ledger.note_failure(errors.UnreachableError("no answer"), "a", "a/b")
    ledger.stop("5 in a row were wasted")
    ledger.retry_free_failures()
    assert str(refusal(ledger, "c", "c/d")) == "5 in a row were wasted"


def test_free_failure_can_be_retried():
    ledger = Ledger()
    ledger.note_failure(errors.UnreachableError("no answer"), "a", "a/b")
    ledger.retry_free_failures()
    assert refusal(ledger, "a", "a/b") is None


def test_free_failures_can_be_retried_while_another_request_fails(monkeypatch):
    class Stopped(dict[str, StoppedError]):
        def pop(self, model, *_):
            ledger.note_failure(errors.ModelUnavailableError("no such model"), "b", "c/d")
            return super().pop(model)

    ledger = Ledger()
    monkeypatch.setattr(ledger, "_stopped", Stopped())
    ledger.note_failure(errors.ModelUnavailableError("no such model"), "a", "a/b")
    ledger.retry_free_failures()
    assert refusal(ledger, "a", "a/b") is None
    assert isinstance(refusal(ledger, "b", "c/d"), StoppedError)


def test_refusal_is_found_as_written(tmp_path):
    refusals = Refusals(tmp_path)
    refusal = Refusal("a/b", "2026-11-23", 'the prompt was refused: "no 🎈"')
    assert refusals.find("ab" * 32) is None
    refusals.remember("ab" * 32, refusal)
    assert refusals.find("ab" * 32) == refusal
    refusals.path("ab" * 32).write_text('{"model": "a/b"}')
    assert refusals.find("ab" * 32) is None
