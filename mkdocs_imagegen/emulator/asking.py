"""Reads what is asked for, and refuses what the gateway would refuse; pure.

Source: fact sheet "gateway protocol", sections 1.2, 1.4, 6.1, 6.2, 7.1, 7.2 and 8.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mkdocs_imagegen.emulator.bodies import RefusalError, flat, invalid, nested
from mkdocs_imagegen.emulator.forms import read_fields, read_form, read_native_form
from mkdocs_imagegen.emulator.records import Call, Job
from mkdocs_imagegen.errors import OptionError
from mkdocs_imagegen.gateway.catalogue import KNOWN_MODELS, ZERO_DATA_RETENTION_REFUSED, check
from mkdocs_imagegen.options import SKETCH_MODEL, Size
from mkdocs_imagegen.request import TAKE_HEADER, ImageRequest

LONGEST_PROMPT = 32_000
LARGEST_SKETCH_PX = 4096
"""The longest side that the sketch model draws."""

_TAKE = re.compile(r"[1-9][0-9]{0,8}")
_STANDARD = Size(1024, 1024)
_SAID = ("size", "quality", "background", "output_format", "output_compression", "moderation")
_OPENAI_FIELDS = frozenset(
    {"model", "prompt", "n", "user", "safety_identifier", "response_format", "providerOptions"}
).union(_SAID)
_NATIVE_FIELDS = frozenset(
    {"prompt", "n", "size", "aspectRatio", "seed", "providerOptions", "files", "mask"}
)
_CAMEL_CASE = {"output_format": "outputFormat", "output_compression": "outputCompression"}


def read_openai(call: Call, offered: Collection[str]) -> Job:
    """The images that a request to ``/v1/images/generations`` asks for.

    Raises:
        RefusalError: with the gateway's answer.
    """
    return replace(_openai_job(read_fields(call.body), offered), take=_take(call))


def read_edit(call: Call, offered: Collection[str]) -> Job:
    """The images that a request to ``/v1/images/edits`` asks for.

    Raises:
        RefusalError: with the gateway's answer.
    """
    form = read_form(call)
    if not form.images:
        raise invalid("Missing required parameter: 'image'.", "image", "missing_parameter")
    job = _openai_job(form.fields, offered)
    return replace(job, references=form.images, mask=form.mask, take=_take(call))


def _take(call: Call) -> int:
    said = call.headers.get(TAKE_HEADER, "")
    return int(said) if _TAKE.fullmatch(said) else 1


def _openai_job(fields: Mapping[str, Any], offered: Collection[str]) -> Job:
    _refuse_unknown(fields, _OPENAI_FIELDS)
    if fields.get("response_format") not in (None, "b64_json"):
        raise invalid("Only response_format b64_json is supported.", "response_format")
    return _job(fields, fields.get("model"), offered)


def read_native(call: Call, offered: Collection[str]) -> Job:
    """The images that the AI SDK asks for; the model is named in a header.

    Raises:
        RefusalError: with the gateway's answer.
    """
    fields = read_fields(call.body)
    _refuse_unknown(fields, _NATIVE_FIELDS)
    form = read_native_form(fields)
    if form.mask and not form.images:
        raise invalid("There is a mask and no image.", "mask")
    ignored = tuple(name for name in ("aspectRatio", "seed") if fields.get(name) is not None)
    job = _job(form.fields, call.headers.get("ai-model-id"), offered, ignored)
    return replace(job, references=form.images, mask=form.mask)


def _refuse_unknown(fields: Mapping[str, Any], known: Collection[str]) -> None:
    for name in fields:
        if name not in known:
            raise invalid(f"Unknown parameter: '{name}'.", name, "unknown_parameter")


def _job(
    fields: Mapping[str, Any],
    asked_model: object,
    offered: Collection[str],
    ignored: Sequence[str] = (),
) -> Job:
    options = _provider_options(fields)
    model = _model(asked_model, options.get("gateway", {}), offered)
    said = _said(fields, options.get("openai", {}))
    _refuse_zero_data_retention(model, options.get("gateway", {}))
    output_format = _word(said, "output_format", ("png", "jpeg", "webp"))
    job = Job(
        asked_model=str(asked_model),
        model=model,
        prompt=_prompt(fields.get("prompt")),
        count=_whole(fields, "n", 1, 10) or 1,
        size=_size(said.get("size"), model, _quality(said, model)),
        quality=_quality(said, model),
        background=_background(said, output_format),
        output_format=output_format,
        compression=_compression(said, output_format),
        unsupported=tuple(ignored),
    )
    _word(said, "moderation", ("auto", "low"))
    return job


def _provider_options(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    options = fields.get("providerOptions") or {}
    if not isinstance(options, dict) or not all(
        isinstance(each, dict) for each in options.values()
    ):
        raise invalid("providerOptions maps each provider to an object.", "providerOptions")
    return options


def _said(fields: Mapping[str, Any], provider: Mapping[str, Any]) -> Mapping[str, Any]:
    values = {
        name: fields.get(name, provider.get(name, provider.get(_CAMEL_CASE.get(name, name))))
        for name in _SAID
    }
    return {name: value for name, value in values.items() if value is not None}


def _model(asked: object, gateway: Mapping[str, Any], offered: Collection[str]) -> str:
    if not isinstance(asked, str) or not asked:
        raise invalid("Missing required parameter: 'model'.", "model", "missing_parameter")
    fallbacks = gateway.get("models", [])
    if not isinstance(fallbacks, list):
        raise invalid("'models' is a list of model ids.", "providerOptions.gateway.models")
    for name in (asked, *fallbacks):
        if name in offered:
            return str(name)
    message = f"Model '{asked}' not found"
    raise RefusalError(nested(404, "model_not_found", message, param={"modelId": asked}))


def _refuse_zero_data_retention(model: str, gateway: Mapping[str, Any]) -> None:
    if gateway.get("zeroDataRetention") is True and model in ZERO_DATA_RETENTION_REFUSED:
        message = (
            "No providers with zero data retention are available for model: "
            f"{model}. Providers considered: openai, azure"
        )
        raise RefusalError(flat(400, "no_providers_available", message))


def _prompt(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        code = "missing_parameter" if value is None else "invalid_value"
        raise invalid("'prompt' must be text that is not empty.", "prompt", code)
    if len(value) > LONGEST_PROMPT:
        message = (
            f"'prompt' is {len(value)} characters long; at most {LONGEST_PROMPT} are accepted."
        )
        raise invalid(message, "prompt", "string_above_max_length")
    return value


def _whole(said: Mapping[str, Any], name: str, smallest: int, largest: int) -> int | None:
    value = said.get(name)
    if value is None:
        return None
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not smallest <= value <= largest:
        raise invalid(f"'{name}' must be a whole number from {smallest} to {largest}.", name)
    return int(value)


def _word(said: Mapping[str, Any], name: str, accepted: Sequence[str]) -> str:
    value = said.get(name, accepted[0])
    if value not in accepted:
        choices = ", ".join(f"'{word}'" for word in accepted)
        raise invalid(f"Invalid value: '{value}'. Supported values are: {choices}.", name)
    return str(value)


def _quality(said: Mapping[str, Any], model: str) -> str:
    value = said.get("quality", "auto")
    facts = KNOWN_MODELS.get(model)
    if facts:
        _word(said, "quality", facts.qualities)
    if not isinstance(value, str):
        raise invalid("'quality' must be a word.", "quality")
    return "medium" if value == "auto" else value


def _background(said: Mapping[str, Any], output_format: str) -> str:
    value = _word(said, "background", ("auto", "opaque", "transparent"))
    if value == "transparent" and output_format == "jpeg":
        message = "Transparent background is not supported for output format 'jpeg'."
        raise invalid(message, "background")
    return value


def _compression(said: Mapping[str, Any], output_format: str) -> int | None:
    value = _whole(said, "output_compression", 0, 100)
    if output_format == "png" and value not in (None, 100):
        message = "Compression less than 100 is not supported for output format 'png'."
        raise invalid(message, "output_compression")
    return value


def _size(value: object, model: str, quality: str) -> Size:
    if value in (None, "auto"):
        return _STANDARD
    width, _, height = str(value).partition("x")
    if not (width.isascii() and width.isdigit() and height.isascii() and height.isdigit()):
        raise invalid(f"Invalid size '{value}': expected WIDTHxHEIGHT or 'auto'.", "size")
    size = Size(int(width[:5]), int(height[:5]))
    if model == SKETCH_MODEL:
        return _sketch_size(size)
    try:
        check(ImageRequest(model, "", size, quality), "png")
    except OptionError as error:
        raise invalid(f"Invalid size: {error}.", "size") from error
    return size


def _sketch_size(size: Size) -> Size:
    if min(size) < 1 or max(size) > LARGEST_SKETCH_PX:
        raise invalid(f"Invalid size: {size} is not from 1 to {LARGEST_SKETCH_PX} a side.", "size")
    return size
