"""Everything that can go wrong, by name; pure.

Source: fact sheet "gateway protocol", sections 4.1 (shapes), 4.2 (the gateway's errors) and 7.6
(OpenAI's words). A fault that is an error is answered at once and costs nothing; the others
compute the picture, charge for it, and spoil what is delivered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from types import MappingProxyType

from mkdocs_imagegen.emulator import spoils
from mkdocs_imagegen.emulator.bodies import flat, nested, page, wrapped
from mkdocs_imagegen.emulator.records import Answer, Job, Response
from mkdocs_imagegen.errors import OptionError
from mkdocs_imagegen.values import did_you_mean, shown

OK = "ok"
"""In a plan: nothing goes wrong this time."""

SHAPES: Mapping[str, str] = MappingProxyType(
    {
        "A": "nested: the gateway's normal error",
        "B": "flat: `error` is a text",
        "C": "nested: the provider's error, wrapped by the gateway",
        "D": "nested: the provider's own error, as it came",
        "E": "HTML or nothing, from something in front of the gateway",
        "success": "status 200, and something is wrong with what it holds",
        "transport": "the socket misbehaves",
    }
)

TRANSPORTS: Mapping[str, str] = MappingProxyType(
    {
        "reset": "the connection is reset, nothing is sent",
        "cut": "half of the body is sent, then the connection is closed",
        "slow": "the headers come late",
        "drip": "the body comes in small pieces",
    }
)
"""What ``Response.transport`` may name; only a socket can do it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        about: what it is, in one line.
        shape: one of ``SHAPES``.
        error: the answer, given the model asked for; None where a picture is computed.
        headers: more headers, given the time in seconds since 1970.
        only_with: the fault strikes only if the request has this field.
        drawn: changes what is drawn.
        told: changes what is told about it.
        sent: changes the bytes of the body.
        transport: one of ``TRANSPORTS``, or None.
    """

    about: str
    shape: str
    error: Callable[[str], Response] | None = None
    headers: Callable[[float], Mapping[str, str]] = lambda _: {}
    only_with: str | None = None
    drawn: Callable[[Job], Job] = lambda job: job
    told: Callable[[Answer], Answer] = lambda answer: answer
    sent: Callable[[bytes], bytes] = lambda body: body
    transport: str | None = None

    @property
    def billed(self) -> bool:
        """Whether a picture is computed and charged although this goes wrong."""
        return self.error is None


def unknown_fault(name: str) -> OptionError:
    """The error for a fault that does not exist."""
    return OptionError(
        f"there is no fault {shown(name)}",
        accepted=f"known: {OK}, {', '.join(FAULTS)}",
        hint=did_you_mean(name, [OK, *FAULTS]),
    )


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


def _unknown_model(status: int) -> Fault:
    def error(model: str) -> Response:
        message, param = f"Model '{model}' not found", {"modelId": model}
        return nested(status, "model_not_found", message, param=param)

    return _error(f"{status}: the model is not known, or gone", "A", error)


_GATEWAY_ERRORS = {
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
        500, "image_generation_server_error", None, "The picture could not be made."
    ),
    "wrapped-error": _wrapped(502, "The provider failed."),
    "html": _page(502, "502 Bad Gateway"),
    "html-503": _page(503, "503 Service Unavailable"),
    "empty-502": _error("502 without a body", "E", lambda _: Response(502, {}, b"")),
}


def _success(about: str, told: Callable[[Answer], Answer]) -> Fault:
    return Fault(about=about, shape="success", told=told)


_SPOILED = {
    "camel-case-metadata": _success("metadata as providerMetadata", spoils.camel_case),
    "no-metadata": _success("no metadata, so no cost and no mark", spoils.no_metadata),
    "numeric-cost": _success("the cost as a number, not as text", spoils.numeric_cost),
    "odd-cost": _success("the cost as text that is no number", spoils.odd_cost),
    "empty-data": _success("200 without any picture", spoils.no_pictures),
    "bad-base64": _success("base64 with characters that are none", spoils.bad_base64),
    "not-an-image": _success("good base64 of something that is no picture", spoils.no_image),
    "half-image": _success("a picture that ends in the middle", spoils.half_image),
    "data-prefix": _success("base64 behind a data: prefix", spoils.data_prefix),
    "url": _success("an https address instead of data", spoils.as_address),
    "data-url": _success("a data: address in `url`", spoils.as_data_address),
    "wrong-format": Fault(
        about="another format than asked for", shape="success", drawn=spoils.other_format
    ),
    "wrong-size": Fault(
        about="another size than asked for", shape="success", drawn=spoils.other_size
    ),
    "truncated-json": Fault(
        about="200 with JSON that ends in the middle", shape="success", sent=spoils.half
    ),
    "html-200": Fault(about="200 with an HTML page", shape="success", sent=spoils.as_page),
    "empty-body": Fault(about="200 without a body", shape="success", sent=lambda _: b""),
}

_TRANSPORT = {
    "reset": Fault(
        about="the connection is reset before anything is computed",
        shape="transport",
        error=lambda _: Response(502, {}, b"", "reset"),
    ),
    "lost": Fault(
        about="the picture is computed, then the connection is reset",
        shape="transport",
        transport="reset",
    ),
    "cut": Fault(
        about="the connection is closed in the middle of the body",
        shape="transport",
        transport="cut",
    ),
    "slow": Fault(about="the headers come late", shape="transport", transport="slow"),
    "drip": Fault(about="the body comes in drops", shape="transport", transport="drip"),
}

FAULTS: Mapping[str, Fault] = MappingProxyType(
    _GATEWAY_ERRORS | _WAITS | _PROVIDER_ERRORS | _SPOILED | _TRANSPORT
)
"""Every fault by the name that a plan or the header ``x-imagegen-fault`` gives it."""
