"""An error from a server's refusal; pure.

A body comes in at least four shapes, or is none of them; what it means is decided by the first
row of :data:`RULES` that fits (fact sheet "gateway protocol", sections 4 and 7.6).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import timezone
from email.utils import parsedate_to_datetime

from mkdocs_imagegen.errors import (
    AuthenticationError,
    ForbiddenError,
    GatewayError,
    InsufficientFundsError,
    ModelUnavailableError,
    ModerationError,
    OutcomeUnknownError,
    RateLimitedError,
    RejectedRequestError,
    ServerBusyError,
)
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.gateway.bodies import strict_json
from mkdocs_imagegen.gateway.policy import MAX_ASKED_WAIT_S
from mkdocs_imagegen.gateway.quoting import identifier, quoted

_SECONDS = re.compile(r"\d{1,15}(\.\d{1,9})?", re.ASCII)
_NO_MODEL = re.compile(
    r"\b(unknown|invalid|no such) model\b"
    r"|\bmodels?\b.{0,100}\b(not found|not exist|retired|deprecated|shut down"
    r"|no longer (available|supported)|(not|un)available|not supported)\b",
    re.IGNORECASE | re.DOTALL,
)
"""A refusal that says in words that there is no such model, for servers that give no code."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a refusal's body says, whatever its shape.

    Attributes:
        text: the server's own words.
        words: every type, code and name in it, in lower case.
        generation_id: the server's name for the call, if it gave one.
    """

    text: str
    words: frozenset[str]
    generation_id: str | None


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table: which refusals it fits, and what they mean.

    Attributes:
        statuses: the HTTP statuses it is for.
        kind: the error it makes.
        fault: what is wrong, in our words.
        hint: one next step.
        words: fits only a body with one of these types or codes; empty: any body.
        says: fits only a body whose text matches; beside ``words``, either is enough.
        told_when: fits only an answer that says when to come back.
    """

    statuses: Collection[int]
    kind: type[GatewayError]
    fault: str
    hint: str | None = None
    words: frozenset[str] = frozenset()
    says: re.Pattern[str] | None = None
    told_when: bool = False

    def fits(self, status: int, complaint: Complaint, wait_s: float | None) -> bool:
        """Whether this row is for the refusal."""
        return (
            status in self.statuses
            and (wait_s is not None or not self.told_when)
            and (self._is_for_any_body or self._fits_body(complaint))
        )

    @property
    def _is_for_any_body(self) -> bool:
        return not self.words and self.says is None

    def _fits_body(self, complaint: Complaint) -> bool:
        said = self.says is not None and self.says.search(complaint.text) is not None
        return said or not self.words.isdisjoint(complaint.words)


_ANY = range(1000)
_REFUSALS = range(400, 500)
_KEEPS = "finished images are kept"
_CHARGED = "it may have been charged: look into the server's log before it is asked again"

RULES: tuple[Rule, ...] = (
    Rule(
        range(400, 600),
        ModerationError,
        "the prompt was refused by moderation",
        "reword the prompt",
        frozenset({"moderation_blocked", "content_policy_violation"}),
    ),
    Rule(
        _REFUSALS,
        InsufficientFundsError,
        "a budget of the account is used up",
        f"raise it or wait for the next period; {_KEEPS}",
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
        _REFUSALS,
        InsufficientFundsError,
        "the account has no credit left",
        f"top it up; {_KEEPS}",
        frozenset({"insufficient_funds", "insufficient_quota"}),
    ),
    Rule(
        _REFUSALS,
        AuthenticationError,
        "the key is not accepted",
        "check its value; a VERCEL_OIDC_TOKEN is renewed with `vercel env pull`",
        frozenset({"authentication_error", "auth_error", "invalid_api_key"}),
    ),
    Rule(
        (400, 404),
        ModelUnavailableError,
        "the server does not offer the model",
        "set `model` to one that it offers; images made by the old one stay in use",
        frozenset({"model_not_found"}),
        _NO_MODEL,
    ),
    Rule(
        (400,),
        RejectedRequestError,
        "no provider of the model fits what provider_options ask for",
        "take out zeroDataRetention, or choose another model",
        frozenset({"no_providers_available"}),
    ),
    Rule(
        (401,),
        AuthenticationError,
        "the key is not accepted",
        "check its value; a VERCEL_OIDC_TOKEN is renewed with `vercel env pull`",
    ),
    Rule((402,), InsufficientFundsError, "the account cannot pay", f"top it up; {_KEEPS}"),
    Rule(
        (403,),
        ForbiddenError,
        "the account has to be verified first",
        "add a card to the account, which the free credit needs too",
        frozenset({"customer_verification_required"}),
    ),
    Rule(
        (403,),
        ForbiddenError,
        "the account's plan or allow-list does not include this model",
        "buy credit, allow the model, or choose another one",
        frozenset({"restrictedmodelserror"}),
    ),
    Rule(
        (403,),
        ForbiddenError,
        "no provider of the model is allowed for this account",
        "allow one of its providers, or choose another model",
        frozenset({"no_providers_available", "restrictedproviderserror"}),
    ),
    Rule((403,), ForbiddenError, "the account may not do this", "ask who manages the account"),
    Rule(
        (404, 405),
        RejectedRequestError,
        "there is no image service at this address",
        "check gateway.url: it ends where /images/generations begins, mostly in /v1",
    ),
    Rule((413,), RejectedRequestError, "the request is too large", "shorten the prompt"),
    Rule(
        (424,),
        RejectedRequestError,
        "something that the request depends on failed",
        "try again later",
    ),
    Rule((408, 409, 460, 499), OutcomeUnknownError, "the server gave the request up", _CHARGED),
    Rule((429,), RateLimitedError, "too many requests for now", "lower `concurrency`"),
    Rule(_REFUSALS, RejectedRequestError, "the request is not accepted"),
    Rule((503,), ServerBusyError, "the server is busy", "try again later", told_when=True),
    Rule((303,), OutcomeUnknownError, "the server answers at another address", _CHARGED),
    Rule(
        range(300, 400),
        RejectedRequestError,
        "the server sends requests on to another address, which is never followed",
        "set gateway.url to the final address",
    ),
    Rule(_ANY, OutcomeUnknownError, "the server failed while it had the request", _CHARGED),
)
"""From refusal to error. Whatever fits no row before the last one has an unknown outcome."""


def read_error(status: int, headers: Mapping[str, str], body: bytes, now: float) -> GatewayError:
    """The error that a refusal stands for.

    Args:
        status: the HTTP status, not one of success.
        headers: the answer's headers.
        body: the answer's body, whatever it holds.
        now: seconds since 1970, for a date in ``Retry-After``.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    complaint = read_complaint(body)
    wait_s = retry_after_s(lower, now)
    rule = next((each for each in RULES if each.fits(status, complaint, wait_s)), RULES[-1])
    text = complaint.text
    if rule.statuses == range(300, 400):
        text = lower.get("location", "").partition("?")[0]
    said = f': "{quoted(text)}"' if quoted(text) else ""
    return rule.kind(
        f"{rule.fault} (status {status}){said}",
        hint=rule.hint,
        status=status,
        request_id=_request_id(complaint, lower),
        retry_after_s=wait_s,
    )


def read_complaint(body: bytes) -> Complaint:
    """What a refusal's body says: nested, flat, wrapped, the provider's own, or no JSON at all."""
    try:
        parsed = strict_json(body)
    except ValueError:
        parsed = None
    if not isinstance(parsed, Mapping):
        return Complaint(_decoded(body), frozenset(), None)
    error = parsed.get("error")
    source = error if isinstance(error, Mapping) else parsed
    texts = (error, source.get("message"), parsed.get("message"), parsed.get("detail"))
    text = next((each for each in texts if isinstance(each, str) and each), _decoded(body))
    return Complaint(text, _words(source), identifier(parsed.get("generationId")))


def retry_after_s(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds the server asks to wait, at most two minutes; None where it does not say.

    ``retry-after-ms`` comes before ``retry-after``, which is a number of seconds or a date. What
    cannot be read counts as not said.

    Args:
        headers: by name in lower case.
        now: seconds since 1970.
    """
    given_ms = headers.get("retry-after-ms", "").strip()
    given = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(given_ms):
        wait_s = float(given_ms) / 1000
    elif _SECONDS.fullmatch(given):
        wait_s = float(given)
    else:
        date = _epoch(given)
        if date is None:
            return None
        wait_s = max(date - now, 0.0)
    return min(wait_s, MAX_ASKED_WAIT_S)


def _epoch(date: str) -> float | None:
    try:
        read = parsedate_to_datetime(date[:100])
        return (read if read.tzinfo else read.replace(tzinfo=timezone.utc)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _words(source: Mapping[object, object]) -> frozenset[str]:
    param = source.get("param")
    inner = param if isinstance(param, Mapping) else {}
    given = [source.get("type"), source.get("code")]
    given += [inner.get(name) for name in ("name", "type", "code")]
    return frozenset(each.strip().lower() for each in given if isinstance(each, str))


def _decoded(body: bytes) -> str:
    return body[:4000].decode("utf-8", "replace")


def _request_id(complaint: Complaint, headers: Mapping[str, str]) -> str | None:
    given = (complaint.generation_id, headers.get("x-vercel-id"), headers.get("x-request-id"))
    return ", ".join(filter(None, map(identifier, given))) or None
