"""Schemas of responses, test images and helpers for the tests of the emulator."""

import base64
import io
import json

import jsonschema
from PIL import Image

from mkdocs_imagegen.emulator.wire_types import DrawRequest
from mkdocs_imagegen.option_parsers import SKETCH_MODEL, Size

MODEL = "openai/gpt-image-1-mini"
EDITS = "/v1/images/edits"
RED = (255, 0, 0)
KEY = {"authorization": "Bearer word"}
REQUEST = {
    "model": MODEL,
    "prompt": "A red balloon",
    "quality": "low",
    "output_format": "jpeg",
}
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
SDK_IMAGES = {
    "type": "object",
    "required": ["images"],
    "properties": {
        "images": {"type": "array", "items": {"type": "string"}},
        "warnings": {"type": "array", "items": {"required": ["type", "feature"]}},
        "providerMetadata": {"additionalProperties": {"type": "object"}},
        "usage": {"required": ["inputTokens", "outputTokens", "totalTokens"]},
    },
}


def draw_request(prompt: str, width: int, height: int, **options) -> DrawRequest:
    """Return a valid request of the sketch model for one PNG."""
    given = {
        "requested_model": SKETCH_MODEL,
        "model": SKETCH_MODEL,
        "count": 1,
        "quality": "medium",
        "background": "auto",
        "output_format": "png",
        "compression": None,
    }
    return DrawRequest(prompt=prompt, size=Size(width, height), **given | options)


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


def decoded_image(text: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(text, validate=True)))


def png(size=(64, 48), color=RED, mode="RGB", kind="PNG"):
    file = io.BytesIO()
    Image.new(mode, size, color).save(file, kind)
    return file.getvalue()


MASK = png(color=(0, 0, 0, 0), mode="RGBA")


def data_url(content=None, mime="image/png"):
    data = base64.b64encode(png() if content is None else content).decode()
    return {"image_url": f"data:{mime};base64,{data}"}


def edit(api, **fields):
    defaults = {"model": MODEL, "prompt": "In the rain", "quality": "low", "images": [data_url()]}
    given = {name: value for name, value in (defaults | fields).items() if value is not None}
    return api.post(EDITS, given)


def image_in(response):
    data = json.loads(response.body)["data"][0]["b64_json"]
    return Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")


def red_pixels(image):
    return sum(count for count, color in image.getcolors(2**24) if color == RED)
