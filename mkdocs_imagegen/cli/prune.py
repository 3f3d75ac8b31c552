"""The command `prune`: originals that no page uses."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import click

from mkdocs_imagegen.cli.site import as_json, config_file, without_lock
from mkdocs_imagegen.cli.targets import requests_of
from mkdocs_imagegen.cli.terminal import CommandError, print_json, print_line, print_table
from mkdocs_imagegen.directives.directive import Directive
from mkdocs_imagegen.errors import ImagegenError
from mkdocs_imagegen.hosts.look import SiteView, look
from mkdocs_imagegen.option_parsers import quote_value
from mkdocs_imagegen.originals.folders import users_of
from mkdocs_imagegen.originals.record import Record
from mkdocs_imagegen.pipeline.lookup import open_originals
from mkdocs_imagegen.report import State, format_cost, plural

_GRACE_DAYS = 30


@click.command(
    epilog="""
\b
Examples:
  mkdocs-imagegen prune
  mkdocs-imagegen prune --grace-days 90 --yes
"""
)
@config_file
@click.option("--yes", is_flag=True, help="Remove the originals instead of only listing them")
@click.option(
    "--grace-days",
    type=click.IntRange(0),
    metavar="DAYS",
    default=_GRACE_DAYS,
    show_default=True,
    help="Minimum number of days since the image was generated",
)
@as_json
def prune(config_file: str | None, *, yes: bool, grace_days: int, as_json: bool) -> None:
    """Remove originals that no page uses.

    Originals are images as the server returned them. Without --yes, the command only lists them.
    It reads all sites that have used the originals folder on this machine. Generating a removed
    image again costs as much as before, so check first that no other branch uses it.
    """
    unused = Unused(look(config_file, change=without_lock), grace_days)
    keys = unused.find(removes=yes, prints=not as_json)
    if as_json:
        print_json({"removed": yes, "unused": keys})


class Unused:
    """Originals that no page uses.

    Args:
        site: Look at the site that finds all images, also those that are not locked.
        grace_days: Minimum number of days since an image was generated.

    Raises:
        CommandError: If it is unknown which originals the pages use.
    """

    def __init__(self, site: SiteView, grace_days: int = _GRACE_DAYS) -> None:
        self._settings = site.context.settings
        self._grace_days = grace_days
        self._used = set(_keys_of(site))
        self._keys: list[str] = []
        self._kept = 0

    def find(self, *, removes: bool, prints: bool) -> list[str]:
        """Return the cache keys of the originals that are old enough; records are read one by one.

        Args:
            removes: True to remove them.
            prints: True to print a table of them, and a line about them.

        Raises:
            CommandError: If it is unknown which originals the pages of other sites use.
            StoreError: If a record cannot be read, or a file cannot be deleted.
        """
        settings = self._settings
        for path in users_of(settings.originals_path):
            if not settings.config_file or path != settings.config_file.absolute():
                # One site at a time is in memory.
                self._used.update(_keys_of(_look_at(path, settings.work_path / "users.json")))
        store = open_originals(settings)
        rows = self._rows(store.records())
        if prints:
            print_table(("Key", "Age", "Cost", "Prompt"), rows)
        else:
            deque(rows, maxlen=0)
        for key in self._keys if removes else ():  # not before every record was read
            store.remove(key)
        if prints:
            kept = f"; {plural(self._kept, 'younger one')} kept" if self._kept else ""
            print_line(f"{_result(len(self._keys), is_removed=removes)}{kept}")
        return self._keys

    def _rows(self, records: Iterable[Record]) -> Iterator[tuple[str, ...]]:
        """Sort records, and yield the table row of each that is old and unused."""
        now = datetime.now(timezone.utc)
        for record in records:
            if record.key in self._used or record.subject in self._used:
                continue
            age_days = (now - _created(record, now)) // timedelta(days=1)
            if age_days < self._grace_days:
                self._kept += 1
                continue
            self._keys.append(record.key)
            cost, prompt = format_cost([record.cost_usd]), quote_value(record.prompt)
            yield record.key[:16], plural(age_days, "day"), cost, prompt


def _result(count: int, *, is_removed: bool) -> str:
    unused = plural(count, "unused original")
    if is_removed and count:
        return f"{unused} removed"
    return f"{unused}; add --yes to remove" if count else "no unused originals"


def _look_at(path: Path, notes: Path) -> SiteView:
    """Return another site that uses the originals folder.

    Raises:
        CommandError: If it cannot be built.
    """
    try:
        return look(str(path), change=without_lock)
    except (click.ClickException, ImagegenError, OSError) as error:
        text = error.format_message() if isinstance(error, click.ClickException) else str(error)
        fault = f"{path} uses the same originals and cannot be built: {text}"
        raise CommandError(f"{fault}; fix it, or remove it from {notes}") from None


def _keys_of(site: SiteView) -> Iterator[str]:
    """Yield the cache keys and subject keys that the pages of a site use.

    Raises:
        CommandError: If that is unknown.
    """
    _require_valid(site)
    for entry in site.entries:
        yield from (original.record.key for original in entry.originals)
        for request in requests_of(entry):
            yield from request.subject_keys


def _require_valid(site: SiteView) -> None:
    """Raise an error if it is unknown which originals the pages use.

    Raises:
        CommandError: If a directive is invalid, a reference image is missing, or the plugin is
            switched off.
    """
    invalid = next((row for row in site.rows if row.state is State.INVALID), None)
    if invalid is not None:
        fault = "; ".join(invalid.remarks)
        raise CommandError(f"the directive at {invalid.location} is invalid: {fault}")
    if not site.context.settings.enabled:
        raise CommandError("enabled is false, so no page uses an image; set it to true")
    for entry in site.entries:
        if isinstance(entry.directive, Directive) and not entry.directive.is_complete:
            fault = f"a reference image of {entry.location} is missing"
            raise CommandError(f"{fault}; generate it, or restore it from a backup")


def _created(record: Record, now: datetime) -> datetime:
    try:
        created = datetime.fromisoformat(record.created)
    except ValueError:
        return now  # an original without a date counts as new, and stays
    return created if created.tzinfo else created.replace(tzinfo=timezone.utc)
