"""What one `mkdocs serve` has beside its builds: the author's desk, and a way to build again."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs_imagegen.building.around import Host
from mkdocs_imagegen.building.desk import Desk
from mkdocs_imagegen.building.run import Run
from mkdocs_imagegen.building.wanted import OpenGateway
from mkdocs_imagegen.building.workshop import Workshop
from mkdocs_imagegen.host import log
from mkdocs_imagegen.settings import Settings

if TYPE_CHECKING:
    from mkdocs.livereload import LiveReloadServer

_SKETCHED_AFTER_S = 0.3


def sketches(settings: Settings) -> bool:
    """Whether the emulator draws while pages are served."""
    return settings.serve == "sketch" or settings.gateway.is_sketch


class Serving:
    """The desk of one `mkdocs serve`, and the file whose change has the pages built again."""

    def __init__(self) -> None:
        self._desk: Desk | None = None
        self._settings: Settings | None = None
        self._stamp: Path | None = None

    def desk(
        self, settings: Settings, run: Run, host: Host, open_gateway: OpenGateway
    ) -> Desk | None:
        """Where pictures are made beside the server, with the settings as they are now."""
        if settings.serve != "generate" and not sketches(settings):
            return self._desk
        drawn_by = settings.sketching if sketches(settings) else settings
        if self._desk is None:
            rest_s = _SKETCHED_AFTER_S if sketches(settings) else settings.serve_delay
            self._stamp = settings.cache_path / "shown"
            self._desk = Desk(rest_s, self._show, log.warning)
        if self._settings != settings:
            self._settings = settings
            self._desk.open(Workshop(drawn_by, run, host, open_gateway, log.warning, log.info))
        return self._desk

    def watch(self, server: LiveReloadServer) -> None:
        """Have the server build again whenever a picture has come."""
        if self._stamp is not None:
            self._show()
            server.watch(str(self._stamp))

    def close(self) -> None:
        """Keep what is in the making, and end."""
        if self._desk is not None:
            self._desk.close()

    def _show(self) -> None:
        # Written in place: a server that watches a file loses it when another takes its place.
        if self._stamp is not None:
            with contextlib.suppress(OSError):
                self._stamp.parent.mkdir(parents=True, exist_ok=True)
                self._stamp.write_text("Written when a picture has come, for `mkdocs serve`.\n")
