"""Every fault is answered as its row in the table says."""

import base64
import binascii
import io
import json
import zlib
from email.utils import parsedate_to_datetime

import pytest
from PIL import Image

from mkdocs_imagegen.emulator import bombs
from mkdocs_imagegen.emulator.faults import FAULTS, SHAPES
from mkdocs_imagegen.emulator.transports import TRANSPORTS

ERRORS = {name: fault for name, fault in FAULTS.items() if not fault.billed}
BILLED = [name for name, fault in FAULTS.items() if fault.billed]
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
    answer = json.loads(body)
    if "detail" in answer:
        return None
    error = answer["error"]
    assert set(error) >= {"message", "type", "param", "code"}
    return error["type"]


def flat(body):
    answer = json.loads(body)
    assert isinstance(answer["error"], str)
    assert isinstance(answer["statusCode"], int)
    return answer["type"]


def wrapped(body):
    param = json.loads(body)["error"]["param"]
    assert set(param) >= {"statusCode", "name", "message", "url", "isRetryable"}
    return nested(body)


def no_json(body):
    with pytest.raises((ValueError, RecursionError)):
        json.loads(body)


KINDS = {"A": nested, "B": flat, "C": wrapped, "D": nested, "E": no_json, "transport": no_json}


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_has_its_status_and_shape_and_costs_nothing(ask, name):
    response = ask.draw(fault=name, response_format="b64_json")
    status, kind = EXPECTED[name]
    assert response.status == status
    assert KINDS[ERRORS[name].shape](response.body) == kind
    assert ask.emulator.bill.images == 0
    assert ask.emulator.log[-1].fault == name


def test_every_error_is_expected_and_every_shape_is_described():
    assert set(EXPECTED) == set(ERRORS)
    assert {fault.shape for fault in FAULTS.values()} == set(SHAPES)
    assert {fault.transport for fault in FAULTS.values()} <= {None, *TRANSPORTS}
    assert all(fault.about and "\n" not in fault.about for fault in FAULTS.values())


def image(ask, fault, **fields):
    response = ask.draw(fault=fault, **fields)
    assert response.status == 200
    return json.loads(response.body)


def opened(text):
    return Image.open(io.BytesIO(base64.b64decode(text, validate=True)))


@pytest.mark.parametrize("name", BILLED)
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.usefixtures("drawn_once")
def test_what_is_spoiled_after_drawing_is_billed(ask, name, path):
    fields = {"prompt": "x", "size": "1024x1024"}
    model = {"ai-model-id": "openai/gpt-image-1-mini"}
    fields |= {"model": model["ai-model-id"]} if path == PATHS[0] else {}
    response = ask.post(path, fields, **model, **{"x-imagegen-fault": name})
    assert response.status == STATUSES.get(name, 200)
    assert ask.emulator.bill.images == 1
    assert response.transport == FAULTS[name].transport


def test_metadata_faults(ask):
    camel = image(ask, "camel-case-metadata")
    assert "provider_metadata" not in camel
    assert camel["providerMetadata"]["gateway"]["cost"] == "0.005"
    bare = image(ask, "no-metadata")
    assert not {"provider_metadata", "providerMetadata"} & set(bare)
    assert image(ask, "numeric-cost")["provider_metadata"]["gateway"]["cost"] == 0.005
    assert image(ask, "odd-cost")["provider_metadata"]["gateway"]["cost"] == "free"


def test_image_faults(ask):
    assert image(ask, "empty-data")["data"] == []
    with pytest.raises(binascii.Error):
        opened(image(ask, "bad-base64")["data"][0]["b64_json"])
    with pytest.raises(OSError, match="cannot identify"):
        opened(image(ask, "not-an-image")["data"][0]["b64_json"])
    with pytest.raises(OSError, match="truncated"):
        opened(image(ask, "half-image", output_format="jpeg")["data"][0]["b64_json"]).load()
    prefixed = image(ask, "data-prefix", output_format="webp")["data"][0]["b64_json"]
    head, _, data = prefixed.partition(",")
    assert (head, opened(data).format) == ("data:image/webp;base64", "WEBP")


def test_address_faults(ask):
    assert image(ask, "url")["data"] == [{"url": "https://pictures.example.invalid/sketch.png"}]
    (only,) = image(ask, "data-url")["data"]
    assert only["url"].startswith("data:image/png;base64,iVBOR")


@pytest.mark.parametrize(("asked", "got"), [("png", "JPEG"), ("jpeg", "PNG"), ("webp", "PNG")])
def test_the_wrong_format_is_told_as_the_right_one(ask, asked, got):
    body = image(ask, "wrong-format", output_format=asked)
    assert body["output_format"] == asked
    assert opened(body["data"][0]["b64_json"]).format == got


def test_the_wrong_size_is_told_as_the_right_one(ask):
    body = image(ask, "wrong-size", size="1536x1024")
    assert body["size"] == "1536x1024"
    assert opened(body["data"][0]["b64_json"]).size == (776, 516)


def test_body_faults(ask):
    with pytest.raises(json.JSONDecodeError):
        json.loads(ask.draw(fault="truncated-json").body)
    assert ask.draw(fault="html-200").body.startswith(b"<!doctype html>")
    assert ask.draw(fault="empty-body").body == b""


def test_waits_in_every_form(asker):
    ask = asker(clock=lambda: 1_800_000_000.0)
    assert "retry-after" not in ask.draw(fault="rate-limit").headers
    assert ask.draw(fault="retry-after").headers["retry-after"] == "1"
    date = parsedate_to_datetime(ask.draw(fault="retry-after-date").headers["retry-after"])
    assert date.timestamp() == 1_800_000_002
    headers = ask.draw(fault="retry-after-ms").headers
    assert (headers["retry-after-ms"], headers["retry-after"]) == ("150", "30")
    assert len(ask.draw(fault="retry-after-hostile").headers["retry-after"]) == 400


def test_response_format_is_refused_only_where_it_is_sent(ask):
    assert ask.draw(fault="response-format-refused", response_format="b64_json").status == 400
    assert ask.draw(fault="response-format-refused").status == 200


def test_a_plan_is_used_up_one_entry_for_each_request_for_images(asker):
    ask = asker(plan=["html", "ok", "unavailable"])
    assert ask.get("/v1/models").status == 200
    assert [ask.draw().status for _ in range(4)] == [502, 200, 503, 200]
    assert [seen.fault for seen in ask.emulator.log] == ["ok", "html", "ok", "unavailable", "ok"]


def test_the_header_goes_before_the_plan_and_leaves_it(asker):
    ask = asker(plan=["html"])
    assert ask.draw(fault="unavailable").status == 503
    assert ask.draw().status == 502


def test_an_unknown_fault_in_the_header_is_refused_with_a_suggestion(ask):
    error = json.loads(ask.draw(fault="retry-aftr").body)["error"]
    assert error["param"] == "x-imagegen-fault"
    assert 'did you mean "retry-after"' in error["message"]


def test_the_model_asked_for_is_the_one_not_found(ask):
    error = json.loads(ask.draw(fault="model-not-found", model="some/model").body)["error"]
    assert error["param"] == {"modelId": "some/model"}


@pytest.mark.parametrize("size", [2**24, 2**28])
def test_a_bomb_is_small_until_it_is_read(size):
    unpacker, length = zlib.decompressobj(zlib.MAX_WBITS | 16), 0
    rest = bombs.zeros(size)
    assert len(rest) < size / 900
    while rest:
        piece = unpacker.decompress(rest, 2**20)
        assert not piece.strip(b"\0")
        length, rest = length + len(piece), unpacker.unconsumed_tail
    assert (length, unpacker.eof, unpacker.unused_data) == (size, True, b"")


def test_a_gigabyte_is_a_megabyte_on_the_way(ask):
    response = ask.draw(fault="bomb")
    assert response.headers["content-encoding"] == "gzip"
    assert bombs.GIGABYTE == 2**30
    assert len(response.body) < 2**21


def test_a_late_error_is_charged_for_a_image(ask):
    assert ask.draw(fault="late-timeout").status == 504
    assert ask.emulator.bill.images == 1
    assert ask.draw(fault="gateway-timeout").status == 504
    assert ask.emulator.bill.images == 1
