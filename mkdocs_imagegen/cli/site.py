"""The site of a command: its configuration file, its gateway, an estimate and a contact sheet."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

import anyio
import click

from mkdocs_imagegen.cli.terminal import CommandError, show_progress
from mkdocs_imagegen.directives.directive import Directive
from mkdocs_imagegen.errors import GatewayError, OverBudgetError, StoreError
from mkdocs_imagegen.files import write_atomic
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.hosts.gateway import gateway_factory
from mkdocs_imagegen.hosts.look import SiteView
from mkdocs_imagegen.imaging.image import LARGE_PX, THUMBNAIL_PX, Thumbnail
from mkdocs_imagegen.log import log
from mkdocs_imagegen.originals.judge import Original
from mkdocs_imagegen.originals.record import Record
from mkdocs_imagegen.originals.store import OriginalStore
from mkdocs_imagegen.pages.contact_sheet import SheetGroup, SheetImage, contact_sheet
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

_WORKERS = min(4, os.cpu_count() or 1)

SIMULATED = "simulated: the site draws sketches; remove the URL `sketch:` to use the AI Gateway"
"""Note for output that comes from the emulator in this process."""

Originals = Mapping[ImageRequest, Sequence[Original]]
"""Originals of each request, in the order of their takes."""
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
        if row.state is not State.MISSING:
            continue
        try:
            budget.reserve(limit, row.price_usd)
            unpriced += row.price_usd is None and not is_free
        except OverBudgetError as error:
            over[row.key] = error
    is_granted = site.context.permission.is_granted
    rows = [_estimated(row, over.get(row.key), is_granted=is_granted) for row in site.rows]
    return Estimate(rows, budget.images, budget.usd, unpriced)


def _estimated(row: ReportRow, over: OverBudgetError | None, *, is_granted: bool) -> ReportRow:
    """Return a row as after a build, without error if the build would generate the image."""
    if row.state is not State.MISSING:
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
        made_groups = (self._group(each, originals[each], thumbnails) for each in originals)
        groups = [group for group in made_groups if group.images]
        write_sheet(self._file, contact_sheet(title, note, groups, is_large=self._is_large))
        return sum(each is not None for each in thumbnails.values())

    def _thumbnail(self, original: Original) -> Thumbnail | None:
        """Return a thumbnail; None, with a warning, if the original cannot be read."""
        # Imports Pillow, which takes 60 ms that other commands save.
        from mkdocs_imagegen.imaging.encode import encode_thumbnail  # noqa: PLC0415

        largest_px = LARGE_PX if self._is_large else THUMBNAIL_PX
        try:
            return encode_thumbnail(self._store.read(original)[1], largest_px)
        except StoreError as error:
            log.warning("an image is left out: %s", error)
            return None

    def _group(
        self,
        request: ImageRequest,
        originals: Sequence[Original],
        thumbnails: Mapping[str, Thumbnail | None],
    ) -> SheetGroup:
        pairs = ((each, thumbnails[each.record.key]) for each in originals)
        images = tuple(self._image(each, small) for each, small in pairs if small)
        family = family_key(request)
        locations = tuple(dict.fromkeys(self._locations[family]))
        return SheetGroup(self._titles[family], request.prompt, locations, images)

    def _image(self, original: Original, small: Thumbnail) -> SheetImage:
        record = original.record
        return SheetImage(
            key=record.key,
            take=record.take,
            model=record.answered_by or record.model,
            cost=cost_of(record),
            day=record.created[:10],
            is_shown=record.key in self._shown,
            url=_url_from(original.path, self._file),
            thumbnail=small,
        )


def family_key(request: ImageRequest) -> str:
    """Return a value that is equal for all takes of a prompt, whichever model generates them."""
    return replace(request, take=1).subject_key


def write_sheet(file: Path, page: str) -> None:
    """Write a contact sheet.

    Raises:
        CommandError: If it cannot be written.
    """
    try:
        write_atomic(file.absolute(), page.encode("utf-8", "replace"))
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
