"""HTTP responses judged: the body of a success, or the error for any other response.

Pure, apart from the credential's value. An error's body has at least four shapes: ``error`` as an
object (https://developers.openai.com/api/docs/guides/error-codes), ``error`` as a string beside
``type`` (https://vercel.com/docs/ai-gateway/security-and-compliance/zdr), the provider's own body
(https://vercel.com/docs/ai-gateway/rate-limits), or the page of a proxy. The first row of
:data:`RULES` that fits decides which error it is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timezone
from email.utils import parsedate_to_datetime

from mkdocs_imagegen.errors import (
    AuthenticationError,
    ForbiddenError,
    GatewayError,
    InsufficientFundsError,
    InvalidResponseError,
    ModelForbiddenError,
    ModelShutDownError,
    ModelUnavailableError,
    ModerationError,
    OutcomeUnknownError,
    RateLimitedError,
    RejectedRequestError,
    ServerBusyError,
)
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.gateway.credentials import Credential
from mkdocs_imagegen.gateway.exchange import SUCCESS, ClientResponse
from mkdocs_imagegen.gateway.untrusted import as_mapping, parse_object, safe_id, safe_text

INVALID_MODEL, ENDED_MODEL = "invalid_model", "ended_model"
"""Codes of a response that names the parameter ``model``, or the end of the model that was sent.

No server sends them.
"""

MAY_BE_CHARGED = "it may have been charged: check the server's log before you generate it again"
"""Next step after a request with an unknown outcome."""

MAX_RETRY_AFTER_S = 86_400.0
"""Longest wait that is read from a response: a day."""

_MAX_SEARCHED = 2_000
_SECONDS = re.compile(r"\d{1,15}(\.\d{1,9})?", re.ASCII)
_NO_MODEL = re.compile(
    r"\b(unknown|invalid|no such) model\b"
    r"|\bmodels?\b.{0,100}\b(not found|not exist|not available|unavailable|not supported)\b",
    re.IGNORECASE | re.DOTALL,
)
"""Text about an unknown model, for servers that send no code."""

_END = "retired|deprecated|discontinued|decommissioned|no longer (?:available|supported|offered)"
_VERB = r"(?:(?:has|have|had)(?: now| already)? been|(?:is|was|are|were)(?: now| already)?)"

_ZERO_RETENTION = re.compile(r"zero data retention", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """Content of an error's body of any shape.

    Attributes:
        text: Message of the server.
        codes: Every type, code and name in it, in lower case.
        generation_id: The server's identifier of the request, if it gives one.
    """

    text: str
    codes: frozenset[str]
    generation_id: str | None


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table: the responses that it fits, and their error.

    Attributes:
        statuses: HTTP statuses.
        error: Class of the error.
        fault: The problem, without the server's text.
        hint: One next step.
        codes: Fits only a body with one of these types or codes; empty for any body.
        pattern: Fits only a body whose text matches. With ``codes``, either is enough.
        has_retry_after: True if it fits only a response that says how long to wait.
    """

    statuses: Collection[int]
    error: type[GatewayError]
    fault: str
    hint: str | None = None
    codes: frozenset[str] = frozenset()
    pattern: re.Pattern[str] | None = None
    has_retry_after: bool = False

    def fits(self, status: int, body: ErrorBody, wait_s: float | None) -> bool:
        """Return True if the row is for the response."""
        if status not in self.statuses or (self.has_retry_after and wait_s is None):
            return False
        if not self.codes and self.pattern is None:
            return True
        is_match = self.pattern is not None and self.pattern.search(body.text) is not None
        return is_match or not self.codes.isdisjoint(body.codes)


_ALL = range(1000)
_ERRORS = range(400, 600)
_SERVER_ERRORS = range(500, 600)
_CLIENT_ERRORS = range(400, 500)
_REDIRECTS = range(300, 400)
_OTHER_MODEL = "set `model` to another one; existing images stay in use"
_NOT_OFFERED = "the server does not offer the model"
_ADD_CREDIT = "add credit; finished images are kept"
_KEY_REJECTED = "the API key is not accepted"
_CHECK_KEY = "check its value; renew a VERCEL_OIDC_TOKEN with `vercel env pull`"

_BUSY = Rule((503,), ServerBusyError, "the server is busy", "try again later", has_retry_after=True)

RULES: tuple[Rule, ...] = (
    Rule(
        _ERRORS,
        ModerationError,
        "moderation refused the prompt",
        "reword the prompt",
        frozenset({"moderation_blocked", "content_policy_violation"}),
    ),
    Rule(
        _CLIENT_ERRORS,
        InsufficientFundsError,
        "a budget of the account is used up",
        "raise it or wait for the next period; finished images are kept",
        frozenset(
            {
                "quota_for_entity_exceeded",
                "billing_hard_limit_reached",
                "organization_spend_limit_exceeded",
                "project_spend_limit_exceeded",
                "budget_exceeded",
            }
        ),
    ),
    Rule(
        _CLIENT_ERRORS,
        InsufficientFundsError,
        "the account has no credit left",
        _ADD_CREDIT,
        frozenset({"insufficient_funds", "insufficient_quota"}),
    ),
    Rule(
        _CLIENT_ERRORS,
        AuthenticationError,
        _KEY_REJECTED,
        _CHECK_KEY,
        # The last one is LiteLLM's response to a wrong key if it has no database of keys.
        frozenset({"authentication_error", "auth_error", "invalid_api_key", "no_db_connection"}),
    ),
    Rule(
        (400, 403, 404, 422, 500, 501, 502),
        ModelShutDownError,
        "the model was shut down",
        _OTHER_MODEL,
        frozenset({"model_deprecated", "model_retired", "model_shut_down", ENDED_MODEL}),
    ),
    Rule((410,), ModelShutDownError, "the model was shut down", _OTHER_MODEL),
    Rule(
        (400, 404),
        RejectedRequestError,
        "no provider of the model meets provider_options",
        "remove zeroDataRetention, or choose another model",
        pattern=_ZERO_RETENTION,
    ),
    Rule(
        (403,),
        ModelForbiddenError,
        "the account's plan or allowlist does not include the model",
        "add credit, allow the model, or choose another one",
        frozenset({"restrictedmodelserror"}),
    ),
    Rule(
        (403,),
        ModelForbiddenError,
        "no provider of the model is allowed for the account",
        "allow one of its providers, or choose another model",
        frozenset({"no_providers_available", "restrictedproviderserror"}),
    ),
    Rule(
        (400, 403, 404, 422),
        ModelUnavailableError,
        _NOT_OFFERED,
        _OTHER_MODEL,
        frozenset({"model_not_found", "no_providers_available", INVALID_MODEL}),
        _NO_MODEL,
    ),
    _BUSY,
    Rule(
        _SERVER_ERRORS,
        ModelUnavailableError,
        _NOT_OFFERED,
        _OTHER_MODEL,
        frozenset({"model_not_found", "no_providers_available"}),
        re.compile(r"\b(model_not_found|no_providers(_available)?)\b"),
    ),
    Rule((401,), AuthenticationError, _KEY_REJECTED, _CHECK_KEY),
    Rule((402,), InsufficientFundsError, "the account cannot pay", _ADD_CREDIT),
    Rule(
        (403,),
        ForbiddenError,
        "the account is not verified",
        "add a card to the account; the free credit needs one too",
        frozenset({"customer_verification_required"}),
    ),
    Rule(
        (403,),
        ForbiddenError,
        "the account has no permission for this request",
        "ask the owner of the account",
    ),
    Rule(
        (404, 405),
        RejectedRequestError,
        "gateway.url is not the URL of an image API",
        "check gateway.url: it ends before /images/generations, usually with /v1",
    ),
    Rule(
        (413,),
        RejectedRequestError,
        "the request is too large",
        "shorten the prompt or use smaller reference images",
    ),
    Rule((424,), RejectedRequestError, "a dependency of the request failed", "try again later"),
    Rule(
        (408, 409, 460, 499),
        OutcomeUnknownError,
        "the server gave up on the request",
        MAY_BE_CHARGED,
    ),
    Rule(
        (429,),
        RateLimitedError,
        "too many requests",
        "build again later, or set a longer `max_wait`",
    ),
    Rule(_CLIENT_ERRORS, RejectedRequestError, "the request is not accepted"),
    Rule((303,), OutcomeUnknownError, "the server responds at another URL", MAY_BE_CHARGED),
    Rule(
        _REDIRECTS,
        RejectedRequestError,
        "the server redirects requests, and redirects are never followed",
        "set gateway.url to the final URL",
    ),
    Rule(_ALL, OutcomeUnknownError, "the server failed during the request", MAY_BE_CHARGED),
)
"""From response to error. The last row fits every other response: its outcome is unknown."""


def success_body(
    response: ClientResponse, credential: Credential | None, now: float, model: str = ""
) -> bytes:
    """Return the body of a successful response, without the credential if the server repeats it.

    Args:
        response: Response of the server.
        credential: Credential that was sent, or None.
        now: Unix time in seconds.
        model: Model that was sent; ``""`` for none.

    Raises:
        GatewayError: If the response is not successful, or its body is incomplete.
    """
    body = credential.redact_around_data(response.body) if credential else response.body
    if response.status in SUCCESS:
        if not response.problem:
            return body
        fault = f"the server's response cannot be used: {response.problem}"
        raise InvalidResponseError(fault, body=body, status=response.status)
    error = read_error(response.status, response.headers, response.body, now, model)
    if isinstance(error, AuthenticationError) and credential:
        error.hint = credential.advice
    raise error


def as_unbilled(error: OutcomeUnknownError) -> ServerBusyError:
    """Return the error of a request that is free, so that its unknown outcome costs nothing."""
    hint = "the request is free; try again later"
    return ServerBusyError(error.fault, hint=hint, status=error.status, request_id=error.request_id)


def read_error(
    status: int, headers: Mapping[str, str], body: bytes, now: float, model: str = ""
) -> GatewayError:
    """Return the error for a response that is not successful.

    Args:
        status: HTTP status.
        headers: Headers of the response.
        body: Body of the response, of any shape.
        now: Unix time in seconds, for a date in ``Retry-After``.
        model: Model that was sent; ``""`` for none.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    content = read_error_body(body)
    if _names_end(content.text, model, is_certain=status in _CLIENT_ERRORS):
        content = replace(content, codes=content.codes | {ENDED_MODEL})
    wait_s = retry_after_s(lower, now)
    rule = next((each for each in RULES if each.fits(status, content, wait_s)), RULES[-1])
    text = content.text
    if rule.statuses == _REDIRECTS:
        text = lower.get("location", "").partition("?")[0]
    quote = f': "{safe_text(text)}"' if safe_text(text) else ""
    return rule.error(
        f"{rule.fault} (status {status}){quote}",
        hint=rule.hint,
        status=status,
        request_id=_request_id(content, lower),
        retry_after_s=wait_s,
    )


def _names_end(text: str, model: str, *, is_certain: bool) -> bool:
    """Return True if a text says that the model that was sent has ended.

    Args:
        text: Message of the server.
        model: The model.
        is_certain: True if the request was certainly not charged. Else the text has to name the
            model, since "the model was shut down" may be about a worker that had begun.
    """
    names = [re.escape(each) for each in {model, model.rpartition("/")[2]} if each]
    if not names:
        return False
    ends = _END
    if is_certain:
        names += ["(?:the|this|requested) model"]
        ends += "|shut ?down"
    pattern = rf"(?<![\w/.-])(?:{'|'.join(names)})['\"`]?,? {_VERB} (?:{ends})\b"
    return re.search(pattern, text[:_MAX_SEARCHED], re.IGNORECASE) is not None


def read_error_body(body: bytes) -> ErrorBody:
    """Return the content of an error's body: nested, flat, wrapped, the provider's, or text."""
    parsed = parse_object(body)
    if parsed is None:
        return ErrorBody(_decode(body), frozenset(), None)
    error = parsed.get("error")
    source = error if isinstance(error, Mapping) else parsed
    texts = (error, source.get("message"), parsed.get("message"), parsed.get("detail"))
    text = next((each for each in texts if isinstance(each, str) and each), _decode(body))
    return ErrorBody(text, _codes(source), safe_id(parsed.get("generationId")))


def retry_after_s(headers: Mapping[str, str], now: float) -> float | None:
    """Return the wait in seconds that the server requests, at most ``MAX_RETRY_AFTER_S``, or None.

    ``retry-after-ms``, which OpenAI sends, comes before ``retry-after``, a number of seconds or a
    date (RFC 9110, section 10.2.3). Any other value counts as missing.

    Args:
        headers: Headers by lower-case name.
        now: Unix time in seconds, for a response without a ``Date`` of its own.
    """
    given_ms = headers.get("retry-after-ms", "").strip()
    given = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(given_ms):
        wait_s = float(given_ms) / 1000
    elif _SECONDS.fullmatch(given):
        wait_s = float(given)
    else:
        date = _unix_time(given)
        if date is None:
            return None
        sent_at = _unix_time(headers.get("date", ""))  # the clock of this machine may be wrong
        wait_s = max(date - (now if sent_at is None else sent_at), 0.0)
    return min(wait_s, MAX_RETRY_AFTER_S)


def _unix_time(date: str) -> float | None:
    try:
        read = parsedate_to_datetime(date[:100])
        return (read if read.tzinfo else read.replace(tzinfo=timezone.utc)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _codes(source: Mapping[str, object]) -> frozenset[str]:
    param = as_mapping(source.get("param"))
    given = [source.get("type"), source.get("code")]
    given += [param.get(name) for name in ("name", "type", "code")]
    if source.get("param") == "model" and "missing_parameter" not in given:
        given += [INVALID_MODEL]
    return frozenset(each.strip().lower() for each in given if isinstance(each, str))


def _decode(body: bytes) -> str:
    return body[:4000].decode("utf-8", "replace")


def _request_id(content: ErrorBody, headers: Mapping[str, str]) -> str | None:
    given = (content.generation_id, headers.get("x-vercel-id"), headers.get("x-request-id"))
    return ", ".join(filter(None, map(safe_id, given))) or None
