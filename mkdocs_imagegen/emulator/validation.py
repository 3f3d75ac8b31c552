"""Validation of image requests: defaults are filled in, invalid requests are refused.

The rules are those of https://developers.openai.com/api/docs/guides/image-generation and
https://vercel.com/docs/ai-gateway/models-and-providers/provider-options. Pure: no I/O, clock or
environment.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mkdocs_imagegen.emulator.models import MODELS, unsupported_size
from mkdocs_imagegen.emulator.request_bodies import decode_edit, decode_json, decode_sdk_files
from mkdocs_imagegen.emulator.responses import (
    NO_ZERO_RETENTION,
    ModelNotOfferedError,
    RefusedError,
    invalid_parameter,
    no_provider,
)
from mkdocs_imagegen.emulator.wire_types import DrawRequest, HttpRequest
from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.request import TAKE_HEADER

MAX_PROMPT_CHARACTERS = 32_000

_TAKE = re.compile(r"[1-9][0-9]{0,8}")
_DEFAULT_SIZE = Size(1024, 1024)
_OPENAI_OPTIONS = (
    "size",
    "quality",
    "background",
    "output_format",
    "output_compression",
    "moderation",
    "complexity",
)
_OPENAI_FIELDS = frozenset(
    {
        *("model", "prompt", "n", "user", "safety_identifier", "response_format", "stream"),
        *("providerOptions", *_OPENAI_OPTIONS),
    }
)
_SDK_FIELDS = frozenset(
    {"prompt", "n", "size", "aspectRatio", "seed", "providerOptions", "files", "mask"}
)
_CAMEL_CASE = {"output_format": "outputFormat", "output_compression": "outputCompression"}


def read_generation(request: HttpRequest, offered: Collection[str]) -> DrawRequest:
    """Read and validate a request to ``/v1/images/generations``.

    Raises:
        RefusedError: If the request is invalid.
    """
    return _read_openai_fields(request, decode_json(request.body), offered)


def read_edit(request: HttpRequest, offered: Collection[str]) -> DrawRequest:
    """Read and validate a request to ``/v1/images/edits``.

    Raises:
        RefusedError: If the request is invalid.
    """
    body = decode_edit(request)
    if not body.references:
        raise invalid_parameter(
            "Missing required parameter: 'image'.", "image", "missing_parameter"
        )
    validated = _read_openai_fields(request, body.fields, offered)
    return replace(validated, references=body.references, mask=body.mask)


def _read_openai_fields(
    request: HttpRequest, fields: Mapping[str, Any], offered: Collection[str]
) -> DrawRequest:
    _refuse_unknown(fields, _OPENAI_FIELDS)
    if fields.get("response_format") not in (None, "b64_json"):
        raise invalid_parameter("Only response_format b64_json is supported.", "response_format")
    if fields.get("stream") not in (None, False, "false"):
        raise invalid_parameter("Streaming is not supported.", "stream", "unsupported_value")
    take = request.headers.get(TAKE_HEADER, "")
    validated = _validate(fields, fields.get("model"), offered)
    return replace(validated, take=int(take) if _TAKE.fullmatch(take) else 1)


def read_sdk_request(request: HttpRequest, offered: Collection[str]) -> DrawRequest:
    """Read and validate a request of the AI SDK, which names the model in a header.

    Raises:
        RefusedError: If the request is invalid.
    """
    fields = decode_json(request.body)
    _refuse_unknown(fields, _SDK_FIELDS)
    body = decode_sdk_files(fields)
    if body.mask and not body.references:
        raise invalid_parameter("There is a mask and no image.", "mask")
    ignored = tuple(name for name in ("aspectRatio", "seed") if fields.get(name) is not None)
    validated = _validate(body.fields, request.headers.get("ai-model-id"), offered)
    return replace(validated, references=body.references, mask=body.mask, unsupported=ignored)


def _refuse_unknown(fields: Mapping[str, Any], known: Collection[str]) -> None:
    for name in fields:
        if name not in known:
            raise invalid_parameter(f"Unknown parameter: '{name}'.", name, "unknown_parameter")


def _validate(
    fields: Mapping[str, Any], requested_model: object, offered: Collection[str]
) -> DrawRequest:
    options = _provider_options(fields)
    model = _model(requested_model, options.get("gateway", {}), offered)
    values = _openai_options(fields, options.get("openai", {}))
    _refuse_zero_data_retention(model, options.get("gateway", {}))
    output_format = _choice(values, "output_format", ("png", "jpeg", "webp"))
    _choice(values, "moderation", ("auto", "low"))
    _check_complexity(values, model)
    return DrawRequest(
        requested_model=str(requested_model),
        model=model,
        prompt=_prompt(fields.get("prompt")),
        count=_whole_number(fields, "n", 1, 10) or 1,
        quality=_quality(values, model),
        size=_size(values.get("size"), model),
        background=_background(values, output_format),
        output_format=output_format,
        compression=_compression(values, output_format),
    )


def _provider_options(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    options = fields.get("providerOptions") or {}
    if not isinstance(options, dict) or not all(
        isinstance(each, dict) for each in options.values()
    ):
        raise invalid_parameter(
            "providerOptions maps each provider to an object.", "providerOptions"
        )
    return options


def _openai_options(fields: Mapping[str, Any], provider: Mapping[str, Any]) -> Mapping[str, Any]:
    values = {
        name: fields.get(name, provider.get(name, provider.get(_CAMEL_CASE.get(name, name))))
        for name in _OPENAI_OPTIONS
    }
    return {name: value for name, value in values.items() if value is not None}


def _model(requested: object, gateway: Mapping[str, Any], offered: Collection[str]) -> str:
    if not isinstance(requested, str) or not requested:
        raise invalid_parameter(
            "Missing required parameter: 'model'.", "model", "missing_parameter"
        )
    fallbacks = gateway.get("models", [])
    if not isinstance(fallbacks, list):
        raise invalid_parameter(
            "'models' is a list of model ids.", "providerOptions.gateway.models"
        )
    for name in (requested, *fallbacks):
        if name in offered:
            return str(name)
    raise ModelNotOfferedError(requested)


def _refuse_zero_data_retention(model: str, gateway: Mapping[str, Any]) -> None:
    has_zero_retention = model not in MODELS or MODELS[model].has_zero_retention
    if gateway.get("zeroDataRetention") is True and not has_zero_retention:
        raise RefusedError(no_provider(400, NO_ZERO_RETENTION, model))


def _prompt(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        code = "missing_parameter" if value is None else "invalid_value"
        raise invalid_parameter("'prompt' must be text that is not empty.", "prompt", code)
    if len(value) > MAX_PROMPT_CHARACTERS:
        message = f"'prompt' has {len(value)} characters; the maximum is {MAX_PROMPT_CHARACTERS}."
        raise invalid_parameter(message, "prompt", "string_above_max_length")
    return value


def _whole_number(values: Mapping[str, Any], name: str, smallest: int, largest: int) -> int | None:
    value = values.get(name)
    if value is None:
        return None
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if not is_whole or not smallest <= value <= largest:
        raise invalid_parameter(
            f"'{name}' must be a whole number from {smallest} to {largest}.", name
        )
    return int(value)


def _choice(values: Mapping[str, Any], name: str, accepted: Sequence[str]) -> str:
    value = values.get(name, accepted[0])
    if value not in accepted:
        choices = ", ".join(f"'{word}'" for word in accepted)
        raise invalid_parameter(f"Invalid value: '{value}'. Supported values are: {choices}.", name)
    return str(value)


def _quality(values: Mapping[str, Any], model: str) -> str:
    value = values.get("quality", "auto")
    if model in MODELS:
        _choice(values, "quality", ("auto", *MODELS[model].qualities))
    if not isinstance(value, str):
        raise invalid_parameter("'quality' must be a word.", "quality")
    return "medium" if value == "auto" else value


def _check_complexity(values: Mapping[str, Any], model: str) -> None:
    if "complexity" not in values or model not in MODELS:
        return
    if not MODELS[model].has_complexity:
        message = f"'complexity' is not supported by model '{model}'."
        raise invalid_parameter(message, "complexity", "unknown_parameter")
    _choice(values, "complexity", ("high", "medium", "low"))


def _background(values: Mapping[str, Any], output_format: str) -> str:
    value = _choice(values, "background", ("auto", "opaque", "transparent"))
    if value == "transparent" and output_format == "jpeg":
        message = "Transparent background is not supported for output format 'jpeg'."
        raise invalid_parameter(message, "background")
    return value


def _compression(values: Mapping[str, Any], output_format: str) -> int | None:
    value = _whole_number(values, "output_compression", 0, 100)
    if output_format == "png" and value not in (None, 100):
        message = "Compression less than 100 is not supported for output format 'png'."
        raise invalid_parameter(message, "output_compression")
    return value


def _size(value: object, model: str) -> Size:
    if value in (None, "auto"):
        return _DEFAULT_SIZE
    width, _, height = str(value).partition("x")
    if not (width.isascii() and width.isdigit() and height.isascii() and height.isdigit()):
        raise invalid_parameter(f"Invalid size '{value}': expected WIDTHxHEIGHT or 'auto'.", "size")
    size = Size(int(width[:5]), int(height[:5]))
    broken_rule = unsupported_size(model, size)
    if broken_rule:
        raise invalid_parameter(f"Invalid size '{size}': {broken_rule}.", "size")
    return size
