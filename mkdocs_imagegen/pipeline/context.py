"""The context of one build: settings, mode, permission and folders, and the state of its run.

Imports little, since the plugin imports it for sites without images too.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.originals.folders import earlier_folders
from mkdocs_imagegen.settings import Settings
from mkdocs_imagegen.settings.folders import matches_any

if TYPE_CHECKING:
    from mkdocs_imagegen.gateway.client import OpenGateway
    from mkdocs_imagegen.jobs.encode_queue import EncodeQueue
    from mkdocs_imagegen.jobs.serve_queue import ServeQueue
    from mkdocs_imagegen.originals.lock import Lock
    from mkdocs_imagegen.originals.store import OriginalStore
    from mkdocs_imagegen.pages.columns import Theme
    from mkdocs_imagegen.pipeline.reference_files import ReferenceFiles
    from mkdocs_imagegen.report import RunReport
    from mkdocs_imagegen.spending.ledger import Ledger
    from mkdocs_imagegen.spending.permission import Permission


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildMode:
    """The work of a build; by default a whole site.

    Attributes:
        generate: True if missing images are generated, if that is permitted.
        publish: True if the site gets its files; False for commands that only read the images.
        pages: Globs of the pages for which missing images are generated; empty for all pages.
        adopts: True if originals of other folders are adopted, also if no image is generated.
        upgrade: True if only a request's own original is used, and no stale one.
        again: Cache keys of images that are generated again even if they exist.
        retry_refused: True if prompts are sent again that moderation has refused.
        waits_for_connection: True if a lost connection is waited for as long as a rate limit.
    """

    generate: bool = True
    publish: bool = True
    pages: tuple[str, ...] = ()
    adopts: bool = False
    upgrade: bool = False
    again: frozenset[str] = frozenset()
    retry_refused: bool = False
    waits_for_connection: bool = False

    @property
    def writes(self) -> bool:
        """True if the build may write files of originals, which a look at the site does not."""
        return self.generate or self.publish or self.adopts

    def includes(self, uri: str) -> bool:
        """Return True if missing images of a page are generated, by its source."""
        return not self.pages or matches_any(self.pages, uri)


class Run:
    """The state that all builds of one run share.

    Each part is imported by its first use: most builds of a site find all images.

    Args:
        locks: Locks that an earlier run on the same files has read, by their folder.

    Attributes:
        differing: Cache keys whose records differ from the images that were encoded.
    """

    def __init__(self, locks: dict[Path, Lock] | None = None) -> None:
        self._locks = {} if locks is None else locks
        self.differing: set[str] = set()

    def lock_of(self, settings: Settings) -> Lock:
        """Return the records of a site that were locked when the run began.

        Raises:
            StoreError: If there is a git repository, and git does not answer.
        """
        from mkdocs_imagegen.originals.lock import read_lock  # noqa: PLC0415 - see the class

        folder = settings.originals_path
        if folder not in self._locks:
            self._locks[folder] = read_lock(folder, settings.root)
        return self._locks[folder]

    @cached_property
    def ledger(self) -> Ledger:
        """Failures and budget."""
        from mkdocs_imagegen.spending.ledger import Ledger  # noqa: PLC0415 - see the class

        return Ledger()

    @cached_property
    def report(self) -> RunReport:
        """Rows and seconds of the report."""
        from mkdocs_imagegen.report import RunReport  # noqa: PLC0415 - see the class

        return RunReport()

    @cached_property
    def reference_files(self) -> ReferenceFiles:
        """Reference images and masks."""
        from mkdocs_imagegen.pipeline.reference_files import (  # noqa: PLC0415 - see the class
            ReferenceFiles,
        )

        return ReferenceFiles()


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildContext:
    """The context of one build.

    Attributes:
        settings: Settings of the site.
        mode: Work of the build.
        permission: Permission to generate missing images.
        run: State that all builds of the run share.
        open_gateway: Factory of the gateway's client.
        theme: Layout of the theme.
        site: Folder of the built site, or None if images are only put into the variant cache.
        site_url: Absolute URL of the site with a final slash; ``""`` if it is not known.
        docs: Folder of the pages.
        is_serving: True under `mkdocs serve`; placeholders then show the whole error.
        serve_queue: Queue of `mkdocs serve`, which then generates the images instead.
        encode_queue: Queue of `mkdocs serve` that encodes files, while pages show originals.
        originals: Store of originals, in place of that of the settings.
    """

    settings: Settings
    mode: BuildMode
    permission: Permission
    run: Run
    open_gateway: OpenGateway
    theme: Theme
    site: Path | None
    docs: Path
    site_url: str = ""
    is_serving: bool = False
    serve_queue: ServeQueue | None = None
    encode_queue: EncodeQueue | None = None
    originals: OriginalStore | None = None

    @property
    def generation_settings(self) -> Settings:
        """Settings of the site, with the gateway that generates its images."""
        return generation_settings(self.settings, is_serving=self.is_serving)


def has_unfinished_requests(settings: Settings) -> bool:
    """Return True if the journal has entries of a build that was interrupted."""
    folders = (settings.originals_path, *earlier_folders(settings))
    journals = [f"{folder}/work/journal" for folder in folders]
    with contextlib.suppress(OSError), os.scandir(settings.cache_path) as entries:
        journals += [each.path for each in entries if each.name.startswith("journal")]
    return any(map(_has_open_requests, journals))


def _has_open_requests(journal: str) -> bool:
    with contextlib.suppress(OSError), os.scandir(journal) as entries:
        return any(each.name.endswith((".intent", ".answer")) for each in entries)
    return False


def generation_settings(settings: Settings, *, is_serving: bool) -> Settings:
    """Return settings with the gateway emulator if `mkdocs serve` shows sketches."""
    is_sketched = is_serving and settings.serve == "sketch" and not settings.locked
    return settings.with_sketches if is_sketched else settings


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the build.

    Attributes:
        path: Source file as the author knows it.
        uri: Source file below the docs folder, with slashes.
        url: Address below the site's root.
        read_source: Function that reads the text of the source file; ``""`` if it cannot.
    """

    path: str
    uri: str
    url: str
    read_source: Callable[[], str]


@dataclass(frozen=True, slots=True)
class PageFacts:
    """The facts of a page that previews and lists of pages show.

    Attributes:
        page: The page.
        title: Title as text.
        description: Description as text; ``""`` if there is no description.
        is_listed: True if lists may include the page; drafts are not listed.
        is_written: True if the author wrote the page, and not a plugin, like a blog's archive.
    """

    page: Page
    title: str
    description: str
    is_listed: bool
    is_written: bool


_NO_FACTS: dict[str, PageFacts] = {}


@dataclass(frozen=True, slots=True)
class SitePages:
    """The pages of a build, once all of them are rendered.

    Attributes:
        uris: Sources of the pages, in the order in which they were rendered.
        order: Sources of the pages in the order of the navigation.
        facts: Function that returns the facts of a page, by its source.
        section: Function that returns the sources of the pages in a page's section.
    """

    uris: Collection[str] = ()
    order: Sequence[str] = ()
    facts: Callable[[str], PageFacts] = _NO_FACTS.__getitem__
    section: Callable[[str], Iterable[str]] = lambda _: ()
