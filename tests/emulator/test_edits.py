"""Edits: as JSON, as a form, as the AI SDK asks for them, and with OpenAI's own client."""

import base64
import io
import json
from decimal import Decimal

import openai
import pytest
from PIL import Image

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import serving

MODEL = "openai/gpt-image-1-mini"
EDITS = "/v1/images/edits"
RED = (255, 0, 0)


def png(size=(64, 48), colour=RED, mode="RGB", kind="PNG"):
    file = io.BytesIO()
    Image.new(mode, size, colour).save(file, kind)
    return file.getvalue()


MASK = png(colour=(0, 0, 0, 0), mode="RGBA")


def address(content=None, mime="image/png"):
    data = base64.b64encode(png() if content is None else content).decode()
    return {"image_url": f"data:{mime};base64,{data}"}


def edit(ask, **fields):
    asked = {"model": MODEL, "prompt": "In the rain", "quality": "low", "images": [address()]}
    said = {name: value for name, value in (asked | fields).items() if value is not None}
    return ask.post(EDITS, said)


def image_in(response):
    data = json.loads(response.body)["data"][0]["b64_json"]
    return Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")


def reds(image):
    return sum(count for count, colour in image.getcolors(2**24) if colour == RED)


def test_what_is_followed_is_seen_in_the_sketch_and_billed(ask):
    plain = image_in(ask.draw(prompt="In the rain"))
    edited = image_in(edit(ask))
    assert reds(plain) == 0
    assert reds(edited) > 10_000
    assert edited.size == (1024, 1024)
    assert ask.emulator.bill.usd == Decimal("0.01")
    assert [each.path for each in ask.emulator.log] == ["/v1/images/generations", EDITS]
    assert ask.emulator.log[1].prompt == "In the rain"


def test_another_image_gives_another_sketch(ask):
    blue = address(png(colour=(0, 0, 255)))
    assert image_in(edit(ask)) != image_in(edit(ask, images=[blue]))


def test_where_a_mask_lets_it_change_is_seen(ask):
    assert reds(image_in(edit(ask, mask=address(MASK)))) == 0


BAD = {
    "none": ({"images": None}, "image"),
    "an empty list": ({"images": []}, "image"),
    "no list": ({"images": "x"}, "images"),
    "too many": ({"images": [address()] * 17}, "image"),
    "a file's id": ({"images": [{"file_id": "file-1"}]}, "images"),
    "an address": ({"images": [{"image_url": "https://example.org/a.png"}]}, "images"),
    "no base64": ({"images": [{"image_url": "data:image/png;base64,!"}]}, "images"),
    "text": ({"images": [address(b"text")]}, "image"),
    "a GIF": ({"images": [address(png(kind="GIF"))]}, "image"),
    "half an image": ({"images": [address(png()[:60])]}, "image"),
    "a mask of another size": ({"mask": address(png((9, 9), (0, 0, 0, 0), "RGBA"))}, "mask"),
    "a mask without alpha": ({"mask": address(png())}, "mask"),
    "a mask that is a WebP": ({"mask": address(png(kind="WEBP"))}, "mask"),
    "a field that is not known": ({"stream": True}, "stream"),
}


@pytest.mark.parametrize(("fields", "param"), BAD.values(), ids=BAD)
def test_what_the_gateway_refuses_is_refused_and_costs_nothing(ask, fields, param):
    response = edit(ask, **fields)
    assert response.status == 400
    assert json.loads(response.body)["error"]["param"] == param
    assert ask.emulator.bill.images == 0


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
def test_a_broken_form_is_refused(ask, body):
    response = ask.post(EDITS, body, **{"content-type": "multipart/form-data; boundary=b"})
    assert response.status == 400


def test_faults_apply_to_edits_too(asker):
    ask = asker(plan=["retry-after", "bad-base64"])
    assert edit(ask).status == 429
    assert edit(ask).status == 200
    assert ask.emulator.bill.images == 1


def test_only_posting_makes_an_edit(ask):
    assert ask.get(EDITS).status == 405


def test_the_ai_sdk_may_bring_files_and_a_mask(ask):
    def file(content):
        data = base64.b64encode(content).decode()
        return {"type": "file", "mediaType": "image/png", "data": data}

    asked = {"prompt": "In the rain", "n": 1, "files": [file(png())], "providerOptions": {}}
    to = {"ai-model-id": MODEL}
    drawn = json.loads(ask.post("/v4/ai/image-model", asked, **to).body)["images"][0]
    image = Image.open(io.BytesIO(base64.b64decode(drawn))).convert("RGB")
    assert reds(image) > 10_000
    masked = ask.post("/v4/ai/image-model", asked | {"mask": file(MASK)}, **to)
    assert masked.status == 200
    alone = {name: value for name, value in asked.items() if name != "files"}
    refused = ask.post("/v4/ai/image-model", alone | {"mask": file(MASK)}, **to)
    assert refused.status == 400
    linked = asked | {"files": [{"type": "url", "url": "https://example.org/a.png"}]}
    assert ask.post("/v4/ai/image-model", linked, **to).status == 400


@pytest.fixture
def client():
    with (
        serving(Emulator()) as server,
        openai.OpenAI(base_url=server.url, api_key="any-word", max_retries=0) as official,
    ):
        yield official


def test_the_official_client_edits_a_image(client):
    answer = client.images.edit(
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
    image = Image.open(io.BytesIO(base64.b64decode(answer.data[0].b64_json)))
    assert (image.format, image.size) == ("WEBP", (1024, 1536))
    assert answer.usage.output_tokens == 408


def test_the_official_client_sends_many(client):
    files = [(f"{number}.png", png(), "image/png") for number in range(16)]
    drawn = client.images.edit(model=MODEL, image=files, prompt="All", quality="low")
    image = Image.open(io.BytesIO(base64.b64decode(drawn.data[0].b64_json))).convert("RGB")
    assert reds(image) > 10_000
    with pytest.raises(openai.BadRequestError, match="at most 16"):
        client.images.edit(model=MODEL, image=[*files, files[0]], prompt="All")
