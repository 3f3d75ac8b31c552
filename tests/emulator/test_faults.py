"""Status, shape and charge of every fault."""

import json

import pytest

from mkdocs_imagegen.emulator.fault_transports import TRANSPORTS
from mkdocs_imagegen.emulator.faults import FAULTS, SHAPES, SHUTDOWN_FAULTS

ERRORS = {name: fault for name, fault in FAULTS.items() if not fault.is_charged}
CHARGED = [name for name, fault in FAULTS.items() if fault.is_charged]
STATUSES = {
    "accepted": 202,
    "no-content": 204,
    "late-error": 500,
    "late-bad-gateway": 502,
    "late-timeout": 504,
}
PATHS = ["/v1/images/generations", "/v4/ai/image-model"]

EXPECTED = {
    "missing-parameter": (400, "invalid_request_error"),
    "invalid-request": (400, "invalid_request_error"),
    "zero-data-retention": (400, "no_providers_available"),
    "authentication": (401, "authentication_error"),
    "insufficient-funds": (402, "insufficient_funds"),
    "budget-exceeded": (402, "quota_for_entity_exceeded"),
    "budget-exceeded-403": (403, "quota_for_entity_exceeded"),
    "budget-exceeded-429": (429, "quota_for_entity_exceeded"),
    "customer-verification": (403, "customer_verification_required"),
    "restricted-model": (403, "no_providers_available"),
    "restricted-provider": (403, "no_providers_available"),
    "restricted-provider-nested": (403, "no_providers_available"),
    "forbidden": (403, "forbidden"),
    "plan-lacks-zdr": (403, "forbidden"),
    "model-not-found": (404, "model_not_found"),
    "model-not-found-400": (400, "model_not_found"),
    "shut-down-404-deprecated": (404, "invalid_request_error"),
    "shut-down-404-missing": (404, "invalid_request_error"),
    "shut-down-400-deprecated": (400, "invalid_request_error"),
    "shut-down-410": (410, "invalid_request_error"),
    "shut-down-410-gone": (410, None),
    "shut-down-400-code": (400, "invalid_request_error"),
    "shut-down-400-value": (400, "invalid_request_error"),
    "shut-down-403": (403, "invalid_request_error"),
    "shut-down-404-provider": (404, "no_providers_available"),
    "shut-down-400-provider": (400, "no_providers_available"),
    "shut-down-502": (502, "AI_APICallError"),
    "shut-down-500": (500, "internal_server_error"),
    "shut-down-503": (503, "no_providers_available"),
    "not-found": (404, "not_found"),
    "method-not-allowed": (405, "method_not_allowed"),
    "conflict": (409, "conflict"),
    "unprocessable": (422, None),
    "failed-dependency": (424, "failed_dependency"),
    "rate-limit": (429, "rate_limit_exceeded"),
    "internal-error": (500, "internal_server_error"),
    "unavailable": (503, "service_unavailable_error"),
    "request-timeout": (408, "timeout_error"),
    "too-large": (413, "invalid_request_error"),
    "gateway-timeout": (504, "timeout_error"),
    "retry-after": (429, "rate_limit_exceeded"),
    "retry-after-503": (503, "service_unavailable_error"),
    "retry-after-date": (429, "rate_limit_exceeded"),
    "retry-after-ms": (429, "rate_limit_exceeded"),
    "retry-after-hour": (429, "rate_limit_exceeded"),
    "retry-after-hostile": (429, "rate_limit_exceeded"),
    "retry-after-year-9999": (429, "rate_limit_exceeded"),
    "retry-after-past": (429, "rate_limit_exceeded"),
    "retry-after-negative": (429, "rate_limit_exceeded"),
    "retry-after-503-nan": (503, "service_unavailable_error"),
    "retry-after-nan": (429, "rate_limit_exceeded"),
    "moderation-blocked": (400, "image_generation_user_error"),
    "moderation-wrapped": (400, "AI_APICallError"),
    "content-policy": (400, "invalid_request_error"),
    "invalid-value": (400, "invalid_request_error"),
    "unknown-parameter": (400, "invalid_request_error"),
    "invalid-image": (400, "invalid_request_error"),
    "response-format-refused": (400, "invalid_request_error"),
    "provider-key": (401, "invalid_request_error"),
    "provider-rate-limit": (429, "input-images"),
    "insufficient-quota": (429, "insufficient_quota"),
    "billing-hard-limit": (429, "insufficient_quota"),
    "organization-spend-limit": (429, "insufficient_quota"),
    "project-spend-limit": (429, "insufficient_quota"),
    "server-error": (500, "server_error"),
    "image-server-error": (500, "image_generation_server_error"),
    "wrapped-error": (502, "AI_APICallError"),
    "html": (502, None),
    "html-503": (503, None),
    "empty-502": (502, None),
    "html-429": (429, None),
    "client-closed": (499, None),
    "huge-error": (500, None),
    "nested-error": (500, None),
    "bomb-error": (500, None),
    "redirect": (302, None),
    "redirect-307": (307, None),
    "reset": (502, None),
    "closed": (502, None),
}


def nested(body):
    payload = json.loads(body)
    if "detail" in payload:
        return None
    error = payload["error"]
    assert set(error) >= {"message", "type", "param", "code"}
    return error["type"]


def flat(body):
    payload = json.loads(body)
    assert isinstance(payload["error"], str)
    assert isinstance(payload["statusCode"], int)
    return payload["type"]


def wrapped(body):
    param = json.loads(body)["error"]["param"]
    assert set(param) >= {"statusCode", "name", "message", "url", "isRetryable"}
    return nested(body)


def not_json(body):
    with pytest.raises((ValueError, RecursionError)):
        json.loads(body)


KINDS = {"A": nested, "B": flat, "C": wrapped, "D": nested, "E": not_json, "transport": not_json}


@pytest.mark.parametrize("name", ERRORS)
def test_error_has_its_status_and_shape_and_costs_nothing(api, name):
    response = api.generate(fault=name, response_format="b64_json")
    status, kind = EXPECTED[name]
    assert response.status == status
    assert KINDS[ERRORS[name].shape](response.body) == kind
    assert api.emulator.bill.images == 0
    assert api.emulator.log[-1].fault == name


def test_every_error_is_expected_and_every_shape_is_described():
    assert set(EXPECTED) == set(ERRORS)
    assert {fault.shape for fault in FAULTS.values()} == set(SHAPES)
    assert {fault.transport for fault in FAULTS.values()} <= {None, *TRANSPORTS}
    assert all(fault.about and "\n" not in fault.about for fault in FAULTS.values())


@pytest.mark.parametrize("name", CHARGED)
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.usefixtures("cached_sketches")
def test_spoiled_response_is_charged(api, name, path):
    fields = {"prompt": "x", "size": "1024x1024"}
    model = {"ai-model-id": "openai/gpt-image-1-mini"}
    fields |= {"model": model["ai-model-id"]} if path == PATHS[0] else {}
    response = api.post(path, fields, **model, **{"x-imagegen-fault": name})
    assert response.status == STATUSES.get(name, 200)
    assert api.emulator.bill.images == 1
    assert response.transport == FAULTS[name].transport


def test_response_format_is_refused_only_if_it_is_sent(api):
    assert api.generate(fault="response-format-refused", response_format="b64_json").status == 400
    assert api.generate(fault="response-format-refused").status == 200


def test_shutdown_faults_are_of_14_forms(api):
    bodies = {api.generate(fault=name).body for name in SHUTDOWN_FAULTS}
    assert len(bodies) == len(SHUTDOWN_FAULTS) == 14
    error = json.loads(api.generate(fault="shut-down-502").body)["error"]
    assert "'gpt-image-1-mini' has been deprecated" in error["message"]
    assert error["param"]["isRetryable"] is False
    error = json.loads(api.generate(fault="shut-down-400-value").body)["error"]
    assert (error["param"], error["code"]) == ("model", "invalid_value")


def test_not_found_error_names_the_requested_model(api):
    error = json.loads(api.generate(fault="model-not-found", model="some/model").body)["error"]
    assert error["param"] == {"modelId": "some/model"}


def test_late_error_is_charged(api):
    assert api.generate(fault="late-timeout").status == 504
    assert api.emulator.bill.images == 1
    assert api.generate(fault="gateway-timeout").status == 504
    assert api.emulator.bill.images == 1
