"""Errors of the package, and the form of their messages.

The tree::

    ImagegenError                   problem, accepted values, one next step
    ├── OptionError                 unknown option, or invalid value
    ├── DirectiveError              invalid directive as a whole
    ├── ImageError                  bytes that are not a supported image
    ├── StoreError                  folder or file that cannot be read or written
    │   └── NewerVersionError       file of a newer version of mkdocs-imagegen
    ├── GitError                    git is missing, or knows no such work tree or revision
    ├── NotGeneratedError           missing image that was not requested
    │   ├── NotCheckedOutError      the original is in git, but not in the work tree
    │   ├── NotSelectedError        only images of other pages are generated
    │   ├── OverBudgetError         above the budget of the run
    │   ├── EarlierRefusalError     refused by moderation in an earlier build
    │   ├── EarlierFailureError     charged without an image in earlier builds
    │   ├── StoppedError            run stopped before the request
    │   └── PendingError            generated later, while `mkdocs serve` runs
    └── GatewayError                failed request; has a billing class
        ├── CredentialError         PERMANENT  no credential, or an expired one
        ├── AuthenticationError     PERMANENT  401
        ├── InsufficientFundsError  PERMANENT  402, or 429 about money
        ├── ForbiddenError          PERMANENT  403
        ├── ModelUnavailableError   PERMANENT  the model is refused
        │   ├── ModelForbiddenError PERMANENT  403: not for this account
        │   └── ModelShutDownError  PERMANENT  the response names its end
        ├── RejectedRequestError    REFUSED    400, 413, 422, 424
        ├── ModerationError         REFUSED    prompt refused by moderation
        ├── UnreachableError        UNBILLED   no connection
        ├── RateLimitedError        UNBILLED   429 about the rate
        ├── ServerBusyError         UNBILLED   503 with a time to retry
        ├── OutcomeUnknownError     UNKNOWN    sent, without a usable response
        └── InvalidResponseError    BILLED     success without a usable image
            └── DownloadError       BILLED     linked image that cannot be fetched now

The billing class decides if a request is repeated, and how it counts against the budget. Pure: no
I/O, clock or environment.
"""

from __future__ import annotations

import enum
import re
from decimal import Decimal
from typing import ClassVar, TypeVar

from mkdocs_imagegen.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Location:
    """Location of a directive, as it is shown to the author.

    Attributes:
        page: Path of the page, relative to the working folder where possible.
        line: Line number from 1; None if the text is not in the page's file, as with includes.
        description: Number of the directive and its first words, for a location without a line.
    """

    page: str
    line: int | None = None
    description: str = ""

    def __str__(self) -> str:
        page = self.page.replace("\n", "\\n")  # in the name of a file
        if self.line is not None:
            return f"{page}:{self.line}"
        return f"{page}, {self.description}" if self.description else page


class ImagegenError(Exception):
    """Problem, accepted values and next step; the text of the error joins them.

    Args:
        fault: The problem, with the value received. Facts that differ between images of one cause,
            such as a server's text, are at its end in parentheses.
        accepted: Description of the accepted values.
        hint: One next step.
        cause: Earlier error that this one follows from, such as that of a reference image.

    Attributes:
        request_id: Ids from the response of a server, for a support request.
    """

    request_id: str | None = None

    def __init__(
        self,
        fault: str,
        *,
        accepted: str | None = None,
        hint: str | None = None,
        cause: ImagegenError | None = None,
    ) -> None:
        self.fault = fault
        self.accepted = accepted
        self.hint = hint
        self.cause = cause
        super().__init__(fault)

    def __str__(self) -> str:
        return self.text()

    def text(self, locations: str = "") -> str:
        """Return the text of the error, with the locations of its images after the problem."""
        accepted = f" ({self.accepted})" if self.accepted else ""
        hint = f"; {self.hint}" if self.hint else ""
        ids = f" [{self.request_id}]" if self.request_id else ""
        return f"{self.fault}{accepted}{locations}{hint}{ids}"

    @property
    def problem(self) -> str:
        """The problem without the facts in parentheses."""
        return self.fault.partition(" (")[0]

    @property
    def root(self) -> ImagegenError:
        """The error that this one follows from, directly or not; else the error itself."""
        return self.cause.root if self.cause else self


CONTROL = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
"""Control characters without tabs and line breaks, for a set of a pattern."""
_UNSEEN = re.compile(rf"[{CONTROL}\r\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def escape_unseen(text: str) -> str:
    r"""Return text with control and direction characters escaped, as in `\u009b`.

    For terminals, logs and JSON. Such characters can command a terminal, or hide and reorder other
    text. Line breaks and tabs stay. In JSON the result means the same text.
    """
    return _UNSEEN.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


E = TypeVar("E", bound=ImagegenError)


def unexpected(error: BaseException, kind: type[E]) -> E:
    """Return an error for an exception that only a defect of the package can raise."""
    fault = f"unexpected error: {type(error).__name__}: {error}"
    return kind(fault, hint="report it to the developers of mkdocs-imagegen")


class OptionError(ImagegenError):
    """Unknown option, or invalid value of an option."""


class SiteError(ImagegenError):
    """Missing configuration file of a site, or missing site generator."""


class DirectiveError(ImagegenError):
    """Invalid directive as a whole: no prompt, two prompts, an unclosed header."""


class ImageError(ImagegenError):
    """Bytes that are not an image, or an image of an unsupported format or size."""


class StoreError(ImagegenError):
    """Folder or file of mkdocs-imagegen that cannot be read or written."""


class NewerVersionError(StoreError):
    """File written by a newer version of mkdocs-imagegen; it may be intact."""


class GitError(ImagegenError):
    """Failed call of git: not installed, no work tree, an unknown revision or a missing object."""


class NotGeneratedError(ImagegenError):
    """Missing image that was not requested, with the reason."""


class NotCheckedOutError(NotGeneratedError):
    """Image whose original is in git, but not in the work tree."""


class NotSelectedError(NotGeneratedError):
    """Image that is not on one of the selected pages."""


class OverBudgetError(NotGeneratedError):
    """Image above the budget of the run.

    Args:
        fault: The problem.
        price_usd: Estimated cost of the image in US dollars; None if the price is unknown.
        hint: One next step.
    """

    def __init__(self, fault: str, price_usd: Decimal | None, *, hint: str | None = None) -> None:
        super().__init__(fault, hint=hint)
        self.price_usd = price_usd


class EarlierRefusalError(NotGeneratedError):
    """Prompt that moderation refused in an earlier build."""


class EarlierFailureError(NotGeneratedError):
    """Image that was charged in earlier builds and never returned; it is not requested now."""


class StoppedError(NotGeneratedError):
    """Image that was not requested because the run was stopped.

    Args:
        fault: The problem.
        cause: Error that stopped the run, with its next step; None for another reason.
    """

    def __init__(self, fault: str, cause: ImagegenError | None = None) -> None:
        super().__init__(fault, cause=cause)
        if cause is not None:
            self.accepted, self.hint = cause.accepted, cause.hint
            self.request_id = cause.request_id


class WithdrawnError(NotGeneratedError):
    """Image that no page needs any more, and that was not requested yet."""

    def __init__(self) -> None:
        super().__init__("no page needs this image any more")


class PendingError(NotGeneratedError):
    """Image that `mkdocs serve` generates later, when its prompt has stopped changing."""


def can_be_generated(error: ImagegenError | None) -> bool:
    """Return True if an image is missing only since this run generates none, or not of its page."""
    # Each reason for which a build does not generate an image has a class of its own.
    return error is None or type(error.root) in {NotGeneratedError, NotSelectedError}


class Billing(enum.Enum):
    """Billing class of a failed request: its charge, and if it may be repeated."""

    UNBILLED = "not charged; a repeated request may succeed"
    REFUSED = "not charged; a repeated request fails in the same way"
    UNKNOWN = "the image may have been generated and charged"
    BILLED = "charged, without a usable image"
    PERMANENT = "not charged; no further request of this run can succeed"


class GatewayError(ImagegenError):
    """Failed request to the gateway.

    Args:
        fault: The problem; contains no credential and no request header.
        hint: One next step.
        status: HTTP status; None without a response.
        request_id: Ids from the response, for a support request.
        retry_after_s: Seconds to wait, as requested by the server.

    Attributes:
        billing: Billing class of the error.
    """

    billing: ClassVar[Billing]

    def __init__(
        self,
        fault: str,
        *,
        hint: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(fault, hint=hint)
        self.status = status
        self.request_id = request_id
        self.retry_after_s = retry_after_s


class CredentialError(GatewayError):
    """No credential, or an expired one."""

    billing = Billing.PERMANENT


class AuthenticationError(GatewayError):
    """401: the server rejects the credential."""

    billing = Billing.PERMANENT


class InsufficientFundsError(GatewayError):
    """402, or a 429 about money: the account has no funds left."""

    billing = Billing.PERMANENT


class ForbiddenError(GatewayError):
    """403: the account has no permission."""

    billing = Billing.PERMANENT


class ModelUnavailableError(GatewayError):
    """Model that the server does not offer, or not to this account."""

    billing = Billing.PERMANENT


class ModelForbiddenError(ModelUnavailableError):
    """Model that the account may not use."""

    billing = Billing.PERMANENT


class ModelShutDownError(ModelUnavailableError):
    """Model that was shut down."""

    billing = Billing.PERMANENT


class RejectedRequestError(GatewayError):
    """Request that the server rejects; another request may succeed."""

    billing = Billing.REFUSED


class ModerationError(GatewayError):
    """Prompt that moderation refused."""

    billing = Billing.REFUSED


class UnreachableError(GatewayError):
    """No connection: the request was not sent."""

    billing = Billing.UNBILLED


class RateLimitedError(GatewayError):
    """429 about the rate of requests."""

    billing = Billing.UNBILLED


class ServerBusyError(GatewayError):
    """503 with a time to retry, or no response to a request that is free of charge."""

    billing = Billing.UNBILLED


class OutcomeUnknownError(GatewayError):
    """Request that was sent without a usable response; it may have been charged."""

    billing = Billing.UNKNOWN


class InvalidResponseError(GatewayError):
    """Successful response without a usable image.

    Args:
        fault: The problem.
        hint: One next step.
        status: HTTP status.
        body: Raw response that was charged and must be kept.
    """

    billing = Billing.BILLED

    def __init__(
        self,
        fault: str,
        *,
        hint: str | None = None,
        status: int | None = None,
        body: bytes | None = None,
    ) -> None:
        super().__init__(fault, hint=hint, status=status)
        self.body = body


class DownloadError(InvalidResponseError):
    """Link to an image that cannot be fetched now; a later attempt may succeed."""

    billing = Billing.BILLED
