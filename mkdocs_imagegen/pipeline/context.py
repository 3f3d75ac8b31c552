"""What is around a build."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from mkdocs_imagegen.errors import ImagegenError
from mkdocs_imagegen.jobs.job import Want
from mkdocs_imagegen.pipeline.mode import Errand
from mkdocs_imagegen.records import dataclass
from mkdocs_imagegen.spending.permission import Permission


class Waits(Protocol):
    """Where wants wait until they are made beside a server."""

    def state(self, want: Want) -> ImagegenError:
        """What is said in the place of a picture that is not there yet."""

    def note(self, pages: Mapping[str, Sequence[Want]]) -> None:
        """Take in what pages lack, by their sources."""


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
        desk: where pictures are made beside a server; None where a build makes them.
        docs: the folder of the pages, in which pictures lie that others follow.
    """

    site: Path | None
    permission: Permission
    is_serving: bool = False
    follows_palette: bool = False
    errand: Errand = Errand()
    is_strict: bool = False
    desk: Waits | None = None
    docs: Path = Path("docs")
