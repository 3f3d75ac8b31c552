"""Image requests encoded, image responses decoded."""

import base64
import hashlib
import json
from dataclasses import replace
from decimal import Decimal
from email import message_from_bytes

import jsonschema
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mkdocs_imagegen.emulator.request_bodies import decode_edit
from mkdocs_imagegen.emulator.wire_types import HttpRequest
from mkdocs_imagegen.errors import Billing, InvalidResponseError, RejectedRequestError
from mkdocs_imagegen.gateway.wire import (
    NO_ATTACHMENTS,
    Attachment,
    Attachments,
    ImageResponse,
    decode_response,
    encode_json,
    encode_request,
    image_link,
    mime_of,
    request_fields,
)
from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.request import SKETCH_MARK, ImageRequest
from mkdocs_imagegen.settings import GatewaySettings
from mkdocs_imagegen.settings.gateway import GATEWAY_URL

# https://developers.openai.com/api/reference/resources/images/methods/generate for
# gpt-image-1-mini, and providerOptions of AI Gateway:
# https://vercel.com/docs/ai-gateway/models-and-providers/provider-options.
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
def test_request_has_only_fields_of_the_openai_api(request_, settings_):
    jsonschema.validate(json.loads(encode_json(request_fields(request_, settings_))), SCHEMA)


def test_background_is_sent_only_when_it_is_not_auto(tools):
    body = request_fields(tools.REQUEST, GatewaySettings())
    assert body["quality"] == "medium"
    assert "background" not in body
    clear = replace(tools.REQUEST, background="transparent")
    assert request_fields(clear, GatewaySettings())["background"] == "transparent"


@pytest.mark.parametrize(("said", "sent"), [("auto", False), ("false", False), ("true", True)])
def test_response_format_is_sent_only_when_configured(tools, said, sent):
    body = request_fields(tools.REQUEST, GatewaySettings(send_response_format=said))
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
def test_provider_options_are_sent_to_ai_gateway_only_unless_configured(tools, url, said, sent):
    options = {"gateway": {"order": ["azure"]}}
    chosen = GatewaySettings(url=url, send_provider_options=said, provider_options=options)
    assert request_fields(tools.REQUEST, chosen).get("providerOptions") == (
        options if sent else None
    )


def test_option_is_rejected_when_json_cannot_express_it():
    with pytest.raises(RejectedRequestError, match="provider_options"):
        encode_json({"providerOptions": {"gateway": {"since": object()}}})


CUP, MASK = (
    Attachment(b"\x89PNG\r\n\x1a\n\r\n--\r\n\x00\xff", "image/png"),
    Attachment(b"\x00mask\r\n", "image/png"),
)
PHOTO = Attachment(b"\xff\xd8\xff", "image/jpeg")
BOTH = Attachments((CUP, PHOTO), MASK)
URL = "https://x.example/v1"
OTHER = GatewaySettings(url=LOCAL, output_format="png")


@pytest.fixture
def following(tools):
    hashes = tuple(hashlib.sha256(each.content).hexdigest() for each in BOTH.references)
    return replace(tools.REQUEST, references=hashes)


def form_of(sent):
    head = f"Content-Type: {sent.headers['content-type']}\r\n\r\n".encode()
    parts = message_from_bytes(head + sent.body).get_payload()
    return [(each.get_param("name", header="content-disposition"), each) for each in parts]


def test_request_without_references_is_a_generation(tools):
    sent = encode_request(tools.REQUEST, GatewaySettings(), NO_ATTACHMENTS, URL)
    assert sent.url == f"{URL}/images/generations"
    assert json.loads(sent.body)["prompt"] == "A red balloon"


def test_edit_for_ai_gateway_is_json_with_provider_options(following):
    options = {"gateway": {"order": ["azure"]}}
    sent = encode_request(following, GatewaySettings(provider_options=options), BOTH, URL)
    body = json.loads(sent.body)
    assert (sent.url, sent.headers) == (f"{URL}/images/edits", {"content-type": "application/json"})
    assert body["providerOptions"] == options
    data = base64.b64encode(CUP.content).decode()
    assert body["images"][0] == {"image_url": f"data:image/png;base64,{data}"}
    assert body["images"][1]["image_url"].startswith("data:image/jpeg;")
    assert body["mask"]["image_url"].startswith("data:image/png;")


def test_edit_for_other_servers_is_a_multipart_form(following):
    sent = encode_request(following, OTHER, BOTH, URL)
    parts = form_of(sent)
    names = ["model", "prompt", "n", "size", "quality", "output_format"]
    assert [name for name, _ in parts] == [*names, "image[]", "image[]", "mask"]
    assert parts[1][1].get_payload() == "A red balloon"
    files = [(each.get_filename(), each.get_content_type()) for _, each in parts[-3:]]
    assert files == [
        ("reference-1.png", "image/png"),
        ("reference-2.jpeg", "image/jpeg"),
        ("mask.png", "image/png"),
    ]


def test_single_reference_is_named_image(following):
    assert "image" in dict(form_of(encode_request(following, OTHER, Attachments((CUP,)), URL)))


@pytest.mark.parametrize("settings", [GatewaySettings(output_format="png"), OTHER])
def test_edit_keeps_every_byte(following, settings):
    said = replace(following, prompt='Über "allem"\r\n--x')
    sent = encode_request(said, settings, BOTH, URL)
    form = decode_edit(HttpRequest("POST", "/v1/images/edits", "", dict(sent.headers), sent.body))
    assert form.references == (CUP.content, PHOTO.content)
    assert form.mask == MASK.content
    assert form.fields["prompt"] == said.prompt
    assert form.fields["n"] == 1


def test_equal_requests_are_equal_bytes(following):
    assert encode_request(following, OTHER, BOTH, URL) == encode_request(
        following, OTHER, BOTH, URL
    )


def test_provider_options_are_in_the_form_when_configured(following):
    options = {"openai": {"style": "vivid"}}
    chosen = replace(OTHER, provider_options=options, send_provider_options="true")
    sent = encode_request(following, chosen, BOTH, URL)
    assert json.loads(dict(form_of(sent))["providerOptions"].get_payload()) == options


def test_take_is_sent_to_the_embedded_emulator_only(tools, following):
    sketches = replace(OTHER, url="sketch:")
    for request, attached in [(tools.REQUEST, NO_ATTACHMENTS), (following, BOTH)]:
        other = replace(request, take=3)
        assert encode_request(other, sketches, attached, URL).headers["x-imagegen-take"] == "3"
        for settings in (OTHER, GatewaySettings()):
            assert encode_request(other, settings, attached, URL) == encode_request(
                request, settings, attached, URL
            )


def read(tools, body, **chosen) -> ImageResponse:
    return decode_response(body, tools.REQUEST, GatewaySettings(output_format="png", **chosen))


GATEWAY_METADATA = {
    "gateway": {
        "generationId": "gen_01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "cost": "0.0113",
        "routing": {"canonicalSlug": "openai/gpt-image-2", "finalProvider": "azure"},
    }
}


@pytest.mark.parametrize("key", ["provider_metadata", "providerMetadata"])
def test_metadata_is_read_under_both_names(tools, key):
    other = {"provider_metadata", "providerMetadata"} - {key}
    body = tools.answer_body(**{key: GATEWAY_METADATA, other.pop(): None})
    assert read(tools, body) == ImageResponse(
        image=tools.PNG,
        mime="image/png",
        is_sketch=False,
        cost_usd=Decimal("0.0113"),
        model="openai/gpt-image-2",
        quality="",
        generation_id="gen_01ARZ3NDEKTSV4RRFFQ69G5FAV",
        warnings=(),
    )


def test_answered_quality_is_read(tools):
    assert read(tools, tools.answer_body(quality="low")).quality == "low"


def test_cost_is_unknown_when_metadata_is_missing(tools):
    answer = read(tools, tools.answer_body())
    assert (answer.cost_usd, answer.model) == (None, "openai/gpt-image-1-mini")


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,", "\n ", "DATA:;base64, "])
def test_base64_is_decoded_with_prefix_and_white_space(tools, prefix):
    text = prefix + base64.encodebytes(tools.PNG).decode()
    body = json.dumps({"data": [{"b64_json": text}]}).encode()
    assert read(tools, body).image == tools.PNG


def test_data_url_in_place_of_a_link_is_an_image(tools):
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
def test_success_without_an_image_is_billed_and_its_body_kept(tools, body):
    with pytest.raises(InvalidResponseError) as caught:
        read(tools, body)
    assert caught.value.billing is Billing.BILLED
    assert caught.value.body == body


def test_error_in_a_success_is_quoted(tools):
    with pytest.raises(InvalidResponseError, match="the model is tired"):
        read(tools, b'{"error": {"message": "the model is tired"}}')


def test_link_is_rejected_with_the_options_that_help(tools):
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
def test_mime_type_comes_from_the_file_signature(image, mime):
    assert mime_of(image) == mime


def test_unexpected_format_is_a_warning(tools):
    answer = decode_response(
        tools.answer_body(), tools.REQUEST, GatewaySettings(output_format="webp")
    )
    assert answer.mime == "image/png"
    assert answer.warnings == ("requested webp, received png",)


def test_warnings_are_read_as_text_and_as_objects(tools):
    given_ = [
        "plain",
        {"type": "unsupported", "feature": "mask", "details": "ignored"},
        {"type": "other", "message": f"\x1b[31mseen {tools.CANARY}"},
        17,
        {},
    ]
    answer = read(tools, tools.answer_body(warnings=given_))
    assert answer.warnings == ("plain", "unsupported: mask: ignored", "other: [31mseen [redacted]")


@pytest.mark.parametrize("marked", ["metadata", "image"])
def test_sketch_is_recognized_by_metadata_or_mark(tools, marked):
    image = tools.PNG + (SKETCH_MARK if marked == "image" else b"")
    metadata = {"imagegen": {"sketch": True}} if marked == "metadata" else {}
    answer = read(tools, tools.answer_body(image, provider_metadata=metadata))
    assert answer.is_sketch
    assert answer.cost_usd is None


def test_sketch_is_recognized_only_by_true_in_metadata(tools):
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
def test_body_of_any_bytes_raises_no_other_error(tools, body):
    _reads_or_refuses(tools, body)


@given(values, values, values, values)
def test_response_of_any_content_raises_no_other_error(tools, data, meta, warnings, cost):
    gateway = {"cost": cost, "generationId": cost, "routing": {"canonicalSlug": cost}}
    good = json.loads(tools.answer_body())
    for answer in (
        {"data": data, "provider_metadata": meta},
        good | {"provider_metadata": meta, "warnings": warnings},
        good | {"providerMetadata": {"gateway": gateway, "imagegen": meta}, "error": data},
    ):
        _reads_or_refuses(tools, json.dumps(answer).encode())
