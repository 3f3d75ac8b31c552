"""The command `generate`: missing images, without building the site."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from decimal import Decimal

import click

from mkdocs_imagegen.causes import causes
from mkdocs_imagegen.cli.site import (
    as_json,
    config_file,
    estimate_build,
    log_model_change,
    require_unlocked,
)
from mkdocs_imagegen.cli.targets import find_target, page_of, requests_of
from mkdocs_imagegen.cli.terminal import (
    CommandError,
    print_causes,
    print_json,
    print_line,
    print_rows,
)
from mkdocs_imagegen.errors import OptionError
from mkdocs_imagegen.hosts.look import SiteView, globs_of, look
from mkdocs_imagegen.option_parsers import quote_value
from mkdocs_imagegen.pipeline.context import BuildMode
from mkdocs_imagegen.pipeline.outcome import Entry
from mkdocs_imagegen.report import State, summary, to_json
from mkdocs_imagegen.settings import Settings
from mkdocs_imagegen.settings.budget import USD
from mkdocs_imagegen.settings.folders import matches_any


def _read_usd(
    context: click.Context, option: click.Parameter, written: str | None
) -> Decimal | None:
    try:
        return None if written is None else USD(written)
    except OptionError as error:
        raise click.BadParameter(str(error), context, option) from None


@click.command(
    epilog="""
\b
Examples:
  mkdocs-imagegen generate
  mkdocs-imagegen generate guide/install.md 'blog/**' --budget-usd 0.50
  mkdocs-imagegen generate --upgrade --dry-run
  mkdocs-imagegen generate docs/guide.md:12 --again
"""
)
@click.argument("pages", nargs=-1, metavar="[PAGE | LOCATION]...")
@config_file
@click.option("--dry-run", is_flag=True, help="Only show the images to generate")
@click.option(
    "--budget-usd",
    metavar="USD",
    callback=_read_usd,
    help="Maximum spend, in US dollars; by default the option budget.usd",
)
@click.option(
    "--budget-images",
    type=click.IntRange(0),
    metavar="NUMBER",
    help="Maximum number of images; by default the option budget.images",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 64),
    metavar="NUMBER",
    help="Number of concurrent requests; by default the option concurrency",
)
@click.option(
    "--upgrade",
    is_flag=True,
    help="Also regenerate stale images, which are from another model or quality",
)
@click.option("--retry-refused", is_flag=True, help="Also retry prompts that moderation refused")
@click.option("--again", is_flag=True, help="Regenerate the image at each LOCATION")
@as_json
def generate(  # noqa: PLR0913 - one argument for each option
    pages: tuple[str, ...],
    config_file: str | None,
    *,
    dry_run: bool,
    budget_usd: Decimal | None,
    budget_images: int | None,
    concurrency: int | None,
    upgrade: bool,
    retry_refused: bool,
    again: bool,
    as_json: bool,
) -> None:
    """Generate missing images.

    You are charged for each generated image; --dry-run and `plan` estimate the cost. A PAGE is a
    path, or a path or glob in the docs folder; a folder stands for all of its pages. By default,
    the whole site. After an interrupt, the images in progress are finished and stored.

    With --again, the image at each LOCATION is generated and charged again, also if it exists or
    rests after failed attempts. The earlier file stays next to the new one; an imported file is
    moved to `work/quarantine` in the originals folder. A LOCATION is `page.md:LINE`, `page.md#id`,
    or the first characters of a cache key.
    """
    if again and not pages:
        raise click.UsageError("--again needs a LOCATION")

    def change(settings: Settings) -> Settings:
        budget = require_unlocked(settings).budget
        budget = budget if budget_usd is None else replace(budget, usd=budget_usd)
        budget = budget if budget_images is None else replace(budget, images=budget_images)
        return replace(settings, budget=budget, concurrency=concurrency or settings.concurrency)

    mode = BuildMode(
        generate=not dry_run,
        publish=False,
        upgrade=upgrade,
        retry_refused=retry_refused,
        again=_keys_at(pages, config_file) if again else frozenset(),
        waits_for_connection=True,
    )
    selected = () if again else pages
    site = _selected(look(config_file, mode, change, selected), selected)
    if again:
        site = replace(site, entries=[each for each in site.entries if _has_key(each, mode.again)])
    if dry_run:
        _print_dry_run(site, as_json=as_json)
    else:
        _print_result(site, as_json=as_json)
        raise SystemExit(1 if site.lacking else 0)


def _keys_at(locations: Sequence[str], config_file: str | None) -> frozenset[str]:
    """Return the cache keys of the images at locations, with those for dark color schemes.

    Raises:
        OptionError: If a location has no image, several images, or an invalid directive.
    """
    entries = look(config_file, change=require_unlocked).entries
    targets = [find_target(location, entries) for location in locations]
    return frozenset(request.key for each in targets for request in each.directive.requests)


def _has_key(entry: Entry, keys: Collection[str]) -> bool:
    return any(request.key in keys for request in requests_of(entry))


def _selected(site: SiteView, pages: Sequence[str]) -> SiteView:
    """Return the images of the named pages; all without names.

    Raises:
        CommandError: If a name matches no page with an image.
    """
    docs, root = site.context.docs, site.context.settings.root

    def has_images(page: str) -> bool:
        globs = globs_of([page], docs, root)
        return any(matches_any(globs, entry.uri) for entry in site.entries)

    for page in pages:
        if not has_images(page):
            hint = "run `mkdocs-imagegen plan` for all locations"
            if (named := page_of(page)) and has_images(named):
                hint = f"name the page, {named}, or add --again to regenerate the image"
            raise CommandError(f"no page with an image matches {quote_value(page)}; {hint}")
    globs = globs_of(pages, docs, root)
    entries = [each for each in site.entries if not pages or matches_any(globs, each.uri)]
    return replace(site, entries=entries)


def _print_dry_run(site: SiteView, *, as_json: bool) -> None:
    log_model_change(site)
    estimate, refusal = estimate_build(site), site.context.permission.refusal
    if as_json:
        costs = {"usd": str(estimate.usd), "unpriced": estimate.unpriced}
        print_json({"makes": estimate.images, **costs, "refusal": refusal})
        return
    print_rows([row for row in estimate.rows if row.is_lacking])
    print_causes(row for row in estimate.rows if row.state.is_missing)
    print_line(f"would generate {estimate}")


def _print_result(site: SiteView, *, as_json: bool) -> None:
    permission, run = site.context.permission, site.context.run
    missing = [row for row in site.lacking if row.state is State.MISSING]
    if missing and not permission.is_granted:
        raise CommandError(causes(missing)[0].text)
    seconds, failures = run.report.generation_s, run.ledger.budget.charged_failures
    if as_json:
        click.echo(to_json(site.rows, seconds, failures), nl=False)
        return
    print_rows([row for row in site.rows if row.state is State.GENERATED])
    print_causes(site.lacking)
    print_line(summary(site.rows, seconds, failures))
