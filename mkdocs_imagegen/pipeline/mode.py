"""What is wanted of a build."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mkdocs_imagegen.globs import matches_any
from mkdocs_imagegen.records import dataclass

if TYPE_CHECKING:
    from mkdocs_imagegen.jobs.job import Result


class Watcher(Protocol):
    """Watches pictures being made; may be called from any thread."""

    def wanted(self) -> None:
        """One more has to be made."""

    def ended(self, result: Result) -> None:
        """One of them has come, or has not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What is wanted of a build; by itself, the whole site.

    Attributes:
        makes: whether missing pictures are made, if they may be.
        shows: whether the site gets its files; else only what is looked up counts.
        pages: globs of the pages whose missing pictures are made; empty for all.
        upgrades: whether only a request's own original will do, and none of its subject.
        retries_refused: whether prompts are asked again that moderation has refused.
        watcher: is told of each picture that is made.
    """

    makes: bool = True
    shows: bool = True
    pages: tuple[str, ...] = ()
    upgrades: bool = False
    retries_refused: bool = False
    watcher: Watcher | None = None

    def wants(self, uri: str) -> bool:
        """Whether the missing pictures of a page are made, by its source."""
        return not self.pages or matches_any(self.pages, uri)
