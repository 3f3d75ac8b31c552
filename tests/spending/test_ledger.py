"""Requests that must not be repeated, in this run and in later builds."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from urllib.parse import urlsplit

import pytest

from mkdocs_imagegen import errors
from mkdocs_imagegen.errors import (
    Billing,
    EarlierFailureError,
    EarlierRefusalError,
    GatewayError,
    StoppedError,
)
from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import GatewaySettings
from mkdocs_imagegen.spending.journal import Intent
from mkdocs_imagegen.spending.ledger import Attempt, Attempts, Ledger, attempt_of

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
    errors.UnreachableError: NOTHING,
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
    assert str(told) == "nothing left; top up"
    assert told.root.fault == "nothing left"


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
    ledger.stop_at_no_cost(errors.UnreachableError("no answer"))
    ledger.stop("5 in a row were wasted")
    ledger.retry_free_failures()
    assert str(refusal(ledger, "c", "c/d")) == "5 in a row were wasted"


def test_free_failure_can_be_retried():
    ledger = Ledger()
    ledger.stop_at_no_cost(errors.UnreachableError("no answer"))
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


NOW = datetime(2026, 11, 29, 12, tzinfo=timezone.utc)
VERCEL = "https://ai-gateway.vercel.sh/v1"
REQUEST = ImageRequest("a/b", "A red balloon", Size(3, 2))
GATEWAY = GatewaySettings()
SENT = (REQUEST.key, REQUEST.model)
KEY = REQUEST.key


def attempt(hours_ago=1.0, **more):
    facts = {
        "billing": "billed",
        "model": "a/b",
        "fault": "no image",
        "server": VERCEL,
        "timeout_s": GATEWAY.timeout,
        "cost_usd": Decimal("0.015"),
        "counts": True,
    }
    return Attempt(begun=(NOW - timedelta(hours=hours_ago)).isoformat(), **(facts | more))


@pytest.fixture
def attempts(tmp_path):
    return Attempts([tmp_path])


def noted(attempts, *each):
    for one in each:
        attempts.add(KEY, one)
    return attempts.obstacle(*SENT, GATEWAY, NOW)


def test_attempts_are_found_as_written(attempts):
    one, two = attempt(2, fault='said "no 🎈"'), attempt(1, cost_usd=None, server="", counts=False)
    assert attempts.find(KEY) == []
    attempts.add(KEY, two)
    attempts.add(KEY, one)
    assert attempts.find(KEY) == [one, two]
    assert attempts.cache_keys() == [KEY]


def test_attempt_is_one_line(attempts):
    noted(attempts, attempt(2), attempt(1))
    first, *lines, last = attempts.path(KEY).read_text().splitlines()
    assert (first, last, len(lines)) == ("[", "]", 2)
    assert len(json.loads(attempts.path(KEY).read_text())) == 2


def test_attempt_that_began_at_the_same_time_is_replaced(attempts):
    noted(attempts, attempt(1, billing="unknown", counts=False), attempt(1, billing="unknown"))
    assert attempts.find(KEY) == [attempt(1, billing="unknown")]


def test_one_attempt_is_no_obstacle(attempts):
    assert noted(attempts, attempt()) is None


def test_key_rests_after_two_attempts(attempts):
    error = noted(attempts, attempt(2), attempt(1, fault="the last fault"))
    assert isinstance(error, EarlierFailureError)
    text = "2 requests returned no image and were charged (about $0.03), last error: the last fault"
    assert error.fault == text
    assert "generate LOCATION --again`" in error.hint
    assert "once more after 24 hours" in error.hint


@pytest.mark.parametrize(("hours", "is_resting"), [(23.99, True), (24, False), (1000, False)])
def test_key_is_tried_once_more_after_a_day(attempts, hours, is_resting):
    assert (noted(attempts, attempt(2000), attempt(hours)) is not None) is is_resting


def test_third_attempt_rests_for_good(attempts):
    error = noted(attempts, *(attempt(hours) for hours in (5000, 4000, 3000)))
    assert "3 requests returned no image and were charged (about $0.045)" in error.fault
    assert "24 hours" not in error.hint


@pytest.mark.parametrize("begun", ["x", "x2026-11-29", "2026-11-29T12:00:00"])
def test_attempt_without_a_time_rests(attempts, begun):
    unknown = Attempt(**(asdict(attempt()) | {"begun": begun}))
    assert noted(attempts, attempt(2000), unknown) is not None


@pytest.mark.parametrize(
    "other",
    [
        {"model": "c/d"},
        {"server": ""},
        {"timeout_s": 30.0},
        {"counts": False},
    ],
    ids=str,
)
def test_attempts_count_per_server_model_and_timeout(attempts, other):
    assert noted(attempts, attempt(3), attempt(2, **other), attempt(1.5, **other)) is None
    assert noted(attempts, attempt(1)) is not None


def test_attempts_at_private_servers_count_together(attempts):
    """The URL of a private server is not written to a file that is committed."""
    private = GatewaySettings(url="https://x.example/v1")
    for hours in (2, 1):
        attempts.add(KEY, attempt(hours, server=""))
    assert attempts.obstacle(*SENT, private, NOW) is not None
    assert attempts.obstacle(*SENT, GATEWAY, NOW) is None


def test_another_take_or_prompt_is_no_obstacle(attempts):
    noted(attempts, attempt(2), attempt(1))
    for other in (replace(REQUEST, take=2), replace(REQUEST, prompt="A blue balloon")):
        assert attempts.obstacle(other.key, other.model, GATEWAY, NOW) is None


def test_refusal_is_an_obstacle_for_every_server_and_for_good(attempts):
    refused = attempt(5000, billing="refused", cost_usd=None, counts=False, fault="was refused")
    error = noted(attempts, refused)
    assert isinstance(error, EarlierRefusalError)
    assert error.fault == f"was refused on {refused.begun[:10]} (a/b)"
    assert str(attempts.path(KEY)) in error.hint
    private = GatewaySettings(url="https://x.example/v1")
    assert attempts.obstacle(*SENT, private, NOW) is not None


def test_refusal_of_an_earlier_version_is_read(attempts):
    path = attempts.path(KEY).with_name(f"{KEY}.refused.json")
    path.parent.mkdir()
    path.write_text('{"model": "a/b", "day": "2026-11-23", "said": "refused: \\"no 🎈\\""}')
    error = attempts.obstacle(*SENT, GATEWAY, NOW)
    assert error.fault == 'refused: "no 🎈" on 2026-11-23 (a/b)'
    path.write_text('{"model": "a/b"}')
    assert attempts.obstacle(*SENT, GATEWAY, NOW) is None


def test_attempts_of_other_folders_count(tmp_path):
    old = Attempts([tmp_path / "old"])
    old.add(KEY, attempt(2))
    attempts = Attempts([tmp_path / "new", tmp_path / "old"])
    assert noted(attempts, attempt(1)) is not None
    assert attempts.find(KEY) == [attempt(2), attempt(1)]
    assert old.find(KEY) == [attempt(2)]


def merged(ours, theirs, *, marked):
    """Return the lines of two branches, as `git merge` leaves them."""
    one, two = (text.splitlines()[1:-1] for text in (ours, theirs))
    marks = ["<<<<<<< HEAD", "=======", ">>>>>>> topic"] if marked else [None] * 3
    lines = ["[", marks[0], *one, marks[1], *two, marks[2], "]"]
    return "\n".join(line for line in lines if line is not None) + "\n"


@pytest.mark.parametrize("marked", [True, False], ids=["conflict", "merged"])
def test_attempts_of_two_branches_count(tmp_path, attempts, marked):
    theirs = Attempts([tmp_path / "theirs"])
    theirs.add(KEY, attempt(3))
    theirs.add(KEY, attempt(1))
    attempts.add(KEY, attempt(3))
    attempts.add(KEY, attempt(2))
    path = attempts.path(KEY)
    text = merged(path.read_text(), theirs.path(KEY).read_text(), marked=marked)
    path.write_text(text)
    assert attempts.find(KEY) == [attempt(3), attempt(2), attempt(1)]
    attempts.add(KEY, attempt(0.5))
    assert len(json.loads(path.read_text())) == 4


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"{" * 50_000,
        b'{"begun": "x", "billing": "billed", "model": "a/b", "fault": "x", "cost_usd": "x"}',
        b'{"begun": "x", "billing": "billed", "model": "a/b", "fault": "x", "timeout_s": []}',
        b'{"billing": "billed", "timeout_s": 1' + b"0" * 400 + b"}",
    ],
)
def test_damaged_line_is_ignored(attempts, line):
    noted(attempts, attempt(2), attempt(1))
    path = attempts.path(KEY)
    path.write_bytes(path.read_bytes().replace(b"[\n", b"[\n" + line + b",\n", 1))
    assert attempts.find(KEY) == [attempt(2), attempt(1)]


@pytest.mark.parametrize("cost", ['"NaN"', '"-1"', '"1e999"', "Infinity"])
def test_impossible_cost_of_an_attempt_is_unknown(attempts, cost):
    noted(attempts, attempt(2), attempt(1))
    path = attempts.path(KEY)
    path.write_text(path.read_text().replace('"0.015"', cost))
    assert [each.cost_usd for each in attempts.find(KEY)] == [None, None]
    fault = attempts.obstacle(*SENT, GATEWAY, NOW).fault
    assert "returned no image and were charged, last" in fault


def test_unknown_fields_of_an_attempt_are_ignored(attempts):
    attempts.add(KEY, attempt())
    path = attempts.path(KEY)
    path.write_text(path.read_text().replace('{"begun"', '{"a_later_field": [1], "begun"'))
    assert attempts.find(KEY) == [attempt()]


def test_ledger_ignores_obstacles_on_request(attempts):
    refused = replace(REQUEST, take=2)
    now = datetime.now(timezone.utc)
    for minutes in (2, 1):
        begun = (now - timedelta(minutes=minutes)).isoformat()
        attempts.add(KEY, replace(attempt(), begun=begun))
    attempts.add(refused.key, attempt(billing="refused"))
    ledger = Ledger()
    assert isinstance(ledger.obstacle(attempts, *SENT, GATEWAY), EarlierFailureError)
    moderated = (refused.key, refused.model)
    assert isinstance(ledger.obstacle(attempts, *moderated, GATEWAY), EarlierRefusalError)
    ledger.retries_refused = True
    assert ledger.obstacle(attempts, *moderated, GATEWAY) is None
    assert ledger.obstacle(attempts, *SENT, GATEWAY) is not None
    attempts.add(KEY, attempt(3.0, billing="refused"))
    assert isinstance(ledger.obstacle(attempts, *SENT, GATEWAY), EarlierFailureError)
    ledger.again = frozenset([KEY])
    assert ledger.obstacle(attempts, *SENT, GATEWAY) is None


def test_unknown_outcomes_count_after_another_success_of_their_model():
    ledger = Ledger()
    uncertain = attempt(billing="unknown", counts=False)
    ledger.note_uncertain("a", uncertain)
    ledger.note_uncertain("c", replace(uncertain, model="c/d"))
    assert not ledger.has_generated("a/b")
    assert ledger.note_generated("a/b") == [("a", replace(uncertain, counts=True))]
    assert ledger.note_generated("a/b") == []
    assert (ledger.has_generated("a/b"), ledger.has_generated("c/d")) == (True, False)


@pytest.mark.parametrize(("url", "written"), [(VERCEL, VERCEL), ("https://x.example/v1", "")])
def test_attempt_names_no_private_server(url, written):
    intent = Intent(REQUEST, url, "webp", Decimal("0.015"), "2026-11-29T11:00:00+00:00", 300.0)
    assert attempt_of(intent, "unknown", "cut") == Attempt(
        begun=intent.begun,
        billing="unknown",
        model="a/b",
        fault="cut",
        server=written,
        timeout_s=300.0,
        cost_usd=Decimal("0.015"),
    )
    assert attempt_of(intent, "refused", "no").cost_usd is None
    host = urlsplit(url).hostname
    for text in (host, host.upper()):
        named = text if written else "the server"
        assert attempt_of(intent, "unknown", f"{text} is silent").fault == f"{named} is silent"


def test_attempt_with_an_unusual_line_break_is_read(tmp_path):
    attempts, noted = Attempts([tmp_path]), attempt(fault="a\u2028b\x85c")
    attempts.add("a", noted)
    assert attempts.find("a") == [noted]
