"""The command `gallery`: a contact sheet of all images."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import click

from mkdocs_imagegen.cli.site import as_json, config_file
from mkdocs_imagegen.cli.targets import requests_of
from mkdocs_imagegen.cli.terminal import (
    CommandError,
    open_in_browser,
    print_json,
    print_line,
    show_progress,
)
from mkdocs_imagegen.files import write_atomic
from mkdocs_imagegen.hosts.mkdocs.look import look
from mkdocs_imagegen.imaging.image import THUMBNAIL_PX, Thumbnail
from mkdocs_imagegen.originals.record import Record
from mkdocs_imagegen.originals.store import Original, OriginalStore
from mkdocs_imagegen.pages.contact_sheet import SheetGroup, SheetImage, contact_sheet
from mkdocs_imagegen.pipeline.lookup import open_originals
from mkdocs_imagegen.pipeline.outcome import Entry
from mkdocs_imagegen.report import deduplicate, format_usd, plural
from mkdocs_imagegen.request import ImageRequest

_WORKERS = min(4, os.cpu_count() or 1)

Originals = Mapping[ImageRequest, Sequence[Original]]
"""Originals of each request, in the order of their takes."""


def require_html(
    context: click.Context, parameter: click.Parameter, file: Path | None
) -> Path | None:
    """Return the file if its name is that of an HTML page, so that no source is overwritten.

    Raises:
        BadParameter: If it has another name.
    """
    if file is None or file.suffix.lower() in {".html", ".htm"}:
        return file
    raise click.BadParameter(f"{file} does not end in .html", context, parameter)


@click.command(
    epilog="""
\b
Examples:
  mkdocs-imagegen gallery images.html
  mkdocs-imagegen gallery images.html --open
"""
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), callback=require_html)
@config_file
@click.option("--open", "opens", is_flag=True, help="Open the page in a browser")
@as_json
def gallery(file: Path, config_file: str | None, *, opens: bool, as_json: bool) -> None:
    """Write a contact sheet of all images.

    FILE is an HTML page that needs no other file. It shows every image of the site, and the other
    takes of the same prompts that have an original.
    """
    site = look(config_file)
    store = open_originals(site.context.settings)
    missing = sum(row.state.is_missing for row in deduplicate(site.rows))
    sheet = ContactSheet(store, site.entries, file)
    count = sheet.write(
        "Images of the site",
        f"{plural(missing, 'image')} missing." if missing else "",
        _all_takes(site.entries, store),
    )
    if as_json:
        print_json({"file": str(file), "pictures": count, "missing": missing})
    else:
        print_line(f"{file}: {plural(count, 'image')}")
    if opens:
        open_in_browser(file)


class ContactSheet:
    """A contact sheet of originals, with the locations that show them.

    Args:
        store: Originals of the site.
        entries: All locations that show an image.
        file: HTML page to write.
        largest_px: Longer side of each image on the sheet.
    """

    def __init__(
        self,
        store: OriginalStore,
        entries: Sequence[Entry],
        file: Path,
        largest_px: int = THUMBNAIL_PX,
    ) -> None:
        self._store = store
        self._file = file
        self._largest_px = largest_px
        self._locations: dict[str, list[str]] = {}
        self._shown = {original.record.key for entry in entries for original in entry.originals}
        for entry in entries:
            for request in requests_of(entry):
                locations = self._locations.setdefault(_family(request), [])
                locations.append(str(entry.location))

    def write(self, title: str, note: str, originals: Originals) -> int:
        """Write the page, and return the number of images on it.

        Raises:
            CommandError: If the page cannot be written.
            ImagegenError: If an original cannot be read.
        """
        every = {each.record.key: each for several in originals.values() for each in several}
        with ThreadPoolExecutor(_WORKERS) as workers:
            made = show_progress(workers.map(self._thumbnail, every.values()), len(every))
            thumbnails = dict(zip(every, made, strict=True))
        groups = [self._group(request, originals[request], thumbnails) for request in originals]
        page = contact_sheet(title, note, [group for group in groups if group.images])
        try:
            write_atomic(self._file.absolute(), page.encode("utf-8", "replace"))
        except OSError as error:
            raise CommandError(f"cannot write {self._file}: {error.strerror}") from None
        return sum(each is not None for each in thumbnails.values())

    def _thumbnail(self, original: Original) -> Thumbnail | None:
        """Return a thumbnail, or None if the original is corrupt."""
        # Imports Pillow, which takes 60 ms that other commands save.
        from mkdocs_imagegen.imaging.encode import encode_thumbnail  # noqa: PLC0415

        content = self._store.read(original)
        return encode_thumbnail(content, self._largest_px) if content is not None else None

    def _group(
        self,
        request: ImageRequest,
        originals: Sequence[Original],
        thumbnails: Mapping[str, Thumbnail | None],
    ) -> SheetGroup:
        pairs = ((each, thumbnails[each.record.key]) for each in originals)
        images = tuple(self._image(each, small) for each, small in pairs if small)
        locations = tuple(dict.fromkeys(self._locations.get(_family(request), [])))
        return SheetGroup(request.prompt, locations, images)

    def _image(self, original: Original, small: Thumbnail) -> SheetImage:
        record = original.record
        return SheetImage(
            key=record.key,
            take=record.take,
            model=record.answered_by or record.model,
            cost=_cost(record),
            day=record.created[:10],
            is_shown=record.key in self._shown,
            url=_url_from(original.path, self._file),
            thumbnail=small,
        )


def _all_takes(entries: Sequence[Entry], store: OriginalStore) -> Originals:
    """Return the originals that pages show, and the other takes of their prompts."""
    records: dict[str, list[Record]] = {}
    for record in store.records():
        records.setdefault(record.subject, []).append(record)
    takes = sorted({each.take for several in records.values() for each in several})
    firsts: dict[str, ImageRequest] = {}
    for request in (request for entry in entries for request in requests_of(entry)):
        firsts.setdefault(_family(request), request)
    return {each: list(_takes_of(each, takes, records, store)) for each in firsts.values()}


def _takes_of(
    request: ImageRequest,
    takes: Sequence[int],
    records: Mapping[str, Sequence[Record]],
    store: OriginalStore,
) -> Iterator[Original]:
    for take in takes:
        for record in records.get(replace(request, take=take).subject_key, ()):
            original = store.find(record.key)
            if original is not None:
                yield original


def _family(request: ImageRequest) -> str:
    """Return a value that is equal for all takes of a prompt, whichever model generates them."""
    return replace(request, take=1).subject_key


def _cost(record: Record) -> str:
    if record.cost_usd is None:
        return "unknown price"
    return format_usd(record.cost_usd, is_estimate=record.cost_is_estimate)


def _url_from(path: Path, sheet: Path) -> str:
    """Return the URL of an original relative to the sheet; on another Windows drive, absolute."""
    try:
        return quote(os.path.relpath(path, sheet.absolute().parent).replace(os.sep, "/"))
    except ValueError:
        return path.absolute().as_uri()
