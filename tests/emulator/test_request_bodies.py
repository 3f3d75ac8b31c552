"""Decoding of JSON bodies, multipart forms and the files of the AI SDK, with real clients."""

import base64
import io
import json

import pytest
from PIL import Image

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import EmulatorServer
from tests.emulator.support import EDITS, MASK, MODEL, data_url, edit, png, red_pixels, refused


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b"[" * 100_000])
def test_body_that_is_not_a_json_object_is_refused(api, body):
    refused(api.post("/v1/images/generations", body), 400, "invalid_request_error")


INVALID = {
    "no images": ({"images": None}, "image"),
    "an empty list": ({"images": []}, "image"),
    "not a list": ({"images": "x"}, "images"),
    "too many": ({"images": [data_url()] * 17}, "image"),
    "a file id": ({"images": [{"file_id": "file-1"}]}, "images"),
    "a remote URL": ({"images": [{"image_url": "https://example.org/a.png"}]}, "images"),
    "invalid base64": ({"images": [{"image_url": "data:image/png;base64,!"}]}, "images"),
    "text": ({"images": [data_url(b"text")]}, "image"),
    "a GIF": ({"images": [data_url(png(kind="GIF"))]}, "image"),
    "a truncated image": ({"images": [data_url(png()[:60])]}, "image"),
    "a mask of another size": ({"mask": data_url(png((9, 9), (0, 0, 0, 0), "RGBA"))}, "mask"),
    "a mask without alpha": ({"mask": data_url(png())}, "mask"),
    "a mask that is a WebP": ({"mask": data_url(png(kind="WEBP"))}, "mask"),
    "an unknown field": ({"stream": True}, "stream"),
}


@pytest.mark.parametrize(("fields", "param"), INVALID.values(), ids=INVALID)
def test_invalid_edit_is_refused_and_costs_nothing(api, fields, param):
    response = edit(api, **fields)
    assert response.status == 400
    assert json.loads(response.body)["error"]["param"] == param
    assert api.emulator.bill.images == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b\r\n",
        b'--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\nno end',
        b"--b\r\nContent-Type: text/plain\r\n\r\nno name\r\n--b--\r\n",
        b'--b\r\nContent-Disposition: form-data; name="n"\r\n\r\n1\r\n' * 65 + b"--b--\r\n",
    ],
)
def test_malformed_form_is_refused(api, body):
    response = api.post(EDITS, body, **{"content-type": "multipart/form-data; boundary=b"})
    assert response.status == 400


def test_sdk_request_accepts_files_and_a_mask(api):
    def file(content):
        data = base64.b64encode(content).decode()
        return {"type": "file", "mediaType": "image/png", "data": data}

    fields = {"prompt": "In the rain", "n": 1, "files": [file(png())], "providerOptions": {}}
    to = {"ai-model-id": MODEL}
    sketch = json.loads(api.post("/v4/ai/image-model", fields, **to).body)["images"][0]
    image = Image.open(io.BytesIO(base64.b64decode(sketch))).convert("RGB")
    assert red_pixels(image) > 10_000
    masked = api.post("/v4/ai/image-model", fields | {"mask": file(MASK)}, **to)
    assert masked.status == 200
    alone = {name: value for name, value in fields.items() if name != "files"}
    refused = api.post("/v4/ai/image-model", alone | {"mask": file(MASK)}, **to)
    assert refused.status == 400
    linked = fields | {"files": [{"type": "url", "url": "https://example.org/a.png"}]}
    assert api.post("/v4/ai/image-model", linked, **to).status == 400


@pytest.fixture
def client(openai):
    with (
        EmulatorServer(Emulator()) as server,
        openai.OpenAI(base_url=server.url, api_key="any-word", max_retries=0) as official,
    ):
        yield official


def test_openai_client_edits_an_image(client):
    response = client.images.edit(
        model=MODEL,
        image=("cup.png", png(), "image/png"),
        mask=("mask.png", MASK, "image/png"),
        prompt="In the rain",
        size="1024x1536",
        quality="low",
        n=1,
        output_format="webp",
        output_compression=80,
    )
    image = Image.open(io.BytesIO(base64.b64decode(response.data[0].b64_json)))
    assert (image.format, image.size) == ("WEBP", (1024, 1536))
    assert response.usage.output_tokens == 408


def test_openai_client_sends_up_to_16_images(client, openai):
    files = [(f"{number}.png", png(), "image/png") for number in range(16)]
    response = client.images.edit(model=MODEL, image=files, prompt="All", quality="low")
    image = Image.open(io.BytesIO(base64.b64decode(response.data[0].b64_json))).convert("RGB")
    assert red_pixels(image) > 10_000
    with pytest.raises(openai.BadRequestError, match="at most 16"):
        client.images.edit(model=MODEL, image=[*files, files[0]], prompt="All")
