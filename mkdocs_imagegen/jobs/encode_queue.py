"""The encoding of images whose originals `mkdocs serve` shows in the meantime.

A build never waits for an encoder. One background thread encodes an image at a time while no build
runs and no image is generated; then the pages are built again, once for all images. The thread is
a daemon: encoding costs nothing, so the end of the server waits for no encoder.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from mkdocs_imagegen.errors import StoreError
from mkdocs_imagegen.files import as_imagegen_error
from mkdocs_imagegen.jobs.job import Job
from mkdocs_imagegen.log import log
from mkdocs_imagegen.report import plural

if TYPE_CHECKING:
    from mkdocs_imagegen.errors import ImagegenError

    OpenEncoder = Callable[[], AbstractContextManager[Callable[[Job], None]]]

_CHECK_INTERVAL_S = 1.0
"""Seconds after which a thread that waits for generated images checks again."""

_REBUILD_RETRY_INTERVAL_S = 5.0
"""Seconds after which a rebuild is requested again if no build has begun."""

_MAX_REBUILD_REQUESTS = 3
_MAX_ATTEMPTS = 3
"""Attempts for an image whose files cannot be written, as on a full disk, each after a build."""


class EncodeQueue:
    """The images that one `mkdocs serve` encodes, each once, with one background thread.

    Builds call `begin`, `add`, `end` and `close`, all on one thread. An image whose files a build
    lacks although they were encoded before is not encoded again, nor is one that failed: the cache
    may keep no files, and a rebuild after each attempt would have no end. One whose files could not
    be written is tried again after the next builds, until three attempts have failed.

    Args:
        request_rebuild: Function that requests a rebuild of the pages, called on any thread; None
            if a rebuild shows no files on pages without other changes.
        is_generating: Function that returns True while images are generated, which needs the
            encoders, and ends with a rebuild.
    """

    def __init__(
        self, request_rebuild: Callable[[], None] | None, is_generating: Callable[[], bool]
    ) -> None:
        self._request_rebuild = request_rebuild
        self._is_generating = is_generating
        self._changed = threading.Condition()
        self._is_building, self._is_closing = True, False
        self._builds = self._builds_before = 0
        self._jobs: dict[str, Job] = {}
        self._errors: dict[str, ImagegenError | None] = {}
        self._attempts = Counter[str]()
        self._has_news = False
        self._ended_before: frozenset[str] = frozenset()
        self._open_encoder: OpenEncoder | None = None
        self._thread: threading.Thread | None = None

    def begin(self, *, keeps_pages: bool) -> None:
        """Begin a rebuild, which adds the images that it lacks; encode no other one until its end.

        Args:
            keeps_pages: True if unchanged pages are not built again.
        """
        with self._changed:
            self._is_building = True
            self._builds += 1
            self._jobs = dict(self._jobs) if keeps_pages else {}
            self._ended_before = frozenset(self._errors)
            self._changed.notify_all()

    def add(self, key: str, job: Job) -> ImagegenError | None:
        """Add an image of which a page shows the original; return the error of an earlier attempt.

        Args:
            key: Key of its files.
            job: Job with the original.
        """
        with self._changed:
            if key not in self._ended_before:
                self._jobs[key] = job
            return self._errors.get(key)

    def end(self, open_encoder: OpenEncoder) -> bool:
        """End a rebuild; return True if there are images to encode.

        Args:
            open_encoder: Factory of the function that encodes the files of an image.
        """
        with self._changed:
            self._is_building, self._open_encoder = False, open_encoder
            self._changed.notify_all()
            if not self._jobs:
                return False
            count = len({each.request.key for each in self._jobs.values()})
            text = "encoding the files of %s; until then the pages show the original%s"
            log.info(text, plural(count, "image"), "s" if count > 1 else "")
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._run, name="imagegen-encode", daemon=True
                )
                self._thread.start()
            return True

    def close(self) -> None:
        """Encode no other image; wait for none."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()

    def _run(self) -> None:
        while open_encoder := self._wait_for_jobs():
            try:
                with open_encoder() as encode:
                    while found := self._next():
                        self._encode(*found, encode)
            except Exception as fault:  # noqa: BLE001 - the next builds have images, too
                with self._changed:
                    self._end_attempts(as_imagegen_error(fault), *self._jobs)
            if self._request_rebuild is not None and self._has_news:
                self._request_until_a_build_begins(self._request_rebuild)

    def _wait_for_jobs(self) -> OpenEncoder | None:
        """Return the encoder for the images that are waiting; None if the server ends."""
        with self._changed:
            while not self._is_closing:
                if self._jobs and not self._is_building and not self._is_generating():
                    self._builds_before, self._has_news = self._builds, False
                    return self._open_encoder
                self._changed.wait(_CHECK_INTERVAL_S if self._jobs else None)
        return None

    @property
    def _is_interrupted(self) -> bool:
        """True if the server ends, or if a build has begun since the last wait."""
        return self._is_closing or self._builds != self._builds_before

    def _next(self) -> tuple[str, Job] | None:
        with self._changed:
            may_encode = not self._is_interrupted and not self._is_generating()
            return next(iter(self._jobs.items()), None) if may_encode else None

    def _encode(self, key: str, job: Job, encode: Callable[[Job], None]) -> None:
        error = None
        try:
            encode(job)
        except Exception as fault:  # noqa: BLE001 - a page shows it; the thread has other images
            error = as_imagegen_error(fault)
        self._end_attempts(error, key)

    def _end_attempts(self, error: ImagegenError | None, *keys: str) -> None:
        with self._changed:
            for key in keys:
                self._attempts[key] += 1
                if not isinstance(error, StoreError) or self._attempts[key] >= _MAX_ATTEMPTS:
                    self._errors[key], self._has_news = error, True
                if not self._is_interrupted:  # a build may have looked for the files before the end
                    self._jobs.pop(key, None)

    def _request_until_a_build_begins(self, request_rebuild: Callable[[], None]) -> None:
        """Let the pages show the files; a server that does not watch yet misses a request."""
        requests = 0
        with self._changed:
            while requests < _MAX_REBUILD_REQUESTS and not (self._jobs or self._is_interrupted):
                if self._is_generating():
                    self._changed.wait(_CHECK_INTERVAL_S)
                else:
                    request_rebuild()
                    requests += 1
                    self._changed.wait(_REBUILD_RETRY_INTERVAL_S)
