"""What is around a build."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from mkdocs_imagegen.errors import ImagegenError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.jobs.job import Job
from mkdocs_imagegen.pipeline.mode import BuildMode
from mkdocs_imagegen.spending.permission import Permission


class Waits(Protocol):
    """Where wants wait until they are made beside a server."""

    def state(self, want: Job) -> ImagegenError:
        """What is said in the place of an image that is not there yet."""

    def note(self, pages: Mapping[str, Sequence[Job]]) -> None:
        """Take in what pages lack, by their sources."""


@dataclass(frozen=True, slots=True)
class BuildContext:
    """What a build finds around it.

    Attributes:
        site: the folder of the site; None to keep its images in the cache alone.
        permission: whether missing images may be made.
        is_serving: whether pages are served while they are written; stand-ins then tell in full
            what is wrong.
        follows_palette: whether the theme hides images by their address's fragment, as Material
            does.
        mode: what is wanted.
        is_strict: whether warnings end the build.
        serve_queue: where images are made beside a server; None where a build makes them.
        docs: the folder of the pages, in which images lie that others follow.
    """

    site: Path | None
    permission: Permission
    is_serving: bool = False
    follows_palette: bool = False
    mode: BuildMode = BuildMode()
    is_strict: bool = False
    serve_queue: Waits | None = None
    docs: Path = Path("docs")
