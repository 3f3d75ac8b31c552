"""The command `prune`: originals that no page uses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone

import click

from mkdocs_imagegen.cli.site import as_json, config_file, without_lock
from mkdocs_imagegen.cli.targets import requests_of
from mkdocs_imagegen.cli.terminal import CommandError, print_json, print_line, print_table
from mkdocs_imagegen.directives.directive import Directive
from mkdocs_imagegen.errors import ImagegenError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.hosts.look import SiteView, look
from mkdocs_imagegen.option_parsers import quote_value
from mkdocs_imagegen.originals.folders import users_of
from mkdocs_imagegen.originals.record import Record
from mkdocs_imagegen.originals.store import OriginalStore
from mkdocs_imagegen.pipeline.lookup import open_originals
from mkdocs_imagegen.report import State, format_cost, plural

_GRACE_DAYS = 30


@dataclass(frozen=True, slots=True)
class Unused:
    """An original that no page uses."""

    record: Record
    age_days: int

    @property
    def cells(self) -> tuple[str, ...]:
        """Cells of a table."""
        return (
            self.record.key[:16],
            plural(self.age_days, "day"),
            format_cost([self.record.cost_usd]),
            quote_value(self.record.prompt),
        )


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
    old, result = find_unused(look(config_file, change=without_lock), grace_days, removes=yes)
    if as_json:
        print_json({"removed": yes, "unused": [each.record.key for each in old]})
    else:
        print_unused(old, result)


def find_unused(
    site: SiteView, grace_days: int = _GRACE_DAYS, *, removes: bool
) -> tuple[list[Unused], str]:
    """Return the originals that no page uses and that are old enough, and a line about them.

    Args:
        site: Look at the site that finds all images, also those that are not locked.
        grace_days: Minimum number of days since an image was generated.
        removes: True to remove them.

    Raises:
        CommandError: If it is unknown which originals the pages use.
        StoreError: If a record cannot be read, or a file cannot be deleted.
    """
    store = open_originals(site.context.settings)
    unused = list(_unused([site, *_other_sites(site)], store))
    old = [each for each in unused if each.age_days >= grace_days]
    for each in old if removes else ():
        store.remove(each.record)
    kept = len(unused) - len(old)
    more = f"; {plural(kept, 'younger one')} kept" if kept else ""
    return old, f"{_result(len(old), is_removed=removes)}{more}"


def print_unused(unused: Sequence[Unused], result: str) -> None:
    """Print a table of unused originals, and the line about them."""
    print_table(("Key", "Age", "Cost", "Prompt"), [each.cells for each in unused])
    print_line(result)


def _result(count: int, *, is_removed: bool) -> str:
    unused = plural(count, "unused original")
    if is_removed and count:
        return f"{unused} removed"
    return f"{unused}; add --yes to remove" if count else "no unused originals"


def _other_sites(site: SiteView) -> Iterator[SiteView]:
    """Yield the other sites that use the originals folder.

    Raises:
        CommandError: If one cannot be built.
    """
    settings = site.context.settings
    notes = settings.work_path / "users.json"
    for path in users_of(settings.originals_path):
        if settings.config_file and path == settings.config_file.absolute():
            continue
        try:
            yield look(str(path), change=without_lock)
        except (click.ClickException, ImagegenError, OSError) as error:
            text = error.format_message() if isinstance(error, click.ClickException) else str(error)
            fault = f"{path} uses the same originals and cannot be built: {text}"
            raise CommandError(f"{fault}; fix it, or remove it from {notes}") from None


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


def _unused(sites: Sequence[SiteView], store: OriginalStore) -> Iterator[Unused]:
    for site in sites:
        _require_valid(site)
    entries = [entry for site in sites for entry in site.entries]
    keys = {original.record.key for entry in entries for original in entry.originals}
    requests = (request for entry in entries for request in requests_of(entry))
    subjects = {key for request in requests for key in request.subject_keys}
    now = datetime.now(timezone.utc)
    for record in store.records():
        if record.key not in keys and record.subject not in subjects:
            yield Unused(record, (now - _created(record, now)) // timedelta(days=1))


def _created(record: Record, now: datetime) -> datetime:
    try:
        created = datetime.fromisoformat(record.created)
    except ValueError:
        return now  # an original without a date counts as new, and stays
    return created if created.tzinfo else created.replace(tzinfo=timezone.utc)
