"""Responses of the gateway: images in OpenAI's and the AI SDK's form, and errors.

The bodies follow https://vercel.com/docs/ai-gateway/modalities/image-generation and the AI SDK's
provider (https://github.com/vercel/ai, packages/gateway). Pure: no I/O, clock or environment.
"""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from mkdocs_imagegen.emulator.models import output_tokens
from mkdocs_imagegen.emulator.wire_types import DrawRequest, DrawResult, HttpResponse
from mkdocs_imagegen.frozen import dataclass

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_FIRST_MS = 1_760_000_000_000
NO_ZERO_RETENTION = "No providers with zero data retention are available for model:"


class RefusedError(Exception):
    """The request was answered with an error.

    Args:
        response: Response that the client receives.
    """

    def __init__(self, response: HttpResponse) -> None:
        self.response = response
        super().__init__(f"answered with {response.status}")


class ModelNotOfferedError(RefusedError):
    """The requested model is not on offer, and no fallback model is.

    Args:
        model: Requested model.
    """

    def __init__(self, model: str) -> None:
        self.model = model
        super().__init__(model_not_found(model))


def json_response(status: int, payload: object) -> HttpResponse:
    """Return a response with a JSON body."""
    body = json.dumps(payload, separators=(",", ":")).encode("ascii")
    return HttpResponse(status, {"content-type": "application/json; charset=utf-8"}, body)


def nested_error(
    status: int, kind: str, message: str, *, param: object = None, code: str | None = None
) -> HttpResponse:
    """Return an error of shape A, with an object as ``error``; also used for shapes C and D."""
    error = {"message": message, "type": kind, "param": param, "code": code}
    return json_response(status, {"error": error})


def no_provider(status: int, reason: str, model: str) -> HttpResponse:
    """Return the error for a model without a usable provider: shape B, a string as ``error``."""
    message = f"{reason} {model}. Providers considered: openai, azure"
    body = {"error": message, "type": "no_providers_available", "statusCode": status}
    return json_response(status, body)


def wrapped_error(status: int, message: str, *, is_retryable: bool = True) -> HttpResponse:
    """Return an error of shape C: an error of the provider, wrapped by the gateway."""
    param = {
        "statusCode": status,
        "name": "AI_APICallError",
        "message": message,
        "url": "https://api.openai.com/v1/images/generations",
        "isRetryable": is_retryable and status >= HTTPStatus.INTERNAL_SERVER_ERROR,
        "type": "AI_APICallError",
    }
    return nested_error(status, "AI_APICallError", message, param=param)


def html_page(status: int, title: str) -> HttpResponse:
    """Return an error of shape E: an HTML page from a server in front of the gateway."""
    text = (
        f"<!doctype html>\n<html><head><title>{title}</title></head><body>{title}</body></html>\n"
    )
    return HttpResponse(status, {"content-type": "text/html; charset=utf-8"}, text.encode())


def model_not_found(model: object, status: int = 404) -> HttpResponse:
    """Return the error for a model that is unknown or was shut down."""
    message, param = f"Model '{model}' not found", {"modelId": model}
    return nested_error(status, "model_not_found", message, param=param)


def invalid_parameter(message: str, param: str, code: str = "invalid_value") -> RefusedError:
    """Return the error for an invalid parameter, ready to be raised."""
    response = nested_error(400, "invalid_request_error", message, param=param, code=code)
    return RefusedError(response)


@dataclass(frozen=True, slots=True)
class Charge:
    """Price of a request, and its start and end in milliseconds since 1970."""

    generation_id: str
    usd: Decimal
    start_ms: int
    end_ms: int


def generation_id(count: int) -> str:
    """Return ``gen_`` and a ULID that depends on the count only."""
    digest = int.from_bytes(hashlib.sha256(b"%d" % count).digest()[:10], "big")
    number = (_FIRST_MS + count) << 80 | digest
    return "gen_" + "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def decimal_text(usd: Decimal) -> str:
    """Return an amount as the gateway writes it: a decimal number without an exponent."""
    text = f"{usd:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def provider_metadata(request: DrawRequest, charge: Charge) -> dict[str, Any]:
    """Return the metadata of the gateway and the provider, marked as a sketch."""
    cost = decimal_text(charge.usd)
    gateway = {
        "generationId": charge.generation_id,
        "cost": cost,
        "marketCost": cost,
        "inferenceCost": cost,
        "surchargeCost": "0",
        "gatewayCost": "0",
        "routing": _routing(request, charge),
    }
    images = [_image_metadata(request, charge) for _ in range(request.count)]
    return {"gateway": gateway, "imagegen": {"sketch": True}, "openai": {"images": images}}


def _routing(request: DrawRequest, charge: Charge) -> dict[str, Any]:
    provider = request.model.partition("/")[0]
    attempt = {
        "provider": provider,
        "credentialType": "system",
        "success": True,
        "startTime": charge.start_ms,
        "endTime": charge.end_ms,
        "statusCode": 200,
        "providerRequestId": f"req_{charge.generation_id[-12:].lower()}",
    }
    attempts = [_model_attempt(request.model, [attempt])]
    if request.model != request.requested_model:
        attempts.insert(0, _model_attempt(request.requested_model, []))
    return {
        "originalModelId": request.requested_model,
        "resolvedProvider": provider,
        "fallbacksAvailable": [],
        "planningReasoning": "The emulator has one provider for each model.",
        "canonicalSlug": request.model,
        "finalProvider": provider,
        "modelAttemptCount": len(attempts),
        "totalProviderAttemptCount": 1,
        "modelAttempts": attempts,
    }


def _model_attempt(model: str, attempts: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "canonicalSlug": model,
        "success": bool(attempts),
        "providerAttemptCount": len(attempts),
        "providerAttempts": attempts,
    }


def _image_metadata(request: DrawRequest, charge: Charge) -> dict[str, Any]:
    text_tokens, image_tokens = _tokens(request)
    return {
        "created": charge.end_ms // 1000,
        "size": str(request.size),
        "quality": request.quality,
        "background": _background(request),
        "outputFormat": request.output_format,
        "imageTokens": image_tokens // request.count,
        "textTokens": text_tokens,
    }


def _tokens(request: DrawRequest) -> tuple[int, int]:
    """Return the input and output tokens of the whole request."""
    output = output_tokens(request.model, request.size, request.quality) * request.count
    return -(-len(request.prompt) // 4), output


def _background(request: DrawRequest) -> str:
    return "opaque" if request.background == "auto" else request.background


def openai_response(result: DrawResult) -> HttpResponse:
    """Return the response of ``/v1/images/generations`` and ``/v1/images/edits``."""
    request, (text_tokens, image_tokens) = result.request, _tokens(result.request)
    field = "url" if result.is_url else "b64_json"
    body: dict[str, Any] = {
        "created": result.created,
        "data": [{field: image} for image in result.images],
        "background": _background(request),
        "output_format": request.output_format,
        "quality": request.quality,
        "size": str(request.size),
        "usage": {
            "total_tokens": text_tokens + image_tokens,
            "input_tokens": text_tokens,
            "output_tokens": image_tokens,
            "input_tokens_details": {"text_tokens": text_tokens, "image_tokens": 0},
        },
    }
    if result.metadata is not None:
        body["providerMetadata" if result.is_camel_case else "provider_metadata"] = result.metadata
    return json_response(200, body)


def sdk_response(result: DrawResult) -> HttpResponse:
    """Return the response of ``/v4/ai/image-model``, the path of the AI SDK."""
    text_tokens, image_tokens = _tokens(result.request)
    body: dict[str, Any] = {
        "images": list(result.images),
        "warnings": [
            {"type": "unsupported", "feature": name} for name in result.request.unsupported
        ],
        "usage": {
            "inputTokens": text_tokens,
            "outputTokens": image_tokens,
            "totalTokens": text_tokens + image_tokens,
        },
    }
    if result.metadata is not None:
        # The AI SDK forwards only the entries of a provider's `images`.
        marks = {"sketch": True, "images": [{"sketch": True} for _ in result.images]}
        body["providerMetadata"] = {**result.metadata, "imagegen": marks}
    return json_response(200, body)


def generation_record(request: DrawRequest, charge: Charge) -> dict[str, Any]:
    """Return the record for ``GET /v1/generation``; ``created_at`` in ms since 1970.

    Costs are numbers, and that of inference is the one with a provider's key of one's own: see
    https://github.com/vercel/ai, packages/gateway/src/gateway-generation-info.ts.
    """
    text_tokens, image_tokens = _tokens(request)
    cost, took_ms = float(charge.usd), charge.end_ms - charge.start_ms
    return {
        "id": charge.generation_id,
        "total_cost": cost,
        "upstream_inference_cost": 0,
        "usage": cost,
        "created_at": charge.end_ms,
        "model": request.model,
        "is_byok": False,
        "provider_name": request.model.partition("/")[0],
        "streamed": False,
        "finish_reason": "stop",
        "latency": took_ms,
        "generation_time": took_ms,
        "tokens_prompt": text_tokens,
        "tokens_completion": image_tokens,
        "native_tokens_prompt": text_tokens,
        "native_tokens_completion": image_tokens,
        "native_tokens_reasoning": 0,
        "native_tokens_cached": 0,
        "native_tokens_cache_creation": 0,
        "billable_web_search_calls": 0,
    }
