"""Faults that the emulator can produce, by name.

A fault with an error is answered at once and free of charge. All others draw the images, charge for
them and spoil the delivery: the drawing, the content, or the way it travels over a socket. The
errors are those of https://vercel.com/docs/ai-gateway and of
https://developers.openai.com/api/docs/guides/error-codes. Pure: no I/O, clock or environment.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from mkdocs_imagegen.emulator import fault_bodies as bodies
from mkdocs_imagegen.emulator.responses import (
    NO_ZERO_RETENTION,
    html_page,
    model_not_found,
    nested_error,
    no_provider,
    wrapped_error,
)
from mkdocs_imagegen.emulator.wire_types import DrawRequest, DrawResult, HttpResponse
from mkdocs_imagegen.errors import OptionError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.option_parsers import did_you_mean, quote_value

OK = "ok"
"""Entry of a plan for a request without a fault."""

_MAX_SIMILAR = 14

SHAPES: Mapping[str, str] = MappingProxyType(
    {
        "A": "nested: the usual error of the gateway",
        "B": "flat: `error` is a string",
        "C": "nested: an error of the provider, wrapped by the gateway",
        "D": "nested: an error of the provider, unchanged",
        "E": "HTML, text or an empty body, from a server in front of the gateway",
        "success": "the image is generated, and the response has a fault",
        "transport": "the connection misbehaves",
    }
)

RetryAfter = str | Callable[[float], str]


@dataclass(frozen=True, slots=True)
class FaultCase:
    """Row of the table of faults.

    Attributes:
        about: Description in one line.
        shape: Key in ``SHAPES``.
        error: Function that returns the error response, given the requested model and the seconds
            since 1970; None if images are drawn.
        only_with: Request field without which the fault does not occur.
        change_request: Function that changes the images to draw.
        change_result: Function that changes the result before it is serialized.
        change_response: Function that changes the response before it is sent.
        transport: Key in ``fault_transports.TRANSPORTS``; None for normal delivery.
    """

    about: str
    shape: str = "success"
    error: Callable[[str, float], HttpResponse] | None = None
    only_with: str | None = None
    change_request: Callable[[DrawRequest], DrawRequest] = lambda request: request
    change_result: Callable[[DrawResult], DrawResult] = lambda result: result
    change_response: Callable[[HttpResponse], HttpResponse] = lambda response: response
    transport: str | None = None

    @property
    def is_charged(self) -> bool:
        """True if images are drawn and charged despite the fault."""
        return self.error is None


NO_FAULT = FaultCase("no fault")


def _error(shape: str, about: str, response: HttpResponse, only_with: str = "") -> FaultCase:
    return FaultCase(about, shape, lambda *_: response, only_with or None)


def _gateway(status: int, kind: str, message: str, param: object = None) -> FaultCase:
    return _error("A", message, nested_error(status, kind, message, param=param))


def _unknown_model(status: int) -> FaultCase:
    about = f"{status}: the model is unknown or was shut down"
    return FaultCase(about, "A", lambda model, _: model_not_found(model, status))


def _ended(
    status: int, message: str, code: str | None = None, param: str | None = None
) -> FaultCase:
    """Return OpenAI's error for a model that was shut down; ``{}`` is its id without the maker."""

    def error(model: str, _: float) -> HttpResponse:
        text = message.format(model.rpartition("/")[2])
        return nested_error(status, _INVALID, text, param=param, code=code)

    return FaultCase(f"{status}: {message.format('…')}", "D", error)


def _ended_at_provider(model: str, _: float) -> HttpResponse:
    message = f"The model '{model.rpartition('/')[2]}' has been deprecated."
    return wrapped_error(502, message, is_retryable=False)


def _retry(
    status: int, about: str, after: RetryAfter | None = None, after_ms: str | None = None
) -> FaultCase:
    def error(_: str, now: float) -> HttpResponse:
        return bodies.retry_later(status, after(now) if callable(after) else after, after_ms)

    return FaultCase(f"{status} {about}", "A", error)


def _no_provider(status: int, message: str) -> FaultCase:
    return FaultCase(f"{message}…", "B", lambda model, _: no_provider(status, message, model))


def _wrapped(status: int, message: str) -> FaultCase:
    return _error("C", message, wrapped_error(status, message))


def _openai(
    status: int, kind: str, code: str | None, message: str, param: str | None = None
) -> FaultCase:
    return _error("D", message, nested_error(status, kind, message, param=param, code=code))


def _quota(code: str, message: str) -> FaultCase:
    return _openai(429, "insufficient_quota", code, message)


def _html(status: int, title: str) -> FaultCase:
    return _error("E", f"{status} as an HTML page", html_page(status, f"{status} {title}"))


def _raw(status: int, about: str, part: bytes = b"", count: int = 1) -> FaultCase:
    return FaultCase(about, "E", lambda *_: HttpResponse(status, {}, part * count))


def _redirect(status: int, about: str) -> FaultCase:
    headers = {"location": "http://169.254.169.254/latest/meta-data/"}
    return _error("E", about, HttpResponse(status, headers, b""))


_INVALID = "invalid_request_error"
_NO_PROVIDERS = "no_providers_available"
_OVER_BUDGET = "quota_for_entity_exceeded"

_DEPRECATED = "The model '{}' has been deprecated."
_NO_PROVIDER = "No providers available for model:"

_SHUTDOWNS = {
    "model-not-found": _unknown_model(404),
    "shut-down-404-deprecated": _ended(404, _DEPRECATED, "model_not_found"),
    "shut-down-404-missing": _ended(404, "The model '{}' does not exist.", "model_not_found"),
    "shut-down-400-deprecated": _ended(400, _DEPRECATED),
    "shut-down-410": _ended(410, "The model '{}' has been shut down.", "model_not_found"),
    "shut-down-410-gone": _raw(410, "410 with the word Gone", b"Gone"),
    "shut-down-400-code": _ended(400, "Choose another model.", "model_deprecated"),
    "shut-down-400-value": _ended(
        400,
        "Invalid value: '{}'. Supported values are: 'gpt-image-2' and 'gpt-image-2.5-flare'.",
        "invalid_value",
        "model",
    ),
    "shut-down-403": _ended(
        403, "The project does not have access to model '{}'.", "model_not_found"
    ),
    "shut-down-404-provider": _no_provider(404, _NO_PROVIDER),
    "shut-down-400-provider": _no_provider(400, _NO_PROVIDER),
    "shut-down-502": FaultCase(
        "502: the provider reports a deprecated model", "C", _ended_at_provider
    ),
    "shut-down-500": _gateway(
        500, "internal_server_error", "All providers failed: model_not_found."
    ),
    "shut-down-503": _no_provider(503, _NO_PROVIDER),
}

SHUTDOWN_FAULTS = tuple(_SHUTDOWNS)
"""Names of the faults that answer as servers do for a model that was shut down."""

_ERRORS = {
    **_SHUTDOWNS,
    "missing-parameter": _error("A", "the model is missing", bodies.missing_model()),
    "invalid-request": _gateway(400, _INVALID, "An option's value is invalid."),
    "zero-data-retention": _no_provider(400, NO_ZERO_RETENTION),
    "authentication": _gateway(401, "authentication_error", "The API key is invalid or revoked."),
    "insufficient-funds": _gateway(
        402, "insufficient_funds", "Insufficient funds: no credit left."
    ),
    "budget-exceeded": _gateway(402, _OVER_BUDGET, "Budget exceeded: spent $5.00 of $5.00."),
    "budget-exceeded-403": _gateway(403, _OVER_BUDGET, "Budget exceeded."),
    "budget-exceeded-429": _gateway(429, _OVER_BUDGET, "Budget exceeded."),
    "customer-verification": _gateway(
        403,
        "customer_verification_required",
        "AI Gateway requires a valid credit card on file to service requests.",
    ),
    "restricted-model": _gateway(
        403,
        _NO_PROVIDERS,
        "The free tier does not include this model.",
        {"name": "RestrictedModelsError"},
    ),
    "restricted-provider": _no_provider(
        403, "The provider allowlist leaves no provider for model:"
    ),
    "restricted-provider-nested": _gateway(
        403,
        _NO_PROVIDERS,
        "The provider allowlist leaves no provider.",
        {"name": "RestrictedProvidersError"},
    ),
    "forbidden": _gateway(
        403, "forbidden", "A routing rule denies this request.", {"ruleId": "rule_emulator"}
    ),
    "plan-lacks-zdr": _gateway(403, "forbidden", "The plan has no zero data retention."),
    "model-not-found-400": _unknown_model(400),
    "not-found": _gateway(404, "not_found", "The resource does not exist."),
    "method-not-allowed": _gateway(405, "method_not_allowed", "Only GET is accepted here."),
    "conflict": _gateway(409, "conflict", "The request is already being processed."),
    "unprocessable": _error("D", "422 with `detail`, as of other servers", bodies.detail()),
    "failed-dependency": _gateway(424, "failed_dependency", "A dependency of the request failed."),
    "rate-limit": _retry(429, "without Retry-After"),
    "internal-error": _gateway(500, "internal_server_error", "Internal server error."),
    "unavailable": _retry(503, "without Retry-After"),
    "request-timeout": _gateway(408, "timeout_error", "The request timed out."),
    "too-large": _gateway(413, _INVALID, "The request body is too large."),
    "gateway-timeout": _gateway(504, "timeout_error", "The provider did not answer in time."),
    "retry-after": _retry(429, "with Retry-After in seconds", "1"),
    "retry-after-503": _retry(503, "with Retry-After in seconds", "1"),
    "retry-after-date": _retry(429, "with Retry-After as an HTTP date", bodies.in_two_seconds),
    "retry-after-ms": _retry(429, "with retry-after-ms and a longer Retry-After", "30", "150"),
    "retry-after-hour": _retry(429, "with Retry-After of one hour", "3600"),
    "retry-after-hostile": _retry(429, "with unusable waiting times", "9" * 400, "-1e999"),
    "retry-after-year-9999": _retry(
        429, "with Retry-After as the last possible date", "Fri, 31 Dec 9999 23:59:59 GMT"
    ),
    "retry-after-past": _retry(
        429, "with Retry-After as a date in the past", "Thu, 01 Jan 1970 00:00:00 GMT"
    ),
    "retry-after-negative": _retry(429, "with Retry-After: -5", "-5"),
    "retry-after-503-nan": _retry(503, "with Retry-After: nan", "nan"),
    "retry-after-nan": _retry(429, "with Retry-After: nan", "nan"),
    "moderation-blocked": _error(
        "D", "the safety system rejects the prompt", bodies.moderation_blocked()
    ),
    "moderation-wrapped": _wrapped(400, "Your request was rejected by the safety system."),
    "content-policy": _openai(
        400, _INVALID, "content_policy_violation", "The prompt violates the content policy."
    ),
    "invalid-value": _openai(400, _INVALID, "invalid_value", "Invalid value: '7x7'.", "size"),
    "unknown-parameter": _openai(
        400, _INVALID, "unknown_parameter", "Unknown parameter: 'style'.", "style"
    ),
    "invalid-image": _openai(400, _INVALID, "invalid_image_format", "Invalid image.", "image"),
    "response-format-refused": _error(
        "D",
        "400 if response_format is sent, as at OpenAI",
        bodies.response_format_refused(),
        only_with="response_format",
    ),
    "provider-key": _openai(401, _INVALID, "invalid_api_key", "Incorrect API key."),
    "provider-rate-limit": _error(
        "D", "429 of the provider, about images per minute", bodies.images_per_minute()
    ),
    "insufficient-quota": _quota("insufficient_quota", "You exceeded your current quota."),
    "billing-hard-limit": _quota("billing_hard_limit_reached", "Billing hard limit reached."),
    "organization-spend-limit": _quota("organization_spend_limit_exceeded", "Spend limit reached."),
    "project-spend-limit": _quota("project_spend_limit_exceeded", "Spend limit reached."),
    "server-error": _openai(500, "server_error", None, "The server had an error."),
    "image-server-error": _openai(
        500, "image_generation_server_error", None, "The image could not be generated."
    ),
    "wrapped-error": _wrapped(502, "The provider failed."),
    "html": _html(502, "Bad Gateway"),
    "html-503": _html(503, "Service Unavailable"),
    "empty-502": _raw(502, "502 without a body"),
    "html-429": _error("E", "429 as an HTML page, with Retry-After", bodies.html_429()),
    "client-closed": _html(499, "Client Closed Request"),
    "huge-error": _raw(500, "500 with ten million characters", b"x", 10_000_000),
    "nested-error": _raw(500, "500 with 200,000 brackets", b"[", 200_000),
    "bomb-error": FaultCase(
        "500 with a megabyte that decompresses to a gigabyte",
        "E",
        lambda *_: bodies.gzip_bomb(HttpResponse(500, {}, b"")),
    ),
    "redirect": _redirect(302, "302 to a URL that reveals secrets"),
    "redirect-307": _redirect(307, "307, which repeats the request at another URL"),
}


def _result(about: str, change: Callable[[DrawResult], DrawResult]) -> FaultCase:
    return FaultCase(about, change_result=change)


def _response(about: str, change: Callable[[HttpResponse], HttpResponse]) -> FaultCase:
    return FaultCase(about, change_response=change)


def _images(about: str, change: Callable[[str], str]) -> FaultCase:
    return _result(about, lambda result: replace(result, images=tuple(map(change, result.images))))


def _file(about: str, content: bytes) -> FaultCase:
    return _images(about, lambda _: base64.b64encode(content).decode("ascii"))


def _body(about: str, content: bytes) -> FaultCase:
    return _response(about, lambda response: replace(response, body=content))


def _cost(about: str, number: bytes) -> FaultCase:
    return _response(about, lambda response: bodies.set_raw_cost(response, number))


def _encoding(about: str, name: str) -> FaultCase:
    header = {"content-encoding": name}
    return _response(about, lambda response: bodies.add_headers(response, header))


def _late(status: int, kind: str) -> FaultCase:
    response = nested_error(status, kind, "The response came too late.")
    return _response(f"{status} after the image was generated", lambda _: response)


_SPOILED = {
    "camel-case-metadata": _result(
        "metadata as providerMetadata", lambda result: replace(result, is_camel_case=True)
    ),
    "no-metadata": _result(
        "no metadata, so no cost and no sketch mark", lambda result: replace(result, metadata=None)
    ),
    "numeric-cost": _result("the cost as a number instead of a string", bodies.numeric_cost),
    "odd-cost": _result(
        "the cost as a string that is not a number", lambda result: bodies.set_cost(result, "free")
    ),
    "empty-data": _result("200 without images", lambda result: replace(result, images=())),
    "empty-picture": _file("an image of zero bytes", b""),
    "bad-base64": _images("invalid base64", lambda image: f"{image[:20]}!*{image[20:]}"),
    "not-an-image": _file("valid base64 of a text", b"this is not an image"),
    "svg": _file("an SVG file with a script instead of an image", bodies.SVG_WITH_SCRIPT),
    "half-image": _images("a truncated image", lambda image: image[: len(image) // 8 * 4]),
    "data-prefix": _result("base64 after a data: prefix", bodies.as_data_urls),
    "url": _result("an https URL instead of data", bodies.as_urls),
    "data-url": _result(
        "a data: URL in `url`", lambda result: replace(bodies.as_data_urls(result), is_url=True)
    ),
    "wrong-format": FaultCase("an image in another format", change_request=bodies.other_format),
    "wrong-size": FaultCase("an image of another size", change_request=bodies.other_size),
    "truncated-json": _response("200 with truncated JSON", bodies.halve),
    "html-200": _body("200 with an HTML page", html_page(200, "Welcome to the network").body),
    "empty-body": _body("200 without a body", b""),
    "null-200": _body("200 with null", b"null"),
    "list-200": _body("200 with a list", b"[]"),
    "odd-data": _body("200 with an object as data", b'{"data":{"0":{"b64_json":"AAAA"}}}'),
    "odd-picture": _body("200 with a number as an image", b'{"data":[{"b64_json":7}]}'),
    "error-200": _body(
        "200 with an error", nested_error(500, "internal_server_error", "Internal error.").body
    ),
    "accepted": _response("202: the image will be delivered later", lambda _: bodies.accepted()),
    "no-content": _response("204", lambda _: HttpResponse(204, {}, b"")),
    "nan": _cost("NaN as the cost", b"NaN"),
    "infinite-cost": _cost("1e999 as the cost", b"1e999"),
    "giant-number": _cost("a cost of 100,000 digits", b"9" * 100_000),
    "nested-json": _body("200 with 200,000 nested brackets", b"[" * 200_000),
    "wide-json": _response("200 with five million empty lists", bodies.json_bomb),
    "gzip": _response("a valid response, compressed without a request for it", bodies.compress),
    "cut-gzip": _response(
        "a truncated compressed response", lambda response: bodies.halve(bodies.compress(response))
    ),
    "broken-gzip": _encoding("declared as compressed, but not compressed", "gzip"),
    "brotli": _encoding("declared in an encoding that was not requested", "br"),
    "bomb": _response("a megabyte that decompresses to a gigabyte", bodies.gzip_bomb),
    "late-error": _late(500, "internal_server_error"),
    "late-bad-gateway": _late(502, "internal_server_error"),
    "late-timeout": _late(504, "timeout_error"),
}


def _lost(transport: str, about: str) -> FaultCase:
    response = HttpResponse(502, {}, b"", transport)
    return FaultCase(about, "transport", lambda *_: response)


def _transport(transport: str, about: str) -> FaultCase:
    return FaultCase(about, "transport", transport=transport)


_CONNECTIONS = {
    "reset": _lost("reset", "the connection is reset before an image is generated"),
    "closed": _lost("close", "the connection is closed before an image is generated"),
    "lost": _transport("reset", "the image is generated, then the connection is reset"),
    "hung-up": _transport("close", "the image is generated, then the connection is closed"),
    "silence": _transport("silence", "the image is generated, and no byte is sent"),
    "slow": _transport("slow", "the headers arrive late"),
    "drip-head": _transport("drip-head", "the headers arrive in small pieces"),
    "endless-head": _transport("endless-head", "the headers never end"),
    "cut-head": _transport("cut-head", "the connection is closed within the headers"),
    "huge-header": _transport("huge-header", "a header of one megabyte"),
    "garbage-status": _transport("garbage", "an invalid status line"),
    "informing": _transport("informing", "40 interim responses before the final one"),
    "drip": _transport("drip", "the body arrives in small pieces"),
    "stall": _transport("stall", "the body stops halfway and the connection stays open"),
    "endless": _transport("endless", "the body never ends"),
    "cut": _transport("cut", "the connection is closed within the body"),
    "short-length": _transport("short-length", "Content-Length is half the length of the body"),
    "long-length": _transport("long-length", "Content-Length exceeds the length of the body"),
    "two-lengths": _transport("two-lengths", "two different values of Content-Length"),
    "no-length": _transport("no-length", "a valid body that ends with the connection"),
    "chunked": _transport("chunked", "a valid body in chunks"),
    "cut-chunks": _transport("cut-chunks", "chunks without the last one"),
    "broken-chunks": _transport("broken-chunks", "chunks followed by an invalid one"),
}

FAULTS: Mapping[str, FaultCase] = MappingProxyType({**_ERRORS, **_SPOILED, **_CONNECTIONS})
"""Faults by the name used in a plan and in the header ``x-imagegen-fault``."""


def find_fault(name: str) -> FaultCase:
    """Return the fault of a name; for ``ok``, a fault that changes no response.

    Raises:
        OptionError: If there is no fault of that name.
    """
    if name == OK:
        return NO_FAULT
    if name not in FAULTS:
        similar = ", ".join([each for each in FAULTS if name in each][:_MAX_SIMILAR])
        hint = did_you_mean(name, [OK, *FAULTS]) or "`mkdocs-imagegen emulator --help` names some"
        raise OptionError(
            f"unknown fault {quote_value(name)}",
            accepted=f"similar: {similar}" if similar else None,
            hint=None if similar else hint,
        )
    return FAULTS[name]
