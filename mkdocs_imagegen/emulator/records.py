"""What travels between the modules of the emulator; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from decimal import Decimal
from typing import Any

from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.options import Size
from mkdocs_imagegen.request import ImageRequest


@dataclass(frozen=True, slots=True)
class Response:
    """One answer.

    Attributes:
        status: the HTTP status.
        headers: names in lower case.
        body: the whole body, also where the socket will not deliver it.
        transport: what the socket does wrong (``transports.TRANSPORTS``); None where it behaves.
            In one process there is no socket: whoever stands for one reads this, or ignores it.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    transport: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it came, header names in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Seen:
    """What is remembered of a request: never the value of a credential.

    Attributes:
        method: the HTTP method.
        path: without the query.
        model: the model asked for, where one was.
        prompt: the prompt, where one was.
        fault: the name of the fault that was asked for; ``ok`` for none.
        status: the answer's status.
        credential: the kind of credential sent: ``bearer``, ``api-key`` or ``none``.
    """

    method: str
    path: str
    model: str | None
    prompt: str | None
    fault: str
    status: int
    credential: str


@dataclass(frozen=True, slots=True)
class Bill:
    """How many images were computed, delivered or not, and the dollars charged for them."""

    images: int
    usd: Decimal


@dataclass(frozen=True, slots=True)
class Job:
    """Images to draw, every value settled.

    Attributes:
        asked_model: the model that was asked for.
        model: the model that draws: the same, or the first known one of ``models``.
        prompt: as it came.
        count: how many images.
        size: in pixels.
        quality: a word the model knows.
        background: ``auto``, ``opaque`` or ``transparent``.
        output_format: ``png``, ``jpeg`` or ``webp``.
        compression: 0 to 100; None where nothing was said.
        unsupported: the names of settings that were ignored.
        references: images to follow, in order.
        mask: where the first of them may change; None for everywhere.
        take: another number gives other sketches, each with the number on its tag.
    """

    asked_model: str
    model: str
    prompt: str
    count: int
    size: Size
    quality: str
    background: str
    output_format: str
    compression: int | None
    unsupported: tuple[str, ...] = ()
    references: tuple[bytes, ...] = field(default=(), repr=False)
    mask: bytes | None = field(default=None, repr=False)
    take: int = 1

    @property
    def label(self) -> str:
        """The words on the tag of its sketches."""
        return "sketch" if self.take == 1 else f"sketch, take {self.take}"

    @property
    def request(self) -> ImageRequest:
        """One of the images, as the rest of the package knows it."""
        return ImageRequest(self.model, self.prompt, self.size, self.quality, self.background)


@dataclass(frozen=True, slots=True)
class Answer:
    """A success before it is written down.

    Attributes:
        job: what was asked for; echoed.
        created: seconds since 1970.
        images: base64 text or addresses.
        metadata: of the gateway and the provider; None where none is told.
        as_url: whether the images are addresses.
        camel_case: whether the OpenAI path spells ``providerMetadata``.
    """

    job: Job
    created: int
    images: tuple[str, ...]
    metadata: Mapping[str, Any] | None
    as_url: bool = False
    camel_case: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        about: what it is, in one line.
        shape: one of ``faults.SHAPES``.
        error: the answer, given the model asked for; None where an image is computed.
        headers: more headers, given the time in seconds since 1970.
        only_with: the fault strikes only if the request has this field.
        drawn: changes what is drawn.
        told: changes what is told about it.
        sent: changes the answer of a success as it leaves.
        transport: one of ``transports.TRANSPORTS``, or None.
    """

    about: str
    shape: str
    error: Callable[[str], Response] | None = None
    headers: Callable[[float], Mapping[str, str]] = lambda _: {}
    only_with: str | None = None
    drawn: Callable[[Job], Job] = lambda job: job
    told: Callable[[Answer], Answer] = lambda answer: answer
    sent: Callable[[Response], Response] = lambda response: response
    transport: str | None = None

    @property
    def billed(self) -> bool:
        """Whether an image is computed and charged although this goes wrong."""
        return self.error is None
