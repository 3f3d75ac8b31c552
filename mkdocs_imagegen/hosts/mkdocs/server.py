"""The state of one `mkdocs serve`: its two queues, and the file that requests a build."""

from __future__ import annotations

import contextlib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs_imagegen.jobs.encode_queue import EncodeQueue
from mkdocs_imagegen.jobs.serve_queue import ServeQueue
from mkdocs_imagegen.pipeline.context import BuildContext
from mkdocs_imagegen.pipeline.lookup import encoder_of_server, scheduler_of_server
from mkdocs_imagegen.settings import Settings

if TYPE_CHECKING:
    from mkdocs.livereload import LiveReloadServer

_SKETCH_DEBOUNCE_S = 0.3


class ServeSession:
    """The queues of one `mkdocs serve`, and the file that makes MkDocs build again.

    Args:
        is_dirty: True if MkDocs builds only the pages that have changed.
        is_live: False if MkDocs never builds again, as with `--no-livereload`.

    Attributes:
        is_live: As given.
        encode_queue: Images that are encoded while pages show their originals.
    """

    def __init__(self, *, is_dirty: bool = False, is_live: bool = True) -> None:
        self.is_live = is_live
        self._is_dirty = is_dirty
        # MkDocs would build no page whose source is unchanged, so a build would show no image.
        self._request = None if is_dirty else self._request_build
        self.encode_queue = EncodeQueue(self._request, self._is_generating)
        self._queue: ServeQueue | None = None
        self._settings: Settings | None = None
        self._trigger: Path | None = None
        self._server: LiveReloadServer | None = None

    def begin_build(self) -> None:
        """Note that MkDocs begins to build the pages again."""
        if self._queue is not None:
            self._queue.begin(keeps_pages=self._is_dirty)
        self.encode_queue.begin(keeps_pages=self._is_dirty)

    def end_build(self, context: BuildContext) -> None:
        """Note the end of a build; images whose originals it shows are encoded from now on.

        Args:
            context: Context of the build.
        """
        if self.encode_queue.end(partial(encoder_of_server, context)):
            self._watch_trigger(context.settings)

    def queue_for(self, context: BuildContext) -> ServeQueue | None:
        """Return the queue, with the settings of a build; None if the server generates no image.

        Args:
            context: Context of the build.
        """
        settings, is_sketched = context.settings, context.generation_settings.gateway.is_sketch
        if settings.locked or (settings.serve != "generate" and not is_sketched):
            return self._queue
        if self._queue is None:
            self._queue = ServeQueue(context.run.ledger, self._request)
            self._watch_trigger(settings)
        if self._settings != settings:
            self._settings = settings
            debounce_s = _SKETCH_DEBOUNCE_S if is_sketched else settings.serve_delay
            self._queue.open(partial(scheduler_of_server, context), debounce_s)
        return self._queue

    def watch(self, server: LiveReloadServer) -> None:
        """Let a server build the pages again after images were generated or encoded."""
        self._server = server
        self._watch()

    def close(self) -> None:
        """Start no more jobs, wait for the images in flight, and close the queues."""
        self.encode_queue.close()
        if self._queue is not None:
            self._queue.close()

    def _is_generating(self) -> bool:
        return self._queue is not None and self._queue.is_generating

    def _watch_trigger(self, settings: Settings) -> None:
        if self._trigger is None and not self._is_dirty:
            self._trigger = settings.cache_path / "shown"
            self._watch()

    def _watch(self) -> None:
        if self._server is not None and self._trigger is not None:
            self._request_build()
            if self._trigger.is_file():  # a missing file would end the server
                self._server.watch(str(self._trigger))

    def _request_build(self) -> None:
        # Touched and not replaced: a server that watches a file loses it when it is replaced.
        if self._trigger is not None:
            with contextlib.suppress(OSError):
                self._trigger.parent.mkdir(parents=True, exist_ok=True)
                self._trigger.touch()
