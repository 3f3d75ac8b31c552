"""Every error of this package, and how an error is worded.

The tree::

    ImagegenError                 place, fault, what is accepted, one next step
    ├── OptionError               an option's name or value is not accepted
    ├── DirectiveError            a directive as a whole makes no sense
    ├── PictureError              bytes that are no image we accept
    ├── StoreError                the disk said no
    │   └── NewerVersionError     a newer version of ours wrote it
    ├── NotMadeError              an image that was not asked for, and why
    │   ├── NotAskedForError      only the images of other pages are made
    │   ├── OverBudgetError       the run's budget does not hold it
    │   ├── RefusedBeforeError    moderation refused it in an earlier build
    │   ├── StoppedError          the run was stopped before its turn
    │   └── WaitingError          it will be made beside the server
    └── GatewayError              the gateway did not give an image; has a billing class
        ├── CredentialError       PERMANENT  no credential, or one that has run out
        ├── AuthenticationError   PERMANENT  401: the credential is not accepted
        ├── FundsError            PERMANENT  402, or 429 about money: nothing left to spend
        ├── ForbiddenError        PERMANENT  403: the account may not do this
        ├── ModelGoneError        PERMANENT  404: the gateway does not offer the model
        ├── RejectedError         REFUSED    400, 413, 422, 424: this request is not accepted
        ├── ModerationError       REFUSED    the prompt was refused by moderation
        ├── UnreachableError      UNBILLED   no connection was made
        ├── RateLimitedError      UNBILLED   429 about speed
        ├── ServerBusyError             UNBILLED   503 that says when to come back
        ├── OutcomeUnknownError   UNKNOWN    sent, and no usable answer came back
        └── BadAnswerError        BILLED     a success that holds no usable image
            └── DownloadError         BILLED     it links to one that cannot be fetched now

Billing classes decide what happens next (fact sheet "reliability", section 4.1).
"""

from __future__ import annotations

import enum
from decimal import Decimal
from typing import ClassVar

from mkdocs_imagegen.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Location:
    """Where something stands.

    Attributes:
        page: a page's path as the author knows it.
        line: from 1; None where the source file does not hold it, as with includes.
        words: how to find it without a line.
    """

    page: str
    line: int | None = None
    words: str = ""

    def __str__(self) -> str:
        if self.line is not None:
            return f"{self.page}:{self.line}"
        return f"{self.page}, {self.words}" if self.words else self.page


class ImagegenError(Exception):
    """A fault with what is accepted instead and one next step; its text is all three.

    Args:
        fault: what is wrong, with the value received.
        accepted: what would have been accepted, in words.
        hint: one next step.
    """

    def __init__(self, fault: str, *, accepted: str | None = None, hint: str | None = None) -> None:
        self.fault = fault
        self.accepted = accepted
        self.hint = hint
        super().__init__(fault)

    def __str__(self) -> str:
        accepted = f" ({self.accepted})" if self.accepted else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{self.fault}{accepted}{hint}"


class OptionError(ImagegenError):
    """An option's name or value is not accepted."""


class DirectiveError(ImagegenError):
    """A directive as a whole makes no sense: no prompt, two prompts, an unclosed header."""


class ImageError(ImagegenError):
    """Bytes that are no image, or an image of a kind or size that is not accepted."""


class StoreError(ImagegenError):
    """A folder or file of ours cannot be read or written."""


class NewerVersionError(StoreError):
    """A newer version of ours wrote it; it may be whole."""


class NotGeneratedError(ImagegenError):
    """A image that was not asked for, and why."""


class NotSelectedError(NotGeneratedError):
    """Only the images of other pages are to be made."""


class OverBudgetError(NotGeneratedError):
    """The run's budget does not hold the image.

    Args:
        fault: as for every error.
        price_usd: what it would cost in dollars; None where the price is not known.
        hint: as for every error.
    """

    def __init__(self, fault: str, price_usd: Decimal | None, *, hint: str | None = None) -> None:
        super().__init__(fault, hint=hint)
        self.price_usd = price_usd


class EarlierRefusalError(NotGeneratedError):
    """Moderation refused the prompt in an earlier build."""


class StoppedError(NotGeneratedError):
    """The run was stopped before this image's turn came."""


class PendingError(NotGeneratedError):
    """The image will be made beside the server, once its prompt has rested."""


class Billing(enum.Enum):
    """What an outcome means for the bill, and so what may be done next."""

    UNBILLED = "nothing was charged, and asking again may help"
    REFUSED = "nothing was charged, and asking again gives the same answer"
    UNKNOWN = "the image may have been made and charged"
    BILLED = "charged, and no usable image came back"
    PERMANENT = "no request of this run can succeed"


class GatewayError(ImagegenError):
    """The gateway did not give an image.

    Args:
        fault: as for every error; never holds a credential, nor a request's headers.
        accepted: as for every error.
        hint: as for every error.
        status: the HTTP status, where there was an answer.
        request_id: the ids the gateway gave, for a support request.
        retry_after_s: the wait the server asked for, in seconds.
        body: the raw answer where it was paid for and should be kept.
    """

    billing: ClassVar[Billing]

    def __init__(  # noqa: PLR0913 - one argument for each fact about the answer
        self,
        fault: str,
        *,
        accepted: str | None = None,
        hint: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
        retry_after_s: float | None = None,
        body: bytes | None = None,
    ) -> None:
        super().__init__(fault, accepted=accepted, hint=hint)
        self.status = status
        self.request_id = request_id
        self.retry_after_s = retry_after_s
        self.body = body

    def __str__(self) -> str:
        text = super().__str__()
        return f"{text} [{self.request_id}]" if self.request_id else text


class CredentialError(GatewayError):
    """There is no credential, or it has run out."""

    billing = Billing.PERMANENT


class AuthenticationError(GatewayError):
    """401: the credential is not accepted."""

    billing = Billing.PERMANENT


class InsufficientFundsError(GatewayError):
    """402, or a 429 that is about money: nothing is left to spend."""

    billing = Billing.PERMANENT


class ForbiddenError(GatewayError):
    """403: the account may not do this."""

    billing = Billing.PERMANENT


class ModelUnavailableError(GatewayError):
    """The gateway does not offer the model."""

    billing = Billing.PERMANENT


class RejectedRequestError(GatewayError):
    """This request is not accepted; another one may be."""

    billing = Billing.REFUSED


class ModerationError(GatewayError):
    """The prompt was refused by moderation."""

    billing = Billing.REFUSED


class UnreachableError(GatewayError):
    """No connection was made, so nothing was asked."""

    billing = Billing.UNBILLED


class RateLimitedError(GatewayError):
    """429 that is about speed."""

    billing = Billing.UNBILLED


class ServerBusyError(GatewayError):
    """503 that says when to come back, or no answer to what costs nothing."""

    billing = Billing.UNBILLED


class OutcomeUnknownError(GatewayError):
    """The request was sent and no usable answer came back: it may have been charged."""

    billing = Billing.UNKNOWN


class InvalidResponseError(GatewayError):
    """The gateway reported success, and the answer holds no usable image."""

    billing = Billing.BILLED


class DownloadError(InvalidResponseError):
    """The answer links to the image, which cannot be fetched now and may be later."""

    billing = Billing.BILLED
