"""Routes, credentials, faults by plan and header, and the request log."""

import json
import re
import subprocess
import sys

import pytest

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.errors import OptionError
from tests.emulator.support import (
    EDITS,
    IMAGES,
    MODEL,
    SDK_IMAGES,
    checked,
    decoded_image,
    edit,
    refused,
)

NUMBERS = {
    *("total_cost", "upstream_inference_cost", "usage", "latency", "generation_time"),
    *("tokens_prompt", "tokens_completion", "native_tokens_prompt", "native_tokens_completion"),
    *("native_tokens_reasoning", "native_tokens_cached", "native_tokens_cache_creation"),
    "billable_web_search_calls",
}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/images/generations"),
        ("GET", "/v1/credits"),
        ("GET", "/v1/generation"),
        ("GET", "/v4/ai/config"),
    ],
)
@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer "}, {"Authorization": "Bearer bad-one"}, {"API-Key": "bad-one"}],
)
def test_missing_or_invalid_credential_is_refused(method, path, headers):
    body = json.dumps({"model": MODEL, "prompt": "A cat"}).encode()
    refused(Emulator().handle(method, path, headers, body), 401, "authentication_error")


@pytest.mark.parametrize("headers", [{"AUTHORIZATION": "bearer x"}, {"Api-Key": "x"}])
def test_any_other_credential_is_accepted_in_both_headers(headers):
    assert Emulator().handle("GET", "/v1/credits", headers, b"").status == 200


def test_no_credential_is_needed_if_none_is_required():
    assert Emulator(require_key=False).handle("GET", "/v1/credits", {}, b"").status == 200


@pytest.mark.parametrize("settings", [{}, {"require_key": False}])
@pytest.mark.parametrize("name", ["Authorization", "api-key", "x-other"])
@pytest.mark.parametrize("path", ["/v1/images/generations", "/v1/models"])
def test_real_api_key_is_refused_with_the_reason(settings, name, path):
    emulator = Emulator(**settings)
    method = "GET" if path == "/v1/models" else "POST"
    response = emulator.handle(method, path, {name: "Bearer vck_0123456789"}, b"{}")
    error = refused(response, 401, "authentication_error")
    assert "emulator" in error["message"]
    assert "vck_" not in repr(emulator.log)


def test_generation_is_found_after_a_delay(make_api):
    now = [1_800_000_000.0]
    api = make_api(clock=lambda: now[0])
    metadata = checked(api.generate(), IMAGES)["provider_metadata"]
    path = f"/v1/generation?id={metadata['gateway']['generationId']}"
    refused(api.get(path), 404, "not_found")
    now[0] += 3
    data = json.loads(api.get(path).body)["data"]
    numbers = {name for name, value in data.items() if type(value) in (int, float)}
    assert numbers == NUMBERS
    assert (data["total_cost"], data["usage"], data["model"]) == (0.005, 0.005, MODEL)
    assert (data["native_tokens_prompt"], data["native_tokens_completion"]) == (4, 272)
    assert re.fullmatch(r"2027-01-15T08:00:00Z", data["created_at"])
    refused(api.get("/v1/generation?id=gen_none"), 404, "not_found")


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/images/variations", "/v1/report", "/v1/models/x", "/v2/models"]
)
def test_unknown_path_is_not_found(api, path):
    refused(api.get(path), 404, "not_found")
    refused(api.post(path, {}), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/images/generations", "POST"),
        ("DELETE", "/v4/ai/image-model", "POST"),
        ("POST", "/v1/models", "GET"),
        ("PUT", "/v1/credits", "GET"),
    ],
)
def test_wrong_method_is_answered_with_the_allowed_one(api, method, path, allowed):
    response = api.emulator.handle(method, path, api.headers, b"")
    refused(response, 405, "method_not_allowed")
    assert response.headers["allow"] == allowed


def test_edits_accept_only_post(api):
    assert api.get(EDITS).status == 405


@pytest.mark.parametrize("version", ["v3", "v4"])
def test_sdk_path_reads_the_model_from_a_header(api, version):
    fields = {
        "prompt": "A cat",
        "n": 2,
        "size": "1024x1024",
        "seed": 0,
        "providerOptions": {"openai": {"outputFormat": "webp", "quality": "low"}},
    }
    response = api.post(f"/{version}/ai/image-model", fields, **{"ai-model-id": MODEL})
    body = checked(response, SDK_IMAGES)
    assert [decoded_image(text).format for text in body["images"]] == ["WEBP", "WEBP"]
    assert body["warnings"] == [{"type": "unsupported", "feature": "seed"}]
    assert body["providerMetadata"]["imagegen"]["sketch"] is True
    assert all("images" in body["providerMetadata"][name] for name in ("openai", "imagegen"))
    assert api.emulator.log[-1].model == MODEL


def test_image_request_takes_at_least_the_latency(make_api):
    waited = []
    api = make_api(latency_s=1.5, pause=waited.append)
    api.generate()
    api.generate(n=0)
    (rest_s,) = waited
    assert 0 < rest_s <= 1.5  # the drawing takes the rest


def test_log_has_each_request_and_no_credential(api):
    api.headers = {"Authorization": "Bearer my-secret-word"}
    api.generate(prompt="A cat", fault="html")
    api.get("/v1/credits?key=my-secret-word")
    first, second = api.emulator.log
    assert (first.method, first.path, first.model) == ("POST", "/v1/images/generations", MODEL)
    assert (first.prompt, first.fault, first.status) == ("A cat", "html", 502)
    assert first.credential == "bearer"
    assert (second.path, second.model, second.status) == ("/v1/credits", None, 200)
    assert "my-secret-word" not in repr(vars(api.emulator._state))


def test_plan_has_one_entry_per_image_request(make_api):
    api = make_api(plan=["html", "ok", "unavailable"])
    assert api.get("/v1/models").status == 200
    assert [api.generate().status for _ in range(4)] == [502, 200, 503, 200]
    assert [seen.fault for seen in api.emulator.log] == ["ok", "html", "ok", "unavailable", "ok"]


def test_fault_header_has_precedence_over_the_plan(make_api):
    api = make_api(plan=["html"])
    assert api.generate(fault="unavailable").status == 503
    assert api.generate().status == 502


def test_unknown_fault_in_the_header_is_refused_with_a_suggestion(api):
    error = json.loads(api.generate(fault="retry-aftr").body)["error"]
    assert error["param"] == "x-imagegen-fault"
    assert 'did you mean "retry-after"' in error["message"]


def test_faults_apply_to_edits(make_api):
    api = make_api(plan=["retry-after", "bad-base64"])
    assert edit(api).status == 429
    assert edit(api).status == 200
    assert api.emulator.bill.images == 1


def test_plan_with_an_unknown_fault_is_refused():
    with pytest.raises(OptionError, match='did you mean "html"'):
        Emulator(plan=["htlm"])


def test_protocol_imports_no_image_library():
    code = (
        "import sys, mkdocs_imagegen.emulator.protocol, mkdocs_imagegen.emulator.server;"
        "sys.exit(bool({'PIL', 'httpx', 'mkdocs'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
