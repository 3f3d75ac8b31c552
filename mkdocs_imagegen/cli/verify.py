"""`verify` and `prune`: look after the originals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import click

from mkdocs_imagegen.cli.plan import LOOKS
from mkdocs_imagegen.cli.site import Looked, SiteError, as_json, config_file, look, settings_of
from mkdocs_imagegen.cli.stores import store_of
from mkdocs_imagegen.cli.terminal import say, say_json, say_table
from mkdocs_imagegen.directives.directive import Directive
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.options import quote_value
from mkdocs_imagegen.originals.audit import Defect, DefectKind, audit
from mkdocs_imagegen.originals.record import Record
from mkdocs_imagegen.originals.store import OriginalStore
from mkdocs_imagegen.report import State, format_usd

_GRACE_DAYS = 30


@click.command()
@config_file
@as_json
def verify(config_file: str | None, as_json: bool) -> None:  # noqa: FBT001 - how click calls it
    """Read every original again, to the last byte; changes nothing.

    The exit code is the sum of: 1 an image or record is corrupt, 2 an image has no record or a
    record no image, 4 something cannot be read.
    """
    settings = settings_of(config_file)
    count, defects = audit(settings.originals_path)
    if as_json:
        say_json({"originals": count, "faults": [_as_dict(each) for each in defects]})
    else:
        say_table(("File", "Fault"), [(str(each.path), each.text) for each in defects])
        say(f"{count} originals are whole" + (f", {len(defects)} faults" if defects else ""))
    kinds = {each.kind for each in defects}
    raise SystemExit(sum(kind.value for kind in DefectKind if kind in kinds))


def _as_dict(defect: Defect) -> dict[str, str]:
    return {"file": str(defect.path), "kind": defect.kind.name.lower(), "text": defect.text}


@dataclass(frozen=True, slots=True)
class _Unused:
    record: Record
    age_days: int

    @property
    def row(self) -> tuple[str, ...]:
        """For a table."""
        cost = self.record.cost_usd
        price = "?" if cost is None else format_usd(cost)
        return (
            self.record.key[:16],
            f"{self.age_days} days",
            price,
            quote_value(self.record.prompt),
        )


@click.command()
@config_file
@click.option("--yes", is_flag=True, help="Remove them, instead of only listing them.")
@click.option(
    "--grace-days",
    type=click.IntRange(0),
    default=_GRACE_DAYS,
    show_default=True,
    help="Keep what is younger.",
)
@as_json
def prune(
    config_file: str | None,
    *,
    yes: bool,
    grace_days: int,
    as_json: bool,
) -> None:
    """List originals that no page asks for; remove them with --yes.

    They were paid for: another branch, or a page that comes back, may want them again.
    """
    looked = look(config_file, LOOKS)
    _refuse_to_guess(looked)
    used = {original.record.key for entry in looked.entries for original in entry.original}
    subjects = {
        request.subject_key
        for entry in looked.entries
        if isinstance(entry.found, Directive)
        for request in entry.found.requests
    }
    store = store_of(looked.settings)
    unused = [
        each
        for each in _aged(store)
        if each.record.key not in used and each.record.subject not in subjects
    ]
    old = [each for each in unused if each.age_days >= grace_days]
    if yes:
        for each in old:
            store.remove(each.record)
    if as_json:
        say_json({"removed": yes, "unused": [each.record.key for each in old]})
        return
    say_table(("Key", "Age", "Paid", "Prompt"), [each.row for each in old])
    young = f"; {len(unused) - len(old)} younger ones stay" if len(unused) > len(old) else ""
    what_next = "removed" if yes else "on no page; --yes removes them"
    say(f"{len(old)} originals {what_next}{young}" if old else f"nothing to remove{young}")


def _refuse_to_guess(looked: Looked) -> None:
    """Let nothing be called unused while it is not clear what is used.

    Raises:
        SiteError: it is not.
    """
    mistake = next((line for line in looked.lines if line.state is State.INVALID), None)
    if mistake is not None:
        fault = "; ".join(mistake.remarks)
        raise SiteError(f"{mistake.location} has a mistake, so what it uses is not known: {fault}")
    if not looked.settings.enabled:
        raise SiteError("enabled is false, so no page uses any image now; switch it on")


def _aged(store: OriginalStore) -> Iterator[_Unused]:
    now = datetime.now(timezone.utc)
    for record in store.records():
        yield _Unused(record, (now - _created(record)) // timedelta(days=1))


def _created(record: Record) -> datetime:
    try:
        created = datetime.fromisoformat(record.created)
    except ValueError:
        return datetime.now(timezone.utc)  # what cannot be dated is young, and stays
    return created if created.tzinfo else created.replace(tzinfo=timezone.utc)
