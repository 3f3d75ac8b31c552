"""The command `verify`: a check of every original, byte by byte."""

from __future__ import annotations

from decimal import Decimal

import click

from mkdocs_imagegen.cli.site import as_json, config_file, without_lock
from mkdocs_imagegen.cli.targets import requests_of
from mkdocs_imagegen.cli.terminal import print_json, print_line, print_table
from mkdocs_imagegen.hosts.look import look, settings_of
from mkdocs_imagegen.originals.judge import Defect, DefectKind, Verdict
from mkdocs_imagegen.originals.store import OriginalStore
from mkdocs_imagegen.pipeline.lookup import open_originals
from mkdocs_imagegen.report import format_usd, plural
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
    verdicts = _judge(store, config_file)
    repaired = 0
    if repair:
        for key, each in verdicts.items():
            found = each.original
            if found and (each.defect or not (found.folder / f"{key}.json").exists()):
                store.repair(found)
                repaired += 1
        verdicts = _judge(store, config_file)
    defects = [each.defect for each in verdicts.values() if each.defect]
    ledger = Attempts([store.folder])
    attempts = {key: ledger.find(key) for key in ledger.cache_keys()}
    intact = len(verdicts) - len(defects)
    if as_json:
        faults = [_as_dict(each) for each in defects]
        failed = [_attempts_as_dict(*each) for each in attempts.items()]
        print_json({"originals": intact, "faults": faults, "attempts": failed})
    else:
        print_table(("File", "Fault"), [(str(each.path), each.text) for each in defects])
        print_table(
            ("Key", "Requests", "Cost", "Last error"),
            [_attempts_row(*each) for each in attempts.items()],
        )
        more = f", {plural(repaired, 'record')} repaired" if repaired else ""
        more += f", {plural(len(defects), 'fault')}" if defects else ""
        print_line(f"{plural(intact, 'intact original')}{more}")
    kinds = {each.kind for each in defects}
    raise SystemExit(sum(kind.value for kind in DefectKind if kind in kinds))


def _judge(store: OriginalStore, config_file: str | None) -> dict[str, Verdict]:
    """Return the verdict of each cache key; pages are read only for images without a record."""
    found = {key: store.audit(key) for key in store.cache_keys()}
    verdicts = {key: verdict for key, verdict in found.items() if verdict is not None}
    lost = [
        key
        for key, each in verdicts.items()
        if each.defect and each.original is None and each.defect.kind is not DefectKind.UNREADABLE
    ]
    if lost:
        entries = look(config_file, change=without_lock).entries
        shown = [each for entry in entries for each in requests_of(entry)]
        # An imported file has the subject key.
        requests = {key: each for each in shown for key in each.subject_keys}
        requests |= {each.key: each for each in shown}
        verdicts |= {key: store.audit(key, requests.get(key)) or verdicts[key] for key in lost}
    return verdicts


def _cost(attempts: list[Attempt]) -> Decimal:
    return sum((each.cost_usd for each in attempts if each.cost_usd), Decimal(0))


def _attempts_row(key: str, attempts: list[Attempt]) -> tuple[str, ...]:
    cost = format_usd(_cost(attempts), is_estimate=True)
    return (key[:16], str(len(attempts)), cost, attempts[-1].fault if attempts else "")


def _attempts_as_dict(key: str, attempts: list[Attempt]) -> dict[str, object]:
    return {"key": key, "requests": len(attempts), "usd": str(_cost(attempts))}


def _as_dict(defect: Defect) -> dict[str, str]:
    return {"file": str(defect.path), "kind": defect.kind.name.lower(), "text": defect.text}
