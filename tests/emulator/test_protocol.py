"""The emulator answers as the gateway does."""

import base64
import io
import json
import re
import subprocess
import sys
import threading
from decimal import Decimal

import jsonschema
import pytest
from PIL import Image

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.errors import OptionError
from mkdocs_imagegen.options import SKETCH_MODEL

MODEL = "openai/gpt-image-1-mini"
COUNT = {"type": "integer", "minimum": 0}
MONEY = {"type": "string", "pattern": r"^\d+(\.\d+)?$"}
GENERATION_ID = {"type": "string", "pattern": "^gen_[0-7][0-9A-HJKMNP-TV-Z]{25}$"}
ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {"message": {"type": "string"}, "type": {"type": "string"}},
        }
    },
}
GATEWAY = {
    "type": "object",
    "required": ["generationId", "cost", "routing"],
    "properties": {
        "generationId": GENERATION_ID,
        "cost": MONEY,
        "routing": {
            "type": "object",
            "required": ["originalModelId", "canonicalSlug", "finalProvider", "modelAttempts"],
        },
    },
}
METADATA = {
    "type": "object",
    "required": ["gateway", "imagegen", "openai"],
    "properties": {
        "gateway": GATEWAY,
        "imagegen": {"type": "object", "properties": {"sketch": {"const": True}}},
        "openai": {"type": "object", "properties": {"images": {"type": "array", "minItems": 1}}},
    },
}
IMAGES = {
    "type": "object",
    "required": ["created", "data", "usage", "size", "quality", "background", "output_format"],
    "additionalProperties": False,
    "properties": {
        "created": COUNT,
        "data": {
            "type": "array",
            "items": {"required": ["b64_json"], "maxProperties": 1},
        },
        "usage": {
            "type": "object",
            "required": ["total_tokens", "input_tokens", "output_tokens", "input_tokens_details"],
            "properties": {"total_tokens": COUNT},
        },
        "size": {"type": "string", "pattern": r"^\d+x\d+$"},
        "quality": {"type": "string"},
        "background": {"type": "string"},
        "output_format": {"type": "string"},
        "provider_metadata": METADATA,
    },
}
NATIVE = {
    "type": "object",
    "required": ["images"],
    "properties": {
        "images": {"type": "array", "items": {"type": "string"}},
        "warnings": {"type": "array", "items": {"required": ["type", "feature"]}},
        "providerMetadata": {"additionalProperties": {"type": "object"}},
        "usage": {"required": ["inputTokens", "outputTokens", "totalTokens"]},
    },
}


def checked(response, schema, status=200):
    assert response.status == status, response.body[:300]
    body = json.loads(response.body)
    faults = [
        error.message[:200] for error in jsonschema.Draft202012Validator(schema).iter_errors(body)
    ]
    assert faults == []
    return body


def refused(response, status, kind, param=None):
    error = checked(response, ERROR, status)["error"]
    assert error["type"] == kind
    assert error["param"] == param
    return error


def image(text: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(text, validate=True)))


def test_a_image_comes_as_base64_with_usage_echo_and_metadata(ask):
    body = checked(ask.draw(size="1536x1024", output_format="webp"), IMAGES)
    shown = image(body["data"][0]["b64_json"])
    assert (shown.format, shown.size) == ("WEBP", (1536, 1024))
    assert (body["size"], body["output_format"], body["quality"]) == ("1536x1024", "webp", "low")
    assert body["usage"]["output_tokens"] == 400
    assert body["provider_metadata"]["gateway"]["cost"] == "0.006"
    assert body["provider_metadata"]["imagegen"] == {"sketch": True}


def test_what_is_not_said_is_what_openai_does(ask):
    body = checked(ask.draw(quality=None), IMAGES)
    assert (body["size"], body["quality"], body["output_format"]) == ("1024x1024", "medium", "png")
    assert body["background"] == "opaque"
    assert image(body["data"][0]["b64_json"]).format == "PNG"


def test_several_images_are_several_drawings_and_cost_each(ask):
    body = checked(ask.draw(n=2), IMAGES)
    first, second = (image["b64_json"] for image in body["data"])
    assert first != second
    assert body["provider_metadata"]["gateway"]["cost"] == "0.01"
    assert len(body["provider_metadata"]["openai"]["images"]) == 2
    assert ask.emulator.bill.images == 2


def test_the_same_question_gets_the_same_image_from_any_emulator(asker):
    images = {
        checked(asker().draw(**extra), IMAGES)["data"][0]["b64_json"]
        for extra in ({}, {}, {"quality": "high"}, {"model": "openai/gpt-image-1.5"})
    }
    assert len(images) == 1


def test_generation_ids_count_and_repeat(asker):
    def ids():
        ask = asker()
        bodies = [checked(ask.draw(), IMAGES) for _ in range(2)]
        return [body["provider_metadata"]["gateway"]["generationId"] for body in bodies]

    first, again = ids(), ids()
    assert first == again
    assert len(set(first)) == 2


def test_transparent_has_alpha(ask):
    body = checked(ask.draw(background="transparent", output_format="webp"), IMAGES)
    assert image(body["data"][0]["b64_json"]).mode == "RGBA"
    assert body["background"] == "transparent"


def test_compression_is_honoured(ask):
    sizes = [
        len(
            checked(ask.draw(output_format="jpeg", output_compression=level), IMAGES)["data"][0][
                "b64_json"
            ]
        )
        for level in (20, 95)
    ]
    assert sizes[0] < sizes[1]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": None}, "model"),
        ({"model": 7}, "model"),
        ({"prompt": None}, "prompt"),
        ({"prompt": "  "}, "prompt"),
        ({"prompt": ["a"]}, "prompt"),
        ({"prompt": "x" * 32_001}, "prompt"),
        ({"n": 0}, "n"),
        ({"n": 11}, "n"),
        ({"n": True}, "n"),
        ({"n": "2"}, "n"),
        ({"size": "512x512"}, "size"),
        ({"size": "wide"}, "size"),
        ({"size": "²x²"}, "size"),
        ({"size": [1, 2]}, "size"),
        ({"model": "openai/gpt-image-2", "size": "1000x1000"}, "size"),
        ({"model": SKETCH_MODEL, "size": "4097x10"}, "size"),
        ({"model": SKETCH_MODEL, "size": "0x10"}, "size"),
        ({"model": SKETCH_MODEL, "quality": 3}, "quality"),
        ({"quality": "max"}, "quality"),
        ({"background": "blue"}, "background"),
        ({"background": "transparent", "output_format": "jpeg"}, "background"),
        ({"output_format": "gif"}, "output_format"),
        ({"output_compression": 101, "output_format": "webp"}, "output_compression"),
        ({"output_compression": 50}, "output_compression"),
        ({"moderation": "none"}, "moderation"),
        ({"response_format": "url"}, "response_format"),
        ({"style": "vivid"}, "style"),
        ({"seed": 1}, "seed"),
        ({"stream": True}, "stream"),
        ({"providerOptions": ["gateway"]}, "providerOptions"),
        ({"providerOptions": {"gateway": 1}}, "providerOptions"),
        ({"providerOptions": {"gateway": {"models": "x"}}}, "providerOptions.gateway.models"),
    ],
)
def test_a_bad_parameter_is_named_and_costs_nothing(ask, fields, param):
    refused(ask.draw(**fields), 400, "invalid_request_error", param)
    assert ask.emulator.bill.images == 0


def test_unknown_parameters_and_missing_ones_have_their_codes(ask):
    assert refused(ask.draw(style="x"), 400, "invalid_request_error", "style")["code"] == (
        "unknown_parameter"
    )
    assert refused(ask.draw(model=None), 400, "invalid_request_error", "model")["code"] == (
        "missing_parameter"
    )


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_refused(ask, body):
    refused(ask.post("/v1/images/generations", body), 400, "invalid_request_error")


@pytest.mark.parametrize("model", ["gpt-image-1-mini", "openai/gpt-image-9", "openai/gpt-image-1"])
def test_an_unknown_or_retired_model_is_not_found(ask, model):
    refused(ask.draw(model=model), 404, "model_not_found", {"modelId": model})


def test_a_model_can_be_retired(asker):
    ask = asker(retired=[MODEL])
    refused(ask.draw(), 404, "model_not_found", {"modelId": MODEL})
    assert MODEL not in ask.get("/v1/models").body.decode()
    assert ask.get(f"/v1/models/{MODEL}").status == 404


def test_the_first_known_fallback_model_draws(ask):
    fallbacks = {"gateway": {"models": ["no/such", "openai/gpt-image-1.5"]}}
    body = checked(ask.draw(model="gone/model", providerOptions=fallbacks), IMAGES)
    gateway = body["provider_metadata"]["gateway"]
    assert gateway["routing"]["originalModelId"] == "gone/model"
    assert gateway["routing"]["canonicalSlug"] == "openai/gpt-image-1.5"
    assert gateway["routing"]["modelAttemptCount"] == 2
    assert gateway["cost"] == "0.009"


def test_zero_data_retention_is_refused_flat_for_the_mini_model(ask):
    demand = {"gateway": {"zeroDataRetention": True}}
    response = ask.draw(providerOptions=demand)
    body = json.loads(response.body)
    assert response.status == body["statusCode"] == 400
    assert body["type"] == "no_providers_available"
    assert MODEL in body["error"]
    checked(ask.draw(model="openai/gpt-image-1.5", providerOptions=demand), IMAGES)


@pytest.mark.parametrize("name", ["output_format", "outputFormat"])
def test_provider_options_of_openai_count_where_the_body_says_nothing(ask, name):
    options = {"openai": {name: "jpeg"}}
    assert checked(ask.draw(providerOptions=options), IMAGES)["output_format"] == "jpeg"
    body = checked(ask.draw(providerOptions=options, output_format="webp"), IMAGES)
    assert body["output_format"] == "webp"


def test_response_format_is_tolerated(ask):
    checked(ask.draw(response_format="b64_json"), IMAGES)


def test_the_sketch_model_draws_any_size_at_any_quality_for_nothing(asker):
    ask = asker(balance_usd=Decimal(0))
    body = checked(ask.draw(model=SKETCH_MODEL, size="333x77", quality="superb"), IMAGES)
    assert image(body["data"][0]["b64_json"]).size == (333, 77)
    assert body["provider_metadata"]["gateway"]["cost"] == "0"


def test_money_falls_with_each_image_until_there_is_none(asker):
    ask = asker(balance_usd=Decimal("0.012"))
    assert [ask.draw().status for _ in range(3)] == [200, 200, 402]
    refused(ask.draw(), 402, "insufficient_funds")
    assert json.loads(ask.get("/v1/credits").body) == {"balance": "0.002", "total_used": "0.01"}
    assert ask.emulator.bill.usd == Decimal("0.01")
    assert ask.emulator.bill.images == 2


@pytest.mark.parametrize("quality", ["low", "medium", "high", "xhigh", "max", "auto"])
def test_a_model_without_a_list_price_still_costs(ask, quality):
    body = checked(ask.draw(model="openai/gpt-image-2.6-flare", quality=quality), IMAGES)
    assert Decimal(body["provider_metadata"]["gateway"]["cost"]) > 0


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
def test_a_missing_or_bad_credential_is_refused(method, path, headers):
    body = json.dumps({"model": MODEL, "prompt": "A cat"}).encode()
    refused(Emulator().handle(method, path, headers, body), 401, "authentication_error")


@pytest.mark.parametrize("headers", [{"AUTHORIZATION": "bearer x"}, {"Api-Key": "x"}])
def test_any_other_credential_is_accepted_in_either_header(headers):
    assert Emulator().handle("GET", "/v1/credits", headers, b"").status == 200


def test_no_credential_is_needed_where_none_is_required():
    assert Emulator(require_key=False).handle("GET", "/v1/credits", {}, b"").status == 200


@pytest.mark.parametrize("settings", [{}, {"require_key": False}])
@pytest.mark.parametrize("name", ["Authorization", "api-key", "x-other"])
@pytest.mark.parametrize("path", ["/v1/images/generations", "/v1/models"])
def test_a_real_looking_key_is_refused_and_told_why(settings, name, path):
    emulator = Emulator(**settings)
    method = "GET" if path == "/v1/models" else "POST"
    response = emulator.handle(method, path, {name: "Bearer vck_0123456789"}, b"{}")
    error = refused(response, 401, "authentication_error")
    assert "emulator" in error["message"]
    assert "vck_" not in repr(emulator.log)


def test_models_are_listed_without_a_credential():
    emulator = Emulator()
    body = json.loads(emulator.handle("GET", "/v1/models", {}, b"").body)
    kinds = {entry["id"]: entry["type"] for entry in body["data"]}
    assert kinds[MODEL] == kinds[SKETCH_MODEL] == "image"
    assert "language" in kinds.values()
    prices = [price for entry in body["data"] for price in entry["pricing"].values()]
    assert all(isinstance(price, str) and Decimal(price) >= 0 for price in prices)
    mini = json.loads(emulator.handle("GET", f"/v1/models/{MODEL}", {}, b"").body)
    assert mini["pricing"] == {
        "input": "0.000002",
        "output": "0.000008",
        "input_cache_read": "0.0000002",
    }


def test_endpoints_tell_the_providers_of_a_model(ask):
    data = json.loads(ask.get(f"/v1/models/{MODEL}/endpoints").body)["data"]
    assert data["architecture"]["output_modalities"] == ["image"]
    assert data["endpoints"][0]["provider_name"] == "openai"
    refused(ask.get("/v1/models/no/such"), 404, "model_not_found", {"modelId": "no/such"})


def test_a_generation_is_known_after_a_while(asker):
    now = [1_800_000_000.0]
    ask = asker(clock=lambda: now[0])
    metadata = checked(ask.draw(), IMAGES)["provider_metadata"]
    path = f"/v1/generation?id={metadata['gateway']['generationId']}"
    refused(ask.get(path), 404, "not_found")
    now[0] += 3
    data = json.loads(ask.get(path).body)["data"]
    assert (data["total_cost"], data["model"]) == ("0.005", MODEL)
    assert re.fullmatch(r"2027-01-15T08:00:00Z", data["created_at"])
    refused(ask.get("/v1/generation?id=gen_none"), 404, "not_found")


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/images/variations", "/v1/report", "/v1/models/x", "/v2/models"]
)
def test_anything_else_is_not_found(ask, path):
    refused(ask.get(path), 404, "not_found")
    refused(ask.post(path, {}), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/images/generations", "POST"),
        ("DELETE", "/v4/ai/image-model", "POST"),
        ("POST", "/v1/models", "GET"),
        ("PUT", "/v1/credits", "GET"),
    ],
)
def test_a_wrong_method_is_told_the_right_one(ask, method, path, allowed):
    response = ask.emulator.handle(method, path, ask.headers, b"")
    refused(response, 405, "method_not_allowed")
    assert response.headers["allow"] == allowed


@pytest.mark.parametrize("version", ["v3", "v4"])
def test_the_native_path_takes_its_model_from_a_header(ask, version):
    fields = {
        "prompt": "A cat",
        "n": 2,
        "size": "1024x1024",
        "seed": 0,
        "providerOptions": {"openai": {"outputFormat": "webp", "quality": "low"}},
    }
    response = ask.post(f"/{version}/ai/image-model", fields, **{"ai-model-id": MODEL})
    body = checked(response, NATIVE)
    assert [image(text).format for text in body["images"]] == ["WEBP", "WEBP"]
    assert body["warnings"] == [{"type": "unsupported", "feature": "seed"}]
    assert body["providerMetadata"]["imagegen"]["sketch"] is True
    assert all("images" in body["providerMetadata"][name] for name in ("openai", "imagegen"))
    assert ask.emulator.log[-1].model == MODEL


def test_the_native_path_refuses_what_it_cannot_draw(ask):
    refused(ask.post("/v4/ai/image-model", {"prompt": "x"}), 400, "invalid_request_error", "model")
    response = ask.post(
        "/v4/ai/image-model", {"prompt": "x", "mask": {"type": "url"}}, **{"ai-model-id": MODEL}
    )
    refused(response, 400, "invalid_request_error", "mask")


def test_the_log_tells_each_request_and_no_credential(ask):
    ask.headers = {"Authorization": "Bearer my-secret-word"}
    ask.draw(prompt="A cat", fault="html")
    ask.get("/v1/credits?key=my-secret-word")
    first, second = ask.emulator.log
    assert (first.method, first.path, first.model) == ("POST", "/v1/images/generations", MODEL)
    assert (first.prompt, first.fault, first.status) == ("A cat", "html", 502)
    assert first.credential == "bearer"
    assert (second.path, second.model, second.status) == ("/v1/credits", None, 200)
    assert "my-secret-word" not in repr(vars(ask.emulator._account))


def test_whoever_watches_is_told_until_they_stop(ask):
    seen = []
    stop = ask.emulator.watch(seen.append)
    ask.get("/v1/models")
    stop()
    ask.get("/v1/models")
    assert [each.path for each in seen] == ["/v1/models"]


def test_drawing_takes_at_least_the_latency(asker):
    waited = []
    ask = asker(latency_s=1.5, pause=waited.append)
    ask.draw()
    ask.draw(n=0)
    (rest_s,) = waited
    assert 0 < rest_s <= 1.5  # what is left of it when the drawing is done


def test_many_threads_are_charged_exactly(asker):
    ask = asker(balance_usd=Decimal("0.06"))
    statuses = []
    threads = [
        threading.Thread(
            target=lambda: statuses.append(ask.draw(model="openai/gpt-image-2").status)
        )
        for _ in range(14)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * 10 + [402] * 4
    assert len({each.status for each in ask.emulator.log}) == 2
    assert ask.emulator.bill.usd == Decimal("0.06")


def test_a_plan_with_an_unknown_fault_is_refused_at_once():
    with pytest.raises(OptionError, match='did you mean "html"'):
        Emulator(plan=["htlm"])


def test_the_protocol_imports_no_image_library():
    code = (
        "import sys, mkdocs_imagegen.emulator.protocol, mkdocs_imagegen.emulator.server;"
        "sys.exit(bool({'PIL', 'httpx', 'mkdocs'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
