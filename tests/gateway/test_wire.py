"""Bytes to the server, and an answer from its bytes."""

import base64
import json
from dataclasses import replace
from decimal import Decimal

import jsonschema
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mkdocs_imagegen.errors import Billing, InvalidResponseError, RejectedRequestError
from mkdocs_imagegen.gateway.answer import ImageResponse
from mkdocs_imagegen.gateway.wire import (
    dollars,
    encoded,
    image_link,
    mime_of,
    read_answer,
    request_body,
)
from mkdocs_imagegen.options import Size
from mkdocs_imagegen.request import SKETCH_MARK, ImageRequest
from mkdocs_imagegen.settings import GATEWAY_URL, GatewaySettings

# Fact sheet "gateway protocol", section 7.1, for gpt-image-1-mini, and providerOptions of 1.2.
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["model", "prompt", "quality", "size"],
    "properties": {
        "model": {"type": "string", "minLength": 1},
        "prompt": {"type": "string", "minLength": 1, "maxLength": 32000},
        "n": {"type": "integer", "minimum": 1, "maximum": 10},
        "size": {"enum": ["auto", "1024x1024", "1536x1024", "1024x1536"]},
        "quality": {"enum": ["auto", "low", "medium", "high"]},
        "background": {"enum": ["opaque", "transparent"]},
        "output_format": {"enum": ["png", "jpeg", "webp"]},
        "providerOptions": {"type": "object", "minProperties": 1},
    },
}
LOCAL = "http://127.0.0.1:1/v1"

requests = st.builds(
    ImageRequest,
    model=st.just("openai/gpt-image-1-mini"),
    prompt=st.text(min_size=1, max_size=50),
    size=st.sampled_from([Size(1024, 1024), Size(1536, 1024), Size(1024, 1536)]),
    quality=st.sampled_from(["auto", "low", "medium", "high"]),
    background=st.sampled_from(["auto", "opaque", "transparent"]),
)
settings = st.builds(
    GatewaySettings,
    url=st.sampled_from([GATEWAY_URL, LOCAL, "sketch:"]),
    output_format=st.sampled_from(["png", "jpeg", "webp"]),
    provider_options=st.sampled_from([{}, {"gateway": {"order": ["azure"]}}]),
    send_response_format=st.sampled_from(["auto", "false"]),
    send_provider_options=st.sampled_from(["auto", "true", "false"]),
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(requests, settings)
def test_a_request_holds_no_field_that_openai_does_not_know(request_, settings_):
    jsonschema.validate(json.loads(encoded(request_body(request_, settings_))), SCHEMA)


def test_quality_is_always_sent_and_background_only_when_it_says_something(tools):
    body = request_body(tools.REQUEST, GatewaySettings())
    assert body["quality"] == "medium"
    assert "background" not in body
    clear = replace(tools.REQUEST, background="transparent")
    assert request_body(clear, GatewaySettings())["background"] == "transparent"


@pytest.mark.parametrize(("said", "sent"), [("auto", False), ("false", False), ("true", True)])
def test_response_format_is_sent_only_when_asked_for(tools, said, sent):
    body = request_body(tools.REQUEST, GatewaySettings(send_response_format=said))
    assert ("response_format" in body) is sent


@pytest.mark.parametrize(
    ("url", "said", "sent"),
    [
        (GATEWAY_URL, "auto", True),
        (LOCAL, "auto", False),
        (LOCAL, "true", True),
        (GATEWAY_URL, "false", False),
    ],
)
def test_provider_options_go_to_the_gateway_alone_unless_said_otherwise(tools, url, said, sent):
    options = {"gateway": {"order": ["azure"]}}
    chosen = GatewaySettings(url=url, send_provider_options=said, provider_options=options)
    assert request_body(tools.REQUEST, chosen).get("providerOptions") == (options if sent else None)


def test_an_option_that_json_cannot_express_is_refused_before_it_is_sent():
    with pytest.raises(RejectedRequestError, match="provider_options"):
        encoded({"providerOptions": {"gateway": {"since": object()}}})


def read(tools, body, **chosen) -> ImageResponse:
    return read_answer(body, tools.REQUEST, GatewaySettings(output_format="png", **chosen))


GATEWAY_METADATA = {
    "gateway": {
        "generationId": "gen_01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "cost": "0.0113",
        "routing": {"canonicalSlug": "openai/gpt-image-2", "finalProvider": "azure"},
    }
}


@pytest.mark.parametrize("key", ["provider_metadata", "providerMetadata"])
def test_metadata_is_read_under_either_name(tools, key):
    other = {"provider_metadata", "providerMetadata"} - {key}
    body = tools.answer_body(**{key: GATEWAY_METADATA, other.pop(): None})
    assert read(tools, body) == ImageResponse(
        image=tools.PNG,
        mime="image/png",
        is_sketch=False,
        cost_usd=Decimal("0.0113"),
        cost_is_estimate=False,
        model="openai/gpt-image-2",
        provider="azure",
        generation_id="gen_01ARZ3NDEKTSV4RRFFQ69G5FAV",
        warnings=(),
    )


def test_without_metadata_the_list_price_stands_and_is_called_an_estimate(tools):
    answer = read(tools, tools.answer_body())
    assert (answer.cost_usd, answer.cost_is_estimate) == (Decimal("0.011"), True)
    assert (answer.model, answer.provider) == ("openai/gpt-image-1-mini", None)


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ("0.08", "0.08"),
        (0.08, "0.08"),
        (5e-05, "0.00005"),
        (0, "0"),
        (1, "1"),
        ("1e999999999", None),
        ("-1", None),
        (-0.5, None),
        ("NaN", None),
        ("Infinity", None),
        (True, None),
        (None, None),
        ([], None),
        ("", None),
        (10**400, None),
        ("9" * 5000, None),
    ],
)
def test_only_an_amount_of_money_is_read_as_one(given_, expected):
    assert dollars(given_) == (None if expected is None else Decimal(expected))


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,", "\n ", "DATA:;base64, "])
def test_a_data_prefix_and_white_space_around_base64_are_taken_off(tools, prefix):
    text = prefix + base64.encodebytes(tools.PNG).decode()
    body = json.dumps({"data": [{"b64_json": text}]}).encode()
    assert read(tools, body).image == tools.PNG


def test_a_data_url_in_the_place_of_a_link_is_a_image(tools):
    url = "data:image/png;base64," + base64.b64encode(tools.PNG).decode()
    body = json.dumps({"data": [{"b64_json": None, "url": url}]}).encode()
    assert read(tools, body).image == tools.PNG
    assert image_link(body) is None


def _entry(**entry: object) -> bytes:
    return json.dumps({"data": [entry]}).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        b"{}",
        b'{"data": []}',
        b'{"data": ["x"]}',
        b'{"data": "x"}',
        b'{"data": [{}]}',
        _entry(b64_json=""),
        _entry(b64_json=3),
        _entry(b64_json="****"),
        _entry(b64_json="aGVsbG8"),
        _entry(b64_json="aGVsbG8=é"),
        _entry(b64_json="iVBO*Rw0KGgo="),
        _entry(b64_json=base64.b64encode(b"GIF89a....").decode()),
        _entry(b64_json=base64.b64encode(b"<svg/>").decode()),
        b'{"data": NaN}',
        b'{"data": ' + b"[" * 200_000,
        b'{"data": ' + b"9" * 10_000 + b"}",
        b"\xff\xfe\x00",
        b'{"error": {"message": "no image"}}',
    ],
)
def test_a_success_without_a_image_was_paid_for_and_its_body_is_kept(tools, body):
    with pytest.raises(InvalidResponseError) as caught:
        read(tools, body)
    assert caught.value.billing is Billing.BILLED
    assert caught.value.body == body


def test_an_error_inside_a_success_is_quoted(tools):
    with pytest.raises(InvalidResponseError, match="the model is tired"):
        read(tools, b'{"error": {"message": "the model is tired"}}')


def test_a_link_is_refused_with_the_settings_that_help(tools):
    body = json.dumps({"data": [{"b64_json": None, "url": "https://x.example/a"}]}).encode()
    with pytest.raises(InvalidResponseError, match=r"accept_urls") as caught:
        read(tools, body)
    assert caught.value.body == body
    assert image_link(body) == "https://x.example/a"


AVIF = b"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1avif"


@pytest.mark.parametrize(
    ("image", "mime"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"\x00\x00\x00\x18ftypavif\x00\x00\x00\x00", "image/avif"),
        (AVIF, "image/avif"),
        (AVIF.replace(b"avif", b"heic"), None),
        (b"RIFF\x00\x00\x00\x00WAVE", None),
        (b"GIF89a", None),
        (b"", None),
    ],
)
def test_what_a_image_is_is_told_by_its_first_bytes(image, mime):
    assert mime_of(image) == mime


def test_another_format_than_asked_for_is_a_warning_and_never_an_error(tools):
    answer = read_answer(tools.answer_body(), tools.REQUEST, GatewaySettings(output_format="webp"))
    assert answer.mime == "image/png"
    assert answer.warnings == ("asked for webp, got png",)


def test_warnings_are_read_as_text_and_as_objects_and_made_safe(tools):
    given_ = [
        "plain",
        {"type": "unsupported", "feature": "mask", "details": "ignored"},
        {"type": "other", "message": f"\x1b[31mseen {tools.CANARY}"},
        17,
        {},
    ]
    answer = read(tools, tools.answer_body(warnings=given_))
    assert answer.warnings == ("plain", "unsupported: mask: ignored", "other: [31mseen [redacted]")


@pytest.mark.parametrize("marked", ["metadata", "picture"])
def test_a_sketch_is_known_by_its_metadata_or_by_its_bytes_and_costs_nothing(tools, marked):
    image = tools.PNG + (SKETCH_MARK if marked == "picture" else b"")
    metadata = {"imagegen": {"sketch": True}} if marked == "metadata" else {}
    answer = read(tools, tools.answer_body(image, provider_metadata=metadata))
    assert answer.is_sketch
    assert answer.cost_usd is None


def test_only_true_in_the_metadata_marks_a_sketch(tools):
    body = tools.answer_body(provider_metadata={"imagegen": {"sketch": "false"}})
    assert not read(tools, body).is_sketch


def _reads_or_refuses(tools, body):
    for reader in (lambda: read(tools, body), lambda: image_link(body)):
        try:
            result = reader()
        except InvalidResponseError:
            continue
        assert result is None or isinstance(result, (ImageResponse, str))


@given(st.binary(max_size=300))
@example(b"\xef\xbb\xbf{}")
@example(b'{"data":[{"b64_json":"\\ud800"}]}')
def test_whatever_the_bytes_no_other_error_comes_out(tools, body):
    _reads_or_refuses(tools, body)


@given(values, values, values, values)
def test_whatever_stands_in_an_answer_no_other_error_comes_out(tools, data, meta, warnings, cost):
    gateway = {"cost": cost, "generationId": cost, "routing": {"canonicalSlug": cost}}
    good = json.loads(tools.answer_body())
    for answer in (
        {"data": data, "provider_metadata": meta},
        good | {"provider_metadata": meta, "warnings": warnings},
        good | {"providerMetadata": {"gateway": gateway, "imagegen": meta}, "error": data},
    ):
        _reads_or_refuses(tools, json.dumps(answer).encode())
