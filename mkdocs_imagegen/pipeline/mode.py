"""What is wanted of a build."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.settings.folders import matches_any

if TYPE_CHECKING:
    from mkdocs_imagegen.jobs.job import Result


class ProgressObserver(Protocol):
    """Watches images being made; may be called from any thread."""

    def job_added(self) -> None:
        """Count one more image to generate."""

    def job_done(self, result: Result) -> None:
        """Count one result, with or without an image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildMode:
    """What is wanted of a build; by itself, the whole site.

    Attributes:
        makes: whether missing images are made, if they may be.
        shows: whether the site gets its files; else only what is looked up counts.
        pages: globs of the pages whose missing images are made; empty for all.
        upgrades: whether only a request's own original will do, and none of its subject.
        retries_refused: whether prompts are asked again that moderation has refused.
        watcher: is told of each image that is made.
    """

    makes: bool = True
    shows: bool = True
    pages: tuple[str, ...] = ()
    upgrades: bool = False
    retries_refused: bool = False
    watcher: ProgressObserver | None = None

    def wants(self, uri: str) -> bool:
        """Whether the missing images of a page are made, by its source."""
        return not self.pages or matches_any(self.pages, uri)
