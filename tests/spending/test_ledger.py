"""What lasts for a whole run: what stops what, and what is reported of it."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from mkdocs_imagegen import errors
from mkdocs_imagegen.errors import Billing, GatewayError, Location, StoppedError
from mkdocs_imagegen.report import ReportRow, State
from mkdocs_imagegen.spending.run import Run

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


def refusal(run, key, model):
    try:
        run.raise_if_stopped(key, model)
    except errors.ImagegenError as error:
        return error
    return None


def test_no_error_of_the_gateway_is_forgotten_here():
    assert set(STOPS) == set(GatewayError.__subclasses__())


@pytest.mark.parametrize(("kind", "reach"), STOPS.items())
def test_an_error_stops_as_much_as_it_must_and_no_more(kind, reach):
    run = Run()
    run.note_failure(kind("a fault", hint="do this"), "a", "a/b")
    stopped = [name for name, request in OTHERS.items() if refusal(run, *request)]
    wide = {ALL: [ITSELF, MODEL, ALL], MODEL: [ITSELF, MODEL], ITSELF: [ITSELF], NOTHING: []}
    assert stopped == wide[reach]


def test_what_may_have_been_charged_is_never_asked_again():
    for kind in GatewayError.__subclasses__():
        run = Run()
        run.note_failure(kind("a fault"), "a", "a/b")
        may_cost = kind.billing in (Billing.UNKNOWN, Billing.BILLED)
        assert not may_cost or refusal(run, "a", "a/b") is not None


def test_a_request_that_failed_fails_again_with_the_same_error():
    run, error = Run(), errors.ModerationError("not this prompt")
    run.note_failure(error, "a", "a/b")
    assert refusal(run, "a", "a/b") is error


def test_what_was_stopped_says_why_and_was_not_made():
    run = Run()
    run.note_failure(errors.InsufficientFundsError("nothing left", hint="top up"), "a", "a/b")
    told = refusal(run, "b", "c/d")
    assert isinstance(told, StoppedError)
    assert str(told) == "the run was stopped: nothing left"


def test_the_first_reason_stays():
    run = Run()
    run.stop("first")
    run.stop("second")
    run.note_failure(errors.InsufficientFundsError("third"), "a", "a/b")
    assert str(refusal(run, "a", "a/b")) == "first"


def test_a_run_without_failures_asks_for_everything():
    run = Run()
    run.add_generation_time(1.0)
    assert refusal(run, "a", "a/b") is None


def line(page, state=State.READY, **more):
    facts = {
        "location": Location(page, 1),
        "state": state,
        "key": page,
        "prompt": "A balloon",
        "model": "a/b",
        "drawn_by": "a/b",
        "file": "x.webp",
        "seconds": 0.0,
        "cost_usd": None,
        "price_usd": None,
        "missing_usd": (),
        "cost_is_estimate": False,
        "remarks": (),
    }
    return ReportRow(**(facts | more))


def test_a_report_is_of_all_builds_of_the_run():
    run = Run()
    run.note_page("", [line("de.md", State.GENERATED, cost_usd=Decimal("0.02"))])
    run.note_page("en/", [line("en.md"), line("en.md", key="other")])
    run.add_generation_time(1.5)
    run.add_generation_time(0.25)
    report = json.loads(run.report())
    assert [each["page"] for each in report["pictures"]] == ["de.md", "en.md", "en.md"]
    assert (report["seconds"], report["cost_usd"]) == (1.75, "0.02")


def test_a_page_that_is_built_again_replaces_what_it_told():
    run = Run()
    run.note_page("a/", [line("a.md", State.MISSING)])
    run.note_page("a/", [line("a.md", State.GENERATED)])
    assert [each["state"] for each in json.loads(run.report())["pictures"]] == ["made"]


def test_a_stop_because_of_waste_survives_another_try():
    run = Run()
    run.note_failure(errors.UnreachableError("no answer"), "a", "a/b")
    run.stop("5 in a row were wasted")
    run.retry_free_failures()
    assert str(refusal(run, "c", "c/d")) == "5 in a row were wasted"


def test_what_cost_nothing_may_be_tried_again():
    run = Run()
    run.note_failure(errors.UnreachableError("no answer"), "a", "a/b")
    run.retry_free_failures()
    assert refusal(run, "a", "a/b") is None
