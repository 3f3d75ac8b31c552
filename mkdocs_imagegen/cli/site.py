"""The site of a command: its configuration file, its gateway, an estimate and a contact sheet."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from decimal import Decimal
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

import anyio
import click

from mkdocs_imagegen.cli.terminal import CommandError, show_progress
from mkdocs_imagegen.directives.directive import Directive
from mkdocs_imagegen.errors import (
    GatewayError,
    ImagegenError,
    OverBudgetError,
    can_be_generated,
)
from mkdocs_imagegen.files import write_atomic
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.hosts.gateway import gateway_factory
from mkdocs_imagegen.hosts.look import SiteView
from mkdocs_imagegen.imaging.image import LARGE_PX, THUMBNAIL_PX, Thumbnail
from mkdocs_imagegen.log import log
from mkdocs_imagegen.originals.judge import Original
from mkdocs_imagegen.originals.record import Record
from mkdocs_imagegen.originals.store import OriginalStore
from mkdocs_imagegen.pages.contact_sheet import (
    SheetGroup,
    SheetImage,
    group_markup,
    is_contact_sheet,
    sheet_frame,
)
from mkdocs_imagegen.pipeline.outcome import Entry
from mkdocs_imagegen.report import ReportRow, State, deduplicate, format_cost, plural
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import Settings
from mkdocs_imagegen.settings.budget import BudgetSettings
from mkdocs_imagegen.spending.budget import Budget
from mkdocs_imagegen.spending.ledger import spend_of_month
from mkdocs_imagegen.spending.model_choice import ModelChoice

if TYPE_CHECKING:
    from mkdocs_imagegen.gateway.client import Gateway

T = TypeVar("T")
R = TypeVar("R")

_WORKERS = min(4, os.cpu_count() or 1)

SIMULATED = "simulated: the site draws sketches; remove the URL `sketch:` to use the AI Gateway"
"""Note for output that comes from the emulator in this process."""

Originals = Iterable[tuple[ImageRequest, Iterable[Original]]]
"""Originals of each request, in the order of their takes."""
_MAX_IMAGES = 1000
"""Images of one contact sheet, which is about 20 MB then."""
_HEAD = 500
_NO_LIMIT = BudgetSettings(images=None, usd=None)

config_file = click.option(
    "-f",
    "--config-file",
    type=click.Path(exists=True, dir_okay=False),
    help="Configuration file of the site; by default properdocs.yml, mkdocs.yml or "
    "zensical.toml in this folder",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON")

locked = click.option(
    "--locked",
    is_flag=True,
    help="Count only images whose record is committed in git, as with the option locked",
)


def with_lock(settings: Settings) -> Settings:
    """Return settings with which only locked images are shown."""
    return replace(settings, locked=True)


def without_lock(settings: Settings) -> Settings:
    """Return settings with which all images are found; what they use must not be removed."""
    return replace(settings, locked=False)


def require_unlocked(settings: Settings) -> Settings:
    """Return the settings of a site for a command that adds originals.

    Raises:
        CommandError: If the site is locked.
    """
    if settings.locked:
        raise CommandError("locked is true, so no images are added; set `locked: false`")
    return settings


since = click.option(
    "--since",
    metavar="REVISION",
    help="Only the changes of this branch, compared with a git revision such as origin/main",
)


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


def ask_gateway(settings: Settings, ask: Callable[[Gateway], Awaitable[T]]) -> T:
    """Open the gateway of a site, and return the result of a function that reads from it.

    Raises:
        GatewayError: If the gateway does not answer, or with an error.
    """

    async def once() -> T | GatewayError:
        try:
            gateway = gateway_factory(settings)(settings.gateway)
            try:
                return await ask(gateway)
            finally:
                await gateway.aclose()
        except GatewayError as error:
            return error.with_traceback(None)

    answer = anyio.run(once)
    if isinstance(answer, GatewayError):
        raise answer
    return answer


@dataclass(frozen=True, slots=True)
class Estimate:
    """Images that a build would generate, and their cost.

    Attributes:
        rows: All locations of all images; state `over budget` if the budget is too small.
        images: Number of images.
        usd: Estimated cost in US dollars.
        unpriced: Number of images of unknown price.
    """

    rows: list[ReportRow]
    images: int
    usd: Decimal
    unpriced: int

    def __str__(self) -> str:
        known = [self.usd] if self.images > self.unpriced else []
        cost = format_cost([*known, *[None] * self.unpriced], is_estimate=True)
        is_free = not (self.usd or self.unpriced)
        return f"{plural(self.images, 'image')} ({'at no cost' if is_free else cost})"


def estimate_build(site: SiteView) -> Estimate:
    """Return the missing images that a build would generate, in the order of the pages."""
    budget, over = Budget(), dict[str, OverBudgetError]()
    is_free = site.context.settings.gateway.is_sketch
    limit = _NO_LIMIT if is_free else site.context.settings.budget
    if limit.has_monthly_limit:
        folder = site.context.settings.originals_path
        budget.earlier = spend_of_month(folder, datetime.now(timezone.utc))
    unpriced = 0
    for row in deduplicate(site.rows):
        if not _is_counted(row):
            continue
        try:
            budget.reserve(limit, row.price_usd)
            unpriced += row.price_usd is None and not is_free
        except OverBudgetError as error:
            over[row.key] = error
    is_granted = site.context.permission.is_granted
    rows = [_estimated(row, over.get(row.key), is_granted=is_granted) for row in site.rows]
    return Estimate(rows, budget.images, budget.usd, unpriced)


def _is_counted(row: ReportRow) -> bool:
    return row.state is State.MISSING and can_be_generated(row.error)


def _estimated(row: ReportRow, over: OverBudgetError | None, *, is_granted: bool) -> ReportRow:
    """Return a row as after a build, without error if the build would generate the image."""
    if not _is_counted(row):
        return row
    state = State.OVER_BUDGET if over else State.MISSING
    return replace(row, state=state, error=over if is_granted else row.error)


def log_model_change(site: SiteView) -> None:
    """Log which model replaces that of a site soon, or now for its missing images."""
    settings = site.context.settings
    if not site.entries or settings.gateway.is_sketch:
        return
    choice = ModelChoice.from_cache(settings, is_estimate=True)
    is_missing = any(row.state is State.MISSING for row in site.rows if row.model == settings.model)
    if is_missing or not choice.is_shut_down(settings.model):
        choice.log_change(ImageRequest(settings.model, "", settings.size, settings.quality))


class ContactSheet:
    """A contact sheet of originals, with the locations that show them.

    Args:
        store: Originals of the site.
        entries: All locations that show an image.
        file: HTML page to write.
        is_large: True if the images are large enough to judge each.
    """

    def __init__(
        self,
        store: OriginalStore,
        entries: Sequence[Entry],
        file: Path,
        *,
        is_large: bool = False,
    ) -> None:
        self._store = store
        self._file = file
        self._is_large = is_large
        self._titles: dict[str, str] = {}
        self._locations: dict[str, list[str]] = {}
        self._shown = {original.record.key for entry in entries for original in entry.originals}
        for entry in entries:
            if isinstance(entry.directive, Directive):
                self._add(entry.directive, str(entry.location))

    def _add(self, directive: Directive, location: str) -> None:
        for request, title in zip(directive.requests, directive.titles, strict=True):
            family = family_key(request)
            self._titles.setdefault(family, title)
            self._locations.setdefault(family, []).append(location)

    def write(self, title: str, note: str, originals: Originals, count: int) -> dict[Path, int]:
        """Write the page, or several that link to each other; return their numbers of images.

        Args:
            title: Title of the page.
            note: Sentence under the title; ``""`` for none.
            originals: Originals of each request, in the order of the pages of the site.
            count: Number of originals.

        Raises:
            CommandError: If a page cannot be written, or has the name of another file.
        """
        # After an error, too: its message must not come while the bar is shown.
        with closing(self._groups(originals, count)) as groups:
            return self._write_parts(title, note, groups)

    def _write_parts(self, title: str, note: str, groups: Iterator[SheetGroup]) -> dict[Path, int]:
        written: dict[Path, int] = {}
        group = next(groups, None)
        while group or not written:
            number, images = len(written) + 1, 0
            file = self._part(number)
            with _writing(file), TemporaryFile() as body:
                # The number of images is known at last, and is at the beginning.
                while group and (not images or images + len(group.images) <= _MAX_IMAGES):
                    body.write(group_markup(images, group).encode("utf-8", "replace"))
                    images += len(group.images)
                    group = next(groups, None)
                parts = {"Previous part": number - 1} if written else {}
                parts |= {"Next part": number + 1} if group else {}
                urls = {text: quote(self._part(each).name) for text, each in parts.items()}
                size = "large" if self._is_large else "small"
                frame = sheet_frame(title, note, images, urls, size)
                head, tail = (each.encode("utf-8", "replace") for each in frame)
                body.seek(0)
                write_atomic(file.absolute(), chain([head], body, [tail]))
            written[file] = images
        return written

    def _part(self, number: int) -> Path:
        """Return the file of a part.

        Raises:
            CommandError: If it is another file, which the user has not named.
        """
        if number == 1:
            return self._file
        file = self._file.with_stem(f"{self._file.stem}-{number}")
        if file.exists() and not is_contact_sheet(file.read_text("utf-8", "replace")[:_HEAD]):
            raise CommandError(f"{file} is no contact sheet; move it, or choose another name")
        return file

    def _groups(self, originals: Originals, count: int) -> Generator[SheetGroup, None, None]:
        """Yield the groups of the sheet; the thumbnails of a few are in memory."""
        every = ((request, each) for request, several in originals for each in several)
        with closing(show_progress(_map_in_threads(self._with_thumbnail, every), count)) as made:
            for request, several in groupby(made, key=itemgetter(0)):
                images = tuple(self._image(each, small) for _, each, small in several if small)
                family = family_key(request)
                locations = tuple(dict.fromkeys(self._locations[family]))
                if images:
                    yield SheetGroup(self._titles[family], request.prompt, locations, images)

    def _with_thumbnail(
        self, pair: tuple[ImageRequest, Original]
    ) -> tuple[ImageRequest, Original, Thumbnail | None]:
        largest_px = LARGE_PX if self._is_large else THUMBNAIL_PX
        return *pair, thumbnail_of(pair[1], lambda each: self._store.read(each)[1], largest_px)

    def _image(self, original: Original, small: Thumbnail) -> SheetImage:
        record = original.record
        return SheetImage(
            key=record.key,
            take=record.take,
            model=record.answered_by or record.model,
            cost=cost_of(record),
            created=record.created,
            is_shown=record.key in self._shown,
            url=_url_from(original.path, self._file),
            thumbnail=small,
        )


def thumbnail_of(
    original: Original, read: Callable[[Original], bytes], largest_px: int
) -> Thumbnail | None:
    """Return a thumbnail; None, with a warning, if the original cannot be read or decoded."""
    # Imports Pillow, which takes 60 ms that other commands save.
    from mkdocs_imagegen.imaging.encode import encode_thumbnail  # noqa: PLC0415

    try:
        return encode_thumbnail(read(original), largest_px)
    except ImagegenError as error:
        record = original.record
        log.warning("image %s/%s is left out: %s", record.key[:2], record.file_name, error)
        return None


def _map_in_threads(function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """Yield the results of a function for all items in order, of which a few are in memory."""
    with ThreadPoolExecutor(_WORKERS) as workers:
        pending: deque[Future[R]] = deque()
        for item in items:
            pending.append(workers.submit(function, item))
            if len(pending) > 2 * _WORKERS:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def family_key(request: ImageRequest) -> str:
    """Return a value that is equal for all takes of a prompt, whichever model generates them."""
    return replace(request, take=1).subject_key


def write_sheet(file: Path, page: str) -> None:
    """Write a contact sheet.

    Raises:
        CommandError: If it cannot be written.
    """
    with _writing(file):
        write_atomic(file.absolute(), page.encode("utf-8", "replace"))


@contextmanager
def _writing(file: Path) -> Iterator[None]:
    """Name the file of a contact sheet in an error.

    Raises:
        CommandError: If it cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise CommandError(f"cannot write {file}: {error.strerror}") from None


def cost_of(record: Record) -> str:
    """Return the cost of an original, such as ``$0.015``."""
    return format_cost([record.cost_usd], is_estimate=record.cost_is_estimate)


def _url_from(path: Path, sheet: Path) -> str:
    """Return the URL of an original relative to the sheet; on another Windows drive, absolute."""
    try:
        return quote(os.path.relpath(path, sheet.absolute().parent).replace(os.sep, "/"))
    except ValueError:
        return path.absolute().as_uri()
