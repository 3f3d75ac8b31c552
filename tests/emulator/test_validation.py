"""Validation of image requests: invalid parameters, defaults, models and fallbacks."""

import json

import pytest

from mkdocs_imagegen.option_parsers import SKETCH_MODEL
from tests.emulator.support import IMAGES, MODEL, checked, decoded_image, refused


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
        ({"complexity": "low"}, "complexity"),
        ({"model": "openai/gpt-image-2.5-flare", "complexity": "high"}, "complexity"),
        ({"model": "openai/gpt-image-2.6-flare", "complexity": "max"}, "complexity"),
        ({"providerOptions": {"openai": {"complexity": "low"}}}, "complexity"),
        ({"providerOptions": ["gateway"]}, "providerOptions"),
        ({"providerOptions": {"gateway": 1}}, "providerOptions"),
        ({"providerOptions": {"gateway": {"models": "x"}}}, "providerOptions.gateway.models"),
    ],
)
def test_invalid_parameter_is_named_and_costs_nothing(api, fields, param):
    refused(api.generate(**fields), 400, "invalid_request_error", param)
    assert api.emulator.bill.images == 0


def test_unknown_and_missing_parameters_have_their_codes(api):
    assert refused(api.generate(style="x"), 400, "invalid_request_error", "style")["code"] == (
        "unknown_parameter"
    )
    assert refused(api.generate(model=None), 400, "invalid_request_error", "model")["code"] == (
        "missing_parameter"
    )


@pytest.mark.parametrize("complexity", ["low", "medium", "high"])
@pytest.mark.parametrize("name", ["openai/gpt-image-2.6-flare", "openai/gpt-image-2.6-sunburst"])
@pytest.mark.usefixtures("cached_sketches")
def test_complexity_is_an_option_of_2_6_and_costs_nothing(api, name, complexity):
    body = checked(api.generate(model=name, complexity=complexity), IMAGES)
    assert body["provider_metadata"]["gateway"]["cost"] == "0.02352"
    options = {"openai": {"complexity": complexity}}
    checked(api.generate(model=name, providerOptions=options), IMAGES)


@pytest.mark.parametrize("model", [SKETCH_MODEL, "bfl/flux-2-pro"])
def test_other_models_ignore_options_of_openai(api, model):
    options = {"openai": {"complexity": "huge"}}
    assert api.generate(model=model, providerOptions=options).status == 200


@pytest.mark.parametrize("stream", [False, None])
def test_response_is_not_streamed(api, stream):
    assert api.generate(stream=stream).status == 200


def test_defaults_are_those_of_openai(api):
    body = checked(api.generate(quality=None), IMAGES)
    assert (body["size"], body["quality"], body["output_format"]) == ("1024x1024", "medium", "png")
    assert body["background"] == "opaque"
    assert decoded_image(body["data"][0]["b64_json"]).format == "PNG"


@pytest.mark.parametrize("model", ["gpt-image-1-mini", "openai/gpt-image-9", "openai/gpt-image-1"])
def test_unknown_or_shut_down_model_is_not_found(api, model):
    refused(api.generate(model=model), 404, "model_not_found", {"modelId": model})


def test_first_offered_fallback_model_answers(api):
    fallbacks = {"gateway": {"models": ["no/such", "openai/gpt-image-1.5"]}}
    body = checked(api.generate(model="gone/model", providerOptions=fallbacks), IMAGES)
    gateway = body["provider_metadata"]["gateway"]
    assert gateway["routing"]["originalModelId"] == "gone/model"
    assert gateway["routing"]["canonicalSlug"] == "openai/gpt-image-1.5"
    assert gateway["routing"]["modelAttemptCount"] == 2
    assert gateway["cost"] == "0.009"


def test_zero_data_retention_is_refused_for_the_mini_model(api):
    demand = {"gateway": {"zeroDataRetention": True}}
    response = api.generate(providerOptions=demand)
    body = json.loads(response.body)
    assert response.status == body["statusCode"] == 400
    assert body["type"] == "no_providers_available"
    assert MODEL in body["error"]
    checked(api.generate(model="openai/gpt-image-1.5", providerOptions=demand), IMAGES)


@pytest.mark.parametrize("name", ["output_format", "outputFormat"])
def test_provider_options_apply_if_the_body_has_no_value(api, name):
    options = {"openai": {name: "jpeg"}}
    assert checked(api.generate(providerOptions=options), IMAGES)["output_format"] == "jpeg"
    body = checked(api.generate(providerOptions=options, output_format="webp"), IMAGES)
    assert body["output_format"] == "webp"


def test_response_format_b64_json_is_accepted(api):
    checked(api.generate(response_format="b64_json"), IMAGES)


def test_sdk_request_without_a_model_or_with_a_bad_mask_is_refused(api):
    refused(api.post("/v4/ai/image-model", {"prompt": "x"}), 400, "invalid_request_error", "model")
    response = api.post(
        "/v4/ai/image-model", {"prompt": "x", "mask": {"type": "url"}}, **{"ai-model-id": MODEL}
    )
    refused(response, 400, "invalid_request_error", "mask")
