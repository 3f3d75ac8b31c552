"""Errors for HTTP responses."""

import json
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkdocs_imagegen import errors
from mkdocs_imagegen.errors import (
    AuthenticationError,
    Billing,
    ForbiddenError,
    GatewayError,
    InsufficientFundsError,
    ModelForbiddenError,
    ModelShutDownError,
    ModelUnavailableError,
    ModerationError,
    OutcomeUnknownError,
    RateLimitedError,
    RejectedRequestError,
    ServerBusyError,
)
from mkdocs_imagegen.gateway.failures import (
    MAX_RETRY_AFTER_S,
    RULES,
    read_error,
    read_error_body,
    retry_after_s,
)

NOW = 1_800_000_000.0


def nested(kind=None, code=None, param=None, text="no"):
    return {"error": {"message": text, "type": kind, "param": param, "code": code}}


def flat(kind, status):
    return {"error": "the words", "type": kind, "statusCode": status}


def no_zero_retention():
    text = "No providers with zero data retention are available for model: a/b"
    return {"error": text, "type": "no_providers_available", "statusCode": 400}


def named(name):
    return {"name": name, "statusCode": 403}


SOON = {"retry-after": "7"}
# Errors of AI Gateway, then of OpenAI (https://developers.openai.com/api/docs/guides/error-codes),
# then of LiteLLM and other OpenAI-compatible servers.
ROWS = [
    (400, {}, nested("invalid_request_error", "missing_parameter", "model"), RejectedRequestError),
    (400, {}, no_zero_retention(), RejectedRequestError),
    (400, {}, flat("no_providers_available", 400), ModelUnavailableError),
    (404, {}, flat("no_providers_available", 404), ModelUnavailableError),
    (401, {}, nested("authentication_error"), AuthenticationError),
    (402, {}, nested("insufficient_funds"), InsufficientFundsError),
    (402, {}, nested("quota_for_entity_exceeded"), InsufficientFundsError),
    (429, SOON, nested("quota_for_entity_exceeded"), InsufficientFundsError),
    (403, {}, nested("quota_for_entity_exceeded"), InsufficientFundsError),
    (403, {}, nested("customer_verification_required"), ForbiddenError),
    (
        403,
        {},
        nested("no_providers_available", param=named("RestrictedModelsError")),
        ModelForbiddenError,
    ),
    (403, {}, flat("no_providers_available", 403), ModelForbiddenError),
    (403, {}, nested("x", param=named("RestrictedProvidersError")), ModelForbiddenError),
    (403, {}, nested("model_not_found"), ModelUnavailableError),
    (410, {}, nested("x", "model_not_found", text="It has been shut down."), ModelShutDownError),
    (410, {}, {}, ModelShutDownError),
    (404, {}, nested(text="The model `a/b` has been deprecated"), ModelShutDownError),
    (400, {}, nested("x", "model_deprecated", text="Choose another one"), ModelShutDownError),
    (400, {}, nested(text="a/b was shut down on December 1"), ModelShutDownError),
    (
        502,
        {},
        nested("AI_APICallError", text="'b' has been deprecated"),
        ModelShutDownError,
    ),
    (400, {}, nested("x", "invalid_value", "model", text="Invalid value"), ModelUnavailableError),
    (500, {}, nested(text="all providers failed: model_not_found"), ModelUnavailableError),
    (503, {}, nested("no_providers_available"), ModelUnavailableError),
    (404, {}, nested(text="The model a/b is not available"), ModelUnavailableError),
    # A parameter may be deprecated, a worker may be stopped, and a busy server refuses no model.
    (400, {}, nested(text="a/b: the parameter `style` is deprecated"), RejectedRequestError),
    (400, {}, nested(text="image/jpeg output is no longer supported"), RejectedRequestError),
    (404, {}, nested(text="API version of /a/b is no longer supported"), RejectedRequestError),
    (500, {}, nested(text="The connection to the model was shut down"), OutcomeUnknownError),
    (502, {}, nested(text="a/b was shut down while it sent the response"), OutcomeUnknownError),
    (503, SOON, nested(text="a/b is no longer available"), ServerBusyError),
    (503, SOON, nested("no_providers_available"), ServerBusyError),
    (400, {}, nested(text="`style` is deprecated for this model"), RejectedRequestError),
    (503, {}, nested(text="The model is currently not available"), OutcomeUnknownError),
    (503, SOON, nested(text="The model a/b is not available"), ServerBusyError),
    (429, SOON, nested(text="The model a/b is not available now"), RateLimitedError),
    (403, {}, nested("forbidden", param={"ruleId": "r1"}), ForbiddenError),
    (403, {}, {}, ForbiddenError),
    (404, {}, nested("model_not_found", param={"modelId": "a/b"}), ModelUnavailableError),
    (400, {}, nested("model_not_found", param={"modelId": "a/b"}), ModelUnavailableError),
    (
        400,
        {},
        nested("invalid_request_error", text="The model 'a/b' does not exist"),
        ModelUnavailableError,
    ),
    (404, {}, nested("not_found"), RejectedRequestError),
    (424, {}, nested("failed_dependency"), RejectedRequestError),
    (429, SOON, nested("rate_limit_exceeded"), RateLimitedError),
    (429, {}, nested("rate_limit_exceeded"), RateLimitedError),
    (500, {}, nested("internal_server_error"), OutcomeUnknownError),
    (503, SOON, nested("service_unavailable_error"), ServerBusyError),
    (503, {}, nested("service_unavailable_error"), OutcomeUnknownError),
    (408, {}, {}, OutcomeUnknownError),
    (413, {}, {}, RejectedRequestError),
    (504, {}, {}, OutcomeUnknownError),
    (400, {}, nested("image_generation_user_error", "moderation_blocked"), ModerationError),
    (500, {}, nested("AI_APICallError", param={"code": "moderation_blocked"}), ModerationError),
    (400, {}, nested("invalid_request_error", "content_policy_violation"), ModerationError),
    (400, {}, nested("invalid_request_error", "invalid_value", "size"), RejectedRequestError),
    (400, {}, nested("invalid_request_error", "unknown_parameter"), RejectedRequestError),
    (401, {}, nested("invalid_request_error", "invalid_api_key"), AuthenticationError),
    (429, SOON, nested("images", "rate_limit_exceeded"), RateLimitedError),
    (429, SOON, nested("insufficient_quota", "insufficient_quota"), InsufficientFundsError),
    (429, {}, nested("insufficient_quota", "billing_hard_limit_reached"), InsufficientFundsError),
    (400, {}, nested("x", "billing_hard_limit_reached"), InsufficientFundsError),
    (429, {}, nested("x", "organization_spend_limit_exceeded"), InsufficientFundsError),
    (429, {}, nested("x", "project_spend_limit_exceeded"), InsufficientFundsError),
    (500, {}, nested("server_error"), OutcomeUnknownError),
    (502, {}, nested("image_generation_server_error"), OutcomeUnknownError),
    (402, {}, nested("something_new"), InsufficientFundsError),
    (409, {}, {}, OutcomeUnknownError),
    (499, {}, {}, OutcomeUnknownError),
    (303, {"location": "/v1/jobs/1"}, {}, OutcomeUnknownError),
    (405, {}, {}, RejectedRequestError),
    (422, {}, {"detail": "response_format"}, RejectedRequestError),
    (418, {}, {}, RejectedRequestError),
    (302, {"location": "http://169.254.169.254/latest?x=1"}, {}, RejectedRequestError),
    (599, SOON, {}, OutcomeUnknownError),
    (
        400,
        {},
        nested("x", "400", text="Invalid model name passed in model=a"),
        ModelUnavailableError,
    ),
    (400, {}, nested("auth_error", "400"), AuthenticationError),
    (400, {}, nested("no_db_connection", "400", text="No connected db."), AuthenticationError),
]


@pytest.mark.parametrize(("status", "headers", "body", "kind"), ROWS)
def test_documented_response_is_exactly_one_error(status, headers, body, kind):
    error = read_error(status, headers, json.dumps(body).encode(), NOW, "a/b")
    assert type(error) is kind
    assert error.status == status
    assert str(status) in str(error)


def test_long_text_is_searched_in_linear_time():
    text = "a-" * 400_000
    assert read_error(400, {}, text.encode(), NOW, "a/b").billing is Billing.REFUSED


def test_rule_fits_a_documented_response():
    faults = {
        read_error(row[0], row[1], json.dumps(row[2]).encode(), NOW, "a/b").fault for row in ROWS
    }
    for rule in RULES:
        assert any(fault.startswith(rule.fault) for fault in faults), rule


def test_rules_create_every_error_of_a_response():
    no_refusals = {errors.InvalidResponseError, errors.DownloadError}
    made_elsewhere = {errors.CredentialError, errors.UnreachableError} | no_refusals
    every = {
        each
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, GatewayError) and each is not GatewayError
    }
    assert {rule.error for rule in RULES} == every - made_elsewhere


@pytest.mark.parametrize(
    ("body", "text", "words"),
    [
        (json.dumps(nested("a", "B", text="said")), "said", {"a", "b"}),
        (json.dumps(flat("no_providers_available", 400)), "the words", {"no_providers_available"}),
        (
            json.dumps(nested("AI_APICallError", None, {"name": "X", "code": 3}, "up")),
            "up",
            {"ai_apicallerror", "x"},
        ),
        ('{"message": "top", "type": "t"}', "top", {"t"}),
        ('{"detail": "Not Found"}', "Not Found", set()),
        ("plain words", "plain words", set()),
        ("[1]", "[1]", set()),
        ("", "", set()),
    ],
)
def test_error_body_of_each_shape_is_read(body, text, words):
    complaint = read_error_body(body.encode())
    assert (complaint.text, complaint.codes) == (text, words)


def test_web_page_is_quoted_without_tags():
    page = b"<html><head><title>502 Bad Gateway</title></head><body><hr></body></html>"
    error = read_error(502, {}, page, NOW)
    assert '"502 Bad Gateway"' in str(error)


def test_request_identifiers_are_kept():
    body = json.dumps(nested("x") | {"generationId": "gen_1"}).encode()
    headers = {"X-Vercel-Id": "iad1::abc-123", "x-request-id": "req_9\x1b[0m"}
    error = read_error(500, headers, body, NOW)
    assert error.request_id == "gen_1, iad1::abc-123, req_90m"
    assert str(error).endswith("[gen_1, iad1::abc-123, req_90m]")


@pytest.mark.parametrize(
    "secret",
    [
        "vck_abcdefghij0123",
        "sk-proj-abcdef0123456789",
        "sk-abc***********wxyz",
        "eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjF9.c2lnbmF0dXJl",
        "Bearer abcdef0123",
    ],
)
@pytest.mark.parametrize("padding", ["", "x " * 95])
def test_text_that_looks_like_a_credential_is_redacted(secret, padding):
    body = json.dumps(nested(text=f"{padding}key: {secret} is wrong")).encode()
    said = str(read_error(401, {"x-request-id": secret}, body, NOW))
    assert secret not in said
    assert secret[:12] not in said


def test_text_of_the_server_is_one_short_line():
    body = json.dumps(nested(text="\x1b[2J\r\nline\u202e two\x00 " + "long " * 500)).encode()
    said = read_error(400, {}, body, NOW).fault
    assert said.isprintable()
    assert len(said) < 300


@pytest.mark.parametrize(
    ("status", "body", "hint"),
    [
        (402, nested("insufficient_funds"), "add credit"),
        (403, nested("customer_verification_required"), "add a card"),
        (401, nested("authentication_error"), "vercel env pull"),
        (400, no_zero_retention(), "zeroDataRetention"),
        (500, {}, "may have been charged"),
    ],
)
def test_error_names_the_next_step(status, body, hint):
    assert hint in str(read_error(status, {}, json.dumps(body).encode(), NOW))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 0 "}, 0.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after": formatdate(NOW + 30, usegmt=True)}, 30.0),
        ({"retry-after": formatdate(NOW - 30, usegmt=True)}, 0.0),
        ({"retry-after": "Fri, 15 Jan 2027 08:00:30"}, 30.0),
        ({"retry-after": "99999999999"}, 86_400.0),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}, 86_400.0),
        ({"retry-after": "Fri, 31 Dec 99999 23:59:59 GMT"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "1e9"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "٣"}, None),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": "tomorrow"}, None),
        ({"retry-after": "Mon, 99 Foo 2026 99:99:99 GMT"}, None),
        ({"retry-after": "\x00"}, None),
    ],
)
def test_retry_after_is_read_in_every_form_up_to_a_day(headers, expected):
    assert retry_after_s(headers, NOW) == expected


HOSTILE = [
    *("", " ", "\t", "0", "00", "-0", "-1", "-5", "+5", "- 5", "1 2", "1,2", "5, 10", "5;q=1"),
    *("1.", ".5", "1.5.5", "1_000", "1'000", "0x10", "0b1", "0o7", "1e3", "1E3", "1e999", "-1e999"),
    *("9" * digits for digits in (9, 10, 11, 15, 16, 17, 18, 19, 20, 39, 308, 309, 400, 10_000)),
    *(
        "0." + "0" * 300 + "1",
        "1" + "0" * 14 + ".999999999",
        "120.0000000001",
        "121",
        "3600",
        "86400",
    ),
    *("nan", "NaN", "-nan", "inf", "+inf", "-inf", "Infinity", "-Infinity", "null", "None", "true"),
    *("٣", "\uff11\uff12", "²", "Ⅷ", "५", "½", "一", "1\u200b", "\ufeff1", "\u22125", "5\u00a0"),
    *("5s", "5 seconds", "5m", "1h", "PT5S", "P1Y", "soon", "never", "tomorrow", "now", "later"),
    *(
        "[5]",
        "{5}",
        '"5"',
        "'5'",
        "<5>",
        "(5)",
        "5#",
        "$5",
        "%35",
        "5%",
        "5\\n",
        "5\x00",
        "\x00",
        "\x1b[5m",
    ),
    *("5\r\nx: y", "a" * 100_000, "1 " * 50_000, "-" * 1000, ":" * 1000, "," * 1000, "(" * 5000),
    *("Fri, 31 Dec 9999 23:59:59 GMT", "Fri, 31 Dec 9999 23:59:59 -2359"),
    *(
        "Mon, 01 Jan 0001 00:00:00 GMT",
        "Mon, 01 Jan 0001 00:00:00 +2359",
        "Fri, 31 Dec 99999 23:59:59 GMT",
    ),
    *(
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Thu, 01 Jan 1970",
        "1 Jan",
        "Jan",
        "Thu,",
        ", ,",
        "0 0 0 0:0:0 0",
    ),
    *(
        "Mon, 99 Foo 2026 99:99:99 GMT",
        "Mon, 30 Feb 2026 00:00:00 GMT",
        "Mon, 01 Jan 2026 24:00:00 GMT",
    ),
    *(
        "Sun Nov  6 08:49:37 1994",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "1994-11-06T08:49:37Z",
        "2099-12-31",
    ),
    *("Fri, 15 Jan 2027 08:00:30 +999999999999", "Fri, 15 Jan 2027 08:00:30 -99999", "1800000030"),
    *("Fri, 15 Jan 2027 99999999999999999999:0:0 GMT", "Fri, 15 Jan -2027 08:00:30 GMT"),
]


def test_hostile_values_are_many():
    assert len(set(HOSTILE)) == len(HOSTILE) >= 100


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("name", ["retry-after", "retry-after-ms"])
def test_hostile_value_is_a_day_at_most(name, value):
    for given_twice in ({name: value}, {"retry-after": value, "retry-after-ms": value}):
        wait = retry_after_s(given_twice, NOW)
        assert wait is None or 0 <= wait <= MAX_RETRY_AFTER_S


parts = st.sampled_from(
    [
        *("Fri", ",", " ", "15", "Jan", "2027", "9999", "08:00:30", "24:61:61", "GMT", "+0000"),
        *("-9999", "-", ":", "0", "EST", "1e9", "(", ")", ".", "٣"),
    ]
)


@given(st.lists(parts, max_size=12).map("".join))
def test_date_of_any_form_is_read_or_ignored(date):
    wait = retry_after_s({"retry-after": date}, NOW)
    assert wait is None or 0 <= wait <= MAX_RETRY_AFTER_S


@given(st.text(max_size=60), st.text(max_size=60))
def test_retry_after_of_any_text_is_within_bounds(seconds, milliseconds):
    wait = retry_after_s({"retry-after": seconds, "retry-after-ms": milliseconds}, NOW)
    assert wait is None or 0 <= wait <= MAX_RETRY_AFTER_S


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "type", "code", "param", "message", "detail", "name"]), inner
        )
    ),
    max_leaves=10,
)


@given(
    st.integers(min_value=-1, max_value=1100),
    st.dictionaries(
        st.sampled_from(["Retry-After", "x-request-id", "location"]), st.text(max_size=30)
    ),
    st.binary(max_size=200) | values.map(lambda value: json.dumps(value).encode()),
)
def test_response_of_any_content_becomes_a_gateway_error(status, headers, body):
    error = read_error(status, headers, body, NOW)
    assert isinstance(error, GatewayError)
    assert isinstance(error.billing, Billing)
    assert str(error).isprintable()


@given(st.sampled_from([408, 409, 500, 502, 504, 599]), st.binary(max_size=50))
def test_response_that_may_be_charged_is_not_unbilled(status, body):
    assert read_error(status, {"retry-after": "1"}, body, NOW).billing is not Billing.UNBILLED
