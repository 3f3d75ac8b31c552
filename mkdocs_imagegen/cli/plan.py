"""The command `plan`: missing images and their cost, or the origin of one image's options."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from decimal import Decimal

import click

from mkdocs_imagegen.causes import list_locations
from mkdocs_imagegen.cli.changes import Change
from mkdocs_imagegen.cli.since import Comparison, look_since
from mkdocs_imagegen.cli.site import (
    Estimate,
    as_json,
    config_file,
    estimate_build,
    locked,
    log_model_change,
    since,
    with_lock,
)
from mkdocs_imagegen.cli.targets import Target, find_target
from mkdocs_imagegen.cli.terminal import (
    as_code,
    print_causes,
    print_json,
    print_line,
    print_rows,
    print_table,
)
from mkdocs_imagegen.directives.explain import Explanation
from mkdocs_imagegen.errors import OptionError
from mkdocs_imagegen.hosts.look import SiteView, look
from mkdocs_imagegen.option_parsers import quote_value
from mkdocs_imagegen.report import deduplicate, plural
from mkdocs_imagegen.spending.permission import Permission

_MAX_ROWS = 500
"""Maximum number of rows in Markdown: GitHub shows summaries of up to 1 MiB."""


@click.command(
    epilog="""
\b
Examples:
  mkdocs-imagegen plan
  mkdocs-imagegen plan --json | jq .usd
  mkdocs-imagegen plan --explain guide/install.md:12
  mkdocs-imagegen plan --since origin/main
  mkdocs-imagegen plan --since origin/main --format markdown >> "$GITHUB_STEP_SUMMARY"
"""
)
@config_file
@click.option(
    "--explain", metavar="LOCATION", help="Final prompt, options and original of one image"
)
@since
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "markdown"]),
    default="table",
    help="Format of the changes since a revision; by default a table",
)
@locked
@as_json
def plan(  # noqa: PLR0913 - one argument for each option
    config_file: str | None,
    explain: str | None,
    since: str | None,
    form: str,
    *,
    locked: bool,
    as_json: bool,
) -> None:
    """Show missing images and their estimated cost.

    Lists every image of the site, at no cost and without an API key. The exit code is 0, also if
    images are missing.

    The LOCATION of --explain is `page.md:LINE`, `page.md#id`, `page.md` if it has only one image,
    or the first characters of a cache key.

    With --since, lists the images that this branch adds, changes and drops, the dollars spent and
    still to spend, and the number of files to commit. The branch is compared with the commit at
    which it left REVISION.
    """
    if (explain is not None and since is not None) or (form != "table" and since is None):
        raise click.UsageError("--since excludes --explain, and --format needs --since")
    change = with_lock if locked else None
    if since is not None:
        _print_changes(*look_since(config_file, since, change), "json" if as_json else form)
        return
    site = look(config_file, change=change)
    if explain is not None:
        _explain(find_target(explain, site.entries), as_json=as_json)
        return
    log_model_change(site)
    estimate = estimate_build(site)
    if as_json:
        print_json(_as_dict(estimate, site.context.permission))
    else:
        print_rows(estimate.rows)
        print_causes(row for row in estimate.rows if row.state.is_missing)
        print_line(_totals(estimate, site.context.permission))


def _as_dict(estimate: Estimate, permission: Permission) -> dict[str, object]:
    return {
        "version": 1,
        "makes": estimate.images,
        "usd": str(estimate.usd),
        "unpriced": estimate.unpriced,
        "refusal": permission.refusal,
        "pictures": [row.as_dict() for row in estimate.rows],
    }


def _totals(estimate: Estimate, permission: Permission) -> str:
    counts = Counter(row.state for row in deduplicate(estimate.rows))
    if not counts:
        return "no images"
    images = plural(counts.total(), "image")
    states = ", ".join(state.count(number) for state, number in counts.items())
    work = f"a build generates {estimate}" if estimate.images else "no images to generate"
    if estimate.images and not permission.is_granted:
        work = f"a build would generate {estimate}"
    return f"{images}: {states}; {work}"


def _print_changes(site: SiteView, comparison: Comparison, form: str) -> None:
    if form == "json":
        print_json(_changes_as_dict(comparison))
    elif form == "markdown":
        print_line("\n".join(_changes_as_markdown(comparison)))
    else:
        titles = ("Change", "Location", "State", "Cost", "Prompt")
        print_table(titles, [_cells(comparison, each) for each in comparison.changes])
        keys = {row.key for row in comparison.missing}
        rows = (row for row in estimate_build(site).rows if row.key in keys)
        print_causes(row for row in rows if row.state.is_missing)
        print_line(comparison.totals)
        if comparison.advice:
            print_line(comparison.advice)


def _cells(comparison: Comparison, change: Change) -> tuple[str, ...]:
    state = change.after.row.state.word if change.after else "-"
    locations, cost = list_locations(change.locations), comparison.cost(change)
    return change.kind.value, locations, state, cost, quote_value(change.shown.row.title)


def _changes_as_dict(comparison: Comparison) -> dict[str, object]:
    missing, known = comparison.missing, [each for each in comparison.costs if each is not None]
    prices = [row.price_usd for row in missing if row.price_usd is not None]
    return {
        "version": 1,
        "since": comparison.revision,
        "commit": comparison.commit,
        "spent_usd": str(sum(known, Decimal(0))),
        "spent_unknown": len(comparison.costs) - len(known),
        "makes": len(missing),
        "usd": str(sum(prices, Decimal(0))),
        "unpriced": len(missing) - len(prices),
        "files": [os.path.relpath(path) for path in comparison.files],
        "changes": [_change_as_dict(each) for each in comparison.changes],
    }


def _change_as_dict(change: Change) -> dict[str, object]:
    before, after = change.before, change.after
    return {
        "change": change.kind.value,
        "places": list(change.locations),
        "before": before.row.as_dict() if before else None,
        "after": after.row.as_dict() if after else None,
    }


def _changes_as_markdown(comparison: Comparison) -> Iterator[str]:
    totals = comparison.totals
    yield f"### Images since {as_code(comparison.revision)}\n"
    yield f"{totals[:1].upper()}{_without_math(totals[1:])}.\n"
    if comparison.changes:
        yield "| Change | Location | State | Cost | Prompt |\n|---|---|---|---|---|"
    for each in comparison.changes[:_MAX_ROWS]:
        kind, locations, state, cost, prompt = _cells(comparison, each)
        own = f"{state} | {_without_math(cost)}"
        yield f"| {kind} | {as_code(locations)} | {own} | {as_code(prompt)} |"
    if len(comparison.changes) > _MAX_ROWS:
        yield f"\nAnd {len(comparison.changes) - _MAX_ROWS} more."
    if comparison.advice:
        yield f"\n{as_code(comparison.advice)}"


def _without_math(text: str) -> str:
    """Return Markdown without dollar signs, between which GitHub reads formulas."""
    return text.replace("$", "&#36;")


def _explain(target: Target, *, as_json: bool) -> None:
    explanation = target.entry.explain()
    if explanation is None:
        raise OptionError(f"the directive at {target.entry.location} is invalid")
    if as_json:
        print_json(_explanation_as_dict(target, explanation))
    else:
        _print_explanation(target, explanation)


def _print_explanation(target: Target, explanation: Explanation) -> None:
    entry, requests = target.entry, target.directive.requests
    state = entry.outcome.state.word
    first, *dark = (request.key[:16] for request in requests)
    keys = f"cache key {first}" + "".join(f", {key} in dark mode" for key in dark)
    print_line(f"{entry.location}: {state}, {keys}")
    for original in entry.originals:
        print_line(f"original: {original.path}")
    print_line()
    for request in requests:
        print_line(f"{request.prompt}\n")
    parts = [(part.role, str(part.origin), part.text or "none") for part in explanation.parts]
    print_table(("Part", "From", "Text"), parts)
    choices = [(each.option, str(each.origin), each.value) for each in explanation.options]
    print_table(("Option", "From", "Value"), choices)


def _explanation_as_dict(target: Target, explanation: Explanation) -> dict[str, object]:
    requests = target.directive.requests
    return {
        "place": str(target.entry.location),
        "state": target.entry.outcome.state.value,
        "keys": [request.key for request in requests],
        "prompts": [request.prompt for request in requests],
        "originals": [str(original.path) for original in target.entry.originals],
        "parts": [asdict(part) | {"origin": str(part.origin)} for part in explanation.parts],
        "options": [asdict(each) | {"origin": str(each.origin)} for each in explanation.options],
    }
