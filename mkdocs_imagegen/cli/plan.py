"""The command `plan`: missing images and their cost, or the origin of one image's options."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict

import click

from mkdocs_imagegen.cli.site import (
    Estimate,
    as_json,
    config_file,
    estimate_build,
    locked,
    log_model_change,
    with_lock,
)
from mkdocs_imagegen.cli.targets import Target, find_target
from mkdocs_imagegen.cli.terminal import (
    print_causes,
    print_json,
    print_line,
    print_rows,
    print_table,
)
from mkdocs_imagegen.directives.explain import Explanation
from mkdocs_imagegen.errors import OptionError
from mkdocs_imagegen.hosts.look import look
from mkdocs_imagegen.report import deduplicate, plural
from mkdocs_imagegen.spending.permission import Permission


@click.command(
    epilog="""
\b
Examples:
  mkdocs-imagegen plan
  mkdocs-imagegen plan --json | jq .usd
  mkdocs-imagegen plan --explain guide/install.md:12
"""
)
@config_file
@click.option(
    "--explain", metavar="LOCATION", help="Final prompt, options and original of one image"
)
@locked
@as_json
def plan(config_file: str | None, explain: str | None, *, locked: bool, as_json: bool) -> None:
    """Show missing images and their estimated cost.

    Lists every image of the site, at no cost and without an API key. The exit code is 0, also if
    images are missing.

    The LOCATION of --explain is `page.md:LINE`, `page.md#id`, `page.md` if it has only one image,
    or the first characters of a cache key.
    """
    site = look(config_file, change=with_lock if locked else None)
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
