"""What one `mkdocs serve` has beside its builds: the author's desk, and a way to build again."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs_imagegen.jobs.serve_queue import ServeQueue
from mkdocs_imagegen.log import log
from mkdocs_imagegen.pipeline.context import BuildContext
from mkdocs_imagegen.pipeline.stores import Workshop
from mkdocs_imagegen.settings import Settings
from mkdocs_imagegen.spending.run import Run

if TYPE_CHECKING:
    from mkdocs.livereload import LiveReloadServer

_SKETCHED_AFTER_S = 0.3


class Serving:
    """The desk of one `mkdocs serve`, and the file whose change has the pages built again.

    Args:
        is_dirty: whether only pages are built again whose source has changed.
    """

    def __init__(self, *, is_dirty: bool = False) -> None:
        self._is_dirty = is_dirty
        self._desk: ServeQueue | None = None
        self._settings: Settings | None = None
        self._stamp: Path | None = None
        self._server: LiveReloadServer | None = None

    @staticmethod
    def sketches(settings: Settings) -> bool:
        """Whether the emulator draws while pages are served."""
        return settings.serve == "sketch" or settings.gateway.is_sketch

    def begin(self) -> None:
        """Take in that the pages are built again."""
        if self._desk is not None:
            self._desk.begin(keeps_pages=self._is_dirty)

    def serve_queue(
        self,
        settings: Settings,
        run: Run,
        host: BuildContext,
        workshop: Callable[[BuildContext], Workshop],
    ) -> ServeQueue | None:
        """Where images are made beside the server, with the settings as they are now.

        Args:
            settings: of the site.
            run: of the server.
            host: what the build finds around it.
            workshop: opens a workshop, by what is around it.
        """
        if settings.serve != "generate" and not self.sketches(settings):
            return self._desk
        if self._desk is None:
            self._desk = ServeQueue(
                run, self._show, log.info if host.is_strict else log.warning, log.info
            )
            self._stamp = settings.cache_path / "shown"
            self._watch()
        if self._settings != settings:
            self._settings = settings
            # The host cleans the site with each build, so its images come there by builds alone.
            beside = replace(host, site=None)
            self._desk.open(
                partial(workshop, beside),
                _SKETCHED_AFTER_S if self.sketches(settings) else settings.serve_delay,
            )
        return self._desk

    def watch(self, server: LiveReloadServer) -> None:
        """Have the server build again whenever an image has come."""
        self._server = server
        self._watch()

    def close(self) -> None:
        """Keep what is in the making, and end."""
        if self._desk is not None:
            self._desk.close()

    def _watch(self) -> None:
        if self._server is not None and self._stamp is not None:
            self._show()
            if self._stamp.is_file():  # a server that watches what is not there ends
                self._server.watch(str(self._stamp))

    def _show(self) -> None:
        # Touched: a server that watches a file loses it when another takes its place.
        if self._stamp is not None:
            with contextlib.suppress(OSError):
                self._stamp.parent.mkdir(parents=True, exist_ok=True)
                self._stamp.touch()
