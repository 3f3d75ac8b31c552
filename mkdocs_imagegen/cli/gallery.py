"""The command `gallery`: a contact sheet of all images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from mkdocs_imagegen.cli.review import write_review
from mkdocs_imagegen.cli.since import look_since
from mkdocs_imagegen.cli.site import (
    ContactSheet,
    as_json,
    config_file,
    family_key,
    require_html,
    since,
)
from mkdocs_imagegen.cli.targets import requests_of
from mkdocs_imagegen.cli.terminal import open_in_browser, print_json, print_line
from mkdocs_imagegen.errors import StoreError
from mkdocs_imagegen.hosts.look import SiteView, look
from mkdocs_imagegen.log import log
from mkdocs_imagegen.originals.judge import Original
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
    takes of the same prompts that were generated. After 1,000 images, the sheet continues in
    numbered files next to it, such as images-2.html.

    With --since, it shows the images that this branch adds, changes and drops: the old image next
    to the new one, with their prompts.
    """
    comparison = None
    if since is not None:
        site, comparison = look_since(config_file, since)
        written = {file: write_review(site, comparison, file)}
        missing = len(comparison.missing)
    else:
        written, missing = _write_all(look(config_file), file)
    if as_json:
        files, count = [str(each) for each in written], sum(written.values())
        print_json({"file": str(file), "files": files, "pictures": count, "missing": missing})
    else:
        for each, images in written.items():
            shown = len(comparison.changes) if comparison else images
            print_line(f"{each}: {plural(shown, 'change' if comparison else 'image')}")
    if opens:
        open_in_browser(file)


def _write_all(site: SiteView, file: Path) -> tuple[dict[Path, int], int]:
    """Write all images; return the number of images in each file, and that of missing ones."""
    store = open_originals(site.context.settings)
    missing = sum(row.state.is_missing for row in deduplicate(site.rows))
    sheet = ContactSheet(store, site.entries, file)
    keys = _all_takes(site.entries, store)

    def find(key: str) -> Original | None:
        try:
            return store.find(key)
        except StoreError as error:
            log.warning("an image is left out: %s", error)
            return None

    written = sheet.write(
        "Images of the site",
        f"{plural(missing, 'image')} missing." if missing else "",
        ((request, filter(None, map(find, each))) for request, each in keys),
        sum(len(each) for _, each in keys),
    )
    return written, missing


def _all_takes(
    entries: Sequence[Entry], store: OriginalStore
) -> list[tuple[ImageRequest, list[str]]]:
    """Return the cache keys of all takes of each prompt; the records are read one by one, twice."""
    takes = sorted({record.take for record in store.records()})
    firsts: dict[str, ImageRequest] = {}
    for request in (request for entry in entries for request in requests_of(entry)):
        firsts.setdefault(family_key(request), request)
    by_subject: dict[str, tuple[int, int]] = {}
    for number, first in enumerate(firsts.values()):
        subjects = (key for take in takes for key in replace(first, take=take).subject_keys)
        by_subject |= {key: (number, position) for position, key in enumerate(subjects)}
    found: list[list[tuple[int, str]]] = [[] for _ in firsts]
    for record in store.records():
        if record.subject in by_subject:
            number, position = by_subject[record.subject]
            found[number].append((position, record.key))
    keys = ([key for _, key in sorted(each)] for each in found)
    return list(zip(firsts.values(), keys, strict=True))
