"""The command `import`: a file of the author in place of a generated image."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

import click

from mkdocs_imagegen.cli.site import config_file, require_unlocked
from mkdocs_imagegen.cli.targets import Target, find_target
from mkdocs_imagegen.cli.terminal import CommandError, print_line
from mkdocs_imagegen.errors import ImageError
from mkdocs_imagegen.files import read_plain_file
from mkdocs_imagegen.hosts.look import look
from mkdocs_imagegen.imaging.decode import inspect_image
from mkdocs_imagegen.originals.judge import MAX_ORIGINAL_BYTES
from mkdocs_imagegen.originals.record import ImageFacts, Record, minimal_record
from mkdocs_imagegen.pipeline.lookup import open_originals
from mkdocs_imagegen.request import ImageRequest


@click.command(
    name="import",
    epilog="""
\b
Examples:
  mkdocs-imagegen import photo.jpg docs/guide.md:12
  mkdocs-imagegen import --dark night.png docs/guide.md#harbor
""",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("location")
@click.option("--dark", is_flag=True, help="Import the image for dark color schemes")
@config_file
def import_(file: Path, location: str, config_file: str | None, *, dark: bool) -> None:
    """Use a file of your own in place of a generated image.

    The FILE is a PNG, JPEG, WebP or AVIF image. It is shown for the prompt at LOCATION with every
    model and quality, and is cropped to the size on the page. `generate LOCATION --again` replaces
    it by a generated image.

    LOCATION is `page.md:LINE`, `page.md#id`, `page.md` if it has only one image, or the first
    characters of a cache key.
    """
    site = look(config_file, change=require_unlocked)
    request = _request(find_target(location, site.entries), is_dark=dark)
    try:
        content = read_plain_file(file, MAX_ORIGINAL_BYTES)
        facts = inspect_image(content)
    except (OSError, ValueError, ImageError) as error:
        raise CommandError(f"cannot import {file}: {error}") from None
    store = open_originals(site.context.settings, can_write=True)
    original = store.replace(_record(request, content, facts), content)
    print_line(f"imported {file} as {original.path}")


def _request(target: Target, *, is_dark: bool) -> ImageRequest:
    """Return the request whose image the file replaces.

    Raises:
        CommandError: If the image has no version for dark color schemes.
    """
    directive = target.directive
    if not is_dark:
        return directive.request
    if directive.dark is None:
        raise CommandError(f"the image at {target.entry.location} has no option `dark`")
    return directive.dark


def _record(request: ImageRequest, content: bytes, facts: ImageFacts) -> Record:
    # Under the subject key: an imported file answers the prompt for every model and quality.
    sha256, key = hashlib.sha256(content).hexdigest(), request.subject_key
    created = datetime.now(timezone.utc).isoformat(timespec="seconds")
    record = minimal_record(key, request, sha256, len(content), facts)
    return replace(record, cost_usd=Decimal(0), created=created, is_rebuilt=False)
