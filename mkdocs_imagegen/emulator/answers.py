"""Writes a success down, in OpenAI's shape and in the AI SDK's; pure.

Source: fact sheet "gateway protocol", sections 1.3, 2, 6.3 and 7.4.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any

from mkdocs_imagegen.emulator.bodies import as_json
from mkdocs_imagegen.emulator.catalogue import tokens
from mkdocs_imagegen.emulator.records import Answer, Job, Response
from mkdocs_imagegen.frozen import dataclass

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_FIRST_MS = 1_760_000_000_000


@dataclass(frozen=True, slots=True)
class Charge:
    """What a job cost, and when it was worked on, in milliseconds since 1970."""

    generation_id: str
    usd: Decimal
    start_ms: int
    end_ms: int


def generation_id(count: int) -> str:
    """``gen_`` and a ULID that is the same for the same count."""
    chance = int.from_bytes(hashlib.sha256(b"%d" % count).digest()[:10], "big")
    number = (_FIRST_MS + count) << 80 | chance
    return "gen_" + "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def dollars(usd: Decimal) -> str:
    """Money as the gateway writes it: a plain decimal number, as text."""
    text = f"{usd:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def metadata(job: Job, charge: Charge) -> dict[str, Any]:
    """What the gateway and the provider tell, and the mark that this is a sketch."""
    cost = dollars(charge.usd)
    gateway = {
        "generationId": charge.generation_id,
        "cost": cost,
        "marketCost": cost,
        "inferenceCost": cost,
        "surchargeCost": "0",
        "gatewayCost": "0",
        "routing": _routing(job, charge),
    }
    images = [_image(job, charge) for _ in range(job.count)]
    return {"gateway": gateway, "imagegen": {"sketch": True}, "openai": {"images": images}}


def _routing(job: Job, charge: Charge) -> dict[str, Any]:
    provider = job.model.partition("/")[0]
    attempt = {
        "provider": provider,
        "credentialType": "system",
        "success": True,
        "startTime": charge.start_ms,
        "endTime": charge.end_ms,
        "statusCode": 200,
        "providerRequestId": f"req_{charge.generation_id[-12:].lower()}",
    }
    attempts = [_model_attempt(job.model, [attempt])]
    if job.model != job.asked_model:
        attempts.insert(0, _model_attempt(job.asked_model, []))
    return {
        "originalModelId": job.asked_model,
        "resolvedProvider": provider,
        "fallbacksAvailable": [],
        "planningReasoning": "The emulator has one provider for each model.",
        "canonicalSlug": job.model,
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


def _image(job: Job, charge: Charge) -> dict[str, Any]:
    text_tokens, image_tokens = tokens(job)
    return {
        "created": charge.end_ms // 1000,
        "size": str(job.size),
        "quality": job.quality,
        "background": _background(job),
        "outputFormat": job.output_format,
        "imageTokens": image_tokens // job.count,
        "textTokens": text_tokens,
    }


def _background(job: Job) -> str:
    return "opaque" if job.background == "auto" else job.background


def as_openai(answer: Answer) -> Response:
    """The body of ``/v1/images/generations``."""
    job, (text_tokens, image_tokens) = answer.job, tokens(answer.job)
    field = "url" if answer.as_url else "b64_json"
    body: dict[str, Any] = {
        "created": answer.created,
        "data": [{field: image} for image in answer.images],
        "background": _background(job),
        "output_format": job.output_format,
        "quality": job.quality,
        "size": str(job.size),
        "usage": {
            "total_tokens": text_tokens + image_tokens,
            "input_tokens": text_tokens,
            "output_tokens": image_tokens,
            "input_tokens_details": {"text_tokens": text_tokens, "image_tokens": 0},
        },
    }
    if answer.metadata is not None:
        body["providerMetadata" if answer.camel_case else "provider_metadata"] = answer.metadata
    return as_json(200, body)


def as_native(answer: Answer) -> Response:
    """The body of ``/v4/ai/image-model``."""
    text_tokens, image_tokens = tokens(answer.job)
    body: dict[str, Any] = {
        "images": list(answer.images),
        "warnings": [{"type": "unsupported", "feature": name} for name in answer.job.unsupported],
        "usage": {
            "inputTokens": text_tokens,
            "outputTokens": image_tokens,
            "totalTokens": text_tokens + image_tokens,
        },
    }
    if answer.metadata is not None:
        # The AI SDK passes on only what stands in a provider's list of images.
        marks = {"sketch": True, "images": [{"sketch": True} for _ in answer.images]}
        body["providerMetadata"] = {**answer.metadata, "imagegen": marks}
    return as_json(200, body)


def generation_record(job: Job, charge: Charge) -> dict[str, Any]:
    """What ``GET /v1/generation`` tells of a job; ``created_at`` in milliseconds since 1970."""
    text_tokens, image_tokens = tokens(job)
    cost, took_ms = dollars(charge.usd), charge.end_ms - charge.start_ms
    return {
        "id": charge.generation_id,
        "total_cost": cost,
        "upstream_inference_cost": cost,
        "usage": cost,
        "created_at": charge.end_ms,
        "model": job.model,
        "is_byok": False,
        "provider_name": job.model.partition("/")[0],
        "streamed": False,
        "finish_reason": "stop",
        "latency": took_ms,
        "generation_time": took_ms,
        "tokens_prompt": text_tokens,
        "tokens_completion": image_tokens,
    }
