"""Faults that are errors: answered at once, and nothing is computed; pure.

Source: fact sheet "gateway protocol", sections 4.2 (the gateway's errors) and 7.6 (OpenAI's).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from email.utils import formatdate
from types import MappingProxyType

from mkdocs_imagegen.emulator import bombs, spoils
from mkdocs_imagegen.emulator.bodies import as_json, flat, nested, page, wrapped
from mkdocs_imagegen.emulator.records import Fault, Response


def _error(about: str, shape: str, error: Callable[[str], Response]) -> Fault:
    return Fault(about=about, shape=shape, error=error)


def _gateway(status: int, kind: str, message: str, param: object = None) -> Fault:
    return _error(message, "A", lambda _: nested(status, kind, message, param=param))


def _flat(status: int, kind: str, message: str) -> Fault:
    return _error(
        f"{message}…",
        "B",
        lambda model: flat(status, kind, f"{message} {model}. Providers considered: openai, azure"),
    )


def _openai(status: int, kind: str, code: str | None, message: str, param: object = None) -> Fault:
    return _error(message, "D", lambda _: nested(status, kind, message, param=param, code=code))


def _wrapped(status: int, message: str) -> Fault:
    return _error(message, "C", lambda _: wrapped(status, message))


def _page(status: int, title: str) -> Fault:
    return _error(f"{status} as an HTML page", "E", lambda _: page(status, title))


def _come_back(about: str, status: int, headers: Callable[[float], Mapping[str, str]]) -> Fault:
    kinds = {429: "rate_limit_exceeded", 503: "service_unavailable_error"}
    error = nested(status, kinds[status], "Please try again later.")
    return Fault(about=about, shape="A", error=lambda _: error, headers=headers)


def _redirect(about: str, status: int) -> Fault:
    return _error(about, "E", lambda _: Response(status, {"location": _METADATA_ADDRESS}, b""))


def _unknown_model(status: int) -> Fault:
    def error(model: str) -> Response:
        message, param = f"Model '{model}' not found", {"modelId": model}
        return nested(status, "model_not_found", message, param=param)

    return _error(f"{status}: the model is not known, or gone", "A", error)


_METADATA_ADDRESS = "http://169.254.169.254/latest/meta-data/"
_GATEWAY_ERRORS = {
    "missing-parameter": _error(
        "the model is missing",
        "A",
        lambda _: nested(
            400, "invalid_request_error", "No model.", param="model", code="missing_parameter"
        ),
    ),
    "invalid-request": _gateway(400, "invalid_request_error", "An option's value is invalid."),
    "zero-data-retention": _flat(
        400,
        "no_providers_available",
        "No providers with zero data retention are available for model:",
    ),
    "authentication": _gateway(401, "authentication_error", "The API key is invalid or revoked."),
    "insufficient-funds": _gateway(
        402, "insufficient_funds", "Insufficient funds: no credit left."
    ),
    "budget-exceeded": _gateway(
        402, "quota_for_entity_exceeded", "Budget exceeded: spent $5.00 of $5.00."
    ),
    "budget-exceeded-403": _gateway(403, "quota_for_entity_exceeded", "Budget exceeded."),
    "budget-exceeded-429": _gateway(429, "quota_for_entity_exceeded", "Budget exceeded."),
    "customer-verification": _gateway(
        403,
        "customer_verification_required",
        "AI Gateway requires a valid credit card on file to service requests.",
    ),
    "restricted-model": _gateway(
        403,
        "no_providers_available",
        "The free tier does not include this model.",
        {"name": "RestrictedModelsError"},
    ),
    "restricted-provider": _flat(
        403, "no_providers_available", "The provider allowlist leaves no provider for model:"
    ),
    "restricted-provider-nested": _gateway(
        403,
        "no_providers_available",
        "The provider allowlist leaves no provider.",
        {"name": "RestrictedProvidersError"},
    ),
    "forbidden": _gateway(
        403, "forbidden", "A routing rule denies this request.", {"ruleId": "rule_emulator"}
    ),
    "plan-lacks-zdr": _gateway(403, "forbidden", "The plan has no zero data retention."),
    "model-not-found": _unknown_model(404),
    "model-not-found-400": _unknown_model(400),
    "not-found": _gateway(404, "not_found", "There is no such thing."),
    "method-not-allowed": _gateway(405, "method_not_allowed", "Only GET is accepted here."),
    "conflict": _gateway(409, "conflict", "The request is being worked on already."),
    "unprocessable": _error(
        "422 as other servers send it, with `detail`",
        "D",
        lambda _: as_json(422, {"detail": [{"loc": ["body", "size"], "msg": "bad", "type": "x"}]}),
    ),
    "failed-dependency": _gateway(424, "failed_dependency", "Something it depends on failed."),
    "rate-limit": _come_back("429 without Retry-After", 429, lambda _: {}),
    "internal-error": _gateway(500, "internal_server_error", "Internal server error."),
    "unavailable": _come_back("503 without Retry-After", 503, lambda _: {}),
    "request-timeout": _gateway(408, "timeout_error", "The request timed out."),
    "too-large": _gateway(413, "invalid_request_error", "The request body is too large."),
    "gateway-timeout": _gateway(504, "timeout_error", "The provider did not answer in time."),
}

_WAITS = {
    "retry-after": _come_back("429, Retry-After in seconds", 429, lambda _: {"retry-after": "1"}),
    "retry-after-503": _come_back("503, Retry-After", 503, lambda _: {"retry-after": "1"}),
    "retry-after-date": _come_back(
        "429, Retry-After as an HTTP date",
        429,
        lambda now: {"retry-after": formatdate(now + 2, usegmt=True)},
    ),
    "retry-after-ms": _come_back(
        "429, retry-after-ms, and a Retry-After that is longer",
        429,
        lambda _: {"retry-after-ms": "150", "retry-after": "30"},
    ),
    "retry-after-hour": _come_back(
        "429, Retry-After of an hour", 429, lambda _: {"retry-after": "3600"}
    ),
    "retry-after-hostile": _come_back(
        "429, Retry-After that is no number one can wait for",
        429,
        lambda _: {"retry-after": "9" * 400, "retry-after-ms": "-1e999"},
    ),
    "retry-after-year-9999": _come_back(
        "429, Retry-After as the last date there is",
        429,
        lambda _: {"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"},
    ),
    "retry-after-past": _come_back(
        "429, Retry-After as a date long past",
        429,
        lambda _: {"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"},
    ),
    "retry-after-negative": _come_back(
        "429, Retry-After: -5", 429, lambda _: {"retry-after": "-5"}
    ),
    "retry-after-503-nan": _come_back(
        "503, Retry-After: nan", 503, lambda _: {"retry-after": "nan"}
    ),
    "retry-after-nan": _come_back("429, Retry-After: nan", 429, lambda _: {"retry-after": "nan"}),
}

_PROVIDER_ERRORS = {
    "moderation-blocked": _error(
        "the safety system refuses the prompt", "D", lambda _: spoils.moderation_blocked()
    ),
    "moderation-wrapped": _wrapped(400, "Your request was rejected by the safety system."),
    "content-policy": _openai(
        400, "invalid_request_error", "content_policy_violation", "The prompt breaks the policy."
    ),
    "invalid-value": _openai(
        400, "invalid_request_error", "invalid_value", "Invalid value: '7x7'.", "size"
    ),
    "unknown-parameter": _openai(
        400, "invalid_request_error", "unknown_parameter", "Unknown parameter: 'style'.", "style"
    ),
    "invalid-image": _openai(
        400, "invalid_request_error", "invalid_image_format", "Invalid image.", "image"
    ),
    "response-format-refused": Fault(
        about="400 where response_format is sent, as OpenAI does",
        shape="D",
        error=lambda _: spoils.response_format_refused(),
        only_with="response_format",
    ),
    "provider-key": _openai(401, "invalid_request_error", "invalid_api_key", "Incorrect API key."),
    "provider-rate-limit": Fault(
        about="429 of the provider, about images per minute",
        shape="D",
        error=lambda _: spoils.images_per_minute(),
        headers=lambda _: {"retry-after": "1", "x-ratelimit-remaining-requests": "0"},
    ),
    "insufficient-quota": _openai(
        429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota."
    ),
    "billing-hard-limit": _openai(
        429, "insufficient_quota", "billing_hard_limit_reached", "Billing hard limit reached."
    ),
    "organization-spend-limit": _openai(
        429, "insufficient_quota", "organization_spend_limit_exceeded", "Spend limit reached."
    ),
    "project-spend-limit": _openai(
        429, "insufficient_quota", "project_spend_limit_exceeded", "Spend limit reached."
    ),
    "server-error": _openai(500, "server_error", None, "The server had an error."),
    "image-server-error": _openai(
        500, "image_generation_server_error", None, "The image could not be made."
    ),
    "wrapped-error": _wrapped(502, "The provider failed."),
    "html": _page(502, "502 Bad Gateway"),
    "html-503": _page(503, "503 Service Unavailable"),
    "empty-502": _error("502 without a body", "E", lambda _: Response(502, {}, b"")),
    "html-429": Fault(
        about="429 as an HTML page, with Retry-After",
        shape="E",
        error=lambda _: page(429, "429 Too Many Requests"),
        headers=lambda _: {"retry-after": "1"},
    ),
    "client-closed": _page(499, "499 Client Closed Request"),
    "huge-error": _error(
        "500 with ten million characters", "E", lambda _: Response(500, {}, b"x" * 10_000_000)
    ),
    "nested-error": _error(
        "500 with 200,000 brackets", "E", lambda _: Response(500, {}, b"[" * 200_000)
    ),
    "bomb-error": _error(
        "500 whose megabyte unpacks to a gigabyte",
        "E",
        lambda _: bombs.gigabyte(Response(500, {}, b"")),
    ),
    "redirect": _redirect("302 to an address that tells secrets", 302),
    "redirect-307": _redirect("307, which asks for the same again elsewhere", 307),
}

REFUSALS: Mapping[str, Fault] = MappingProxyType(_GATEWAY_ERRORS | _WAITS | _PROVIDER_ERRORS)
"""By name, in the order of the manual."""
