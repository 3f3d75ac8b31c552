"""`gallery`, and what every contact sheet is made of."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from mkdocs_imagegen.cli.plan import LOOKS
from mkdocs_imagegen.cli.site import SiteError, as_json, config_file, look
from mkdocs_imagegen.cli.stores import store_of
from mkdocs_imagegen.cli.terminal import counted, say, say_json, show_in_browser
from mkdocs_imagegen.directives.directive import Directive
from mkdocs_imagegen.errors import ImagegenError
from mkdocs_imagegen.files import write_atomic
from mkdocs_imagegen.imaging.image import THUMBNAIL_PX, Thumbnail
from mkdocs_imagegen.originals.record import Record
from mkdocs_imagegen.originals.store import Original, OriginalStore
from mkdocs_imagegen.pages.contact_sheet import SheetGroup, SheetImage, contact_sheet
from mkdocs_imagegen.pipeline.outcome import Entry
from mkdocs_imagegen.report import format_usd
from mkdocs_imagegen.request import ImageRequest

_WORKERS = min(4, os.cpu_count() or 1)

Images = Mapping[ImageRequest, Sequence[Original]]
"""The originals of each request, as they stand side by side."""


class _Page(click.Path):
    """A file that may be written over: an HTML page, and no source of the site."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, path_type=Path)

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:  # noqa: ANN401 - as the class above has it
        if not str(value).lower().endswith((".html", ".htm")):
            self.fail(f"{value} is no name of an HTML page; let it end in .html", param, ctx)
        return super().convert(value, param, ctx)


PAGE = _Page()


@click.command(
    epilog="""
\b
Examples:
  mkdocs-imagegen gallery images.html
  mkdocs-imagegen gallery images.html --open
"""
)
@click.argument("file", type=PAGE)
@config_file
@click.option("--open", "opens", is_flag=True, help="Open it in a browser.")
@as_json
def gallery(file: Path, config_file: str | None, *, opens: bool, as_json: bool) -> None:
    """Write a contact sheet of the site's images into FILE, an HTML page.

    It holds every image that a page shows, and beside it the other takes of the same prompt
    that are kept. The page needs nothing but itself.
    """
    looked = look(config_file, LOOKS)
    store = store_of(looked.settings)
    images = _takes(looked.entries, store)
    sheet = Sheet(store, looked.entries, file)
    count = sheet.write("Images of the site", _note(looked.entries), images)
    if as_json:
        say_json({"file": str(file), "pictures": count, "missing": _missing(looked.entries)})
    else:
        say(f"{file}: {count} image{'' if count == 1 else 's'}")
    if opens:
        show_in_browser(file)


class Sheet:
    """A contact sheet that is being made.

    Args:
        store: where the originals are.
        entries: every place of the site that shows an image.
        file: where the sheet will be.
        small_px: the longer side of each image in it.
    """

    def __init__(
        self,
        store: OriginalStore,
        entries: Sequence[Entry],
        file: Path,
        small_px: int = THUMBNAIL_PX,
    ) -> None:
        self._store = store
        self._file = file
        self._small_px = small_px
        self._places: dict[str, list[str]] = {}
        self._shown = {original.record.key for entry in entries for original in entry.original}
        for entry in entries:
            for request in requests_of(entry):
                self._places.setdefault(_family(request), []).append(str(entry.line.location))

    def write(self, title: str, note: str, images: Images) -> int:
        """Write it, and say how many images it holds.

        Raises:
            SiteError: it cannot be written, or an original cannot be read.
        """
        every = {
            original.record.key: original for several in images.values() for original in several
        }
        try:
            with ThreadPoolExecutor(_WORKERS) as workers:
                done = counted(workers.map(self._small, every.values()), len(every))
                smalls = dict(zip(every, done, strict=True))
            strips = [self._strip(request, images[request], smalls) for request in images]
            page = contact_sheet(title, note, [strip for strip in strips if strip.frames])
            write_atomic(self._file.absolute(), page.encode("utf-8", "replace"))
        except ImagegenError as error:
            raise SiteError(str(error)) from None
        except OSError as error:
            raise SiteError(f"{self._file} cannot be written: {error.strerror}") from None
        return sum(small is not None for small in smalls.values())

    def _small(self, original: Original) -> Thumbnail | None:
        """None for what is not as it was stored."""
        # Imports Pillow, which takes 60 ms that other commands save.
        from mkdocs_imagegen.imaging.encode import encode_thumbnail  # noqa: PLC0415

        content = self._store.read(original)
        return encode_thumbnail(content, self._small_px) if content is not None else None

    def _strip(
        self,
        request: ImageRequest,
        several: Sequence[Original],
        smalls: Mapping[str, Thumbnail | None],
    ) -> SheetGroup:
        frames = [
            self._frame(each, small) for each in several if (small := smalls[each.record.key])
        ]
        locations = tuple(dict.fromkeys(self._places.get(_family(request), [])))
        return SheetGroup(request.prompt, locations, tuple(frames))

    def _frame(self, original: Original, small: Thumbnail) -> SheetImage:
        record = original.record
        return SheetImage(
            key=record.key,
            take=record.take,
            model=record.answered_by or record.model,
            price=_paid(record),
            day=record.created[:10],
            is_shown=record.key in self._shown,
            file=_address(original.path, self._file),
            small=small,
        )


def _takes(entries: Sequence[Entry], store: OriginalStore) -> Images:
    """What pages show, and the other originals of the same prompt."""
    subjects: dict[str, list[Record]] = {}
    for record in store.records():
        subjects.setdefault(record.subject, []).append(record)
    takes = sorted({each.take for several in subjects.values() for each in several})
    firsts: dict[str, ImageRequest] = {}
    for request in (request for entry in entries for request in requests_of(entry)):
        firsts.setdefault(_family(request), request)
    images: dict[ImageRequest, list[Original]] = {}
    for request in firsts.values():
        same = (replace(request, take=take).subject_key for take in takes)
        every = (store.find(each.key) for key in same for each in subjects.get(key, []))
        images[request] = [original for original in every if original is not None]
    return images


def _family(request: ImageRequest) -> str:
    """Equal for all takes of a prompt, whoever draws them."""
    return replace(request, take=1).subject_key


def requests_of(entry: Entry) -> tuple[ImageRequest, ...]:
    """What a place asks for; nothing where it has a mistake."""
    return entry.found.requests if isinstance(entry.found, Directive) else ()


def _missing(entries: Sequence[Entry]) -> int:
    lacking = {entry.line.key for entry in entries if entry.line.state.is_missing}
    return len(lacking)


def _note(entries: Sequence[Entry]) -> str:
    missing = _missing(entries)
    be = "is" if missing == 1 else "are"
    return f"{missing} more {be} not made yet." if missing else ""


def _paid(record: Record) -> str:
    if record.cost_usd is None:
        return "price not known"
    about = "about " if record.cost_is_estimate else ""
    return f"{about}{format_usd(record.cost_usd)}"


def _address(path: Path, sheet: Path) -> str:
    """The address of an original, from the sheet; its own where no path leads there."""
    try:
        return quote(os.path.relpath(path, sheet.absolute().parent).replace(os.sep, "/"))
    except ValueError:
        return path.absolute().as_uri()
