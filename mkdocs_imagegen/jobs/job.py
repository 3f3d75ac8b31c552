"""What is wanted of the maker of pictures, and what becomes of it; pure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

from mkdocs_imagegen.records import dataclass
from mkdocs_imagegen.shapes import Shape

if TYPE_CHECKING:
    from mkdocs_imagegen.errors import ImagegenError
    from mkdocs_imagegen.gateway.answer import Answer
    from mkdocs_imagegen.gateway.calls import Keep
    from mkdocs_imagegen.gateway.edits import Attached
    from mkdocs_imagegen.gateway.offers import Offer
    from mkdocs_imagegen.imaging.image import Picture
    from mkdocs_imagegen.imaging.placeholder import StandIn
    from mkdocs_imagegen.imaging.variants import Plan
    from mkdocs_imagegen.originals.store import Kept
    from mkdocs_imagegen.request import ImageRequest

WantKey = tuple[str, Shape, bool]
"""A request's key, the shape, and whether only the request's own original will do."""


Sleep = Callable[[float], Awaitable[None]]
"""Waits so many seconds; may raise StoppedError."""


class Draws(Protocol):
    """What draws pictures: the gateway's client."""

    async def generate(
        self, request: ImageRequest, keep: Keep | None = None, attached: Attached = ...
    ) -> Answer:
        """The picture; ``keep`` takes the raw answer before anything reads it.

        Raises:
            GatewayError: there is none.
        """

    async def open_answer(self, body: bytes, request: ImageRequest) -> Answer:
        """The picture in a raw answer, or behind the link in it.

        Raises:
            GatewayError: there is none.
        """

    async def models(self) -> tuple[Offer, ...]:
        """The models that the server offers.

        Raises:
            GatewayError: the list cannot be had.
        """

    async def aclose(self) -> None:
        """Close its connections."""


OpenGateway = Callable[[Sleep], Draws]
"""Makes the client that draws, from the function that waits between its attempts."""


class Derives(Protocol):
    """What makes the files of pictures, or only says what they would be."""

    def find(self, plan: Plan) -> Picture | None:
        """The picture, if nothing has to be made for it."""

    def make(self, plan: Plan, content: bytes) -> Picture:
        """The picture, from the original's bytes.

        Raises:
            PictureError: the bytes are no picture.
        """

    def stand_in(self, stand_in: StandIn) -> Picture:
        """The picture of a stand-in."""

    def rest(self) -> None:
        """Keep no more in memory than what pages need; everything has been looked for."""

    def close(self) -> None:
        """Close what is open."""


@dataclass(frozen=True, slots=True)
class Want:
    """A picture that a page shows.

    Attributes:
        key: what two pages have in common that want the same.
        request: what to ask for.
        kept: the original that is there; None where there is none.
        may_make: whether it may be made if there is none, or if what is there is broken.
        is_draft: whether it is only for the eyes of who writes the page.
    """

    key: WantKey
    request: ImageRequest
    kept: Kept | None
    may_make: bool
    is_draft: bool = False

    @property
    def shape(self) -> Shape:
        """How the page shows it."""
        return self.key[1]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one picture.

    Attributes:
        kept: the original, if there is one now.
        picture: what the page shows of it.
        is_draft: whether it is only for the eyes of who writes the page.
        made: whether it was asked for in this build, and not only fitted.
        error: why there is none.
        seconds: how long the asking took, the wait for its turn not counted.
        remarks: what is worth telling although it worked.
        alarm: what needs a person although it worked; ``""`` for nothing.
    """

    kept: Kept | None = None
    picture: Picture | None = None
    is_draft: bool = False
    made: bool = False
    error: ImagegenError | None = None
    seconds: float = 0.0
    remarks: tuple[str, ...] = ()
    alarm: str = ""
