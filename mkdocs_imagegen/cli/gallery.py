"""The command `gallery`: a contact sheet of all images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import click

from mkdocs_imagegen.cli.review import write_review
from mkdocs_imagegen.cli.since import compare_with
from mkdocs_imagegen.cli.site import (
    ContactSheet,
    Originals,
    as_json,
    config_file,
    family_key,
    require_html,
    since,
)
from mkdocs_imagegen.cli.targets import requests_of
from mkdocs_imagegen.cli.terminal import open_in_browser, print_json, print_line
from mkdocs_imagegen.hosts.look import SiteView, look
from mkdocs_imagegen.originals.judge import Original
from mkdocs_imagegen.originals.record import Record
from mkdocs_imagegen.originals.store import OriginalStore
from mkdocs_imagegen.pipeline.lookup import open_originals
from mkdocs_imagegen.pipeline.outcome import Entry
from mkdocs_imagegen.report import deduplicate, plural
from mkdocs_imagegen.request import ImageRequest


@click.command(
    epilog="""
\b
Examples:
  mkdocs-imagegen gallery images.html
  mkdocs-imagegen gallery images.html --open
  mkdocs-imagegen gallery --since origin/main review.html
"""
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), callback=require_html)
@config_file
@since
@click.option("--open", "opens", is_flag=True, help="Open the page in a browser")
@as_json
def gallery(
    file: Path, config_file: str | None, since: str | None, *, opens: bool, as_json: bool
) -> None:
    """Write a contact sheet of all images.

    FILE is an HTML page that needs no other file. It shows every image of the site, and the other
    takes of the same prompts that were generated.

    With --since, it shows the images that this branch adds, changes and drops: the old image next
    to the new one, with their prompts.
    """
    site = look(config_file)
    if since is not None:
        comparison = compare_with(site, since)
        count, missing = write_review(site, comparison, file), len(comparison.missing)
    else:
        count, missing = _write_all(site, file)
    if as_json:
        print_json({"file": str(file), "pictures": count, "missing": missing})
    else:
        print_line(f"{file}: {plural(count, 'image')}")
    if opens:
        open_in_browser(file)


def _write_all(site: SiteView, file: Path) -> tuple[int, int]:
    """Write all images, and return the numbers of shown and missing ones."""
    store = open_originals(site.context.settings)
    missing = sum(row.state.is_missing for row in deduplicate(site.rows))
    sheet = ContactSheet(store, site.entries, file)
    count = sheet.write(
        "Images of the site",
        f"{plural(missing, 'image')} missing." if missing else "",
        _all_takes(site.entries, store),
    )
    return count, missing


def _all_takes(entries: Sequence[Entry], store: OriginalStore) -> Originals:
    """Return the originals that pages show, and the other takes of their prompts."""
    records: dict[str, list[Record]] = {}
    for record in store.records():
        records.setdefault(record.subject, []).append(record)
    takes = sorted({each.take for several in records.values() for each in several})
    firsts: dict[str, ImageRequest] = {}
    for request in (request for entry in entries for request in requests_of(entry)):
        firsts.setdefault(family_key(request), request)
    return {each: list(_takes_of(each, takes, records, store)) for each in firsts.values()}


def _takes_of(
    request: ImageRequest,
    takes: Sequence[int],
    records: Mapping[str, Sequence[Record]],
    store: OriginalStore,
) -> Iterator[Original]:
    for take in takes:
        subjects = replace(request, take=take).subject_keys
        for record in (each for key in subjects for each in records.get(key, ())):
            original = store.find(record.key)
            if original is not None:
                yield original
