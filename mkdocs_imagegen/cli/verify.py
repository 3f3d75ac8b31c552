"""The command `verify`: a check of every original, byte by byte."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

import click

from mkdocs_imagegen.cli.site import as_json, config_file, without_lock
from mkdocs_imagegen.cli.targets import requests_of
from mkdocs_imagegen.cli.terminal import print_json, print_line, print_table
from mkdocs_imagegen.hosts.look import look, settings_of
from mkdocs_imagegen.originals.judge import Defect, DefectKind, Original, Verdict
from mkdocs_imagegen.originals.store import OriginalStore
from mkdocs_imagegen.pipeline.lookup import open_originals
from mkdocs_imagegen.report import format_usd, plural
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.spending.ledger import Attempt, Attempts


@click.command(
    epilog="""
\b
Examples:
  mkdocs-imagegen verify
  mkdocs-imagegen verify --repair
  mkdocs-imagegen verify --json | jq -r '.faults[].file'
"""
)
@click.option("--repair", is_flag=True, help="Write missing and damaged records again")
@config_file
@as_json
def verify(*, config_file: str | None, repair: bool, as_json: bool) -> None:
    """Check originals for corruption.

    An original is an image as the server returned it; its record is the JSON file next to it.
    Reads every original in the same way as a build, and lists the requests that returned no image.
    It changes no file without --repair, which also moves invalid records to quarantine.

    The exit code is the sum of 1 if a file is damaged, 4 if a file cannot be read or is of a newer
    version, and 8 if an image has no record and no page shows it. For example, 5 is a damaged image
    and a file that cannot be read.
    """
    store = open_originals(settings_of(config_file))
    audit = _Audit(store, repairs=repair)
    lost = [key for key in store.cache_keys() if audit.has_lost(key)]
    for key, request in _requests_of(lost, config_file).items():
        audit.has_lost(key, request)
    defects = audit.defects.values()
    ledger = Attempts([store.folder])
    attempts = ((key, ledger.find(key)) for key in ledger.cache_keys())
    if as_json:
        faults = [_as_dict(each) for each in defects]
        failed = [_attempts_as_dict(*each) for each in attempts]
        print_json({"originals": audit.intact, "faults": faults, "attempts": failed})
    else:
        print_table(("File", "Fault"), ((str(each.path), each.text) for each in defects))
        print_table(
            ("Key", "Requests", "Cost", "Last error"),
            (_attempts_row(*each) for each in attempts),
        )
        more = f", {plural(audit.repaired, 'record')} repaired" if audit.repaired else ""
        more += f", {plural(len(defects), 'fault')}" if defects else ""
        print_line(f"{plural(audit.intact, 'intact original')}{more}")
    kinds = {each.kind for each in defects}
    raise SystemExit(sum(kind.value for kind in DefectKind if kind in kinds))


class _Audit:
    """The judgment of originals one by one, of which only the defects are kept.

    Args:
        store: Store of originals.
        repairs: True to write missing and damaged records again.

    Attributes:
        defects: Defects by cache key.
        intact: Number of intact originals.
        repaired: Number of records that were written again.
    """

    def __init__(self, store: OriginalStore, *, repairs: bool) -> None:
        self._store = store
        self._repairs = repairs
        self.defects: dict[str, Defect] = {}
        self.intact = self.repaired = 0

    def has_lost(self, key: str, request: ImageRequest | None = None) -> bool:
        """Judge a cache key; return True if its image may fit the request of a page.

        Args:
            key: Cache key.
            request: Request of the key, for an image whose record is lost.
        """
        verdict = self._store.audit(key, request)
        found = verdict.original if verdict else None
        if self._repairs and verdict and found and _needs_repair(key, found, verdict):
            self._store.repair(found)
            self.repaired += 1
            verdict = self._store.audit(key, request)
        if verdict is None:
            return False
        if verdict.defect is None:
            self.defects.pop(key, None)
            self.intact += 1
            return False
        self.defects[key] = verdict.defect
        return verdict.original is None and verdict.defect.kind is not DefectKind.UNREADABLE


def _needs_repair(key: str, found: Original, verdict: Verdict) -> bool:
    return verdict.defect is not None or not (found.folder / f"{key}.json").exists()


def _requests_of(keys: Collection[str], config_file: str | None) -> dict[str, ImageRequest]:
    """Return the requests of cache keys that pages show; the pages are read only if there are keys.

    An imported file has the subject key of a request.
    """
    if not keys:
        return {}
    wanted, exact, by_subject = set(keys), dict[str, ImageRequest](), dict[str, ImageRequest]()
    for entry in look(config_file, change=without_lock).entries:
        for request in requests_of(entry):
            exact |= {request.key: request} if request.key in wanted else {}
            by_subject |= {key: request for key in request.subject_keys if key in wanted}
    return by_subject | exact


def _cost(attempts: list[Attempt]) -> Decimal:
    return sum((each.cost_usd for each in attempts if each.cost_usd), Decimal(0))


def _attempts_row(key: str, attempts: list[Attempt]) -> tuple[str, ...]:
    cost = format_usd(_cost(attempts), is_estimate=True)
    return (key[:16], str(len(attempts)), cost, attempts[-1].fault if attempts else "")


def _attempts_as_dict(key: str, attempts: list[Attempt]) -> dict[str, object]:
    return {"key": key, "requests": len(attempts), "usd": str(_cost(attempts))}


def _as_dict(defect: Defect) -> dict[str, str]:
    return {"file": str(defect.path), "kind": defect.kind.name.lower(), "text": defect.text}
