"""What lasts for a whole run: one `mkdocs build`, however many builds i18n plugins make of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from mkdocs_imagegen.errors import (
    Billing,
    GatewayError,
    ImagegenError,
    ModelUnavailableError,
    StoppedError,
    UnreachableError,
)
from mkdocs_imagegen.report import ChargedFailures, ReportRow, to_json
from mkdocs_imagegen.spending.budget import Budget

if TYPE_CHECKING:
    from mkdocs_imagegen.pipeline.reference_files import ReferenceFiles

_EVERY_MODEL = ""


class Run:
    """Remembers what failed, so that no build of the run asks for it again, and what to report.

    Attributes:
        budget: the run's money.
        generation_s: how long its builds have made images.
    """

    def __init__(self) -> None:
        self.budget = Budget()
        self._stopped: dict[str, StoppedError] = {}
        self._stopped_for_nothing: set[str] = set()
        self._failed: dict[str, ImagegenError] = {}
        self._lines: dict[str, Sequence[ReportRow]] = {}
        self.generation_s = 0.0
        self._said: set[str] = set()

    @cached_property
    def reference_files(self) -> ReferenceFiles:
        """The images that others follow."""
        # Few sites have any, and what reads them takes a while to import.
        from mkdocs_imagegen.pipeline.reference_files import ReferenceFiles  # noqa: PLC0415

        return ReferenceFiles()

    def says_first(self, text: str) -> bool:
        """Whether no build of the run has said this yet."""
        is_first = text not in self._said
        self._said.add(text)
        return is_first

    def raise_if_stopped(self, key: str, model: str) -> None:
        """Let nothing be asked that has failed already, or that cannot succeed any more.

        Raises:
            ImagegenError: what happened before.
        """
        for error in (self._stopped.get(_EVERY_MODEL), self._stopped.get(model)):
            if error is not None:
                raise error
        if key in self._failed:
            raise self._failed[key]

    def stop(self, reason: str, model: str = _EVERY_MODEL) -> None:
        """Ask nothing more, of one model or of any."""
        if model not in self._stopped or model in self._stopped_for_nothing:
            self._stopped[model] = StoppedError(reason)
            self._stopped_for_nothing.discard(model)

    def retry_free_failures(self) -> None:
        """Let be asked again what a failure has stopped that cost nothing."""
        for model in self._stopped_for_nothing:
            self._stopped.pop(model, None)
        self._stopped_for_nothing.clear()

    def note_failure(self, error: GatewayError, key: str, model: str) -> None:
        """Remember an error of the gateway for what it means for the rest of the run.

        A model that is gone stops its own requests; what no request can escape, or a server that
        does not answer after every attempt, stops all. Only what certainly was not charged, and
        may work later, is forgotten.
        """
        reason = f"the run was stopped: {error.fault}"
        if isinstance(error, ModelUnavailableError):
            self._stop_for_nothing(reason, model)
        elif error.billing is Billing.PERMANENT or isinstance(error, UnreachableError):
            self._stop_for_nothing(reason, _EVERY_MODEL)
        elif error.billing is not Billing.UNBILLED:
            self._failed[key] = error

    def _stop_for_nothing(self, reason: str, model: str) -> None:
        if model not in self._stopped:
            self.stop(reason, model)
            self._stopped_for_nothing.add(model)

    def note_page(self, url: str, lines: Sequence[ReportRow]) -> None:
        """Take what the report tells of a page; a page that is built again replaces it."""
        self._lines[url] = lines

    def add_generation_time(self, seconds: float) -> None:
        """Add the time that a build spent on making images."""
        self.generation_s += seconds

    def report(self) -> bytes:
        """The JSON report of everything so far."""
        lines = [line for lines in self._lines.values() for line in lines]
        return to_json(lines, self.generation_s, self.waste())

    def waste(self) -> ChargedFailures:
        """What was paid for nothing so far."""
        return ChargedFailures(self.budget.wasted, self.budget.wasted_usd)
