"""What is around a build."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.pipeline.mode import BuildMode
from mkdocs_imagegen.report import RunReport
from mkdocs_imagegen.spending.ledger import Ledger
from mkdocs_imagegen.spending.permission import Permission

if TYPE_CHECKING:
    from mkdocs_imagegen.jobs.serve_queue import ServeQueue
    from mkdocs_imagegen.pipeline.reference_files import ReferenceFiles


class Run:
    """The state that all builds of one run share.

    Attributes:
        ledger: Failures and budget.
        report: Rows and seconds of the report.
    """

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.report = RunReport()

    @cached_property
    def reference_files(self) -> ReferenceFiles:
        """Reference images and masks; few sites have any, so their module is imported late."""
        from mkdocs_imagegen.pipeline.reference_files import ReferenceFiles  # noqa: PLC0415

        return ReferenceFiles()


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
    serve_queue: ServeQueue | None = None
    docs: Path = Path("docs")
