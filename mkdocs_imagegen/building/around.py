"""What is around a build."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mkdocs_imagegen.building.wanted import Result, Want
from mkdocs_imagegen.errors import ImagegenError
from mkdocs_imagegen.globs import matches_any
from mkdocs_imagegen.spending.permission import Permission


class Waits(Protocol):
    """Where wants wait until they are made beside a server."""

    def state(self, want: Want) -> ImagegenError:
        """What is said in the place of a picture that is not there yet."""

    def note(self, pages: Mapping[str, Sequence[Want]]) -> None:
        """Take in what pages lack, by their sources."""


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


@dataclass(frozen=True, slots=True)
class Host:
    """What a build finds around it.

    Attributes:
        site: the folder of the site; None to keep its pictures in the cache alone.
        permission: whether missing pictures may be made.
        is_serving: whether pages are served while they are written; stand-ins then tell in full
            what is wrong.
        follows_palette: whether the theme hides pictures by their address's fragment, as Material
            does.
        errand: what is wanted.
        is_strict: whether warnings end the build.
        sketches: whether the emulator draws, whatever server is set.
        desk: where pictures are made beside a server; None where a build makes them.
        docs: the folder of the pages, in which pictures lie that others follow.
    """

    site: Path | None
    permission: Permission
    is_serving: bool = False
    follows_palette: bool = False
    errand: Errand = Errand()
    is_strict: bool = False
    sketches: bool = False
    desk: Waits | None = None
    docs: Path = Path("docs")
