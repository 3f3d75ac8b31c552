"""The contact sheet of a branch: the images before and after each of its changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from mkdocs_imagegen.cli.changes import Change, Shown
from mkdocs_imagegen.cli.since import Comparison
from mkdocs_imagegen.cli.site import cost_of, thumbnail_of, write_sheet
from mkdocs_imagegen.cli.terminal import show_progress
from mkdocs_imagegen.hosts.look import SiteView
from mkdocs_imagegen.imaging.image import LARGE_PX
from mkdocs_imagegen.originals.judge import Original
from mkdocs_imagegen.pages.contact_sheet import SheetGroup, SheetImage, contact_sheet
from mkdocs_imagegen.pipeline.lookup import open_originals

_Read = Callable[[Original], bytes]


def write_review(site: SiteView, comparison: Comparison, file: Path) -> int:
    """Write the page, which contains all of its images, and return their number.

    Args:
        site: The site.
        comparison: Changes of the branch.
        file: HTML page to write.

    Raises:
        CommandError: If the page cannot be written.
    """
    store = open_originals(site.context.settings)

    def read_after(original: Original) -> bytes:
        return store.read(original)[1]

    changes = show_progress(comparison.changes, len(comparison.changes))
    groups = [_group(comparison, each, read_after) for each in changes]
    title, note = f"Images since {comparison.revision}", f"{comparison.totals}."
    write_sheet(file, contact_sheet(title, note, groups, is_review=True))
    return sum(len(group.images) for group in groups)


def _group(comparison: Comparison, change: Change, read_after: _Read) -> SheetGroup:
    before, after = change.before, change.after
    sides = (("before", before, comparison.originals.read), ("after", after, read_after))
    images = (each for side in sides for each in _images(*side))
    is_missing = after is not None and after.original is None
    return SheetGroup(
        title=change.shown.row.title,
        prompt=change.shown.row.prompt,
        locations=change.locations,
        images=tuple(images),
        change=change.kind.value,
        prompt_before=before.row.prompt if before else "",
        note=f"The new image is missing ({comparison.cost(change)})." if is_missing else "",
    )


def _images(side: str, shown: Shown | None, read: _Read) -> Iterator[SheetImage]:
    """Yield the image of a side, unless it is missing or, with a warning, cannot be read."""
    if shown is None or shown.original is None:
        return
    record = shown.original.record
    thumbnail = thumbnail_of(shown.original, read, LARGE_PX)
    if thumbnail is None:
        return
    asked = filter(None, (record.answered_by or record.model, record.quality, str(record.size)))
    yield SheetImage(
        key=record.key,
        take=record.take,
        model=" · ".join(asked),
        cost=cost_of(record),
        created=record.created,
        is_shown=side == "after",
        url="",
        thumbnail=thumbnail,
        side=side,
    )
