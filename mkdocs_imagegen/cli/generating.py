"""`generate`: make what is missing, without building the site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import click

from mkdocs_imagegen.building.around import Errand
from mkdocs_imagegen.cli.planning import planned, say_lines
from mkdocs_imagegen.cli.site import Looked, SiteError, as_json, config_file, look
from mkdocs_imagegen.cli.terminal import Progress, say, say_json
from mkdocs_imagegen.errors import OptionError
from mkdocs_imagegen.report import Line, State, dollars, summary, to_json
from mkdocs_imagegen.settings import Settings
from mkdocs_imagegen.settings.budget import USD

_NOT_NAMED = "it stands on a page that was not named"


class _Dollars(click.ParamType[Decimal]):
    name = "usd"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        try:
            return USD(value)
        except OptionError as error:
            self.fail(str(error), param, ctx)


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
@click.option("--budget-usd", type=_Dollars(), help="Dollars to spend at most.")
@click.option("--budget-images", type=click.IntRange(0), help="Pictures to make at most.")
@click.option("--concurrency", type=click.IntRange(1, 64), help="Pictures at the same time.")
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
    """Make the pictures that are missing, on all pages or on PAGES.

    PAGES are paths or globs below the docs folder; a folder stands for all pages in it. An
    interrupt waits for what is being paid for and stores it.
    """

    def change(settings: Settings) -> Settings:
        budget = settings.budget
        budget = budget if budget_usd is None else replace(budget, usd=budget_usd)
        budget = budget if budget_images is None else replace(budget, images=budget_images)
        return replace(settings, budget=budget, concurrency=concurrency or settings.concurrency)

    with Progress() as progress:
        errand = Errand(
            makes=not dry_run,
            shows=False,
            pages=_globs(pages),
            upgrades=upgrade,
            retries_refused=retry_refused,
            watcher=progress,
        )
        looked = look(config_file, errand, change)
    _refuse_unknown_pages(pages, errand, looked)
    if dry_run:
        _say_dry_run(looked, errand, as_json=as_json)
        return
    _say_made(looked, as_json=as_json)


def _globs(pages: Sequence[str]) -> tuple[str, ...]:
    return tuple(glob for page in pages for glob in _glob(Path(page).as_posix()))


def _glob(page: str) -> tuple[str, ...]:
    page = page.removeprefix("docs/").removeprefix("./")
    return (page, f"{page}/**")


def _refuse_unknown_pages(pages: Sequence[str], errand: Errand, looked: Looked) -> None:
    if pages and not any(errand.wants(_uri(line, looked)) for line in looked.lines):
        raise SiteError(f"no page with a picture matches {' '.join(pages)}; see `plan` for those")


def _uri(line: Line, looked: Looked) -> str:
    docs = looked.docs.name
    return line.place.page.removeprefix(f"{docs}/")


def _say_dry_run(looked: Looked, errand: Errand, *, as_json: bool) -> None:
    named = [entry for entry in looked.entries if errand.wants(_uri(entry.line, looked))]
    found = planned(replace(looked, entries=named))
    missing = [line for line in found.lines if line.state.lacks_picture]
    if as_json:
        say_json({"makes": found.pictures, "usd": str(found.usd)})
        return
    say_lines(missing)
    say(f"would make {found.pictures} for about ${dollars(found.usd)}")


def _say_made(looked: Looked, *, as_json: bool) -> None:
    named = [line for line in looked.lines if _NOT_NAMED not in "".join(line.remarks)]
    lacking = [line for line in named if line.state.lacks_picture]
    if lacking and not looked.permission.granted:
        raise SiteError(f"nothing is made: {looked.permission.refusal}")
    if as_json:
        click.echo(to_json(named, looked.seconds, looked.waste), nl=False)
    else:
        say_lines([line for line in named if line.state in (State.MADE, State.MISTAKE)])
        for line in lacking:
            click.echo(f"{line.place}: {'; '.join(line.remarks)}", err=True)
        say(summary(named, looked.seconds, looked.waste))
    raise SystemExit(1 if lacking else 0)
