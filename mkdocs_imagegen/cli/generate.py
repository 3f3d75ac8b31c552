"""`generate`: make what is missing, without building the site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import click

from mkdocs_imagegen.cli.plan import is_lacking, planned, say_lines
from mkdocs_imagegen.cli.site import Looked, SiteError, as_json, config_file, globs_of, look
from mkdocs_imagegen.cli.terminal import Progress, say, say_json, tell
from mkdocs_imagegen.errors import OptionError
from mkdocs_imagegen.pipeline.mode import BuildMode
from mkdocs_imagegen.pipeline.outcome import Entry
from mkdocs_imagegen.report import State, format_usd, summary, to_json
from mkdocs_imagegen.settings import Settings
from mkdocs_imagegen.settings.budget import USD
from mkdocs_imagegen.settings.folders import matches_any


def _dollars(
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
"""
)
@click.argument("pages", nargs=-1)
@config_file
@click.option("--dry-run", is_flag=True, help="Only show what would be made.")
@click.option("--budget-usd", metavar="USD", callback=_dollars, help="Dollars to spend at most.")
@click.option("--budget-images", type=click.IntRange(0), help="Images to make at most.")
@click.option("--concurrency", type=click.IntRange(1, 64), help="Images at the same time.")
@click.option("--upgrade", is_flag=True, help="Also make anew what is stale but usable.")
@click.option("--retry-refused", is_flag=True, help="Also ask again what moderation has refused.")
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
    as_json: bool,
) -> None:
    """Make the images that are missing, on all pages or on PAGES.

    PAGES are paths or globs below the docs folder; a folder stands for all pages in it. An
    interrupt waits for what is being paid for and stores it.
    """

    def change(settings: Settings) -> Settings:
        budget = settings.budget
        budget = budget if budget_usd is None else replace(budget, usd=budget_usd)
        budget = budget if budget_images is None else replace(budget, images=budget_images)
        return replace(settings, budget=budget, concurrency=concurrency or settings.concurrency)

    with Progress() as progress:
        mode = BuildMode(
            makes=not dry_run,
            shows=False,
            upgrades=upgrade,
            retries_refused=retry_refused,
            watcher=progress,
        )
        looked = look(config_file, mode, change, pages)
    named = _named(looked, pages)
    if dry_run:
        _say_dry_run(replace(looked, entries=named), as_json=as_json)
        return
    _say_made(replace(looked, entries=named), as_json=as_json)


def _named(looked: Looked, pages: Sequence[str]) -> list[Entry]:
    """What stands on the named pages.

    Raises:
        SiteError: on one of them nothing does.
    """
    for page in pages:
        globs = globs_of([page], looked.docs, looked.settings.root)
        if not any(matches_any(globs, entry.uri) for entry in looked.entries):
            raise SiteError(f"no page with an image matches {page}; see `plan` for those")
    globs = globs_of(pages, looked.docs, looked.settings.root)
    return [each for each in looked.entries if not pages or matches_any(globs, each.uri)]


def _say_dry_run(looked: Looked, *, as_json: bool) -> None:
    found = planned(looked)
    refusal = looked.permission.refusal
    if as_json:
        say_json({"makes": found.images, "usd": str(found.usd), "refusal": refusal})
        return
    say_lines([line for line in found.lines if is_lacking(line)])
    but = f", but not here: {refusal}" if found.images and refusal else ""
    say(f"would make {found.images} for about {format_usd(found.usd)}{but}")


def _say_made(looked: Looked, *, as_json: bool) -> None:
    lacking = [line for line in looked.lines if is_lacking(line)]
    if any(line.state.is_missing for line in lacking) and not looked.permission.is_granted:
        raise SiteError(f"nothing is made: {looked.permission.refusal}")
    seconds = looked.run.report.generation_s
    waste = looked.run.ledger.budget.charged_failures
    if as_json:
        click.echo(to_json(looked.lines, seconds, waste), nl=False)
    else:
        say_lines([line for line in looked.lines if line.state is State.GENERATED])
        for line in lacking:
            tell(f"{line.location}: {'; '.join(line.remarks)}")
        say(summary(looked.lines, seconds, waste))
    raise SystemExit(1 if lacking else 0)
